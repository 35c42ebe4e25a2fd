"""The scan of `make check` finds what is planted, and leaves what only looks like it."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accounts import credentials
from tests.checks import secret_scan

_KEY = ec.generate_private_key(ec.SECP256R1())
KEYS = [
    _KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL)
]
PLANTED = [
    *KEYS,
    *(
        credentials.make(prefix)
        for prefix in (credentials.USER_PREFIX, credentials.API_PREFIX, credentials.LINK_PREFIX)
    ),
    "AKIA" + "Z7" * 8,
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 41,
    "glpat-" + "a1" * 10,
    "dckr_pat_" + "a1" * 13,
    "xoxb-" + "12" * 10,
    "npm_" + "a1" * 18,
    "AIza" + "a1b2c3d" * 5,
    "pypi-" + "AgEI" + "a1" * 30,
    "sk_live_" + "a1" * 12,
    "eyJ" + "a1" * 10 + ".eyJ" + "a1" * 10 + "." + "a1" * 30,
    '"auth": "' + base64.b64encode(b"robot:a-long-password").decode() + '"',
]


@pytest.mark.parametrize("secret", PLANTED, ids=range(len(PLANTED)))
def test_a_planted_secret_is_found_and_not_repeated(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f"one\ntwo = {secret}\n")
    (line,) = secret_scan.scan([file])
    assert line.startswith(f"{file}:2: ")
    assert secret.splitlines()[0] not in line


@pytest.mark.parametrize(
    "text",
    [
        "rmp_" + "0" * 38,  # of our shape, and no checksum of ours
        "-----BEGIN CERTIFICATE-----\nMIIB",
        "-----BEGIN PRIVATE KEY-----",  # a mere heading
        "sha256:" + "ab" * 32,
    ],
)
def test_what_only_looks_like_one_is_left(text: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(text)
    assert secret_scan.scan([tmp_path / "text"]) == []
