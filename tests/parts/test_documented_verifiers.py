"""What docs/webhooks.md verifies signatures with, in each language, run as it is written there."""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from namespaces.webhooks.signatures import signature_headers
from tests.parts import install
from tests.parts.fixtures import need

Headers = dict[str, str]
Verify = Callable[[str, Headers, bytes], bool]

SECRET, OTHER = (f"whsec_{base64.b64encode(letter * 24).decode()}" for letter in (b"\xfb", b"o"))
BODY = '{"tag": "é % \\\\ \'"}\n\n'.encode()
ID = "msg_5f0c6d1e"
GO_MAIN = """
func main() {
	var in struct { Secret string; Headers map[string]string; Body []byte }
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil { panic(err) }
	header := http.Header{}
	for name, value := range in.Headers { header.Set(name, value) }
	fmt.Print(Verify(in.Secret, header, in.Body))
}
"""
JS_MAIN = """
import { readFileSync } from "node:fs";
const { Secret, Headers, Body } = JSON.parse(readFileSync(0));
process.stdout.write(String(verify(Secret, Headers, Buffer.from(Body, "base64"))));
"""


def snippet(language: str) -> str:
    section = (install.ROOT / "docs/webhooks.md").read_text().partition("## Signatures")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, language
    return found[1]


def told(command: list[str], secret: str, headers: Headers, body: bytes) -> bool:
    given = json.dumps({"Secret": secret, "Headers": headers, "Body": base64.b64encode(body).decode()})
    said = subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout
    return {"true": True, "false": False}[said]


def python(_folder: Path) -> Verify:
    class Request:
        def __init__(self, headers: Headers, body: bytes) -> None:
            self.headers, self.body = headers, body

    def verify(secret: str, headers: Headers, body: bytes) -> bool:
        try:
            code = snippet("python").replace("(request.body, ", "(request.body, json_parse=False, headers=")
            exec(code, {"secret": secret, "request": Request(headers, body)})  # noqa: S102
        except (WebhookVerificationError, ValueError):  # the second: no comma in the header
            return False
        return True

    return verify


def go(folder: Path) -> Verify:
    if shutil.which("go") is None:
        pytest.skip("Without Go (https://go.dev/dl/) this is not tried.")
    (folder / "go.mod").write_text("module verifier\n\ngo 1.21\n")
    imports = 'import (\n"encoding/json"\n"os"\n)\n'
    (folder / "main.go").write_text(f"package main\n{imports}{snippet('go')}{GO_MAIN}")
    subprocess.run(["go", "build", "-o", "verifier", "."], cwd=folder, check=True)
    return lambda *given: told([str(folder / "verifier")], *given)


def javascript(folder: Path) -> Verify:
    need("node")
    (folder / "verifier.mjs").write_text(snippet("js") + JS_MAIN)
    return lambda *given: told(["node", str(folder / "verifier.mjs")], *given)


def shell(folder: Path) -> Verify:
    need("openssl")

    def verify(secret: str, headers: Headers, body: bytes) -> bool:
        (folder / "body").write_bytes(body)
        names = {"id": "webhook-id", "timestamp": "webhook-timestamp", "signatures": "webhook-signature"}
        given = {name: headers.get(header, "") for name, header in names.items()}
        given |= {"secret": secret, "body": str(folder / "body"), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["sh", "-c", snippet("sh")], env=given, capture_output=True, check=False)
        assert done.stderr == b""
        return done.returncode == 0

    return verify


@pytest.mark.parametrize("make", [python, go, javascript, shell])
def test_it_accepts_what_is_signed_and_nothing_else(make: Callable[[Path], Verify], tmp_path: Path) -> None:
    verify = make(tmp_path)

    def now(later: int = 0) -> int:
        return int(time.time()) + later

    def signed(*secrets: str, later: int = 0, body: bytes = BODY) -> Headers:
        headers = signature_headers(body, message_id=ID, timestamp=now(later), secrets=secrets)
        return {name.lower(): value for name, value in headers.items()}

    assert verify(SECRET, signed(SECRET), BODY)
    assert verify(SECRET, signed(SECRET, body=b""), b"")
    assert verify(SECRET, signed(OTHER, SECRET), BODY)  # one of two, while the secret is replaced
    assert verify(OTHER, signed(OTHER, SECRET), BODY)
    assert not verify(OTHER, signed(SECRET), BODY)
    assert not verify(SECRET, signed(SECRET), BODY + b" ")
    assert not verify(SECRET, signed(SECRET) | {"webhook-id": "msg_other"}, BODY)
    for later in (-3600, 3600):
        assert not verify(SECRET, signed(SECRET, later=later), BODY)
        assert not verify(SECRET, signed(SECRET, later=later) | {"webhook-timestamp": str(now())}, BODY)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        for value in ("", "*", "v1,", "a b"):
            assert not verify(SECRET, signed(SECRET) | {name: value}, BODY)
    assert not verify(SECRET, {}, BODY)
