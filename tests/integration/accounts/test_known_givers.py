"""What the audit trail says of rows from before it was kept who made them (migration 0006)."""

from importlib import import_module

from django.apps import apps
from django.utils import timezone

from accounts.models import Account, Invitation
from accounts.services import accounts, invitations
from tests.cast import Cast

fill = import_module("accounts.migrations.0008_known_givers").fill


def test_the_trail_says_who_made_an_invitation(cast: Cast) -> None:
    made, _link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    untold = Invitation.objects.create(
        account=cast.account,
        role="viewer",
        digest="1",
        created_by="owner@example.com",
        expires_at=made.expires_at,
    )
    Invitation.objects.update(inviter=None)
    fill(apps, None)
    found = Invitation.objects.with_state(timezone.now())
    assert (found.get(pk=made.pk).inviter, found.get(pk=made.pk).state) == (cast.owner, "open")
    assert (found.get(pk=untold.pk).inviter, found.get(pk=untold.pk).state) == (None, "void")


def test_the_trail_says_who_opened_an_account(cast: Cast) -> None:
    opened = accounts.open_account(by=cast.by("stranger"), name="Blue")
    Account.objects.update(opened_by=None)
    fill(apps, None)
    assert Account.objects.get(pk=opened.pk).opened_by == cast.stranger
    assert Account.objects.get(pk=cast.account.pk).opened_by is None


def test_somebody_who_is_gone_made_nothing(cast: Cast) -> None:
    made, _link = invitations.invite(by=cast.by("stranger"), account=cast.elsewhere, role="viewer")
    cast.stranger.delete()
    fill(apps, None)
    assert Invitation.objects.get(pk=made.pk).inviter is None
