"""Who was removed, demoted or switched off keeps no way in; what they asked for while they might is the account's."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC

from accounts import reset_links
from accounts.models import Person
from accounts.services import members
from namespaces.models import Image
from registry_sync.deletion import service as deletion_service
from registry_sync.models import Removal, Repository, RetentionRun
from registry_sync.retention import runs
from registry_sync.retention import service as retention_service
from tests import factories
from tests.cast import Cast, principal_of
from tests.django.api.caller import Caller, token_of


def remove(cast: Cast) -> None:
    members.remove(by=cast.by("owner"), member=cast.manager.memberships.get())


def demote(cast: Cast) -> None:
    members.change_role(by=cast.by("owner"), member=cast.manager.memberships.get(), role="viewer")


def switch_off(cast: Cast) -> None:
    Person.objects.filter(pk=cast.manager.pk).update(is_active=False)


LOSSES = [remove, demote, switch_off]
every_loss = pytest.mark.parametrize("lose", LOSSES, ids=lambda each: each.__name__)
Lose = Callable[[Cast], None]


@every_loss
def test_an_api_token_may_what_its_person_still_may(cast: Cast, lose: Lose) -> None:
    caller = Caller(token_of(cast.manager))
    assert caller.post("accounts/team-red/namespaces/", {"name": "before"}).status_code == 201
    lose(cast)
    expected = {remove: (404, 404), demote: (200, 403), switch_off: (401, 401)}[lose]
    looked = caller.get("accounts/team-red/namespaces/").status_code
    assert (looked, caller.post("accounts/team-red/namespaces/", {"name": "after"}).status_code) == expected


@every_loss
def test_a_session_may_what_its_person_still_may(cast: Cast, lose: Lose) -> None:
    client, url = cast.client("manager"), "/a/team-red/users/new/"
    assert client.get(url).status_code == 200
    lose(cast)
    expected = {remove: (404, 200), demote: (403, 200), switch_off: (302, 302)}[lose]
    assert (client.get(url).status_code, client.get("/me/tokens/").status_code) == expected


def test_who_is_switched_off_does_not_get_in_by_a_mail_sent_before(cast: Cast) -> None:
    address = EmailAddress.objects.create(user=cast.manager, email="other@example.com")
    link = f"/me/confirm-email/{EmailConfirmationHMAC.create(address).key}/"
    switch_off(cast)
    client = cast.client("anonymous")
    client.post(client.get(link).url)
    assert client.get("/me/tokens/").status_code == 302


def test_who_is_switched_off_gets_no_new_password_by_a_link_sent_before(cast: Cast, operator: Person) -> None:
    url = reset_links.create(by=principal_of(operator), person=cast.manager)
    opened, late = cast.client("anonymous"), cast.client("anonymous")
    page = opened.get(urlsplit(url).path).headers["Location"]
    switch_off(cast)
    form = {"password1": "tall green ladder", "password2": "tall green ladder"}
    for answer in (opened.post(page, form), late.get(urlsplit(url).path)):
        assert b"no longer works" in answer.content
    cast.manager.refresh_from_db()
    assert cast.manager.check_password(factories.PASSWORD)


@every_loss
def test_a_rule_goes_on_without_who_put_it_on(cast: Cast, lose: Lose) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    rule = retention_service.create(
        by=cast.by("manager"), namespace=namespace, image_name="", conditions={"keep_last": 1}
    )
    retention_service.set_enabled(by=cast.by("manager"), rule=rule, enabled=True)
    lose(cast)
    runs.plan_due()
    assert RetentionRun.objects.get().rule == rule


@every_loss
def test_a_removal_goes_on_without_who_asked_for_it(cast: Cast, lose: Lose) -> None:
    tag = factories.TagFactory(image__namespace__account=cast.account)
    image = Image.objects.get()
    Repository.objects.create(name=image.repository, image=image)
    removal = deletion_service.untag(by=cast.by("manager"), image=image, tags={tag.name: tag.manifest_id})
    lose(cast)
    assert Removal.objects.exclude(due_at=None).get(state="waiting") == removal
