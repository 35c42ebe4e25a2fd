"""What the search in the header finds in some accounts: five kinds of rows, each by an index or among few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery

from accounts.models import Account, RegistryUser
from namespaces.lists.tag_list import in_digests
from namespaces.lists.wanted import SUBSTRING_MIN, Reference, clean, label, reference, wanted
from namespaces.models import HOLDS, Image, Label, Part, Revision, Tag
from namespaces.names import is_technical, split

Rows = QuerySet[Any]
SHOWN = 10
FEW = 1000


@dataclass(frozen=True)
class Group:
    """The first of a kind; `more` when there are others."""

    kind: str
    rows: list[Any]
    more: bool


def groups(accounts: Sequence[Account], typed: str) -> list[Group]:
    """Those kinds in which something was found; one or two statements each."""
    found = []
    for kind in KINDS:
        rows = rows_of(kind, accounts, typed)
        first: list[Model] = list(rows[: SHOWN + 1]) if rows is not None else []
        if first:
            found.append(Group(kind, first[:SHOWN], more=len(first) > SHOWN))
    return found


def rows_of(kind: str, accounts: Sequence[Account], typed: str) -> Rows | None:
    """All of one of KINDS, in a total order; None when `typed` can name none of that kind."""
    ids = [account.pk for account in accounts]
    return KINDS[kind](ids, clean(typed)) if ids and clean(typed) else None


def too_short(typed: str) -> bool:
    return 0 < len(clean(typed)) < SUBSTRING_MIN


def _images(accounts: list[int], typed: str) -> Rows:
    found = Image.objects.select_related("namespace__account").filter(HOLDS, namespace__account__in=accounts)
    named = reference(typed, host=settings.REGISTRY_HOST)
    if named:
        namespace, image = split(named.repository)
        across = Q(namespace__name__endswith=namespace, name__startswith=image)
        found = found.filter(across | Q(name__contains=named.repository))
    elif too_short(typed):
        found = found.filter(Q(name__istartswith=typed) | Q(namespace__name__istartswith=typed))
    else:
        found = found.filter(Q(name__icontains=typed) | Q(namespace__name__icontains=typed))
    return found.order_by("namespace__name", "name")


def _tags(accounts: list[int], typed: str) -> Rows | None:
    """Those that tools made only for who types a whole one."""
    found = Tag.objects.filter(image__namespace__account__in=accounts)
    named = reference(typed, host=settings.REGISTRY_HOST)
    if named and named.tag:
        text = named.tag
        found = _in_repository(found, "image__", named).filter(name__istartswith=text)
    elif named or too_short(typed) or not (text := wanted(typed).text):
        return None
    else:
        found = found.filter(name__icontains=text)
        # Among few they are sorted; among many the newest are soon met. Which of the two, one small index tells.
        images = Image.objects.filter(namespace__account__in=accounts).order_by()
        named_so = Tag.objects.filter(image__in=images.values("pk"), name__icontains=text)
        few = list(named_so.order_by().values_list("pk", flat=True)[: FEW + 1])
        found = Tag.objects.filter(pk__in=few) if len(few) <= FEW else found
    found = found.filter(technical=is_technical(text))
    return found.select_related("image__namespace__account").order_by("-id")


def _digests(accounts: list[int], typed: str) -> Rows | None:
    named = reference(typed, host=settings.REGISTRY_HOST)
    digest = wanted(named.digest if named else typed).digest
    if not digest:
        return None
    found = _held(accounts).filter(in_digests(digest))
    return _in_repository(found, "image__", named) if named else found


def _labels(accounts: list[int], typed: str) -> Rows | None:
    if too_short(typed):
        return None
    key, start = label(typed)
    labels = Label.objects.filter(start__gte=start.first, start__lt=start.end)
    if key:
        labels = labels.filter(key__iexact=key)
    return _held(accounts).filter(manifest__in=labels.values("manifest"))


def _users(accounts: list[int], typed: str) -> Rows:
    way = "istartswith" if too_short(typed) else "icontains"
    found = RegistryUser.objects.select_related("account").filter(account__in=accounts)
    matches = Q(**{f"description__{way}": typed}) | Q(**{f"username__{way}": typed})
    return found.filter(matches).order_by("description", "id")


KINDS: dict[str, Callable[[list[int], str], Rows | None]] = {
    "images": _images, "tags": _tags, "digests": _digests, "labels": _labels, "users": _users,
}  # fmt: skip


def _held(accounts: list[int]) -> QuerySet[Revision]:
    found = Revision.objects.filter(image__namespace__account__in=accounts, gone_at=None)
    return found.select_related("image__namespace__account").order_by("-id")


def _in_repository(rows: Rows, path: str, named: Reference) -> Rows:
    namespace, image = split(named.repository)
    return rows.filter(**{f"{path}namespace__name": namespace, f"{path}name": image})


@dataclass(frozen=True)
class Held:
    """A manifest that an image holds. `tag` points at it, or `within` at an index that lists it; "" neither."""

    revision: Revision
    tag: str
    within: str
    labels: list[Label]


def described(kind: str, rows: Sequence[Any], typed: str) -> Sequence[Any]:
    """Rows of a kind as they are shown: of digests and labels each with the tag that leads there."""
    return _describe(rows, typed, labels=kind == "labels") if kind in ("digests", "labels") else rows


def _describe(revisions: Sequence[Revision], typed: str, *, labels: bool) -> list[Held]:
    """At most two statements: a tag of each, and with `labels` those that were searched for."""
    same = Tag.objects.filter(image=OuterRef("image"), manifest=OuterRef("manifest"))
    listing = Part.objects.filter(digest=OuterRef(OuterRef("manifest")), kind=Part.Kind.MANIFEST)
    above = Tag.objects.filter(image=OuterRef("image"), manifest__in=listing.values("manifest"))
    told = {
        pk: (tag or "", within or "")
        for pk, tag, within in Revision.objects.filter(pk__in=[each.pk for each in revisions])
        .annotate(
            tag=Subquery(same.order_by("technical", *Tag.NEWEST_FIRST).values("name")[:1]),
            within=Subquery(above.order_by("technical", *Tag.NEWEST_FIRST).values("name")[:1]),
        )
        .values_list("pk", "tag", "within")
    }
    found: dict[str, list[Label]] = {}
    if labels and revisions:
        key, start = label(typed)
        digests = [each.manifest_id for each in revisions]
        for each in Label.objects.filter(
            manifest__in=digests, start__gte=start.first, start__lt=start.end
        ).order_by("key"):
            if not key or each.key.lower() == key.lower():
                found.setdefault(each.manifest_id, []).append(each)
    return [Held(each, *told[each.pk], found.get(each.manifest_id, [])) for each in revisions]
