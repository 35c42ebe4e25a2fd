"""The doctor's verdicts, from facts that real installations show only when something is wrong."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registry_sync.doctor import addresses, panel, pull_result, registry, versions
from registry_sync.doctor.observations import (
    Answer,
    Certificate,
    EventProbe,
    PanelSettings,
    Pulled,
    Schema1Images,
    TokenProbe,
    VersionAnswers,
)
from registry_sync.doctor.result import Finding, Result, State

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SETTINGS = PanelSettings(
    public_url="https://registry.example.com", registry_url="http://registry:5000",
    registry_host="registry.example.com", service="registry.example.com", issuer="registry-manager",
    ca_file="/secrets/ca.crt", ca_fingerprint="sha256 Fingerprint=AA:BB", hook_file="/secrets/hook.key",
    events_url="http://web:8000/registry/events", realm="https://registry.example.com/auth/token", slow=1,
)  # fmt: skip
CHALLENGE = f'Bearer realm="{SETTINGS.realm}",service="{SETTINGS.service}"'
ASKS = Answer(401, challenge=CHALLENGE)
HEALTH, DOOR = Answer(200), Answer(401, codes=frozenset({"UNAUTHORIZED"}))


def lines(finding: Finding) -> str:
    return "\n".join(fix.lines for fix in finding.fixes)


def test_whoever_fails_says_what_to_change() -> None:
    for finding in (
        registry.reachable(Answer(error="ConnectionError"), SETTINGS),
        registry.challenge(Answer(200), SETTINGS),
        registry.realm(Answer(401, challenge='Bearer realm="x"'), SETTINGS),
        registry.token(TokenProbe("", anybody=False), SETTINGS),
        registry.events(EventProbe(None), SETTINGS),
        panel.worker(None, NOW, timedelta(minutes=2), asked=True),
        panel.disk(99_000_000, "/data"),
        panel.sign_in_provider("https://login.example.com", "It does not answer."),
        addresses.form(replace(SETTINGS, public_url="http://x"), production=True),
    ):
        assert finding.state is State.FAIL
        assert lines(finding)


def test_parameters_of_a_challenge_come_in_any_order() -> None:
    answer = Answer(401, challenge='bearer service="s",scope="a:b:c d:e:f",realm="https://r/"')
    assert answer.parameters == {"service": "s", "scope": "a:b:c d:e:f", "realm": "https://r/"}
    assert Answer(401, challenge='Basic realm="x"').parameters == {}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200), "anybody can pull, push and delete"),
        (Answer(401, challenge='Basic realm="Registry"'), "asks for Basic"),
        (Answer(401), "asks for nothing"),
        (Answer(404), "returns 404"),
        (Answer(502), "returns 502"),
        (Answer(302, location="https://login/"), "returns 302"),
    ],
)
def test_no_challenge(answer: Answer, words: str) -> None:
    finding = registry.challenge(answer, SETTINGS)
    assert finding.state is State.FAIL
    assert words in finding.text


def test_a_certificate_nobody_trusts_is_named_as_such() -> None:
    assert "certificate" in registry.reachable(Answer(error="SSLError"), SETTINGS).text


def test_autoredirect_is_seen_as_another_address() -> None:
    finding = registry.realm(
        Answer(401, challenge='Bearer realm="https://registry:5000/auth/token"'), SETTINGS
    )
    assert f"realm: {SETTINGS.realm}\nautoredirect: false" in lines(finding)
    assert "PUBLIC_URL=https://registry:5000" in lines(finding)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.OK), (19, State.OK), (-19, State.OK), (21, State.WARN), (-22, State.WARN), (61, State.FAIL),
     (-61, State.FAIL), (86_400, State.FAIL)],
)  # fmt: skip
def test_clocks(seconds: int, state: State) -> None:
    answer = Answer(401, date=NOW + timedelta(seconds=seconds), asked_at=NOW)
    assert registry.clock(answer).state is state


def test_a_slow_answer_is_no_wrong_clock() -> None:
    assert (
        registry.clock(Answer(401, date=NOW + timedelta(seconds=30), asked_at=NOW, seconds=50)).state
        is State.OK
    )
    assert registry.clock(Answer(401, asked_at=NOW)).state is State.SKIPPED


@pytest.mark.parametrize(
    ("trial", "state"),
    [
        (TokenProbe("registry-manager", anybody=False), State.OK),
        (TokenProbe("registry-manager", anybody=True), State.FAIL),
        (TokenProbe("other", anybody=False), State.FAIL),
        (TokenProbe("", anybody=False), State.FAIL),
    ],
)
def test_tokens(trial: TokenProbe, state: State) -> None:
    assert registry.token(trial, SETTINGS).state is state


def test_our_fingerprint_is_there_to_be_compared() -> None:
    assert "AA:BB" in lines(registry.token(TokenProbe("", anybody=False), SETTINGS))


@pytest.mark.parametrize(
    ("trial", "state", "words"),
    [
        (EventProbe(0.2), State.OK, "within a second"),
        (EventProbe(7.6), State.OK, "after 8 s"),
        (EventProbe(None), State.FAIL, "do not reach the panel"),
        (EventProbe(None, refused=True), State.FAIL, "a different key"),
        (EventProbe(None, problem="the registry answers 405"), State.SKIPPED, "405"),
        (EventProbe(None, refused=True, problem="the registry answers 405"), State.FAIL, "a different key"),
        (EventProbe(None, redirected=True), State.FAIL, "another address"),
        (EventProbe(None, location="https://panel/login"), State.FAIL, "https://panel/login"),
        (EventProbe(0.2, location="https://panel/login"), State.OK, "within a second"),  # it goes another way
    ],
)
def test_events(trial: EventProbe, state: State, words: str) -> None:
    finding = registry.events(trial, SETTINGS)
    assert finding.state is state
    assert words in finding.text


@pytest.mark.parametrize("status", [0, 401, 500])
def test_what_was_not_answered_is_neither_good_nor_bad(status: int) -> None:
    answer = Answer(status, error="" if status else "ReadTimeout")
    assert registry.deletion(answer, SETTINGS).state is State.SKIPPED
    assert registry.catalog(answer).state is State.WARN


def test_what_is_said_to_be_a_cache() -> None:
    told = replace(SETTINGS, is_cache=True)
    assert registry.deletion(Answer(405), told).state is State.OK
    no_cache = registry.deletion(Answer(404), told)
    assert (no_cache.state, no_cache.fixes[0].lines) == (State.FAIL, "REGISTRY_IS_PULL_THROUGH_CACHE=false")
    assert registry.upstream(answers=False, panel_settings=told).state is State.FAIL
    assert registry.upstream(answers=True, panel_settings=told).state is State.OK
    assert registry.upstream(answers=None, panel_settings=told).state is State.PENDING
    assert registry.upstream(answers=None, panel_settings=SETTINGS).state is State.OK


@pytest.mark.parametrize(("free", "state"), [(100, State.WARN), (999, State.WARN), (1000, State.OK)])
def test_a_disk_is_told_of_before_it_is_full(free: int, state: State) -> None:
    assert panel.disk(free * panel.MB, "/data").state is state


def refused(status: int, code: str = "") -> Answer:
    return Answer(status, codes=frozenset({code} - {""}))


OLD_DIGEST, NEW_DIGEST = refused(500, "UNKNOWN"), refused(400, "DIGEST_INVALID")
PAGES = refused(400, "PAGINATION_NUMBER_INVALID")
NO_PAGES = refused(404, "NAME_UNKNOWN")  # 2.8 reads no `n` here
PUSHES, CACHE, READ_ONLY = Answer(202), refused(405, "UNSUPPORTED"), refused(405)


@pytest.mark.parametrize(
    ("seen", "state", "words"),
    [
        (VersionAnswers(NEW_DIGEST, PAGES, PUSHES), State.OK, "3.1.2 or newer"),
        (VersionAnswers(NEW_DIGEST, PAGES, CACHE), State.OK, "3.1.2 or newer"),
        (VersionAnswers(OLD_DIGEST, PAGES, PUSHES), State.WARN, "0.1.2 next to 0.1.20"),
        (VersionAnswers(OLD_DIGEST, PAGES, READ_ONLY), State.WARN, "0.1.2 next to 0.1.20"),
        (VersionAnswers(OLD_DIGEST, NO_PAGES, PUSHES), State.OK, "Distribution 2.8"),
        (VersionAnswers(OLD_DIGEST, NO_PAGES, READ_ONLY), State.OK, "Distribution 2.8"),
        (VersionAnswers(OLD_DIGEST, PAGES, CACHE), State.WARN, "pull-through cache"),
        (VersionAnswers(OLD_DIGEST, NO_PAGES, CACHE), State.WARN, "pull-through cache"),
        (VersionAnswers(refused(404), refused(404), PUSHES), State.SKIPPED, "could not be detected"),
        (VersionAnswers(Answer(), Answer(), Answer()), State.SKIPPED, "could not be detected"),
    ],
)
def test_releases_are_known_by_what_they_refuse(seen: VersionAnswers, state: State, words: str) -> None:
    finding = versions.version(seen)
    assert finding.state is state
    assert words in finding.text
    assert (state is State.WARN) == ("registry:3.1.2" in lines(finding))


GOOD, BROKEN = Pulled("team/app:2.0"), Pulled("team/app:1.0", lost="manifest: 404")
ASTRAY = Pulled("team/app:1.0", origin="http://store:9000", astray="ConnectTimeout")


@pytest.mark.parametrize(
    ("pulled", "state", "words", "change"),
    [
        ([], State.PENDING, "Not run yet", ""),
        (None, State.SKIPPED, "nothing was pulled", ""),
        ([GOOD], State.OK, "The registry serves all of it", ""),
        ([replace(GOOD, origin="https://store.example.com")], State.OK, "https://store.example.com", ""),
        ([replace(GOOD, origin="http://store:9000")], State.WARN, "http://store:9000", "disable: true"),
        ([replace(GOOD, origin="http://10.0.0.7:9000")], State.WARN, "http://10.0.0.7:9000", "disable: true"),
        (
            [GOOD, ASTRAY],
            State.FAIL,
            "to http://store:9000 for layers",
            "REGISTRY_STORAGE_REDIRECT_DISABLE",
        ),
        ([GOOD, BROKEN], State.WARN, "team/app:1.0 cannot be pulled (manifest: 404)", "flushdb"),
        ([BROKEN, BROKEN], State.FAIL, "without storing them", "flushdb"),
    ],
)
def test_what_was_pushed_must_come_back(pulled: list[Pulled], state: State, words: str, change: str) -> None:
    finding = pull_result.pull(pulled, SETTINGS)
    assert finding.state is state
    assert words in finding.text
    assert change in lines(finding)
    assert bool(change) == bool(finding.fixes)


def test_a_long_name_is_shown_by_both_its_ends_unless_something_is_wrong() -> None:
    name = f"team/{'deep/' * 35}app:2.0"
    good = pull_result.pull([replace(GOOD, name=name)], SETTINGS).text
    assert good.startswith("team/deep/")
    assert "…" in good
    assert "/app:2.0 can be pulled" in good
    assert len(good) < 120
    assert name in pull_result.pull([replace(BROKEN, name=name)], SETTINGS).text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "1 ms"), (0.012, "12 ms"), (0.1, "0.1 s"), (2.34, "2.3 s")]
)
def test_how_long_it_took_says_something(seconds: float, words: str) -> None:
    assert registry.catalog(Answer(200, seconds=seconds)).text.endswith(f"in {words}.")


def test_a_store_in_the_same_small_network_as_the_registry_is_no_trouble() -> None:
    for host in ("registry:5000", "localhost:5000", "10.0.0.5:5000"):
        ours = replace(SETTINGS, registry_host=host)
        assert pull_result.pull([replace(GOOD, origin="http://store:9000")], ours).state is State.OK


MINUTES = timedelta(minutes=2)


@pytest.mark.parametrize(
    ("sign", "asked", "worker", "schedule"),
    [
        (timedelta(seconds=30), True, State.OK, State.OK),
        (timedelta(seconds=30), False, State.OK, State.OK),
        (timedelta(minutes=3), True, State.FAIL, State.FAIL),
        (timedelta(hours=5), False, State.WARN, State.FAIL),  # whom nobody sends work cannot show any
        (None, True, State.FAIL, State.FAIL),
        (None, False, State.FAIL, State.FAIL),
    ],
)
def test_worker_and_schedule_are_told_apart(
    sign: timedelta | None, asked: bool, worker: State, schedule: State
) -> None:
    at = None if sign is None else NOW - sign
    assert panel.worker(at, NOW, MINUTES, asked=asked).state is worker
    assert panel.schedule(at, NOW, MINUTES).state is schedule


@pytest.mark.parametrize(
    ("leaf", "root", "state"),
    [
        (20, 3000, State.OK),
        (8, 3000, State.WARN),
        (-1, 3000, State.FAIL),
        (20, 100, State.WARN),
        (-1, -1, State.FAIL),
    ],
)
def test_certificates(leaf: int, root: int, state: State) -> None:
    pair = [Certificate("x", NOW + timedelta(days=days), "/secrets/x") for days in (leaf, root)]
    assert panel.certificates(*pair, NOW).state is state


@pytest.mark.parametrize(
    ("digests", "state"),
    [
        ({}, State.SKIPPED),
        ({"a": "1"}, State.OK),
        ({"a": "1", "b": "1"}, State.OK),
        ({"a": "1", "b": "2"}, State.FAIL),
    ],
)
def test_the_keys_of_all_machines(digests: dict[str, str], state: State) -> None:
    assert panel.machine_keys(digests, "/data/secrets").state is state


def test_database_and_queue() -> None:
    assert panel.database("", []).state is State.OK
    assert "migrate" in lines(panel.database("", ["registry_sync.0003_doctor"]))
    assert "DATABASE_URL" in lines(panel.database("connection refused", []))
    assert "DATABASE_POOLER=transaction" in lines(panel.database("dropped", [], unknown_pooler=True))
    assert panel.broker("", redis=True).state is State.OK
    assert "REDIS_URL" in lines(panel.broker("TimeoutError", redis=True))


@pytest.mark.parametrize(
    ("statement", "lock", "changed"),
    [
        (10_000, 2_000, []),
        (5_000, 1, []),
        (0, 2_000, ["statement_timeout = 10000"]),
        (10_001, 0, ["statement_timeout = 10000", "lock_timeout = 2000"]),
    ],
)
def test_limits_that_a_pooler_dropped(statement: int, lock: int, changed: list[str]) -> None:
    asked = {"statement_timeout": 10_000, "lock_timeout": 2_000}
    finding = panel.limits(asked, {"statement_timeout": statement, "lock_timeout": lock}, "panel")
    assert finding.state is (State.WARN if changed else State.OK)
    expected = [f'ALTER ROLE "panel" SET {each};' for each in changed]
    assert [line for fix in finding.fixes for line in fix.lines.splitlines()] == expected
    assert panel.broker("PermissionError", redis=False).state is State.FAIL


@pytest.mark.parametrize(
    ("public", "host", "production", "state"),
    [
        ("https://registry.example.com", "registry.example.com", True, State.OK),
        ("http://registry.example.com", "registry.example.com", True, State.FAIL),
        ("http://localhost:8000", "localhost:5000", False, State.OK),  # a name, to crane
        ("http://127.0.0.1:8000", "127.0.0.1:5000", False, State.FAIL),
        ("http://10.0.0.5:8000", "registry.lan", False, State.FAIL),
        ("http://10.0.0.5", "10.0.0.5", False, State.OK),
        ("https://10.0.0.5", "10.0.0.5:443", True, State.OK),
        ("https://8.8.8.8", "registry.example.com", True, State.OK),
        ("https://[::1]:8000", "[::1]:5000", False, State.FAIL),
    ],
)
def test_the_addresses_by_themselves(public: str, host: str, production: bool, state: State) -> None:
    ours = replace(SETTINGS, public_url=public, registry_host=host)
    assert addresses.form(ours, production=production).state is state


@pytest.mark.parametrize(
    ("health", "door", "state", "words"),
    [
        (HEALTH, DOOR, State.OK, "is the panel"),
        (Answer(error="ConnectionError"), DOOR, State.WARN, "ConnectionError"),
        (Answer(301, location="https://other/healthz"), DOOR, State.FAIL, "redirects"),
        (Answer(404), DOOR, State.FAIL, "returns 404"),
        (Answer(400), DOOR, State.FAIL, "returns 400"),
        (HEALTH, Answer(404), State.FAIL, "no token"),
        (HEALTH, Answer(401), State.FAIL, "no token"),  # somebody else's 401
        (Answer(200, seconds=1.5), DOOR, State.WARN, "1.5 s"),
    ],
)
def test_the_panel_as_clients_see_it(health: Answer, door: Answer, state: State, words: str) -> None:
    finding = addresses.panel(health, door, SETTINGS)
    assert finding.state is state
    assert words in finding.text


BASE = "https://registry.example.com"


@pytest.mark.parametrize(
    ("answer", "location", "state"),
    [
        (ASKS, "/v2/x/blobs/uploads/1", State.OK),
        (ASKS, f"{BASE}/v2/x/blobs/uploads/1", State.OK),
        (ASKS, f"{BASE}:443/v2/x/blobs/uploads/1", State.OK),
        (ASKS, "http://registry.example.com/v2/x", State.FAIL),  # X-Forwarded-Proto is missing
        (ASKS, "https://registry:5000/v2/x", State.FAIL),  # Host is missing
        (Answer(200), "", State.FAIL),
        (Answer(401, challenge='Basic realm="proxy"'), "", State.FAIL),
        (
            Answer(401, challenge='Bearer realm="http://registry.example.com/auth/token",service="s"'),
            "/v2/",
            State.FAIL,
        ),
        (Answer(error="ConnectTimeout"), "", State.WARN),
    ],
)
def test_the_registry_as_clients_see_it(answer: Answer, location: str, state: State) -> None:
    finding = addresses.registry(BASE, answer, Answer(202, location=location), SETTINGS)
    assert finding.state is state


def test_a_push_that_was_not_tried_is_not_said_to_go_well() -> None:
    assert addresses.registry(BASE, ASKS, None, SETTINGS).state is State.SKIPPED


def test_a_trail_that_nobody_has_verified_yet_is_not_green() -> None:
    for begun, state in (
        (None, State.PENDING),
        (NOW, State.PENDING),
        (NOW - timedelta(days=3), State.SKIPPED),
    ):
        assert panel.audit_log(None, None, None, first_event_at=begun, now=NOW).state is state
    assert panel.audit_log(None, None, NOW, first_event_at=NOW, now=NOW).state is State.OK


def test_the_last_check_of_the_trail_decides() -> None:
    before = NOW - timedelta(days=1)
    assert panel.audit_log(NOW, before, before, first_event_at=NOW, now=NOW).state is State.FAIL
    assert panel.audit_log(before, NOW, before, first_event_at=NOW, now=NOW).state is State.WARN
    assert panel.audit_log(before, before, NOW, first_event_at=NOW, now=NOW).state is State.OK


def test_ages_are_in_words_that_fit_them() -> None:
    for age, words in ((90, "90 s"), (600, "10 min"), (3 * 3600, "3 h")):
        at = NOW - timedelta(seconds=age)
        assert f" {words} " in panel.schedule(at, NOW, timedelta(seconds=30)).text


def test_a_push_sent_elsewhere_names_the_proxys_headers() -> None:
    finding = addresses.registry(BASE, ASKS, Answer(202, location="http://registry:5000/v2/x"), SETTINGS)
    assert "X-Forwarded-Proto $scheme" in lines(finding)
    assert f"host: {BASE}" in lines(finding)


def test_old_images_are_named_by_what_is_known_of_them() -> None:
    assert registry.old_form(Schema1Images(0), SETTINGS).state is State.OK
    found = registry.old_form(Schema1Images(1, ("team/old@sha256:aa",)), SETTINGS)
    assert (found.state, lines(found)) == (
        State.WARN,
        "crane delete registry.example.com/team/old@sha256:aa",
    )
    found = registry.old_form(Schema1Images(1, ("team/old",), read=False), SETTINGS)
    assert (found.state, lines(found)) == (
        State.FAIL,
        "crane delete registry.example.com/team/old@DIGEST",
    )


def test_a_registry_that_answers_and_a_challenge_with_our_realm_are_well() -> None:
    assert registry.reachable(Answer(200), SETTINGS).state is State.OK
    assert registry.challenge(ASKS, SETTINGS).state is State.OK
    assert registry.realm(ASKS, SETTINGS).state is State.OK


def test_the_service_is_the_one_that_tokens_are_made_for() -> None:
    assert registry.service(ASKS, SETTINGS).state is State.OK
    other = registry.service(Answer(401, challenge='Bearer realm="x",service="other"'), SETTINGS)
    assert (other.state, lines(other)) == (State.FAIL, f"service: {SETTINGS.service}\nTOKEN_SERVICE=other")
    assert "(nothing)" in registry.service(Answer(401, challenge='Bearer realm="x"'), SETTINGS).text


def test_tokens_of_our_issuer_and_of_another() -> None:
    assert registry.token(TokenProbe(SETTINGS.issuer, anybody=False), SETTINGS).state is State.OK
    assert "issuer: registry-manager" in lines(registry.token(TokenProbe("other", anybody=False), SETTINGS))


def test_deletion_and_catalog() -> None:
    assert registry.deletion(Answer(404), SETTINGS).state is State.OK
    assert "REGISTRY_IS_PULL_THROUGH_CACHE=true" in lines(registry.deletion(Answer(405), SETTINGS))
    assert registry.catalog(Answer(200, seconds=0.2)).state is State.OK
    small = registry.catalog(Answer(400))
    assert (small.state, lines(small)) == (State.FAIL, "catalog:\n  maxentries: 1000")


def test_old_images_that_can_be_read_are_a_warning_and_without_names_no_commands() -> None:
    assert registry.old_form(Schema1Images(2), SETTINGS).state is State.WARN
    assert registry.old_form(Schema1Images(2), SETTINGS).fixes == ()


def test_a_result_is_kept_as_json_with_its_sentences_packed() -> None:
    finding = registry.service(Answer(401), SETTINGS)
    row = Result("service", "Service", finding).as_row()
    assert json.loads(json.dumps(row)) == row
    assert (row["key"], row["title"], row["state"]) == ("service", "Service", "fail")
    assert row["text"][0].startswith("Its service name is %(named)s")
    assert row["fixes"][0]["lines"] == f"service: {SETTINGS.service}"


def test_a_sign_in_provider_is_asked_where_there_is_one() -> None:
    assert panel.sign_in_provider("", "").state is State.OK
    assert panel.sign_in_provider("https://login.example.com", "").state is State.OK


@pytest.mark.parametrize(
    ("age", "running", "days", "state"),
    [
        (None, None, 7, State.PENDING),
        (None, 6, 7, State.PENDING),
        (None, 8, 7, State.WARN),
        (None, 8, 0, State.OK),
        (6, 90, 7, State.OK),
        (8, 90, 7, State.WARN),
        (8, 90, 0, State.OK),
    ],
)
def test_a_backup_that_is_too_old_is_told_of(
    age: int | None, running: int | None, days: int, state: State
) -> None:
    at, since = (None if each is None else NOW - timedelta(days=each) for each in (age, running))
    begin = at or since
    due_at = begin + timedelta(days=days) if begin and days else None
    found = panel.backup(at, "ada@host", days=days, due_at=due_at, now=NOW)
    assert found.state is state
    assert ("ada@host" in found.text) is bool(age and days)
    assert bool(lines(found)) is (state is State.WARN)


@pytest.mark.parametrize(("days", "ago"), [(1, "more than 1 day ago"), (7, "more than 7 days ago")])
def test_how_old_the_last_backup_is(days: int, ago: str) -> None:
    at = NOW - timedelta(days=30)
    found = panel.backup(at, "ada@host", days=days, due_at=at + timedelta(days=days), now=NOW)
    assert ago in found.text
