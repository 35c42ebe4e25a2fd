"""The header's search in some accounts: eight kinds of rows, each found by an index or among few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import Account, RegistryUser
from namespaces.listing.tag_list import digest_in
from namespaces.models import HAS_CONTENT, Descriptor, Image, Label, RepositoryManifest, Tag
from namespaces.names import split
from namespaces.search_query import (
    SUBSTRING_MIN,
    PastedReference,
    PrefixRange,
    clean,
    parse_label,
    parse_pasted_reference,
    parse_query,
)
from namespaces.selectors import described

Rows = QuerySet[Any]
SHOWN = 10
SORTED_MAX = 1000


@dataclass(frozen=True)
class SearchGroup:
    """The first SHOWN rows of a kind; `more` if there are others."""

    kind: str
    rows: list[Any]
    more: bool


def search_groups(accounts: Sequence[Account], typed: str) -> list[SearchGroup]:
    """Return the kinds in which something was found; one or two statements each."""
    found = []
    for kind in KINDS:
        rows = rows_of(kind, accounts, typed)
        first: list[Model] = list(rows[: SHOWN + 1]) if rows is not None else []
        if first:
            found.append(SearchGroup(kind, first[:SHOWN], more=len(first) > SHOWN))
    return found


def rows_of(kind: str, accounts: Sequence[Account], typed: str) -> Rows | None:
    """Return all rows of one of KINDS, in a total order; None if `typed` cannot match that kind."""
    ids = [account.pk for account in accounts]
    return KINDS[kind](ids, clean(typed)) if ids and clean(typed) else None


def too_short(typed: str) -> bool:
    return 0 < len(clean(typed)) < SUBSTRING_MIN


def _images(accounts: list[int], typed: str) -> Rows:
    found = Image.objects.select_related("namespace__account").filter(
        HAS_CONTENT, namespace__account__in=accounts
    )
    named = parse_pasted_reference(typed, host=settings.REGISTRY_HOST)
    if named:
        found = found.filter(_is_like(named))
    elif too_short(typed):
        found = found.filter(Q(name__istartswith=typed) | Q(namespace__name__istartswith=typed))
    else:
        by_name = Q(name__icontains=typed) | Q(namespace__name__icontains=typed)
        found = found.filter(by_name | described(typed))
    return found.order_by("namespace__name", "name")


def _tags(accounts: list[int], typed: str, *, technical: bool = False) -> Rows | None:
    found = Tag.objects.filter(image__namespace__account__in=accounts)
    named, asked = parse_pasted_reference(typed, host=settings.REGISTRY_HOST), parse_query(typed)
    if named and named.tag:
        found = Tag.objects.filter(image__in=_images_named(accounts, named), name__istartswith=named.tag)
    elif (
        named or too_short(typed) or not (text := asked.text or _in_tags(asked.digest if technical else None))
    ):
        return None
    else:
        found = found.filter(name__icontains=text)
        # Among few they are sorted; among many the newest are soon met. Which of the two, one small index tells.
        images = Image.objects.filter(namespace__account__in=accounts).order_by()
        named_so = Tag.objects.filter(
            image__in=images.values("pk"), name__icontains=text, technical=technical
        )
        few = list(named_so.order_by().values_list("pk", flat=True)[: SORTED_MAX + 1])
        if len(few) <= SORTED_MAX:
            found = Tag.objects.filter(pk__in=few)
        elif _have_most_tags(accounts):
            return _walk(images, text, technical=technical)
    return found.filter(technical=technical).select_related("image__namespace__account").order_by("-id")


def _walk(images: QuerySet[Image], text: str, *, technical: bool) -> Rows:
    """All tags from the newest on. No join: databases would rather read all tags of each image and sort those."""
    ours = Subquery(images.filter(pk=OuterRef("image")).values("pk"))
    found = Tag.objects.alias(ours=ours).filter(ours__isnull=False, name__icontains=text, technical=technical)
    return found.prefetch_related("image__namespace__account").order_by("-id")


def _have_most_tags(accounts: list[int]) -> bool:
    """Return True if who walks through all tags meets many of these accounts'."""
    ours = Sum("tag_count", filter=Q(namespace__account__in=accounts), default=0)
    counted = Image.objects.aggregate(ours=ours, all=Sum("tag_count", default=0))
    return bool(2 * counted["ours"] >= counted["all"])


def _technical(accounts: list[int], typed: str) -> Rows | None:
    """Those that tools made: also of what has this digest."""
    return _tags(accounts, typed, technical=True)


def _in_tags(digest: PrefixRange | None) -> str:
    """How tags have a digest in their names; "" where too little of it is there."""
    return digest.first.replace(":", "-", 1) if digest and len(digest.first) > len("sha256:") else ""


def _digest_in(typed: str) -> tuple[PastedReference | None, PrefixRange | None]:
    named = parse_pasted_reference(typed, host=settings.REGISTRY_HOST)
    return named, parse_query(named.digest if named else typed).digest


def _digests(accounts: list[int], typed: str) -> Rows | None:
    named, digest = _digest_in(typed)
    if not digest:
        return None
    found = _held_manifests(accounts).filter(digest_in(digest))
    return found.filter(image__in=_images_named(accounts, named)) if named else found


def _configs(accounts: list[int], typed: str) -> Rows | None:
    """By the digest of the config, which `docker images` shows as the image's ID."""
    return _with_descriptor(accounts, typed, Descriptor.Kind.CONFIG)


def _layers(accounts: list[int], typed: str) -> Rows | None:
    return _with_descriptor(accounts, typed, Descriptor.Kind.LAYER)


def _with_descriptor(accounts: list[int], typed: str, kind: Descriptor.Kind) -> Rows | None:
    named, digest = _digest_in(typed)
    if not digest:
        return None
    found = _held_manifests(accounts).filter(manifest__in=_descriptors(kind, digest).values("manifest"))
    return found.filter(image__in=_images_named(accounts, named)) if named else found


def _descriptors(kind: Descriptor.Kind, digest: PrefixRange) -> QuerySet[Descriptor]:
    return Descriptor.objects.filter(kind=kind, digest__gte=digest.first, digest__lt=digest.end)


def _labels(accounts: list[int], typed: str) -> Rows | None:
    if too_short(typed):
        return None
    key, start = parse_label(typed)
    labels = Label.objects.filter(value_prefix__gte=start.first, value_prefix__lt=start.end)
    if key:
        labels = labels.filter(key__iexact=key)
    return _held_manifests(accounts).filter(manifest__in=labels.values("manifest"))


def _users(accounts: list[int], typed: str) -> Rows:
    way = "istartswith" if too_short(typed) else "icontains"
    found = RegistryUser.objects.select_related("account").filter(account__in=accounts)
    matches = Q(**{f"description__{way}": typed}) | Q(**{f"username__{way}": typed})
    return found.filter(matches).order_by("description", "id")


# In the order in which they are shown: what tools made is what people look for last.
KINDS: dict[str, Callable[[list[int], str], Rows | None]] = {
    "images": _images, "tags": _tags, "digests": _digests, "configs": _configs, "layers": _layers, "labels": _labels,
    "users": _users, "technical": _technical,
}  # fmt: skip
DESCRIPTOR_KINDS = {"configs": Descriptor.Kind.CONFIG, "layers": Descriptor.Kind.LAYER}


def _held_manifests(accounts: list[int]) -> QuerySet[RepositoryManifest]:
    found = RepositoryManifest.objects.filter(image__namespace__account__in=accounts, gone_at=None)
    return found.select_related("image__namespace__account").order_by("-id")


def _images_named(accounts: list[int], named: PastedReference) -> Rows:
    """Return the images that are called so: in full, or by the last parts of the name."""
    found = Image.objects.filter(namespace__account__in=accounts).order_by()
    last = Q(name=named.repository) | Q(name__endswith=f"/{named.repository}")
    return found.filter(last | _is_repository(named)).values("pk")


def _is_like(named: PastedReference) -> Q:
    namespace, image = split(named.repository)
    piece = Q(name__contains=named.repository) | _is_repository(named)
    if not image:
        return piece | Q(namespace__name=namespace)
    return piece | Q(namespace__name__endswith=namespace, name__startswith=image)


def _is_repository(named: PastedReference) -> Q:
    found = Q(pk__in=[])
    for repository in filter(None, (named.repository, named.whole)):
        namespace, image = split(repository)
        found |= Q(namespace__name=namespace, name=image)
    return found


@dataclass(frozen=True)
class ManifestMatch:
    """A manifest that an image holds. `tag` points at it, `within` at an index that lists it, or both are ""."""

    revision: RepositoryManifest
    tag: str
    within: str
    labels: list[Label]
    part: str = ""  # the digest of its config, or of a layer of it, that was searched for


def with_context(kind: str, rows: Sequence[Any], typed: str) -> Sequence[Any]:
    """Return the rows as pages show them: manifests as ManifestMatch, with the tag that leads there."""
    return _describe(rows, typed, kind) if kind in ("digests", "labels", *DESCRIPTOR_KINDS) else rows


def _describe(revisions: Sequence[RepositoryManifest], typed: str, kind: str) -> list[ManifestMatch]:
    """At most two statements: a tag of each, and the labels that were searched for."""
    digest = _digest_in(clean(typed))[1]
    parts = (
        _descriptors(DESCRIPTOR_KINDS[kind], digest)
        if kind in DESCRIPTOR_KINDS and digest
        else Descriptor.objects.none()
    )
    same = Tag.objects.filter(image=OuterRef("image"), manifest=OuterRef("manifest"))
    listing = Descriptor.objects.filter(digest=OuterRef(OuterRef("manifest")), kind=Descriptor.Kind.MANIFEST)
    above = Tag.objects.filter(image=OuterRef("image"), manifest__in=listing.values("manifest"))
    context = {
        pk: (tag or "", within or "", part or "")
        for pk, tag, within, part in RepositoryManifest.objects.filter(pk__in=[each.pk for each in revisions])
        .annotate(
            tag=Subquery(same.order_by("technical", *Tag.NEWEST_FIRST).values("name")[:1]),
            within=Subquery(above.order_by("technical", *Tag.NEWEST_FIRST).values("name")[:1]),
            part=Subquery(
                parts.filter(manifest=OuterRef("manifest")).order_by("digest").values("digest")[:1]
            ),
        )
        .values_list("pk", "tag", "within", "part")
    }
    found: dict[str, list[Label]] = {}
    if kind == "labels" and revisions:
        key, start = parse_label(typed)
        digests = [each.manifest_id for each in revisions]
        for each in Label.objects.filter(
            manifest__in=digests, value_prefix__gte=start.first, value_prefix__lt=start.end
        ).order_by("key"):
            if not key or each.key.lower() == key.lower():
                found.setdefault(each.manifest_id, []).append(each)
    return [
        ManifestMatch(each, tag, within, found.get(each.manifest_id, []), part)
        for each in revisions
        for tag, within, part in [context[each.pk]]
    ]
