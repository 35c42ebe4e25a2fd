"""What pages and API read about accounts. Reads only; who may read was decided at the gate."""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from functools import reduce
from operator import or_
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import credentials
from accounts.audit_actions import AUDIT_KINDS
from accounts.common import timestamps
from accounts.common.expiring import EXPIRES_SOON
from accounts.common.pagination import Page, paginate_prepared
from accounts.common.prepared_queries import prepared
from accounts.expiring_users import with_password_end
from accounts.id_tokens.selectors import with_user_count
from accounts.models import (
    Account,
    ApiToken,
    AuditEvent,
    Denial,
    DropCounter,
    GroupRole,
    IdTokenIssuer,
    Invitation,
    Member,
    Person,
    RefusedIdToken,
    RegistryUser,
    Secret,
    TrustPolicy,
)
from accounts.peppers import peppers


def has_person(*, email: str) -> bool:
    """Return whether somebody here has the address; who only claims a second one as theirs does not.

    Two statements, whatever they find: how many there are tells nobody which.
    """
    signs_in = Person.objects.filter(email__iexact=email).exists()
    confirmed = EmailAddress.objects.filter(email__iexact=email, verified=True).exists()
    return signs_in or confirmed


def accounts_of(*, person_id: int, only: str = "") -> list[Account]:
    """Return the person's open accounts by name, each with `.role`. `only`: that one alone, by its handle."""
    return [each for each in _accounts_of(person_id=person_id) if only in ("", each.handle)]


@prepared
def _accounts_of(*, person_id: int) -> QuerySet[Account]:
    found = Account.objects.filter(members__person_id=person_id, closed_at=None)
    return found.annotate(role=F("members__role")).order_by("name", "id")  # type: ignore[no-redef]


def accounts_overview(*, person_id: int) -> QuerySet[Account]:
    """As `accounts_of`, each with `.role`, `.user_count` and `.member_count`."""
    return (
        Account.objects.filter(closed_at=None)
        .annotate(  # type: ignore[no-redef]
            user_count=_count(RegistryUser.objects.filter(account=OuterRef("pk"))),
            member_count=_count(Member.objects.filter(account=OuterRef("pk"))),
            role=_role_of(person_id),
        )
        .filter(role__isnull=False)
        .order_by("name", "id")
    )


def users_of(account: Account, *, search: str = "") -> QuerySet[RegistryUser]:
    found = RegistryUser.objects.filter(account=account)
    if search:
        found = found.filter(Q(description__icontains=search) | Q(username__icontains=search))
    return found.order_by("-created_at", "-id")


def user_page(account: Account, *, cursor: str, query: dict[str, str]) -> Page[RegistryUser]:
    """Return a page of `users_of`, all of them. Raise Invalid on "page"."""
    now = timezone.now()
    return paginate_prepared(
        _listed_users, cursor=cursor, query=query, account=account.pk, now=now, until=now + EXPIRES_SOON
    )


@prepared
def _listed_users(*, account: int, now: datetime, until: datetime) -> QuerySet[RegistryUser]:
    found = RegistryUser.objects.filter(account=account).order_by("-created_at", "-id")
    return with_password_end(found, now, until)


def used_newest_password(user: RegistryUser) -> Secret | RegistryUser | None:
    """Return the user's newest password once it was used; of a user without one, itself once it was used."""
    newest = Secret.objects.unswapped().filter(user=user).order_by("-id").first() or user
    return newest if newest.last_used_at else None


def live_password(user: RegistryUser, text: str) -> Secret | None:
    """Return the password of the user that is `text`; None for what is none, or has ended."""
    digests = credentials.digests(text, peppers())
    return Secret.objects.live(timezone.now()).filter(user=user, digest__in=digests).first()


def passwords_of(user: RegistryUser) -> QuerySet[Secret]:
    """Return the passwords that work, and the last that ended; the newest first."""
    return Secret.objects.unswapped().filter(user=user).order_by("-id")


def all_passwords_of(user: RegistryUser) -> QuerySet[Secret]:
    """As `passwords_of`, with those that jobs got for an ID token."""
    return Secret.objects.filter(user=user).order_by("-id")


def swapped_passwords_of(user: RegistryUser) -> QuerySet[Secret]:
    """Return those that work now and that jobs got for an ID token; the newest first."""
    found = Secret.objects.live(timezone.now()).filter(user=user, policy__isnull=False)
    return found.select_related("policy__issuer").order_by("-id")


def trust_policies_of(user: RegistryUser) -> QuerySet[TrustPolicy]:
    return TrustPolicy.objects.filter(user=user).select_related("issuer").order_by("id")


def refused_id_tokens_of(user: RegistryUser) -> QuerySet[RefusedIdToken]:
    """Return the last that were kept, the newest first."""
    found = RefusedIdToken.objects.filter(user=user).select_related("issuer", "policy__issuer")
    return found.order_by("-at", "-id")


def issuers_of(account: Account) -> QuerySet[IdTokenIssuer]:
    """Return the account's own, disabled or not, each with `.user_count`: how many users trust it."""
    return with_user_count(IdTokenIssuer.objects.filter(account=account)).order_by("url", "id")


def known_issuers(account: Account) -> QuerySet[IdTokenIssuer]:
    """Return those that its policies may trust, and its own that are disabled."""
    found = IdTokenIssuer.objects.filter(Q(account=None, enabled=True) | Q(account=account))
    return found.order_by("url", "id")


def usable_issuers(account: Account) -> QuerySet[IdTokenIssuer]:
    """Return the issuers that a policy of this account may trust: the installation's, and its own."""
    found = IdTokenIssuer.objects.filter(Q(account=None) | Q(account=account), enabled=True)
    return found.order_by("url", "id")


def denials_of(user: RegistryUser) -> QuerySet[Denial]:
    return Denial.objects.filter(user=user).select_related("user__account").order_by("-last_at", "-id")


def last_denial_of(user: RegistryUser) -> Denial | None:
    """Return what the user was denied last; that it could not reuse a layer is none."""
    return denials_of(user).exclude(action=Denial.MOUNT).first()


@prepared
def denials_on(most: int, *, account: int, repository: str) -> QuerySet[Denial]:
    """Return what this account's users were refused there, the last first."""
    found = Denial.objects.filter(user__account=account, repository=repository).select_related(
        "user__account"
    )
    return found.order_by("-last_at", "-id")[:most]


def denials_dropped(user: RegistryUser) -> DropCounter | None:
    """How many of them were not kept."""
    return DropCounter.objects.filter(kind=DropCounter.Kind.DENIALS, username=user.username).first()


def dropped() -> list[dict[str, Any]]:
    """Of the whole installation, by kind: kind, what it is called, count, first_at, last_at."""
    kinds = DropCounter.objects.order_by("kind").values("kind")
    sums = kinds.annotate(count=Sum("count"), first_at=Min("first_at"), last_at=Max("last_at"))
    return [each | {"what": DropCounter.Kind(each["kind"]).label} for each in sums]


def groups_give_a_role(groups: Iterable[str]) -> bool:
    """Whether an operator gave one of these groups at the sign-in provider a role, or made its members operators."""
    if settings.OIDC_OPERATOR_GROUP and settings.OIDC_OPERATOR_GROUP in groups:
        return True
    return GroupRole.objects.filter(group__in=groups, account__closed_at=None).exists()


def group_roles() -> QuerySet[GroupRole]:
    return GroupRole.objects.select_related("account").order_by("group", "id")


def members_of(account: Account) -> QuerySet[Member]:
    return Member.objects.filter(account=account).select_related("person").order_by("person__email")


def invitations_of(account: Account) -> QuerySet[Invitation]:
    """Each with `.state`."""
    found = Invitation.objects.with_state(timezone.now()).filter(account=account)
    return found.select_related("reserved_for").order_by("-created_at", "-id")


def live_invitations_by(member: Member) -> int:
    """Links made by a member that still let somebody in."""
    made = Invitation.objects.live(timezone.now())
    return made.filter(account=member.account_id, inviter=member.person_id).count()


def last_deed_of(member: Member) -> datetime | None:
    """When a member last changed something in the account."""
    found = AuditEvent.objects.filter(
        account_id=member.account_id, actor_id=member.person_id, actor_kind="person"
    )
    return found.order_by("-at", "-id").values_list("at", flat=True).first()


def last_used_of(account: Account) -> RegistryUser | None:
    """Return the account's user that was used last."""
    return (
        RegistryUser.objects.filter(account=account)
        .exclude(last_used_at=None)
        .order_by("-last_used_at")
        .first()
    )


def activity_of(
    account: Account,
    *,
    search: str = "",
    kind: str = "",
    who: str = "",
    since: date | None = None,
    until: date | None = None,
    zone: tzinfo | None = None,
) -> QuerySet[AuditEvent]:
    """`kind` is one of AUDIT_KINDS, "" for all; `who` is a part of the actor's name.

    `since` and `until` are days of `zone` (TIME_ZONE), both included.
    """
    zone = zone or timezone.get_default_timezone()
    found = AuditEvent.objects.filter(account_id=account.pk)
    if kind:
        found = found.filter(reduce(or_, (Q(action__startswith=start) for start in AUDIT_KINDS[kind])))
    if since:
        found = found.filter(at__gte=timestamps.start_of(since, zone))
    if until:
        found = found.filter(at__lt=timestamps.end_of(until, zone))
    if who:
        found = found.filter(actor__icontains=who)
    if search:
        found = found.filter(
            Q(actor__icontains=search) | Q(action__icontains=search) | Q(object__icontains=search)
        )
    return found.order_by("-at", "-id")


def api_tokens_of(*, person_id: int) -> QuerySet[ApiToken]:
    """Each with its account."""
    rows = ApiToken.objects.select_related("account").filter(person_id=person_id)
    return rows.order_by("-created_at", "-id")


def live_api_tokens_of(*, person_id: int, now: datetime) -> QuerySet[ApiToken]:
    return api_tokens_of(person_id=person_id).filter(Q(expires_at=None) | Q(expires_at__gt=now))


def _count(rows: QuerySet[Any]) -> Coalesce:
    """By itself: two counts in one join multiply their rows."""
    return Coalesce(Subquery(rows.order_by().values("account").annotate(n=Count("pk")).values("n")), 0)


def _role_of(person_id: int) -> Subquery:
    return Subquery(Member.objects.filter(account=OuterRef("pk"), person_id=person_id).values("role")[:1])
