"""All that an operator writes into an address takes effect, or is refused by a sentence that does not repeat it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from manager import database_url, mail_url, redis_url

HERE = __file__  # a file that can be read
PG, REDIS, MAIL = (
    "postgresql://panel:hunter2@db/panel",
    "rediss://:hunter2@cache",
    "submission://n:hunter2@mail",
)


@pytest.fixture(autouse=True)
def _no_words_of_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGHOST"):
        monkeypatch.delenv(name, raising=False)


def options(url: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = database_url.read(url, **more)["OPTIONS"]
    return found


def test_every_part_of_a_postgresql_address_is_taken() -> None:
    found = database_url.read(
        f"postgresql://pan%40el:hun%3Ater2@one:5433,two/pan%23el?sslmode=verify-full&sslrootcert={HERE}"
        "&target_session_attrs=read-write&application_name=panel&connect_timeout=5&tcp_user_timeout=7"
    )
    assert found["ENGINE"] == "django.db.backends.postgresql"
    said = {name: found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    assert said == {
        "USER": "pan@el",
        "PASSWORD": "hun:ter2",
        "HOST": "one,two",
        "PORT": "5433,",
        "NAME": "pan#el",
    }
    assert found["OPTIONS"] == {
        "sslmode": "verify-full",
        "sslrootcert": HERE,
        "target_session_attrs": "read-write",
        "application_name": "panel",
        "connect_timeout": "5",
        "tcp_user_timeout": "7",  # what the operator wrote wins over ours
        "server_side_binding": True,
        "prepare_threshold": 1,
        "options": "-c statement_timeout=10000 -c lock_timeout=2000",
    }


def test_what_is_not_said_is_ours() -> None:
    found = database_url.read("postgresql:///registry_manager")
    assert (found["NAME"], found["HOST"], found["USER"]) == ("registry_manager", "", "")
    assert found["OPTIONS"]["connect_timeout"] == 2
    assert found["OPTIONS"]["tcp_user_timeout"] == 10_000
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is False


def test_options_of_the_operator_stand_after_ours_where_they_win() -> None:
    told = options(f"{PG}?options=-c%20statement_timeout%3D5s")["options"]
    assert told == "-c statement_timeout=10000 -c lock_timeout=2000 -c statement_timeout=5s"


def test_libpq_names_a_mode_for_jdbc_too() -> None:
    assert options(f"{PG}?ssl=true")["sslmode"] == "require"


def test_behind_a_pooler_nothing_is_asked_that_it_drops() -> None:
    found = database_url.read(f"{PG}?sslmode=require", pooler="transaction")
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert found["OPTIONS"]["prepare_threshold"] is None
    assert "options" not in found["OPTIONS"]
    assert found["OPTIONS"]["sslmode"] == "require"


def test_the_password_may_stand_in_a_file_and_only_there() -> None:
    assert (
        database_url.read("postgresql://panel@db/panel", password="from the file")["PASSWORD"]
        == "from the file"
    )
    assert (
        redis_url.read("redis://cache", password="from:/file").url == "redis://:from%3A%2Ffile@cache:6379/0"
    )


def test_a_sqlite_address_names_a_file() -> None:
    assert database_url.read("sqlite:////var/a%20b/db.sqlite3")["NAME"] == "/var/a b/db.sqlite3"
    assert database_url.read("sqlite:///db.sqlite3")["NAME"] == "db.sqlite3"


WRONG_DATABASES = [
    "", "x",
    "mysql://panel:hunter2@db/panel", "pgsql://panel:hunter2@db/panel", "timescale://panel:hunter2@db/panel",
    "postgresql//panel:hunter2@db/panel", "postgresql:panel", "postgresql://panel:hunter2@db", "postgresql://",
    "postgresql://panel:hunter2@db:port/panel", "postgresql://panel:hunter2@db:0/panel",
    "postgresql://panel:hunter2@db:99999/panel", "postgresql://panel:hunter2@[::1/panel",
    "postgresql://panel:hun#ter2@db/panel", f"{PG}#hunter2",
    f"{PG}?hunter2", f"{PG}?hunter2=1", f"{PG}?pool=true",
    f"{PG}?sslmode=hunter2", f"{PG}?sslmode=",
    f"{PG}?sslmode=require&sslmode=disable", f"{PG}?ssl=true&sslmode=disable",
    f"{PG}?password=hunter2", f"{PG}?host=other",
    f"{PG}?dbname=other", f"{PG}?user=other", f"{PG}?connect_timeout=soon",
    f"{PG}?target_session_attrs=standby", f"{PG}?client_encoding=LATIN1", f"{PG}?replication=database",
    f"{PG}?sslmode=require&sslrootcert=/nowhere/hunter2", f"{PG}?sslrootcert={HERE}",
    f"{PG}?sslmode=prefer&sslrootcert={HERE}", f"{PG}?sslcert={HERE}", f"{PG}?passfile=/nowhere",
    "postgresql:///panel?sslmode=require", "postgresql://panel@%2Frun/panel?sslmode=verify-full",
    f"{PG}?application_name=",
    "sqlite:", "sqlite://", "sqlite:///", "sqlite://:memory:", "sqlite:///:memory:", "sqlite://var/db.sqlite3",
    "sqlite:////db.sqlite3?timeout=9", "sqlite:////db.sqlite3#x",
    "sqlite://n:hunter2@h/db.sqlite3", "sqlite:////db.sqlite3?",
]  # fmt: skip
WRONG_REDISES = [
    "x", "http://x", "redis//x", "redis://",
    "redis:///0", "redis://x:port", "redis://x:0", "redis://:hun/ter2@x",
    "redis://:hun#ter2@x", "redis://:hun?ter2@x", "redis://x/cache",
    "redis://x,y/0", "redis://x;y/0", "redis://x y/0", "rediss://x%2Cy/0",
    "redis://x/0/1", "redis://x/-1", "redis://x/0#1",
    "unix:///run/redis.sock", "redis://[::1", "redis://user@x",
    "redis://x?db=1", "redis://x?socket_timeout=9", "redis://x?hunter2",
    f"redis://x?ssl_ca_certs={HERE}", "redis://x?ssl_cert_reqs=required", f"{REDIS}?ssl_cert_reqs=CERT_NONE",
    f"{REDIS}?ssl_cert_reqs=optional",
    f"{REDIS}?ssl_cert_reqs=none&ssl_cert_reqs=required", f"{REDIS}?ssl_ca_certs=/nowhere/hunter2",
    f"{REDIS}?ssl_cert_reqs=none&ssl_ca_certs={HERE}",
    f"{REDIS}?ssl_check_hostname=maybe", f"{REDIS}?ssl_password=hunter2",
    f"{REDIS}?password=hunter2",
]  # fmt: skip
WRONG_MAILS = [
    "x", "mail.example.com", "smtp://", "smtp+tls://n:hunter2@mail",
    "smtps://n:hunter2@mail", "console://", "dummy://", "file:///tmp",
    f"{MAIL}:port", f"{MAIL}:0", f"{MAIL}/box",
    "smtp://n@mail", "smtp://n:@mail", "smtp://:hunter2@mail", "smtp://mail x", "smtp://mail,x",
    f"{MAIL}#x", "smtp://n:hun/ter2@mail", f"{MAIL}?hunter2", f"{MAIL}?hunter2=1",
    f"{MAIL}?_default_from_email=a@b.c", f"{MAIL}?timeout=soon",
    f"{MAIL}?timeout=0", f"{MAIL}?timeout=1&timeout=2",
    f"{MAIL}?tls=false", f"{MAIL}?tls=true&ssl=true", f"{MAIL}?ssl=maybe", "smtp://n:hunter2@[::1",
]  # fmt: skip
WRONG: list[tuple[str, Callable[[str], object], str]] = [
    *(("DATABASE_URL", database_url.read, each) for each in WRONG_DATABASES),
    *(("REDIS_URL", redis_url.read, each) for each in WRONG_REDISES),
    *(("EMAIL_URL", mail_url.read, each) for each in WRONG_MAILS),
]


@pytest.mark.parametrize(("name", "read", "url"), WRONG)
def test_what_would_be_passed_over_is_refused(name: str, read: Callable[[str], object], url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} [^\n]+\.$") as error:
        read(url)
    told = str(error.value) + repr(error.value.__cause__)
    assert "hunter2" not in told
    assert "ter2" not in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("DATABASE_PASSWORD_FILE", lambda: database_url.read(PG, password="other")),
        ("REDIS_PASSWORD_FILE", lambda: redis_url.read(REDIS, password="other")),
        ("DATABASE_POOLER", lambda: database_url.read("sqlite:////db.sqlite3", pooler="transaction")),
        ("ALTER ROLE", lambda: database_url.read(f"{PG}?options=-cgeqo%3Doff", pooler="transaction")),
    ],
)
def test_two_settings_that_contradict_each_other_are_refused(name: str, told: Callable[[], object]) -> None:
    with pytest.raises(ImproperlyConfigured, match=name) as error:
        told()
    assert "hunter2" not in str(error.value)


def test_tls_that_the_environment_of_libpq_asks_for_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert options(f"{PG}?sslrootcert={HERE}")["sslrootcert"] == HERE


@pytest.mark.parametrize(
    ("url", "read", "tls"),
    [
        ("redis://cache", "redis://cache:6379/0", {}),
        ("redis://:hun%2Cter%3B2@cache:6380/2", "redis://:hun%2Cter%3B2@cache:6380/2", {}),
        ("redis://panel:hunter2@[::1]/2", "redis://panel:hunter2@[::1]:6379/2", {}),
        ("rediss://cache", "rediss://cache:6379/0", {"ssl_cert_reqs": "required", "ssl_check_hostname": True}),
        (
            f"rediss://cache?ssl_ca_certs={HERE}&ssl_check_hostname=false&ssl_certfile={HERE}&ssl_keyfile={HERE}",
            "rediss://cache:6379/0",
            {"ssl_cert_reqs": "required", "ssl_check_hostname": False,
             "ssl_ca_certs": HERE, "ssl_certfile": HERE, "ssl_keyfile": HERE},
        ),
        ("rediss://cache/?ssl_cert_reqs=none", "rediss://cache:6379/0",
         {"ssl_cert_reqs": "none", "ssl_check_hostname": False}),
    ],
)  # fmt: skip
def test_redis(url: str, read: str, tls: dict[str, Any]) -> None:
    found = redis_url.read(url)
    assert (found.url, found.tls) == (read, tls)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("submission://n%40x:hun%3Ater2@mail", 587, True, False),
        ("submission://n%40x:hun%3Ater2@mail:2587?tls=true", 2587, True, False),
        ("smtp://n%40x:hun%3Ater2@mail", 25, False, False),
        ("smtp://n%40x:hun%3Ater2@mail?tls=True", 25, True, False),
        ("smtp://n%40x:hun%3Ater2@mail:465?ssl=True", 465, False, True),
        ("smtp://n%40x:hun%3Ater2@mail/?ssl=yes&timeout=30", 465, False, True),
        ("submission://n%40x:hun%3Ater2@mail?ssl=true", 465, False, True),
    ],
)
def test_mail(url: str, port: int, tls: bool, ssl: bool) -> None:
    found = mail_url.read(url)
    assert (found["HOST"], found["HOST_USER"], found["HOST_PASSWORD"]) == ("mail", "n@x", "hun:ter2")
    assert (found["PORT"], found["USE_TLS"], found["USE_SSL"]) == (port, tls, ssl)
    assert found["TIMEOUT"] == (30 if "timeout" in url else 10)


def test_a_data_folder_of_any_name_holds_its_own_database(tmp_path: Path) -> None:
    from urllib.parse import quote

    folder = tmp_path / "a?b#c%41"
    assert database_url.read(f"sqlite:///{quote(str(folder))}/db.sqlite3")["NAME"] == f"{folder}/db.sqlite3"
