"""The leak desk of an account and of the operator, and POST /leaked."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import credentials, leak_reports
from accounts.common.password_throttle import FAILURES
from accounts.models import ApiToken, AuditEvent, Person, RegistryUser, Secret
from accounts.peppers import peppers
from accounts.services import passwords
from accounts.views import leaked
from tests import factories, statements
from tests.cast import Cast, client_for
from tests.django.api.caller import token_of

DESK = "/a/team-red/leaks/"
SYSTEM = "/system/leaks/"
NOBODYS = credentials.make(credentials.USER_PREFIX)


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.fixture
def foreign(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.elsewhere, description="Theirs")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    leaked.throttle = type(leaked.throttle)()
    yield
    leak_reports.reports.forget()


def secret_of(password: str) -> Secret:
    return Secret.objects.get(digest__in=credentials.digests(password, peppers()))


def is_live(password: str) -> bool:
    return secret_of(password).live_at(timezone.now())


def looked_up(client: Client, text: str, url: str = DESK) -> Any:
    answer = client.post(url, {"text": text})
    assert answer.status_code == 200
    assert text not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    return answer


def end(client: Client, answer: Any, number: int = 0, url: str = DESK) -> Any:
    desk = answer.context["desk"]
    return client.post(url, {"proof": desk.proof, "end": desk.findings[number].key})


# ---- the desk of an account


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_it_tells_whose_it_is_and_ends_it(cast: Cast, user: Any, who: str) -> None:
    RegistryUser.objects.filter(pk=user.pk).update(last_used_at=timezone.now())
    Secret.objects.update(
        last_used_at=timezone.now(), last_used_from="10.0.0.5", last_used_with="docker/27.5.1"
    )
    client = cast.client(who)
    answer = looked_up(client, f"docker login -u x -p {user.password}")
    page = " ".join(answer.content.decode().split())
    for words in (
        f"rmp_…{user.password[-4:]}",
        "CI deploy",
        user.username,
        "from 10.0.0.5",
        "docker/27.5.1",
        "End now",
    ):
        assert words in page
    ended = end(client, answer)
    assert "Ended. Logins with it fail from now on" in ended.content.decode()
    assert "End now" not in ended.content.decode()
    assert not is_live(user.password)
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor, event.account_id) == (
        "user.password_leaked",
        f"{who}@example.com",
        cast.account.pk,
    )
    assert event.before == {"password": f"…{user.password[-4:]}"}


def test_owners_and_managers_are_told_by_mail_in_their_language(cast: Cast, user: Any) -> None:
    Person.objects.filter(pk=cast.manager.pk).update(language="fr")
    client = cast.client("manager")
    end(client, looked_up(client, user.password))
    sent = {each.to[0]: each for each in mail.outbox}
    assert set(sent) == {"owner@example.com", "manager@example.com"}
    assert sent["owner@example.com"].subject == "A leaked password of CI deploy was ended"
    assert "mot de passe" in sent["manager@example.com"].subject
    for each in sent.values():
        assert f"…{user.password[-4:]}" in each.body
        assert "manager@example.com" in each.body
        assert user.get_absolute_url() in each.body
        assert user.password not in each.body


def test_of_two_passwords_the_other_works_on(cast: Cast, user: Any) -> None:
    second = passwords.rotate(by=cast.by("owner"), user=user, unused_days=7)
    client = cast.client("owner")
    end(client, looked_up(client, second))
    assert not is_live(second)
    assert is_live(user.password)
    assert secret_of(user.password).retires_at is None  # nothing ends the only one


@pytest.mark.parametrize("text", ["Theirs", "nobody"])
def test_what_is_not_the_accounts_looks_like_nothing(cast: Cast, user: Any, foreign: Any, text: str) -> None:
    password = foreign.password if text == "Theirs" else NOBODYS
    page = looked_up(cast.client("owner"), password).content.decode()
    assert "not a live password of this account" in page
    assert "Theirs" not in page
    assert "End now" not in page
    page = looked_up(cast.client("owner"), token_of(cast.stranger)).content.decode()
    assert "not a live API token of a member of this account" in page
    assert "stranger" not in page


def test_a_typo_and_a_text_without_any_are_told_apart(cast: Cast, user: Any) -> None:
    client = cast.client("owner")
    assert "mistyped or cut off" in looked_up(client, user.password[:-1]).content.decode()
    assert "This text contains no password and no API token" in looked_up(client, "hello").content.decode()


def test_an_ended_one_says_so(cast: Cast, user: Any) -> None:
    passwords.replace(by=cast.by("owner"), user=user)
    answer = looked_up(cast.client("owner"), user.password)
    assert [each.live for each in answer.context["desk"].findings] == [False]
    assert "End now" not in answer.content.decode()
    assert "had ended already" in end(cast.client("owner"), answer).content.decode()


def test_an_api_token_of_a_member_is_named_and_ended(cast: Cast) -> None:
    text = token_of(cast.viewer)
    client = cast.client("manager")
    answer = looked_up(client, f"Authorization: Bearer {text}")
    assert "viewer@example.com" in answer.content.decode()
    end(client, answer)
    assert not ApiToken.objects.exists()
    assert [each.to for each in mail.outbox] == [["viewer@example.com"]]
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor, event.object) == ("api_token.leaked", "manager@example.com", "CI")


def test_many_cost_what_one_costs(cast: Cast) -> None:
    users = factories.RegistryUserFactory.create_batch(20, account=cast.account)
    client = cast.client("owner")
    looked_up(client, users[0].password)
    with statements.counted() as one:
        looked_up(client, users[0].password)
    with statements.counted() as all_of_them:
        answer = looked_up(client, " ".join(user.password for user in users))
    assert len(answer.context["desk"].findings) == 20
    assert len(all_of_them) == len(one)


def test_viewers_are_told_who_may_and_cannot(cast: Cast, user: Any) -> None:
    client = cast.client("viewer")
    assert "Ask an owner or manager" in client.get(DESK).content.decode()
    assert client.post(DESK, {"text": user.password}).status_code == 403
    answer = looked_up(cast.client("owner"), user.password)
    assert end(client, answer).status_code == 403
    assert is_live(user.password)


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_outsiders_find_no_desk(cast: Cast, user: Any, who: str, status: int) -> None:
    client = cast.client(who)
    assert client.get(DESK).status_code == status
    assert client.post(DESK, {"text": user.password}).status_code == status


def test_only_what_was_pasted_can_be_ended(cast: Cast, user: Any, foreign: Any) -> None:
    client = cast.client("owner")
    answer = looked_up(client, user.password)
    proof = answer.context["desk"].proof
    token_of(cast.viewer)
    others = [f"password-{foreign.secrets.get().pk}", f"api_token-{ApiToken.objects.get().pk}", "", "x"]
    for key in others:
        assert client.post(DESK, {"proof": proof, "end": key}).status_code == 404
    for changed in ("", "x", proof[:-1]):
        assert (
            client.post(DESK, {"proof": changed, "end": answer.context["desk"].findings[0].key}).status_code
            == 404
        )
    assert end(cast.client("manager"), answer).status_code == 404  # another person's
    assert is_live(user.password)
    assert is_live(foreign.password)


def test_a_proof_of_the_operators_page_reaches_no_other_account(
    cast: Cast, operator: Person, user: Any
) -> None:
    cast.stranger.is_staff = True
    cast.stranger.save()
    answer = looked_up(cast.client("stranger"), user.password, SYSTEM)
    ended = cast.client("stranger").post(
        "/a/elsewhere/leaks/",
        {"proof": answer.context["desk"].proof, "end": answer.context["desk"].findings[0].key},
    )
    assert ended.status_code == 404
    assert is_live(user.password)


@pytest.mark.parametrize("text", ["", "x" * 200_001])
def test_a_text_that_cannot_be_taken_says_so(cast: Cast, text: str) -> None:
    answer = cast.client("owner").post(DESK, {"text": text})
    assert answer.status_code == 400
    assert answer.context["desk"].form.errors["text"]


# ---- the operator's


def test_the_operator_sees_every_account_and_ends(
    cast: Cast, operator: Person, user: Any, foreign: Any
) -> None:
    client = client_for(operator)
    answer = looked_up(client, f"{foreign.password} {token_of(cast.owner)} {NOBODYS}", SYSTEM)
    page = answer.content.decode()
    for words in ("Theirs", cast.elsewhere.name, "owner@example.com", "not known here"):
        assert words in page
    for number in range(2):
        assert "End now" in page
        page = end(client, answer, number, SYSTEM).content.decode()
    assert not is_live(foreign.password)
    assert not ApiToken.objects.exists()


def test_to_others_it_is_not_there(cast: Cast, user: Any) -> None:
    assert cast.client("owner").get(SYSTEM).status_code == 404
    assert cast.client("owner").post(SYSTEM, {"text": user.password}).status_code == 404


# ---- POST /leaked


def report(password: Any, **more: Any) -> Any:
    return Client().post("/leaked", {"password": password}, **more)


def test_a_holder_ends_it_without_signing_in(cast: Cast, user: Any) -> None:
    answer = report(user.password, REMOTE_ADDR="203.0.113.9")
    assert answer.status_code == 202
    leak_reports.reports.write()
    assert not is_live(user.password)
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor, event.address) == (
        "user.password_leaked",
        "leak report",
        "203.0.113.9",
    )
    assert {each.to[0] for each in mail.outbox} == {"owner@example.com", "manager@example.com"}
    assert all("203.0.113.9" in each.body for each in mail.outbox)


def test_json_and_an_api_token_are_taken(cast: Cast) -> None:
    text = token_of(cast.viewer)
    answer = Client().post("/leaked", json.dumps({"password": f" {text}\n"}), content_type="application/json")
    assert answer.status_code == 202
    leak_reports.reports.write()
    assert not ApiToken.objects.exists()


def test_the_answer_tells_nothing_and_asks_no_database(cast: Cast, user: Any) -> None:
    ended = factories.RegistryUserFactory(account=cast.account)
    Secret.objects.filter(user=ended).update(expires_at=timezone.now() - timedelta(days=1))
    answers = []
    with statements.counted() as asked:
        for text in (user.password, ended.password, NOBODYS, "no password", "", "x" * 100_000, "\ud83d\x00é"):
            body = json.dumps({"password": text})
            answers.append(Client().post("/leaked", body, content_type="application/json"))
    assert asked == []
    assert len({(each.status_code, each.content, str(sorted(each.items()))) for each in answers}) == 1
    leak_reports.reports.write()
    assert AuditEvent.objects.filter(action="user.password_leaked").count() == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{", "application/json"),
        ("[]", "application/json"),
        ('{"password": 1}', "application/json"),
        ("x=1", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.django_db
def test_a_body_without_a_password_is_told_so(body: str, kind: str) -> None:
    answer = Client().post("/leaked", body, content_type=kind)
    assert answer.status_code == 400
    assert answer.json()["status"] == "refused"


@pytest.mark.django_db
def test_only_post(cast: Cast) -> None:
    assert Client().get("/leaked").status_code == 405


def test_a_network_that_reports_too_much_waits_and_others_do_not(cast: Cast, user: Any) -> None:
    for _number in range(FAILURES):
        assert report(NOBODYS, REMOTE_ADDR="203.0.113.9").status_code == 202
    refused = report(user.password, REMOTE_ADDR="203.0.113.9")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert report(user.password, REMOTE_ADDR="203.0.113.10").status_code == 202
    leak_reports.reports.write()
    assert not is_live(user.password)


def test_reports_of_one_moment_are_looked_up_together(cast: Cast) -> None:
    users = factories.RegistryUserFactory.create_batch(5, account=cast.account)
    for number in range(20):
        report(credentials.make(credentials.USER_PREFIX), REMOTE_ADDR=f"203.0.113.{number}")
    with statements.counted() as asked:
        leak_reports.reports.write()
    assert len([each for each in asked if each.startswith("SELECT")]) == 2
    for user in users:
        report(user.password)
        report(user.password)
    leak_reports.reports.write()
    assert AuditEvent.objects.filter(action="user.password_leaked").count() == 5
    assert not any(is_live(user.password) for user in users)


def test_a_user_deleted_meanwhile_stops_no_other_report(cast: Cast, user: Any) -> None:
    gone = factories.RegistryUserFactory(account=cast.account)
    for each in (gone, user):
        report(each.password)
    gone.delete()
    assert leak_reports.reports.write() == 2
    assert not is_live(user.password)
