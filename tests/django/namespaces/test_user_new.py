"""GET, POST /a/<handle>/users/new/"""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import credentials
from accounts.models import AuditEvent, RegistryUser, Secret
from accounts.peppers import peppers
from namespaces.access import Level
from namespaces.models import Grant
from tests import factories
from tests.cast import OUTSIDERS, Cast

URL = "/a/team-red/users/new/"
FORM = {"description": "CI deploy", "expiry": "90", "expires_on": "", "once": "a mark"}


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_it_shows_the_password_once(cast: Cast, who: str) -> None:
    client = cast.client(who)
    answer = client.post(URL, FORM)
    user = RegistryUser.objects.get()
    password = re.search(r"rmp_\w{38}", answer.content.decode())[0]  # type: ignore[index]
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert credentials.well_formed(password, credentials.USER_PREFIX)
    assert Secret.objects.get(user=user).digest in credentials.digests(password, peppers())
    assert password not in client.get(f"/a/team-red/users/{user.username}/").content.decode()


def test_the_password_is_never_an_argument(cast: Cast) -> None:
    answer = cast.client("owner").post(URL, FORM)
    password = answer.context["password"]
    commands = [command for each in answer.context["tabs"] for _text, command in each.steps]
    assert not any(password in command for command in commands)
    assert any(" login " in command for command in commands)
    assert not any(" -p " in command or "--password " in command for command in commands)


def test_it_is_in_the_trail_without_the_password(cast: Cast) -> None:
    answer = cast.client("manager").post(URL, FORM)
    event = AuditEvent.objects.get(action="user.created")
    assert event.actor == "manager@example.com"
    assert answer.context["password"] not in f"{event.before}{event.after}{event.object}"


def test_a_viewer_is_refused_with_the_reason(cast: Cast) -> None:
    client = cast.client("viewer")
    assert client.get(URL).status_code == 403
    answer = client.post(URL, FORM)
    assert answer.status_code == 403
    assert "Viewers can’t create or change users" in answer.content.decode()
    assert not RegistryUser.objects.exists()


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_create_nothing(cast: Cast, who: str) -> None:
    assert cast.client(who).post(URL, FORM).status_code in (302, 404)
    assert not RegistryUser.objects.exists()


@pytest.mark.parametrize(("choice", "days"), [("30", 30), ("90", 90)])
def test_expiry_in_days(cast: Cast, choice: str, days: int) -> None:
    cast.client("owner").post(URL, FORM | {"expiry": choice})
    left = RegistryUser.objects.get().expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=days, minutes=-1) < left <= timedelta(days=days)


def test_expiry_never(cast: Cast) -> None:
    cast.client("owner").post(URL, FORM | {"expiry": "never"})
    assert RegistryUser.objects.get().expires_at is None


def test_a_date_lasts_to_the_end_of_its_day(cast: Cast) -> None:
    cast.client("owner").post(URL, FORM | {"expiry": "date", "expires_on": "2999-02-21"})
    assert RegistryUser.objects.get().expires_at == datetime(2999, 2, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"description": "  "}, "description"),
        ({"description": "x" * 101}, "description"),
        ({"expiry": "soon"}, "expiry"),
        ({"expiry": "date"}, "expires_on"),
        ({"expiry": "date", "expires_on": "21/13/9"}, "expires_on"),
        ({"expiry": "date", "expires_on": "2001-01-01"}, "expires_on"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(cast: Cast, change: dict[str, str], field: str) -> None:
    answer = cast.client("owner").post(URL, FORM | change)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert not RegistryUser.objects.exists()


def test_sending_the_form_again_creates_nothing(cast: Cast) -> None:
    client = cast.client("owner")
    once = client.get(URL).context["once"]
    assert client.post(URL, FORM | {"once": once}).status_code == 200
    answer = client.post(URL, FORM | {"once": once}, follow=True)
    assert RegistryUser.objects.count() == 1
    assert "This form was already submitted" in answer.content.decode()


def test_a_wrong_form_may_be_sent_again(cast: Cast) -> None:
    client = cast.client("owner")
    wrong = client.post(URL, FORM | {"description": "", "once": client.get(URL).context["once"]})
    assert client.post(URL, FORM | {"once": wrong.context["once"]}).status_code == 200


def test_two_forms_are_two_users(cast: Cast) -> None:
    client = cast.client("owner")
    for _ in range(2):
        client.post(URL, FORM | {"once": client.get(URL).context["once"]})
    assert RegistryUser.objects.count() == 2


def test_it_may_do_what_was_chosen_from_its_first_minute(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    cast.client("manager").post(URL, FORM | {"purpose": "write", "where": "team/api, team/new/one"})
    given = Grant.objects.order_by("image_name").values_list("namespace__name", "image_name", "level")
    assert list(given) == [("team", "api", Level.WRITE), ("team", "new/one", Level.WRITE)]


def test_a_pasted_reference_names_its_image(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    cast.client("owner").post(URL, FORM | {"where": f"{settings.REGISTRY_HOST}/team/api"})
    assert Grant.objects.get().target == "team/api"
    assert Grant.objects.get().word == "read"


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("nowhere", "There is no namespace “nowhere” in this account."),
        ("foreign/api", "There is no namespace “foreign” in this account."),
        ("team/API", "lower-case"),
        (" ".join(f"team/{n}" for n in range(21)), "at most 20"),
    ],
)
def test_a_wrong_place_makes_neither_user_nor_permission(cast: Cast, where: str, says: str) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    factories.NamespaceFactory(account=cast.elsewhere, name="foreign")
    answer = cast.client("owner").post(URL, FORM | {"where": f"team {where}"})
    assert answer.status_code == 400
    assert says in answer.context["form"].errors["where"][0]
    assert not RegistryUser.objects.exists()
    assert not Grant.objects.exists()


def test_links_from_an_image_fill_the_form_in(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    answer = cast.client("owner").get(URL, {"where": "team/api", "purpose": "write"})
    assert answer.context["form"]["where"].value() == "team/api"
    assert answer.context["effect"].startswith("Can pull and push team/api until ")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "Can sign in, but cannot do anything"),
        ({"where": "team"}, "Can pull every image in team until"),
        ({"where": "team", "expiry": "never"}, "Can pull every image in team, with no expiry. Nothing else."),
        ({"where": "team", "expiry": "date"}, "Select the last day."),
        ({"where": "team", "expiry": "date", "expires_on": "tomorrow"}, "Select the last day."),
        (
            {"where": "team", "expiry": "date", "expires_on": "2030-01-02"},
            "Can pull every image in team until 2 Jan 2030 (UTC).",
        ),
        ({"where": "team/a team/b", "purpose": "admin"}, "Can pull, push and delete team/a and team/b until"),
        ({"where": "team/a"}, "team/a is not in the registry yet"),
        ({"where": "foreign"}, "There is no namespace “foreign” in this account."),
        ({"purpose": "everything"}, "Can sign in, but cannot do anything"),
    ],
)
def test_the_effect_is_said_while_the_form_is_filled_in(cast: Cast, asked: dict[str, str], says: str) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    factories.NamespaceFactory(account=cast.elsewhere, name="foreign")
    answer = cast.client("manager").get(URL + "preview/", {"expiry": "90"} | asked)
    assert says in answer.content.decode()


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), ("anonymous", 302)])
def test_the_effect_is_for_those_who_may_create(cast: Cast, who: str, status: int) -> None:
    assert cast.client(who).get(URL + "preview/").status_code == status
