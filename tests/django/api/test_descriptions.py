"""PATCH /accounts/{handle}/namespaces/{ns}/ and …/images/{image}/: description and README."""

import pytest

from accounts.models import AuditEvent
from namespaces.models import Image, Namespace, Readme
from namespaces.readme import README_MAX
from tests.django.api.caller import fields_of
from tests.django.api.world import World

NAMESPACE = "accounts/team-red/namespaces/red/"
IMAGE = f"{NAMESPACE}images/app/api/"
PATHS = [NAMESPACE, IMAGE]
both = pytest.mark.parametrize("path", PATHS)


@both
@pytest.mark.parametrize("who", ["owner", "manager"])
def test_it_is_written_and_read(world: World, path: str, who: str) -> None:
    caller, body = world.caller(who), {"description": " The  API ", "readme": "# API\r\n\r\nUse it.\n"}
    changed = caller.patch(path, body)
    assert changed.status_code == 200
    shown = changed.json()
    assert (shown["description"], shown["readme"]) == ("The API", "# API\n\nUse it.")
    assert world.caller("viewer").get(path).json() == shown


@both
@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), ("anonymous", 401)])
def test_others_write_nothing(world: World, path: str, who: str, status: int) -> None:
    assert world.caller(who).patch(path, {"description": "Mine"}).status_code == status
    assert not Readme.objects.exists()
    assert not AuditEvent.objects.exists()


@both
def test_what_is_not_named_stays(world: World, path: str) -> None:
    caller = world.caller("owner")
    caller.patch(path, {"description": "The API", "readme": "# API"})
    assert caller.patch(path, {"readme": "# New"}).json()["description"] == "The API"
    assert caller.patch(path, {"description": ""}).json()["readme"] == "# New"
    assert caller.patch(path, {"readme": " \n"}).json()["readme"] == ""
    assert not Readme.objects.exists()


@both
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"description": "x" * 201}, "description"),
        ({"description": None}, "description"),
        ({"readme": "x" * (README_MAX + 1)}, "readme"),
        ({"readme": "a\x00b"}, "readme"),
        ({"readme": 7.5, "description": []}, "description"),
        ({"html": "<b>"}, "html"),
    ],
)
def test_bad_input_is_said_at_its_field(world: World, path: str, body: dict[str, object], field: str) -> None:
    refused = world.caller("owner").patch(path, body)
    assert refused.status_code == 400
    assert field in fields_of(refused)
    assert not Readme.objects.exists()


@both
def test_a_change_names_something(world: World, path: str) -> None:
    assert world.caller("owner").patch(path, {}).status_code == 400


@pytest.mark.parametrize(("path", "action"), [(NAMESPACE, "namespace.described"), (IMAGE, "image.described")])
def test_it_is_audited_once(world: World, path: str, action: str) -> None:
    caller = world.caller("manager")
    for _time in range(2):
        caller.patch(path, {"description": "The API", "readme": "# API"})
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.account_id) == (
        action,
        "manager@example.com",
        world.cast.account.pk,
    )
    assert event.before == {"description": "", "readme": 0}
    assert event.after == {"description": "The API", "readme": 5}


def test_all_of_a_change_or_nothing(world: World) -> None:
    grows = "\ufdfa" * 100  # one character of 18 that stand for it
    refused = world.caller("owner").patch(NAMESPACE, {"public": True, "description": grows})
    assert fields_of(refused) == {"description"}
    assert not Namespace.objects.get(name="red").public


def test_one_row_is_not_anothers(world: World) -> None:
    caller = world.caller("owner")
    caller.patch(IMAGE, {"description": "The API", "readme": "# API"})
    assert caller.get(NAMESPACE).json()["readme"] == ""
    assert caller.get(NAMESPACE).json()["description"] == ""


def test_an_image_without_words_of_ours_shows_its_own(world: World) -> None:
    Image.objects.update(pushed_description="As pushed")
    caller = world.caller("owner")
    assert caller.get(IMAGE).json()["description"] == "As pushed"
    shown = caller.patch(IMAGE, {"description": "As written"}).json()
    assert (shown["description"], shown["pushed_description"]) == ("As written", "As pushed")
    assert caller.patch(IMAGE, {"description": ""}).json()["description"] == "As pushed"


def test_an_image_that_is_not_pushed_yet_has_none(world: World) -> None:
    assert world.caller("owner").patch(f"{NAMESPACE}images/new/", {"readme": "# New"}).status_code == 404


@pytest.mark.parametrize(
    ("own", "pushed", "found"),
    [("Billing", "", 1), ("", "Billing", 1), ("Invoices", "Billing", 0), ("", "", 0)],
)
@pytest.mark.parametrize("way", ["images/?search=bill", "search/?q=bill"])
def test_images_are_found_by_the_description_that_is_shown(
    world: World, own: str, pushed: str, found: int, way: str
) -> None:
    Image.objects.update(own_description=own, pushed_description=pushed)
    hits = world.caller("viewer").get(f"accounts/team-red/{way}").json()["results"]
    assert len(hits) == found
