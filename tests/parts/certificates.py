"""Certificates of our own making, for parts that speak TLS."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_MAY_SIGN = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Files:
    authority: Path
    certificate: Path
    key: Path


def kept(folder: Path) -> Files:
    """What `make` made in that folder before, or makes now."""
    files = _files(folder)
    return files if files.key.exists() else make(folder)


def make(folder: Path, *, address: str = "127.0.0.1", hosts: Sequence[str] = ()) -> Files:
    """A new authority, and a server's certificate of it for `address` and `hosts`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(folder)
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"authority {x509.random_serial_number():x}")  # no two are taken for one
    # From Python 3.13 on, certificates are taken only with these extensions.
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    authority = (
        _begun(issuer, issuer, root)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_MAY_SIGN, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), critical=False)
    )
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address(address)), *(x509.DNSName(each) for each in hosts)]
    )
    server = (
        _begun(_name("server"), issuer, key)
        .add_extension(names, critical=False)
        .add_extension(signer, critical=False)
    )
    files.authority.write_bytes(_pem(authority, root))
    files.certificate.write_bytes(_pem(server, root))
    files.key.touch(mode=0o600)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _files(folder: Path) -> Files:
    return Files(folder / "ca.crt", folder / "server.crt", folder / "server.key")


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return begun.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))


def _pem(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
