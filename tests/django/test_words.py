"""What a page says came through gettext: a catalogue puts each text between marks, and no word is outside them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import trans_real

from accounts.common import time_zones
from accounts.models import Denial, Invitation
from accounts.templatetags import formatting
from namespaces.access import AccessContext, Action, UserStatus, decide
from namespaces.models import Tag
from registry_sync.deletion.outcomes import Outcome
from registry_sync.doctor import panel as judge
from registry_sync.doctor.result import Result
from registry_sync.models import (
    DiagnosticRun,
    Drift,
    Event,
    Removal,
    RemovalItem,
    Repository,
    RetentionRun,
    SyncRun,
)
from tests.cast import Cast
from tests.django.api import world as worlds
from tests.django.api.world import World
from tests.django.attacks import pages
from tests.django.attacks.pages import Page
from tests.django.namespaces import things

BEGIN, END = "⟦", "⟧"
SAID = {"title", "alt", "placeholder", "aria-label", "aria-description", "data-label"}
CODE = {"code", "pre", "script", "style", "textarea"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# What people, images and tools are called, and what no language writes otherwise.
DATA = re.compile(
    r"[\w.+-]+@[\w.-]*|\bCI\b( deploy)?|team/\w+|\bteam\b|application/\S+|org\.opencontainers\S+"
    r"|Team Red|Account \d+|No grants yet|quinn|localhost:\d+|red/\*|red/app/api|app/api|\bred\b|\bempty\b|RED/red"
    r"|linux/amd64|sha256:[0-9a-f]+|@?\b[0-9a-f]{12}\b|\([a-z0-9]{12}\)|https?://\S+|\bUTC\b"
    r"|English|Français|PowerShell|Docker|Podman|skopeo|crane|Kubernetes"
    r"|GitHub( Actions)?|GitLab(\.com| CI(/CD)?)?|Codeberg|Forgejo Actions|Buildkite|CircleCI|Cluster|eyJ…"
    r"|Flux|Argo CD Image Updater|Keel|Portainer|webhook-id"
    r"|Compose|Registry Manager|docker/\d+|latest"
)
COLON = re.compile(r"\s*:\s")
WORD = re.compile(r"[^\W\d_]{2,}")
WRONG = {
    "name": "RED/red", "description": "", "expiry": "custom", "role": "x", "level": "x", "user": "x", "where": "a/b",
    "image_name": "UPPER", "tag": "1.0", "expected_digest": "x", "keep_last": "0", "confirm": "x", "handle": "x",
    "email": "x",
}  # fmt: skip
WAYS_IN = [
    "account_login", "account_signup", "account_logout", "account_reset_password", "account_change_password",
    "account_email", "usersessions_list",
]  # fmt: skip
every_page = pytest.mark.parametrize("page", pages.as_html(), ids=str)


class Marking(trans_real.DjangoTranslation):
    """Marks what French has a text for. What is asked for and nowhere written down stays bare."""

    def __init__(self, language: str) -> None:
        super().__init__(language)
        french = trans_real.translation("fr")._catalog  # type: ignore[attr-defined]
        self.known = {key[0] if isinstance(key, tuple) else key for key in french.keys()}  # noqa: SIM118 (no dict)

    def gettext(self, message: str) -> str:
        return self._marked(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._marked(msgid1 if n == 1 else msgid2, msgid1)

    def _marked(self, message: str, known_as: str) -> str:
        text = message.rpartition(trans_real.CONTEXT_SEPARATOR)[2]
        return f"{BEGIN}{text}{END}" if known_as in self.known else text


def _forget_words() -> None:
    """Days and the clock's words are kept as they were written."""
    time_zones.day.cache_clear()
    formatting._relative_words.cache_clear()


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What gettext gives in this test."""
    monkeypatch.setitem(trans_real._translations, "en", Marking("en"))
    _forget_words()
    yield
    _forget_words()
    translation.deactivate()  # what the last request made this thread's language


class Reader(HTMLParser):
    """`bare`: what is met outside the marks, and is neither code nor data, or is glued to them by a colon.

    French writes a space before it: so it belongs into the text.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.bare: list[str] = []
        self._depth = 0
        self._open: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in SAID & given.keys():
            self._read(given[name] or "")
        if tag not in VOID:
            self._open.append((tag, tag in CODE or "font-monospace" in (given.get("class") or "").split()))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, text: str) -> None:
        if not any(code for _tag, code in self._open):
            self._read(text)

    def _read(self, text: str) -> None:
        """A marked text may go on behind a tag."""
        for piece in re.split(f"([{BEGIN}{END}])", text):
            if piece in (BEGIN, END):
                self._depth += 1 if piece == BEGIN else -1
            elif not self._depth and (WORD.search(DATA.sub("", piece)) or COLON.match(piece)):
                self.bare.append(piece.strip())


@pytest.fixture
def world(cast: Cast) -> World:
    """Of all that pages tell of there is something, and the owner is an operator."""
    cast.owner.email, cast.owner.is_staff = "quinn@example.com", True
    cast.owner.save()
    made = worlds.make(cast)
    Invitation.objects.update(created_by=cast.owner.email)
    now, image = timezone.now(), made.tag.image
    said = {
        "org.opencontainers.image.source": "https://example.com/",
        "org.opencontainers.image.vendor": "quinn",
    }
    config = {"os": "linux", "architecture": "amd64", "config": {"Labels": said, "User": "quinn"}}
    manifest = things.put(image, things.image_document("a", annotations=said), config=config)
    Tag.objects.filter(pk=made.tag.pk).update(manifest=manifest, unreadable_since=now)
    made.tag.refresh_from_db()
    for action in Action:
        for user_status in (UserStatus.ACTIVE, UserStatus.EXPIRED):
            verdict = decide(AccessContext(user_status), action)
            Denial.objects.create(
                user=made.user, repository="" if user_status is UserStatus.EXPIRED else image.repository, action=action,
                reason=verdict.reason, remedy=verdict.remedy, first_at=now, last_at=now, client="docker/27",
            )  # fmt: skip
    _registry_tells(made)
    return made


def _registry_tells(world: World) -> None:
    now, image = timezone.now(), world.tag.image
    for state in SyncRun.State:
        ended = {} if state in (SyncRun.State.WAITING, SyncRun.State.RUNNING) else {"finished_at": now}
        run = SyncRun.objects.create(state=state, started_at=now, requested_by="quinn", **ended)
    Drift.objects.create(run=run, repository=image.repository, tag="latest")
    Event.objects.create(event_id="1", repository=image.repository, tag="latest", action="push", raw="{}",
                         problem="the registry’s answer is not JSON")  # fmt: skip
    Repository.objects.create(name="team/web")
    Repository.objects.filter(image=image).update(problem="the panel failed; see its log")
    results = [
        Result("disk", "Disk", judge.disk(500 * judge.MB, "/42")),
        Result(
            "worker", "Worker", judge.worker(now - timedelta(hours=1), now, timedelta(minutes=2), asked=True)
        ),
    ]
    rows = [result.as_row() for result in results]
    for _each in range(2):
        DiagnosticRun.objects.create(state="done", requested_by="quinn", finished_at=now, results=rows)
    for outcome in Outcome:
        RemovalItem.objects.create(
            removal=world.removal, tag="1.0", digest=world.tag.manifest_id, state="failed", outcome=outcome
        )
    for ended_as in RetentionRun.State:
        RetentionRun.objects.create(rule=world.rule, state=ended_as, requested_by="quinn", finished_at=now)
    Removal.objects.update(requested_by="quinn")


@every_page
def test_a_page_says_nothing_that_cannot_be_translated(world: World, page: Page, marks: None) -> None:
    path, query = page.path(world), {"q": "red", "tag": world.tag.name}
    for who in ("viewer", "owner"):
        client = world.cast.client(who)
        for answer in (client.get(path), client.get(path, query), client.post(path, WRONG)):
            assert Reader(answer.content.decode()).bare == []


@pytest.mark.parametrize(
    "page", [page for page in pages.as_html() if set(page.arguments) <= {"handle"}], ids=str
)
def test_nor_does_one_on_which_there_is_nothing_yet(cast: Cast, page: Page, marks: None) -> None:
    cast.owner.is_staff = True
    cast.owner.save()
    answer = cast.client("owner").get(reverse(page.name, kwargs=dict.fromkeys(page.arguments, "team-red")))
    assert Reader(answer.content.decode()).bare == []


@pytest.mark.parametrize("name", WAYS_IN)
@pytest.mark.parametrize("who", ["owner", "anonymous"])
def test_nor_does_one_by_which_people_come_in(cast: Cast, name: str, who: str, marks: None) -> None:
    client, path = cast.client(who), reverse(name)
    for answer in (client.get(path), client.post(path, WRONG), client.get("/none/")):
        assert Reader(answer.content.decode()).bare == []


def test_nor_does_a_mail(cast: Cast, marks: None, mailoutbox: list[EmailMessage]) -> None:
    for email in ("owner@example.com", "nobody@example.com"):
        Client().post(reverse("account_reset_password"), {"email": email})
    form = {"email": "new@example.com", "password1": "long-enough-9", "password2": "long-enough-9"}
    Client().post(reverse("account_signup"), form)
    assert len(mailoutbox) == 3
    for mail in mailoutbox:
        assert Reader(f"{mail.subject}\n{mail.body}").bare == []


def test_what_is_not_marked_is_found() -> None:
    assert Reader(f"<p title='bare'>{BEGIN}said <b>{END}red</b> one<code>two</code></p>").bare == [
        "bare",
        "one",
    ]
    assert Reader(f"<input placeholder='{BEGIN}said{END} not'>").bare == ["not"]
