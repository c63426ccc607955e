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


class Authority:
    """An authority, and the servers that it has certified.

    Args:
        folder: where the files go; it is made.
        name: its own.

    Attributes:
        file: its certificate, for who is to trust it.
    """

    def __init__(self, folder: Path, name: str = "credlatch tests' authority") -> None:
        folder.mkdir()
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        root = builder(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(_pem(root.sign(self._key, hashes.SHA256())))

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server that has these names and addresses.

        Not for two threads at once.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        called = x509.SubjectAlternativeName(list(map(_general, names)))
        server = builder(_name("server"), self._name, key).add_extension(called, critical=False)
        both = self._folder / "server.pem"
        both.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + _pem(server.sign(self._key, hashes.SHA256()))
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context

    def client(self, name: str) -> Path:
        """A file with a client's certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = builder(_name(name), self._name, key).sign(self._key, hashes.SHA256())
        both = self._folder / f"{name}.pem"
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        both.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form) + _pem(signed))
        return both


def authority(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """The authority's certificate, in a file, and the context of a server on 127.0.0.1.

    Args:
        folder: where the files go; it is made.
        names: what the server is called besides.
    """
    made = Authority(folder)
    return made.file, made.server("127.0.0.1", *names)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


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
