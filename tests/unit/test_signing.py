"""The signing authority and the token form. Paths and clocks are passed in; nothing here knows Django."""

import base64
import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from accounts.common import secret_files
from accounts.common.secret_files import SecretFileError
from registry_sync.tokens import ca as tokens_ca
from registry_sync.tokens.signing import Signer, SigningKey, libtrust_kid

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())


ONLY_SIGNATURE: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


@pytest.fixture(scope="module")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    folder = tmp_path_factory.mktemp("keys")
    tokens_ca.ensure_keys(folder, NOW)
    return SigningKey.load(folder / tokens_ca.LEAF)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokens_ca.ensure_keys(tmp_path, NOW)
    return tmp_path


def claims(at: int = SECOND) -> dict[str, Any]:
    return {"iss": "panel", "aud": "registry", "sub": "u", "iat": at, "nbf": at - 30, "exp": at + 300}


def touch(path: Path) -> None:
    """A later modification time, whatever the grain of the file system's clock."""
    then = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(then, then))


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


class TestAuthority:
    def test_every_file_is_for_its_owner_alone(self, folder: Path) -> None:
        assert {path.name for path in folder.iterdir()} == {"ca.key", "ca.crt", "leaf.pem"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    def test_ca_is_self_signed_and_lives_ten_years(self, folder: Path) -> None:
        ca = tokens_ca.load_ca(folder).certificate
        ca.verify_directly_issued_by(ca)
        assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert ca.not_valid_after_utc - NOW == timedelta(days=3650)

    def test_leaf_is_issued_by_the_ca_and_is_none_itself(self, folder: Path) -> None:
        leaf = tokens_ca.load_pair(folder / "leaf.pem").certificate
        leaf.verify_directly_issued_by(tokens_ca.load_ca(folder).certificate)
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca

    def test_both_begin_a_little_ago_for_clocks_that_are_behind(self, folder: Path) -> None:
        for pair in (tokens_ca.load_ca(folder), tokens_ca.load_pair(folder / "leaf.pem")):
            assert pair.certificate.not_valid_before_utc == NOW - timedelta(minutes=10)

    def test_ensure_twice_changes_nothing(self, folder: Path) -> None:
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        tokens_ca.ensure_keys(folder, NOW)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def test_ensure_finishes_what_a_crash_left_half(self, folder: Path) -> None:
        (folder / "ca.crt").unlink()
        key = (folder / "ca.key").read_bytes()
        tokens_ca.ensure_keys(folder, NOW)
        assert (folder / "ca.key").read_bytes() == key
        tokens_ca.load_ca(folder)

    @pytest.mark.parametrize(("days", "renewed"), [(0, False), (19, False), (21, True), (45, True)])
    def test_leaf_is_renewed_when_a_third_is_left(self, folder: Path, days: int, renewed: bool) -> None:
        assert tokens_ca.renew_leaf(folder, NOW + timedelta(days=days)) is renewed

    def test_leaf_of_another_ca_is_replaced(self, folder: Path) -> None:
        (folder / "ca.key").unlink()
        (folder / "ca.crt").unlink()
        tokens_ca.ensure_keys(folder, NOW)
        leaf = tokens_ca.load_pair(folder / "leaf.pem").certificate
        leaf.verify_directly_issued_by(tokens_ca.load_ca(folder).certificate)

    def test_leaf_never_outlives_its_ca(self, folder: Path) -> None:
        tokens_ca.renew_leaf(folder, NOW + timedelta(days=3640))
        ca, leaf = tokens_ca.load_ca(folder), tokens_ca.load_pair(folder / "leaf.pem")
        assert leaf.certificate.not_valid_after_utc == ca.certificate.not_valid_after_utc


class TestRefusedKeys:
    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
    def test_open_to_others(self, folder: Path, mode: int) -> None:
        (folder / "leaf.pem").chmod(mode)
        with pytest.raises(SecretFileError, match=r"chmod 600 .*leaf\.pem"):
            Signer(folder).sign(claims())

    def test_open_to_others_is_not_papered_over_by_renewal(self, folder: Path) -> None:
        (folder / "ca.key").chmod(0o644)
        with pytest.raises(SecretFileError, match=r"ca\.key"):
            tokens_ca.ensure_keys(folder, NOW)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(SecretFileError, match=r"leaf\.pem"):
            Signer(tmp_path).sign(claims())

    @pytest.mark.parametrize(
        "key",
        [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
        ids=["P-384", "RSA"],
    )
    def test_not_p256(self, folder: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        secret_files.replace(folder / "leaf.pem", pem)
        with pytest.raises(SecretFileError, match="P-256"):
            tokens_ca.load_pair(folder / "leaf.pem")

    @pytest.mark.parametrize("content", [b"", b"not a key", b"\x00\xff"])
    def test_unreadable(self, folder: Path, content: bytes) -> None:
        secret_files.replace(folder / "leaf.pem", content)
        with pytest.raises(SecretFileError, match="no readable private key"):
            tokens_ca.load_pair(folder / "leaf.pem")

    def test_certificate_of_another_key(self, folder: Path) -> None:
        certificate = tokens_ca.load_ca(folder).certificate.public_bytes(Encoding.PEM)
        secret_files.replace(
            folder / "leaf.pem", (folder / "leaf.pem").read_bytes().split(b"-----BEGIN CERT")[0] + certificate
        )
        with pytest.raises(SecretFileError, match="another key"):
            tokens_ca.load_pair(folder / "leaf.pem")


class TestSign:
    def test_header_is_the_form_both_registries_accept(self, folder: Path) -> None:
        header = jwt.get_unverified_header(Signer(folder).sign(claims()))
        pair = tokens_ca.load_pair(folder / "leaf.pem")
        der = base64.b64encode(pair.certificate.public_bytes(Encoding.DER)).decode()
        assert header == {
            "typ": "JWT",
            "alg": "ES256",
            "kid": libtrust_kid(pair.key.public_key()),
            "x5c": [der],
        }

    def test_claims_come_back_under_the_leaf_key(self, folder: Path) -> None:
        token = Signer(folder).sign(claims())
        public = tokens_ca.load_pair(folder / "leaf.pem").key.public_key()
        read = jwt.decode(
            token, public, algorithms=["ES256"], audience="registry", options={"verify_exp": False}
        )
        assert read == claims()

    @given(st.lists(st.text()), st.text(), st.integers(0, 2**40))
    def test_all_but_the_signature_is_what_pyjwt_writes(
        self, signing_key: SigningKey, names: list[str], subject: str, at: int
    ) -> None:
        access = [{"type": "repository", "name": name, "actions": ["pull"]} for name in names]
        said = claims(at) | {"sub": subject, "access": access}
        token = signing_key.sign(said)
        theirs = jwt.encode(said, signing_key.key, algorithm="ES256", headers=signing_key.header)
        assert token.rpartition(".")[0] == theirs.rpartition(".")[0]
        public = signing_key.key.public_key()
        assert jwt.decode(token, public, algorithms=["ES256"], options=ONLY_SIGNATURE) == said

    @pytest.mark.parametrize("algorithm", ["HS256", "none"])
    def test_no_other_algorithm_verifies(self, folder: Path, algorithm: str) -> None:
        token = Signer(folder).sign(claims())
        public = tokens_ca.load_pair(folder / "leaf.pem").key.public_key()
        with pytest.raises(jwt.PyJWTError):
            jwt.decode(token, public, algorithms=[algorithm], audience="registry")

    def test_new_leaf_is_taken_up_after_half_a_minute(self, folder: Path) -> None:
        signer = Signer(folder)
        old = kid_of(signer.sign(claims()))
        tokens_ca.renew_leaf(folder, NOW + timedelta(days=25))
        touch(folder / "leaf.pem")
        assert kid_of(signer.sign(claims(SECOND + 29))) == old
        assert kid_of(signer.sign(claims(SECOND + 30))) != old

    def test_unreadable_new_leaf_leaves_the_old_one_signing(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        signer = Signer(folder)
        old = kid_of(signer.sign(claims()))
        secret_files.replace(folder / "leaf.pem", b"half a file")
        touch(folder / "leaf.pem")
        assert kid_of(signer.sign(claims(SECOND + 60))) == old
        assert "leaf.pem" in caplog.text

    def test_vanished_leaf_leaves_the_old_one_signing(self, folder: Path) -> None:
        signer = Signer(folder)
        old = kid_of(signer.sign(claims()))
        (folder / "leaf.pem").unlink()
        assert kid_of(signer.sign(claims(SECOND + 60))) == old

    def test_whoever_signs_renews_the_leaf_when_a_third_is_left(self, folder: Path) -> None:
        """Each machine may have a leaf of its own, and no worker."""
        signer, other = Signer(folder), Signer(folder)
        old = kid_of(signer.sign(claims()))
        early, due = (SECOND + int(timedelta(days=days).total_seconds()) for days in (19, 21))
        assert kid_of(signer.sign(claims(early))) == old
        new = kid_of(signer.sign(claims(due)))
        assert new != old
        assert kid_of(other.sign(claims(due))) == new

    def test_a_leaf_that_cannot_be_renewed_goes_on_signing(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        signer = Signer(folder)
        old = kid_of(signer.sign(claims()))
        (folder / "ca.key").unlink()
        assert kid_of(signer.sign(claims(SECOND + 25 * 24 * 3600))) == old
        assert "ca.key is missing" in caplog.text

    def test_key_is_parsed_once(self, folder: Path) -> None:
        signer = Signer(folder)
        assert signer.leaf(now=SECOND) is signer.leaf(now=SECOND + 3600)

    def test_signer_heals_once_the_key_is_there(self, tmp_path: Path) -> None:
        signer = Signer(tmp_path)
        with pytest.raises(SecretFileError):
            signer.sign(claims())
        tokens_ca.ensure_keys(tmp_path, NOW)
        assert signer.sign(claims())


def test_kid_of_a_known_key() -> None:
    """The same key, fingerprinted by hand: 12 groups of 4 over 30 bytes."""
    key = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kid = libtrust_kid(key)
    assert base64.b32decode(kid.replace(":", "")) == hashlib.sha256(der).digest()[:30]
    assert [len(group) for group in kid.split(":")] == [4] * 12
    assert load_der_public_key(der) == key


def test_create_never_replaces(tmp_path: Path) -> None:
    assert secret_files.create(tmp_path / "a", b"first")
    assert not secret_files.create(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
