"""A certificate authority of the tests' own, and a server's certificate from it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_DAY = dt.timedelta(days=1)


def authority(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """The authority's certificate, in a file, and the context of a server on 127.0.0.1.

    Args:
        folder: where the files go; it is made.
        names: what the server is called besides.
    """
    folder.mkdir()
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name("credlatch tests' authority")
    root = builder(root_name, root_name, root_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    root_file = folder / "authority.pem"
    root_file.write_bytes(_pem(root.sign(root_key, hashes.SHA256())))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    addresses = x509.SubjectAlternativeName([address, *map(x509.DNSName, names)])
    server = builder(_name("127.0.0.1"), root_name, key).add_extension(addresses, critical=False)
    both = folder / "server.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + _pem(server.sign(root_key, hashes.SHA256()))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return root_file, context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> x509.CertificateBuilder:
    """A certificate for a key, good for a day from now and of a day ago, that is to be signed."""
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
