"""The denied requests of an account, as a place of their own; and the permission that allows one, filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.access_denials import KEPT, KEPT_OF_ACCOUNT, Denied, denials
from accounts.common.client_ip import Origin
from accounts.models import AuditEvent, Denial, DropCounter, RegistryUser
from namespaces import denial_list
from namespaces.access import Level
from namespaces.denial_list import DenialFilter
from namespaces.denial_recheck import current_remedy
from namespaces.models import Grant, Namespace
from namespaces.smallest_grant import RemedyKind
from registry_sync.tokens.throttle import throttle
from tests import factories, statements
from tests.cast import MEMBERS, Cast
from tests.django.api.caller import Caller, fields_of, token_of
from tests.django.registry_sync.tokens.test_issuer import access, ask

pytestmark = pytest.mark.django_db
LIST = "/a/team-red/denials/"
API = "accounts/team-red/denials/"


# An ID token of an issuer that nobody trusts: {"alg": "RS256"}, {"iss": "https://a"}.
FORGED = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EifQ.AA"


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    throttle._failures.clear()
    denials.forget()


@pytest.fixture
def team(cast: Cast) -> Any:
    return factories.NamespaceFactory(account=cast.account, name="team")


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


def denied(user: Any, *scopes: str, **extra: Any) -> Denial:
    """Ask as a client does, and return the newest row."""
    ask(user, *scopes, **extra)
    denials.write()
    return Denial.objects.filter(user=user).order_by("-last_at", "-id")[0]


def allow_url(row: Denial) -> str:
    return f"{LIST}{row.pk}/allow/"


def listed(cast: Cast, query: str = "") -> list[Denial]:
    return list(cast.client("viewer").get(LIST + query).context["page"].rows)


def test_a_denied_push_is_allowed_by_one_button_until_a_day(cast: Cast, team: Any, user: Any) -> None:
    scope = "repository:team/api:push,pull"
    row = denied(user, scope)
    client = cast.client("manager")
    assert allow_url(row) in client.get(LIST).content.decode()

    page = client.get(allow_url(row)).content.decode()
    assert "CI deploy can pull and push team/api until" in page
    assert "team/api is not in the registry yet; the first push creates it." in page
    body = {"where": "image", "level": "write", "expiry": "date", "expires_on": "2100-01-08"}
    answer = client.post(allow_url(row), body, follow=True)

    assert "CI deploy can pull and push team/api until 8 Jan 2100 (UTC)." in answer.content.decode()
    grant = Grant.objects.get()
    assert (grant.image_name, grant.level, grant.expires_at) == (
        "api", Level.WRITE, datetime(2100, 1, 9, tzinfo=UTC)
    )  # fmt: skip
    assert access(ask(user, scope, "repository:team/other:pull")[1]) == {"team/api": ["pull", "push"]}
    event = AuditEvent.objects.get()
    assert (event.action, event.after) == (
        "grant.given",
        {"level": "write", "expires_at": "2100-01-09T00:00:00+00:00"},
    )
    assert "allowed now" in answer.content.decode()
    assert allow_url(row) not in answer.content.decode()


def test_the_untouched_form_gives_the_smallest_for_seven_days(cast: Cast, team: Any, user: Any) -> None:
    row = denied(user, "repository:team/api:pull")
    client = cast.client("owner")
    form = client.get(allow_url(row)).context["form"]
    assert [form[name].value() for name in ("where", "level", "expiry")] == ["image", "read", "7"]
    assert form["expires_on"].value().weekday() == 4
    client.post(allow_url(row), {"where": "image", "level": "read", "expiry": "7"})
    end = Grant.objects.get().expires_at
    assert end
    assert timedelta(days=6, hours=23) < end - timezone.now() <= timedelta(days=7)


def test_a_lower_permission_on_the_image_is_raised_and_keeps_its_end(
    cast: Cast, team: Any, user: Any
) -> None:
    there = factories.GrantFactory(user=user, namespace=team, image_name="api")
    row = denied(user, "repository:team/api:push,pull")
    client = cast.client("owner")
    answer = client.get(allow_url(row))
    assert answer.context["form"]["expiry"].value() == "never"
    assert "This replaces what it has: read on team/api." in answer.content.decode()
    client.post(allow_url(row), {"where": "image", "level": "write", "expiry": "never"})
    assert Grant.objects.get().pk == there.pk
    assert Grant.objects.get().level == Level.WRITE
    assert AuditEvent.objects.get().before == {"level": "read"}


def test_what_a_permission_on_the_namespace_replaces_is_said(cast: Cast, team: Any, user: Any) -> None:
    """Else the user could not even pull any more when the seven days are over."""
    factories.GrantFactory(user=user, namespace=team)
    row = denied(user, "repository:team/api:push")
    client, headers = cast.client("owner"), {"HX-Request": "true", "HX-Target": "effect"}
    page = client.get(allow_url(row)).content.decode()
    assert "every image in team, in place of read on team" in page
    assert "This replaces" not in page
    query = {"where": "namespace", "level": "write", "expiry": "7"}
    shown = client.get(allow_url(row), query, headers=headers).content.decode()
    assert "This replaces what it has: read on team." in shown


def test_the_api_ends_nothing_that_it_raises(cast: Cast, team: Any, user: Any) -> None:
    factories.GrantFactory(user=user, namespace=team)
    row = denied(user, "repository:team/api:push")
    path = f"{API}{row.pk}/allow/"
    (given,) = Caller(token_of(cast.owner)).post(path, {"whole_namespace": True}).json()["grants"]
    assert (given["image"], given["level"], given["expires_at"]) == ("", "write", None)


def test_what_ends_is_raised_and_ends_as_before(cast: Cast, team: Any, user: Any) -> None:
    end = timezone.now() + timedelta(days=3)
    factories.GrantFactory(user=user, namespace=team, image_name="api", expires_at=end)
    row = denied(user, "repository:team/api:push")
    client = cast.client("owner")
    assert client.get(allow_url(row)).context["form"]["expiry"].value() == "keep"
    client.post(allow_url(row), {"where": "image", "level": "write", "expiry": "keep"})
    assert (Grant.objects.get().level, Grant.objects.get().expires_at) == (Level.WRITE, end)


def test_an_ended_permission_is_renewed(cast: Cast, team: Any, user: Any) -> None:
    factories.GrantFactory(
        user=user, namespace=team, image_name="api", level=Level.ADMIN, expires_at=timezone.now()
    )
    row = denied(user, "repository:team/api:push")
    cast.client("owner").post(allow_url(row), {"where": "image", "level": "write", "expiry": "1"})
    grant = Grant.objects.get()
    assert grant.level == Level.WRITE
    assert grant.is_live(timezone.now())


def test_more_can_be_given_and_less_cannot(cast: Cast, team: Any, user: Any) -> None:
    row = denied(user, "repository:team/api:push")
    client = cast.client("owner")
    too_little = client.post(allow_url(row), {"where": "image", "level": "read", "expiry": "7"})
    assert too_little.status_code == 400
    assert "level" in too_little.context["form"].errors
    bad_day = client.post(allow_url(row), {"where": "image", "level": "write", "expiry": "date"})
    assert "expires_on" in bad_day.context["form"].errors
    assert client.post(allow_url(row), {"level": "write", "expiry": "7"}).status_code == 400
    assert not Grant.objects.exists()
    client.post(allow_url(row), {"where": "namespace", "level": "admin", "expiry": "never"})
    assert (Grant.objects.get().image_name, Grant.objects.get().level) == ("", Level.ADMIN)


def test_the_sentence_follows_the_form(cast: Cast, team: Any, user: Any) -> None:
    row = denied(user, "repository:team/api:push")
    client, headers = cast.client("owner"), {"HX-Request": "true", "HX-Target": "effect"}
    query = {"where": "namespace", "level": "admin", "expiry": "never"}
    shown = client.get(allow_url(row), query, headers=headers).content.decode()
    assert "CI deploy can pull, push and delete every image in team, with no end." in shown
    assert "<html" not in shown
    shown = client.get(allow_url(row), query | {"expiry": "date"}, headers=headers).content.decode()
    assert "Select the last day." in shown
    assert not Grant.objects.exists()


def test_layers_of_several_images_are_allowed_together(cast: Cast, team: Any, user: Any) -> None:
    factories.GrantFactory(user=user, namespace=team, image_name="own", level=Level.WRITE)
    row = denied(
        user, "repository:team/own:push,pull", "repository:team/base:pull", "repository:nowhere/x:pull"
    )
    assert row.is_mount
    client = cast.client("owner")
    assert "CI deploy can pull team/base until" in client.get(allow_url(row)).content.decode()
    client.post(allow_url(row), {"where": "image", "level": "read", "expiry": "7"})
    assert Grant.objects.get(image_name="base").level == Level.READ


@pytest.mark.parametrize(
    ("kind", "says", "leads_to"),
    [
        (RemedyKind.ENABLE_USER, "while the user is disabled", "/a/team-red/users/{}/"),
        (RemedyKind.EXTEND_USER, "the user has expired", "/a/team-red/users/{}/"),
        (RemedyKind.SIGN_IN, "the password was wrong", "/a/team-red/users/{}/#passwords"),
        (
            RemedyKind.TRUST_POLICY,
            "change what the user’s trust policy accepts",
            "/a/team-red/users/{}/refused-tokens/",
        ),
        (RemedyKind.CREATE_NAMESPACE, "Create it first", "/a/team-red/namespaces/new/?name=missing"),
        (RemedyKind.OTHER_ACCOUNT, "belongs to another account", LIST),
        (RemedyKind.OTHER_NAME, "no image can have this name", LIST),
        (RemedyKind.NOTHING, "is allowed now", LIST),
    ],
)
def test_where_no_permission_helps_the_button_leads_to_what_does(
    cast: Cast, team: Any, user: Any, kind: RemedyKind, says: str, leads_to: str
) -> None:
    match kind:
        case RemedyKind.ENABLE_USER:
            row = denied(user, "repository:team/api:pull")
            RegistryUser.objects.update(disabled_at=timezone.now())
        case RemedyKind.EXTEND_USER:
            RegistryUser.objects.update(expires_at=timezone.now())
            row = denied(user, "repository:team/api:pull")
        case RemedyKind.SIGN_IN:
            row = denied(user, password="guess")
        case RemedyKind.TRUST_POLICY:
            row = denied(user, password=FORGED)
        case RemedyKind.CREATE_NAMESPACE:
            row = denied(user, "repository:missing/api:pull")
        case RemedyKind.OTHER_ACCOUNT:
            factories.NamespaceFactory(account=cast.elsewhere, name="theirs", public=True)
            row = denied(user, "repository:theirs/api:push")
        case RemedyKind.OTHER_NAME:
            row = denied(user, "repository:nginx:pull")
        case RemedyKind.NOTHING:
            row = denied(user, "repository:team/api:pull")
            Namespace.objects.update(public=True)
    row = Denial.objects.select_related("user").get(pk=row.pk)
    assert current_remedy(row).kind is kind
    client = cast.client("owner")
    answer = client.get(allow_url(row), follow=True)
    assert answer.redirect_chain[0][0] == leads_to.format(user.username)
    assert says in answer.content.decode()
    assert client.post(allow_url(row), {"where": "image", "level": "admin"}).status_code == 302
    assert not Grant.objects.exists()
    error = Caller(token_of(cast.owner)).post(f"{API}{row.pk}/allow/", {})
    assert error.status_code == 409
    shown = listed(cast, f"?allowed={'yes' if kind is RemedyKind.NOTHING else 'no'}")
    assert [each.pk for each in shown] == [row.pk]


def test_what_is_private_elsewhere_is_told_like_what_is_nowhere(cast: Cast, user: Any) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    for name in ("theirs", "nowhere"):
        row = denied(user, f"repository:{name}/api:pull")
        assert current_remedy(row).kind is RemedyKind.CREATE_NAMESPACE


@pytest.mark.parametrize("who", MEMBERS)
def test_members_read_and_who_may_change_permissions_gets_the_button(
    cast: Cast, team: Any, user: Any, who: str
) -> None:
    row = denied(user, "repository:team/api:push", HTTP_USER_AGENT="docker/27.5.1")
    for path in (
        LIST,
        user.get_absolute_url(),
        "/a/team-red/n/team/permissions/",
        "/a/team-red/n/team/i/api/-/access/",
    ):
        page = cast.client(who).get(path).content.decode()
        assert "push denied: no permission on this image" in page
        assert "from 192.0.2.1 with docker/27.5.1" in page
        assert ("sort=denied" in page) is (path == LIST)  # others sort what else they list
        assert (allow_url(row) in page) is (who != "viewer")
    answer = cast.client(who).post(allow_url(row), {"where": "image", "level": "write", "expiry": "7"})
    assert answer.status_code == (403 if who == "viewer" else 302)
    assert Grant.objects.exists() is (who != "viewer")


def test_nobody_else_finds_it(cast: Cast, team: Any, user: Any) -> None:
    row = denied(user, "repository:team/api:push")
    client = cast.client("stranger")
    assert client.get(LIST).status_code == 404
    assert client.get(allow_url(row)).status_code == 404
    assert client.get(f"/a/{cast.elsewhere.handle}/denials/").context["page"].rows == []
    # By the address of an own account neither.
    assert client.get(f"/a/{cast.elsewhere.handle}/denials/{row.pk}/allow/").status_code == 404
    assert (
        Caller(token_of(cast.stranger))
        .post(f"accounts/{cast.elsewhere.handle}/denials/{row.pk}/allow/", {})
        .status_code
        == 404
    )
    assert not Grant.objects.exists()


@pytest.fixture
def many(cast: Cast, team: Any, user: Any) -> dict[str, Denial]:
    """One denial of each kind."""
    other = factories.RegistryUserFactory(account=cast.account, description="Another one")
    factories.GrantFactory(user=user, namespace=team, image_name="own", level=Level.WRITE)
    found = {
        "pull": denied(user, "repository:team/api:pull"),
        "push": denied(other, "repository:team/web:push"),
        "delete": denied(user, "repository:team/own:delete"),
        "missing": denied(user, "repository:missing/api:pull"),
        "mount": denied(user, "repository:team/own:push,pull", "repository:team/base:pull"),
        "list": denied(other, "registry:catalog:*"),
        "name": denied(other, "repository:nginx:pull"),
        "password": denied(other, password="guess"),
    }
    factories.GrantFactory(user=other, namespace=team, image_name="web", level=Level.WRITE)
    factories.RegistryUserFactory(account=cast.elsewhere)
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"pull", "push", "delete", "missing", "mount", "list", "name", "password"}),
        ("q=another", {"push", "list", "name", "password"}),
        ("q=team/we", {"push"}),
        ("q=team/we&user=nobody", set()),
        ("namespace=team", {"pull", "push", "delete", "mount"}),
        ("namespace=tea", set()),
        ("repository=team/own", {"delete", "mount"}),
        ("repository=team/ow", set()),
        ("action=pull", {"pull", "missing", "name"}),
        ("action=mount", {"mount"}),
        ("action=list", {"list"}),
        ("action=sign-in", {"password"}),
        ("kind=level", {"pull", "push", "delete"}),
        ("kind=namespace", {"missing"}),
        ("kind=name", {"list", "name"}),
        ("kind=password", {"password"}),
        ("kind=user", set()),
        ("kind=mount", {"mount"}),
        ("allowed{}=yes", {"push"}),
        ("allowed{}=no&kind=level", {"pull", "delete"}),
    ],
)
def test_each_filter(cast: Cast, many: dict[str, Denial], query: str, expected: set[str]) -> None:
    names = {row.pk: name for name, row in many.items()}
    assert {names[row.pk] for row in listed(cast, f"?{query.format('')}")} == expected
    told = Caller(token_of(cast.viewer)).get(f"{API}?{query.format('_now').replace('q=', 'search=')}").json()
    assert {names[each["id"]] for each in told["results"]} == expected


def test_every_reason_has_one_kind(cast: Cast, user: Any, many: dict[str, Denial]) -> None:
    RegistryUser.objects.filter(pk=user.pk).update(disabled_at=timezone.now())
    denied(user, "repository:team/api:pull")
    found = [
        row.pk
        for kind in denial_list.KINDS
        for row in denial_list.find_denials(cast.account, DenialFilter(kind=kind))
    ]
    assert sorted(found) == sorted(Denial.objects.values_list("pk", flat=True))


def test_what_is_no_filter_narrows_nothing_and_the_api_says_so(cast: Cast, many: dict[str, Denial]) -> None:
    assert len(listed(cast, "?action=steal&kind=x&allowed=perhaps&sort=id")) == len(many)
    caller = Caller(token_of(cast.viewer))
    for name in ("action", "kind", "allowed_now", "sort"):
        assert fields_of(caller.get(f"{API}?{name}=x")) == {name}


def test_the_list_is_sorted_and_paged_in_any_order(cast: Cast, team: Any, user: Any) -> None:
    now = timezone.now()
    Denial.objects.bulk_create(
        Denial(
            user=user, repository=f"team/n{number:02}", action="pull", count=number % 7,
            first_at=now, last_at=now - timedelta(minutes=number),
        )
        for number in range(60)
    )  # fmt: skip
    for sort, key in {
        "": lambda row: (-row.last_at.timestamp(), -row.pk),
        "count": lambda row: (row.count, row.pk),
        "-repository": lambda row: (-int(row.repository[6:]), -row.pk),
    }.items():
        page = cast.client("viewer").get(f"{LIST}?sort={sort}").context["page"]
        rest = cast.client("viewer").get(LIST + page.next_url).context["page"]
        found = page.rows + rest.rows
        assert (len(page.rows), len(found)) == (50, 60)
        assert found == sorted(found, key=key)


def test_the_list_asks_few_statements_however_many_rows(cast: Cast, team: Any, user: Any) -> None:
    for number in range(30):
        ask(user, f"repository:team/n{number}:push")
    denials.write()
    client = cast.client("owner")
    client.get(LIST)
    with statements.counted() as asked:
        assert len(client.get(LIST).context["page"].rows) == 30
    assert len(asked) <= 8, "\n".join(asked)


def test_an_account_keeps_so_many_and_the_rest_is_counted(cast: Cast, user: Any) -> None:
    now = timezone.now()
    others = factories.RegistryUserFactory.create_batch(KEPT_OF_ACCOUNT // KEPT, account=cast.account)
    theirs = factories.RegistryUserFactory(account=cast.elsewhere)
    for each in (*others, theirs):
        Denial.objects.bulk_create(
            Denial(
                user=each, repository=f"team/n{number}", action="push", count=2,
                first_at=now, last_at=now - timedelta(seconds=number),
            )
            for number in range(KEPT)
        )  # fmt: skip
    for name in ("team/one", "team/two"):
        denials.note(
            Denied(
                user.username, name, "push", "why", "remedy", Origin("192.0.2.1", "", now), user.account_id
            )
        )
    denials.write()
    assert Denial.objects.filter(user__account=cast.account).count() == KEPT_OF_ACCOUNT
    assert Denial.objects.filter(user=user).count() == 2
    assert Denial.objects.filter(user=theirs).count() == KEPT
    assert sum(DropCounter.objects.values_list("count", flat=True)) == 4
    assert "4 more were not kept." in cast.client("viewer").get(LIST).content.decode()


def test_the_api_gives_the_smallest_too(cast: Cast, team: Any, user: Any) -> None:
    row = denied(user, "repository:team/api:push")
    caller, path = Caller(token_of(cast.manager)), f"{API}{row.pk}/allow/"
    (told,) = caller.get(API).json()["results"]
    assert (told["username"], told["remedy_kind"], told["allowed_now"]) == (user.username, "grant", False)
    assert told["proposed_grants"] == [
        {"namespace": "team", "image": "api", "level": "write", "replaces": "none"}
    ]
    assert fields_of(caller.post(path, {"level": "read"})) == {"level"}
    assert fields_of(caller.post(path, {"expires_at": "2000-01-01"})) == {"expires_at"}
    assert Caller(token_of(cast.viewer)).post(path, {}).status_code == 403
    assert not Grant.objects.exists()
    (given,) = caller.post(path, {}).json()["grants"]
    assert (given["image"], given["level"]) == ("api", "write")
    end = Grant.objects.get().expires_at
    assert end
    assert (end - timezone.now()).days == 6
    assert caller.post(path, {}).status_code == 409


def test_the_api_gives_more_where_it_is_asked_to(cast: Cast, team: Any, user: Any) -> None:
    row = denied(user, "repository:team/api:push")
    body = {"whole_namespace": True, "level": "admin", "expires_at": None}
    (given,) = Caller(token_of(cast.owner)).post(f"{API}{row.pk}/allow/", body).json()["grants"]
    assert (given["image"], given["level"], given["expires_at"]) == ("", "admin", None)


def test_two_clicks_from_the_first_page(cast: Cast) -> None:
    client = cast.client("viewer")
    assert 'href="/a/team-red/access/"' in client.get("/a/team-red/images/").content.decode()
    assert f'href="{LIST}"' in client.get("/a/team-red/access/").content.decode()
    assert "No denied requests" in cast.client("viewer").get(LIST).content.decode()


def test_id_tokens_are_told_apart_from_passwords(cast: Cast, team: Any, user: Any) -> None:
    id_token, password = denied(user, password=FORGED), denied(user, password="guess")
    assert [each.pk for each in listed(cast, "?kind=id_token")] == [id_token.pk]
    assert [each.pk for each in listed(cast, "?kind=password")] == [password.pk]
    assert {each.pk for each in listed(cast, "?action=sign-in")} == {id_token.pk, password.pk}
    page = cast.client("owner").get(LIST, headers={"accept-language": "fr"}).content.decode()
    assert "n’accepte aucun jeton d’identité de cet émetteur" in page
