"""The signing authority: a long-lived CA that the registry trusts, and short-lived leaves that sign tokens.

The registry reads its trust bundle at start only (Distribution 2.8.2 and 3.1.2), so the bundle holds the CA
and tokens carry the leaf in `x5c`: leaves change with no restart. A leaf cannot be revoked, so its life
is the bound.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from accounts.common import secret_files
from accounts.common.secret_files import SecretFileError

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=30)
# A registry whose clock is behind must not find a certificate "not yet valid".
BACKDATE = timedelta(minutes=10)

CA_KEY, CA_CERTIFICATE, LEAF = "ca.key", "ca.crt", "leaf.pem"


@dataclass(frozen=True, slots=True)
class KeyPair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def ensure_keys(folder: Path, now: datetime) -> None:
    """Create what is missing in the secrets folder and renew the leaf when it is due. Repeatable."""
    if not (folder / CA_KEY).exists():
        secret_files.create(folder / CA_KEY, _key_pem(ec.generate_private_key(ec.SECP256R1())))
    if not (folder / CA_CERTIFICATE).exists():
        key = load_key(folder / CA_KEY)
        secret_files.create(folder / CA_CERTIFICATE, _ca_certificate(key, now).public_bytes(Encoding.PEM))
    renew_leaf(folder, now)


def renew_leaf(folder: Path, now: datetime) -> bool:
    """Replace the leaf when less than a third of its life is left, or when it is no leaf of this CA."""
    authority = load_ca(folder)
    if not leaf_needs_renewal(folder / LEAF, authority.certificate, now):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _leaf_certificate(key.public_key(), authority, now)
    secret_files.replace(folder / LEAF, _key_pem(key) + certificate.public_bytes(Encoding.PEM))
    return True


def leaf_needs_renewal(path: Path, authority: x509.Certificate, now: datetime) -> bool:
    """Too open a mode is no reason to renew: that wants a person, so the error passes through."""
    if not path.exists():
        return True
    leaf = load_pair(path).certificate
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return True
    return now > renewal_due_at(leaf)


def renewal_due_at(leaf: x509.Certificate) -> datetime:
    """Return when a third of its life is left."""
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    return leaf.not_valid_after_utc - life / 3


def load_ca(folder: Path) -> KeyPair:
    key = load_key(folder / CA_KEY)
    return _checked_pair(key, load_certificate(folder / CA_CERTIFICATE), folder / CA_CERTIFICATE)


def load_pair(path: Path) -> KeyPair:
    """Load a key and its certificate from one PEM file. Raise SecretFileError when they cannot sign tokens."""
    return _checked_pair(load_key(path), load_certificate(path), path)


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(secret_files.read(path), password=None)
    except (ValueError, TypeError) as error:
        raise SecretFileError(f"Secret file {path} holds no readable private key.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SecretFileError(f"Secret file {path} must hold an EC P-256 key: tokens are signed with ES256.")
    return key


def load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(secret_files.read(path))
    except ValueError as error:
        raise SecretFileError(f"Secret file {path} holds no readable certificate.") from error


def _checked_pair(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, path: Path) -> KeyPair:
    if certificate.public_key() != key.public_key():
        raise SecretFileError(f"The certificate in {path} belongs to another key.")
    return KeyPair(key, certificate)


def _ca_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Registry Manager token authority")
    return (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf_certificate(
    public_key: ec.EllipticCurvePublicKey, authority: KeyPair, now: datetime
) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return (
        x509.CertificateBuilder(issuer_name=authority.certificate.subject)
        .subject_name(_name("Registry Manager token signer"))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(min(now + LEAF_LIFE, authority.certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
