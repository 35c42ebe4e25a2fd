from datetime import datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models.account import Account
from accounts.models.member import ROLES, Member
from accounts.roles import Role, roles_that_may_invite


class InvitationState(models.TextChoices):
    OPEN = "open"
    RESERVED = "reserved"  # somebody signed up by it, and it waits for them alone
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"
    VOID = "void"  # who made it may no longer invite so


LIVE = (InvitationState.OPEN, InvitationState.RESERVED)


class Invitations(models.QuerySet["Invitation"]):
    def with_state(self, now: datetime) -> "Invitations":
        """Each with `.state`. This is the only place that decides it."""
        makers = Member.objects.filter(
            account=OuterRef("account"), person=OuterRef("inviter"), person__is_active=True
        )
        may_invite = reduce(or_, (Q(role=role, maker_role__in=roles_that_may_invite(role)) for role in Role))
        state = Case(
            When(~Q(used_at=None), then=Value(InvitationState.USED.value)),
            When(~Q(revoked_at=None), then=Value(InvitationState.REVOKED.value)),
            When(~Q(voided_at=None) | ~Q(account__closed_at=None), then=Value(InvitationState.VOID.value)),
            When(expires_at__lte=now, then=Value(InvitationState.EXPIRED.value)),
            When(~may_invite, then=Value(InvitationState.VOID.value)),
            When(~Q(reserved_for=None), then=Value(InvitationState.RESERVED.value)),
            default=Value(InvitationState.OPEN.value),
        )
        # Never NULL: "not in" would not be true of it.
        maker_role = Coalesce(Subquery(makers.values("role")[:1]), Value(""))
        return self.annotate(maker_role=maker_role).annotate(state=state)  # type: ignore[no-redef]

    def live(self, now: datetime) -> "Invitations":
        return self.with_state(now).filter(state__in=LIVE)  # type: ignore[misc]

    def spent(self, now: datetime) -> "Invitations":
        return self.with_state(now).exclude(state__in=LIVE)  # type: ignore[misc]


class Invitation(models.Model):
    """A link that makes one person a member. Only its digest is kept; a spent one stays for a while, as a record."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=ROLES)
    digest = models.CharField(max_length=64, unique=True)
    # Null: nobody is known to have made it, so nobody stands for it.
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by = models.CharField(max_length=254)  # as the maker was called then
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    reserved_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    used_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.CharField(max_length=254, default="", db_default="")
    revoked_at = models.DateTimeField(null=True, editable=False)
    voided_at = models.DateTimeField(
        null=True, editable=False
    )  # its maker lost the right, and has not got it anew

    state: str  # only of `with_state`

    objects = Invitations.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    @property
    def used_by(self) -> str:
        """Whom it let in, or waits for; "" while that can be anybody."""
        return self.accepted_by or (str(self.reserved_for) if self.reserved_for else "")

    def __str__(self) -> str:
        return f"invitation to {self.account} as {self.role}"
