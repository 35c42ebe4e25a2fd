"""Two who require at once, and two removals of one person's last two factors."""

from dataclasses import replace
from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.test import Client

from accounts.models import Person, SignInPolicy
from accounts.second_factor_policy import RequiredOf
from accounts.services import second_factors
from tests import factories as rows
from tests.cast import client_for, just_signed_in, principal_of
from tests.django.accounts.second_factors import factors
from tests.django.attacks.together import raised, together


@pytest.mark.django_db(transaction=True)
def test_two_operators_choose_at_once() -> None:
    both = [rows.PersonFactory(is_staff=True) for _each in range(2)]
    for each in both:
        factors.add_app(each)
    acts = [
        partial(
            second_factors.require_of, by=replace(principal_of(each), second_factor=True), required_of=rule
        )
        for each, rule in zip(both, [RequiredOf.OPERATORS, RequiredOf.EVERYBODY], strict=True)
    ]
    assert not raised(together(acts))
    assert SignInPolicy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_the_last_two_factors_one_stays_while_one_is_required() -> None:
    person = rows.PersonFactory()
    SignInPolicy.objects.create(second_factor=RequiredOf.EVERYBODY.value)
    both = [factors.add_app(person), factors.add_passkey_row(person)]

    def remove(person: Person, factor: Authenticator) -> bool:
        with transaction.atomic():
            if second_factors.keeps(person, factor):
                return False
            return bool(factor.delete())

    results = together([partial(remove, person, each) for each in both])
    assert sorted(results, key=str) == [False, True]
    assert Authenticator.objects.filter(user=person).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_apps_that_are_set_up_at_once_one_is_the_persons() -> None:
    person, page = rows.PersonFactory(), "/me/2fa/totp/activate/"
    browsers = [just_signed_in(client_for(person)) for _each in range(4)]
    shown = [each.get(page).context["form"].secret for each in browsers]

    def activate(client: Client, secret: str) -> int:
        return client.post(page, {"code": factors.code(secret)}).status_code

    acts = [partial(activate, client, secret) for client, secret in zip(browsers, shown, strict=True)]
    assert together(acts) == [302] * len(acts)
    assert Authenticator.objects.filter(type="totp").count() == 1
    assert Authenticator.objects.filter(type="recovery_codes").count() == 1
