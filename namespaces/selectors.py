"""Read-only queries on namespaces, images and grants. The caller has checked the permission."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.common.expiring import EXPIRES_SOON
from accounts.common.prepared_queries import Prepared, prepared
from accounts.models import Account, RegistryUser
from namespaces import permissions
from namespaces.access import Action, Level, UserStatus, Verdict, decide
from namespaces.models import HAS_CONTENT, Grant, Image, Namespace, Readme, Usage
from namespaces.unused_grants import unused_grants

TARGETS_MAX = 100
GRANT_STATES = ["ending", "ended", "idle"]
GRANTS_SHOWN = 10  # on a namespace's first page


@dataclass(frozen=True)
class EffectiveAccess:
    """What one user may do with one image or namespace, and through which grants."""

    user: RegistryUser
    verdict: Verdict
    grants: list[Grant]


class GrantLine(NamedTuple):
    """Of a grant what `grant_text.summary` says of it."""

    level: int
    namespace_name: str
    image_name: str
    expires_at: datetime | None

    @property
    def target(self) -> str:
        return f"{self.namespace_name}/{self.image_name}" if self.image_name else self.namespace_name


def namespaces_of(account: Account, *, now: datetime, search: str = "") -> QuerySet[Namespace]:
    """Namespaces with what their images and grants come to: a user counts who has a live grant anywhere in it."""
    found = Namespace.objects.filter(account=account).select_related("account")
    if search:
        found = found.filter(name__icontains=search)
    images = Image.objects.filter(HAS_CONTENT, namespace=OuterRef("pk"))
    newest = Image.objects.filter(namespace=OuterRef("pk")).order_by("-newest_history_id")
    grants = Grant.objects.live(now).filter(namespace=OuterRef("pk"))
    # Counted in subqueries: joined, 8,000 images and 200 grants would be 1,600,000 rows.
    return found.annotate(  # type: ignore[no-redef]
        image_count=_count_per_namespace(images, "pk"),
        user_count=_count_per_namespace(grants, "user"),
        pushed_at=Subquery(images.order_by("-pushed_at").values("pushed_at")[:1]),
        newest_history_id=Subquery(newest.values("newest_history_id")[:1]),
    ).order_by("name")


def all_namespaces(account: Account) -> list[Namespace]:
    """Return what `namespaces_of` finds."""
    return _namespaces_of(account=account.pk, now=timezone.now())


_namespaces_of: Prepared[..., Namespace] = prepared(namespaces_of)


def public_namespace_count(account: Account) -> int:
    return Namespace.objects.filter(account=account, public=True).count()


def namespace_names(account: Account) -> list[str]:
    return list(Namespace.objects.filter(account=account).order_by("name").values_list("name", flat=True))


def images_of(account: Account, *, namespace: Namespace | None = None, search: str = "") -> QuerySet[Image]:
    """Images that have a tag or an untagged manifest, the last pushed first."""
    found = Image.objects.select_related("namespace__account").filter(HAS_CONTENT, namespace__account=account)
    if namespace:
        found = found.filter(namespace=namespace)
    if search:
        found = found.filter(
            Q(name__icontains=search) | Q(namespace__name__icontains=search) | described(search)
        )
    return found.order_by("-pushed_at", "-id")


def described(text: str) -> Q:
    """Return what is true of images with `text` in the description that is shown."""
    return Q(own_description__icontains=text) | Q(own_description="", pushed_description__icontains=text)


def images_with_readme() -> QuerySet[Image]:
    """Return images with `.readme_text`, and `.counted_at` of their bytes; None where there is none."""
    return Image.objects.annotate(  # type: ignore[no-redef]
        readme_text=F("readme__text"), counted_at=_counted_at("namespace__account_id")
    )


def with_counted_at(namespaces: QuerySet[Namespace]) -> QuerySet[Namespace]:
    """Add `.counted_at`: when the bytes of their accounts were last counted."""
    return namespaces.annotate(counted_at=_counted_at("account_id"))  # type: ignore[no-redef]


def _counted_at(account: str) -> Subquery:
    newest = Usage.objects.filter(account_id=OuterRef(account), namespace_id=0).order_by("-day")
    return Subquery(newest.values("counted_at")[:1])


def readme_of(owner: Namespace | Image) -> str:
    """Return the README as it was written; "" if there is none, or the image is not pushed yet."""
    if not owner.pk:
        return ""
    rows = (
        Readme.objects.filter(image=owner)
        if isinstance(owner, Image)
        else Readme.objects.filter(namespace=owner)
    )
    return rows.values_list("text", flat=True).first() or ""


def grants_on(namespace: Namespace, *, search: str = "", state: str = "") -> QuerySet[Grant]:
    """Grants anywhere in the namespace, those on all of it first.

    `search` is a part of a user's or image's name, `state` one of GRANT_STATES.
    """
    found = Grant.objects.filter(_grants_in_state(state, timezone.now()), namespace=namespace)
    found = found.select_related("user__account", "namespace__account")
    if search:
        user = Q(user__description__icontains=search) | Q(user__username__icontains=search)
        found = found.filter(user | Q(image_name__icontains=search))
    return found.order_by("image_name", "id")


def _grants_in_state(state: str, now: datetime) -> Q:
    ending = Q(expires_at__gt=now, expires_at__lte=now + EXPIRES_SOON)
    if state == "idle":
        return unused_grants(now)
    return {"": Q(), "ending": ending, "ended": Q(expires_at__lte=now)}[state]


def ending_grants(account: Account, now: datetime) -> list[tuple[str, int]]:
    """Return the namespaces in which permissions of working users end soon, and how many in each."""
    working = Q(user__disabled_at=None) & (Q(user__expires_at=None) | Q(user__expires_at__gt=now))
    found = Grant.objects.filter(_grants_in_state("ending", now), working, namespace__account=account)
    counted = found.order_by("namespace__name").values_list("namespace__name")
    return list(counted.annotate(number=Count("pk")))


def first_grants_on(namespace: Namespace) -> tuple[list[Grant], int]:
    """Return the first GRANTS_SHOWN grants, and how many more there are."""
    found = grants_on(namespace)
    first = list(found[:GRANTS_SHOWN])
    return first, found.count() - len(first) if len(first) == GRANTS_SHOWN else 0


def first_push_grant(
    account: Account, *, namespace: Namespace | None = None, image_name: str = ""
) -> Grant | None:
    """Return a live grant of an active user that may push here, the newest on a whole namespace if there is one."""
    now = timezone.now()
    found = Grant.objects.live(now).filter(
        namespace__account=account, level__gte=Level.WRITE, user__disabled_at=None
    )
    found = found.exclude(user__expires_at__lte=now)
    if namespace:
        found = found.filter(namespace=namespace)
    if image_name:
        found = found.filter(image_name__in=["", image_name])
    return found.select_related("user__account", "namespace__account").order_by("image_name", "-id").first()


def has_users(account: Account) -> bool:
    return RegistryUser.objects.filter(account=account).exists()


def has_images(namespace: Namespace) -> bool:
    return Image.objects.filter(HAS_CONTENT, namespace=namespace).exists()


def grants_of(user: RegistryUser) -> QuerySet[Grant]:
    return (
        Grant.objects.filter(user=user)
        .select_related("namespace__account", "user__account")
        .order_by("namespace__name", "image_name", "id")
    )


def live_grants_at(user: RegistryUser, targets: Collection[str], now: datetime) -> list[Grant]:
    """Return the user's live grants on exactly these: "team/api", or "team" for the whole namespace."""
    found = Grant.objects.live(now).select_related("user", "namespace").order_by("id")
    names = {target.partition("/")[0] for target in targets}
    return [each for each in found.filter(user=user, namespace__name__in=names) if each.target in targets]


def live_grants_of_users(users: Sequence[RegistryUser], now: datetime) -> dict[int, list[GrantLine]]:
    """Return user id → grants, for a list: without a row of our models for each."""
    found: dict[int, list[GrantLine]] = defaultdict(list)
    for user, level, namespace_name, image_name, expires_at in _live_grants_of_users(
        users=[user.pk for user in users], now=now
    ):
        found[user].append(GrantLine(level, namespace_name, image_name, expires_at))
    return found


@prepared
def _live_grants_of_users(
    *, users: list[int], now: datetime
) -> QuerySet[Grant, tuple[int, int, str, str, datetime | None]]:
    grants = Grant.objects.live(now).filter(user__pk__in=users)
    grants = grants.order_by("image_name", "namespace__name", "id")
    return grants.values_list("user_id", "level", "namespace__name", "image_name", "expires_at")


def target_names(account: Account) -> list[str]:
    """Return names to suggest for a new grant: namespaces, then the images pushed last."""
    namespaces = Namespace.objects.filter(account=account).order_by("name")[:TARGETS_MAX]
    images = images_of(account)[:TARGETS_MAX]
    return [each.name for each in namespaces] + [each.repository for each in images]


def repository_names(account: Account) -> list[str]:
    """Return names to suggest where an image is asked about: those pushed last."""
    return [each.repository for each in images_of(account)[:TARGETS_MAX]]


def grants_in(
    account: Account, *, username: str = "", namespace_name: str = "", image_name: str = "", state: str = ""
) -> QuerySet[Grant]:
    """`state` is one of GRANT_STATES, "" for all."""
    found = Grant.objects.filter(_grants_in_state(state, timezone.now()), namespace__account=account)
    found = found.select_related("user__account", "namespace__account")
    if username:
        found = found.filter(user__username=username)
    if namespace_name:
        found = found.filter(namespace__name=namespace_name)
    if image_name:
        found = found.filter(image_name=image_name)
    return found.order_by("id")


@prepared
def users_with_access(*, namespace: int, image_name: str) -> QuerySet[RegistryUser]:
    """Return the users with a grant on this image or its namespace, ordered by description."""
    reaching = grants_reaching(namespace, image_name)
    return RegistryUser.objects.filter(Exists(reaching)).order_by("description", "id")


def grants_reaching(namespace: int, image_name: str) -> QuerySet[Grant]:
    """Return an outer user's grants on the image or its namespace, for a subquery."""
    return Grant.objects.filter(user=OuterRef("pk"), namespace=namespace, image_name__in=["", image_name])


def effective_access(
    namespace: Namespace, image_name: str, users: Sequence[RegistryUser]
) -> list[EffectiveAccess]:
    """Return for each of `users` whether it may pull this image, its level, and the grants that give it."""
    by_user: dict[int, list[Grant]] = {user.pk: [] for user in users}
    known = {user.pk: user for user in users}
    for grant in _grants_on_image(namespace=namespace.pk, image_name=image_name, users=list(known)):
        grant.user, grant.namespace = known[grant.user_id], namespace
        by_user[grant.user_id].append(grant)
    now = timezone.now()
    found = []
    for user in users:
        if user.account_id == namespace.account_id:
            user.account = namespace.account
        context = permissions.access_context(by_user[user.pk], namespace, user_status_of(user, now), now)
        found.append(EffectiveAccess(user, decide(context, Action.PULL), by_user[user.pk]))
    return found


@prepared
def _grants_on_image(*, namespace: int, image_name: str, users: list[int]) -> QuerySet[Grant]:
    found = Grant.objects.filter(namespace=namespace, image_name__in=["", image_name], user__pk__in=users)
    return found.order_by("-level", "-image_name")


def user_status_of(user: RegistryUser, now: datetime) -> UserStatus:
    """Return what `decide` asks first. Loads the user's account, unless it came along."""
    if user.account.closed_at:
        return UserStatus.ACCOUNT_CLOSED
    if user.account.suspended_at:
        return UserStatus.ACCOUNT_SUSPENDED
    return {"disabled": UserStatus.DISABLED, "expired": UserStatus.EXPIRED}.get(
        user.state_at(now), UserStatus.ACTIVE
    )


def _count_per_namespace(rows: QuerySet[Any], of: str) -> Coalesce:
    each = rows.order_by().values("namespace").annotate(number=Count(of, distinct=True))
    return Coalesce(Subquery(each.values("number")), 0)
