"""What goes wrong says so in words, by field where there is one."""

from dataclasses import replace

from accounts.common.errors import Conflict, Invalid, NotFound, RateLimited
from accounts.principal import SYSTEM, Kind, Principal


def test_sentences_of_all_fields_are_one_message() -> None:
    error = Invalid({"name": ["Too short.", "No dot."], "": ["Try again."]})
    assert error.message == str(error) == "Too short. No dot. Try again."


def test_a_door_renames_its_own_fields_and_leaves_others_and_the_kind() -> None:
    error = Conflict.on("image_name", "Taken.").renamed(image_name="image", other="another")
    assert type(error) is Conflict
    assert error.errors == {"image": ["Taken."]}
    assert Invalid.on("", "No.").renamed(name="x").errors == {"": ["No."]}


def test_what_is_not_there_says_no_more_than_that() -> None:
    assert NotFound().message == "Not found."
    assert NotFound("No such tag.").message == "No such tag."


def test_too_many_says_how_long_to_wait() -> None:
    error = RateLimited("Slow down.", wait=30)
    assert (error.message, error.wait) == ("Slow down.", 30)


def test_the_system_is_nobody_who_has_a_row() -> None:
    assert SYSTEM.person_id == 0
    assert Principal(kind=Kind.PERSON, id=7, label="anna").person_id == 7


def test_a_token_of_one_account_is_nobody_in_another() -> None:
    anna = Principal(kind=Kind.PERSON, id=7, label="anna")
    assert anna.person_in("team-red") == 7
    narrowed = replace(anna, only_account="team-red")
    assert narrowed.person_in("team-red") == 7
    assert narrowed.person_in("team-blue") == 0
