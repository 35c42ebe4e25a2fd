"""Certificates of our own making, for parts that speak TLS."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Files:
    authority: Path
    certificate: Path
    key: Path


def make(folder: Path, *, address: str = "127.0.0.1") -> Files:
    """A new authority, and a server's certificate of it for `address`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"authority {x509.random_serial_number():x}")  # no two are taken for one
    authority = _begun(issuer, issuer, root).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    server = _begun(_name("server"), issuer, key).add_extension(names, critical=False)
    files.authority.write_bytes(_pem(authority, root))
    files.certificate.write_bytes(_pem(server, root))
    files.key.touch(mode=0o600)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return begun.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))


def _pem(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
