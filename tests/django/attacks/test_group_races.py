"""The operators' table of groups changes while somebody signs in."""

from functools import partial

import pytest

from accounts.models import Member
from accounts.services import group_memberships, group_roles
from tests import factories
from tests.cast import Cast, principal_of
from tests.django.attacks.together import raised, together

ROUNDS, PEOPLE = 6, 4


@pytest.mark.django_db(transaction=True)
def test_nobody_keeps_a_role_of_a_row_that_is_removed_as_they_sign_in(cast: Cast) -> None:
    by = principal_of(factories.PersonFactory(is_staff=True))
    for _round in range(ROUNDS):
        row = group_roles.create(by=by, group="dev", account="team-red", role="manager")
        people = [factories.PersonFactory() for _each in range(PEOPLE)]
        acts = [partial(group_memberships.apply, person=each, groups=["dev"]) for each in people]
        results = together([*acts, partial(group_roles.delete, by=by, group_role=row)])
        assert not raised(results)
        # Whoever came first is known by no sign-in row here, so the removal ended what the group gave them.
        assert not Member.objects.exclude(group_role="").exists()
