"""Signing as a release does on Windows (Authenticode), with a certificate of our own."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from support.components import need

if TYPE_CHECKING:
    from pathlib import Path


class Signer:
    """A certificate, and osslsigncode.

    Args:
        folder: where they may be.
    """

    def __init__(self, folder: Path) -> None:
        self._program = need("osslsigncode")
        self._certificate, self._key = folder / "certificate.pem", folder / "key.pem"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "credlatch's tests")])
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(usage, critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        self._certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        how = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self._key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *how))

    def sign(self, path: Path) -> None:
        """Sign a file, whose bytes, header and length change."""
        fresh = path.with_name(f"{path.name}.signed")
        with_it = ("-certs", self._certificate, "-key", self._key, "-h", "sha256")
        words = (self._program, "sign", *with_it, "-in", path, "-out", fresh)
        subprocess.run(words, check=True, capture_output=True)
        shutil.copymode(path, fresh)
        fresh.replace(path)

    def verifies(self, path: Path) -> bool:
        """Whether a file has a signature that is of its bytes."""
        words = (self._program, "verify", "-CAfile", self._certificate, "-in", path)
        return subprocess.run(words, check=False, capture_output=True).returncode == 0
