"""Each wrong value is refused by a sentence that names the setting and does not repeat what may be a secret."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from manager import environment

URL = "https://registry.example.com"
READERS: dict[str, Callable[[], object]] = {
    "contact": lambda: environment.contact("SETTING"),
    "flag": lambda: environment.flag("SETTING", default=False),
    "host": lambda: environment.host("SETTING", ""),
    "hosts": lambda: environment.hosts("SETTING"),
    "networks": lambda: environment.networks("SETTING"),
    "number": lambda: environment.number("SETTING", 1, least=1, most=9999),
    "one of": lambda: environment.one_of("SETTING", "open", environment.SIGNUP_MODES),
    "sender": lambda: environment.sender("SETTING", ""),
    "url": lambda: environment.url("SETTING", URL),
    "events": lambda: environment.url("SETTING", "", path="/registry/events"),
    "word": lambda: environment.word("SETTING", ""),
    "zone": lambda: environment.zone("SETTING", "UTC"),
}
WRONG = {
    "contact": ["security@example.com", "http://x", "mailto:nobody", "mailto:a@b\nContact: c", "https://",
                "https://a b", "tel:+1-201-555-0123", "mailto:a@b@c", "mailto:\u00e9@b"],
    "flag": ["maybe", "2", "tru e"],
    "host": ["https://x", "a b", "", "x/y", "user@x", "x:y", "x:123456", "[::1", "x\ny"],
    "hosts": ["*", "*.example.com", "https://x", "a b", "x/y"],
    "networks": ["10.0.0.1/8", "10.0.0.0/33", "example.com", "10.0.0.0/8 fd00::/8", "*"],
    "number": ["abc", "0", "-1", "10000", "1.5", "", "\u00b2", "\uff11", "9" * 5000, "1e3"],
    "one of": ["", "OPEN", "open closed", "maybe"],
    "sender": ["nobody", "a\nb <a@b.c>", "", "<>"],
    "url": [
        "", "ftp://x", "x", "//x", "https://", "https://hunter2:hunter2@x", "https://x/panel", "https://x?y", "https://x/?",
        "https://x#y", "https://x:99999", "https://x:0", "https://[::1", "https://a b", "https://x:port",
    ],
    "events": ["x", "http://web:8000", "http://web:8000/registry/events?x=1", "http://web:8000/events"],
    "word": ["", "a b"],
    "zone": ["", "Mars/Phobos", "../../etc/passwd", "/etc/passwd", "Europe"],
}  # fmt: skip
RIGHT: dict[str, list[tuple[str, object]]] = {
    "contact": [("", ""), ("mailto:a@b.c", "mailto:a@b.c"), ("https://b.c/report", "https://b.c/report")],
    "flag": [("true", True), ("True", True), ("0", False), ("off", False)],
    "host": [("a.b", "a.b"), ("localhost:5000", "localhost:5000"), ("[::1]:5", "[::1]:5")],
    "hosts": [("a.b, .c.d", ["a.b", ".c.d"]), ("", [])],
    "networks": [("", ()), ("10.0.0.0/8, fd00::/8", (ip_network("10.0.0.0/8"), ip_network("fd00::/8")))],
    "number": [("1", 1), ("9999", 9999)],
    "one of": [("closed", "closed")],
    "sender": [("Us <a@b.c>", "Us <a@b.c>"), ("a@b.c", "a@b.c")],
    "url": [
        (f"{URL}/", URL),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8", "http://[::1]:8"),
    ],
    "events": [("", ""), ("http://web:8000/registry/events", "http://web:8000/registry/events")],
    "word": [("registry-manager", "registry-manager")],
    "zone": [("Europe/Paris", "Europe/Paris")],
}


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, each) for kind, values in WRONG.items() for each in values]
)
def test_wrong(kind: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", value)
    with pytest.raises(ImproperlyConfigured, match=r"^SETTING must [^\n]+\.$") as error:
        READERS[kind]()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "value", "read"), [(kind, *each) for kind, values in RIGHT.items() for each in values]
)
def test_right(kind: str, value: str, read: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", value)
    assert READERS[kind]() == read


def test_every_kind_has_both() -> None:
    assert set(READERS) == set(WRONG) == set(RIGHT)


@pytest.mark.parametrize("ending", ["", "_FILE"])
@pytest.mark.parametrize(("old", "new"), environment.RENAMED.items())
def test_an_old_name_is_refused_with_the_new_one(
    old: str, new: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.refuse_old_names()
    monkeypatch.setenv(old + ending, "1")
    with pytest.raises(ImproperlyConfigured, match=f"^{old}{ending} is now called {new}{ending}\\."):
        environment.refuse_old_names()
