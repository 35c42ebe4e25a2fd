"""Forms that are too big, or say strange things of themselves: refused before they cost anything."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.cast import Cast

BIG = b"a" * 1_000_000
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%s\r\n--x--\r\n'


@pytest.mark.parametrize("kind", ["text", "file"])
@pytest.mark.parametrize("path", ["/me/login/", "/accounts/new/", "/api/v1/accounts/", "/nowhere/"])
def test_a_form_that_is_too_big_is_not_even_read(
    cast: Cast, path: str, kind: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django would write the file to disk, for anybody."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE, settings.FILE_UPLOAD_TEMP_DIR = 0, str(tmp_path)
    body, media_type = (FILE % BIG, PARTS) if kind == "file" else (b"name=" + BIG, FORM)
    for client in (Client(enforce_csrf_checks=True), cast.client("owner")):
        answer = client.post(path, body, content_type=media_type)
        assert answer.status_code == 413
    assert not list(tmp_path.iterdir())
    if path == "/api/v1/accounts/":
        assert answer.json()["error"]["code"] == "too_large"
    assert cast.client("owner").post("/accounts/new/", b"name=Blue", content_type=FORM).status_code == 302


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "latin-1", "nonsense"])
def test_a_form_is_read_as_utf_8_whatever_it_says(cast: Cast, charset: str) -> None:
    body = "name=Équipe".encode()
    for client in (Client(enforce_csrf_checks=True), cast.client("owner")):
        answer = client.generic("POST", "/accounts/new/", body, content_type=f"{FORM}; charset={charset}")
        assert answer.status_code in (302, 403)
    assert answer.headers["Location"] == "/a/equipe/images/"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"a=1&" * 2000, FORM),
        (b"--x\r\n" * 2000, PARTS),
        (b"x", "multipart/form-data"),
        (FILE % b"a" * 200, PARTS),
    ],
)
def test_a_form_of_many_fields_or_broken_parts_is_an_answer(cast: Cast, body: bytes, media_type: str) -> None:
    for client in (Client(enforce_csrf_checks=True), cast.client("owner")):
        assert 400 <= client.post("/accounts/new/", body, content_type=media_type).status_code < 500
