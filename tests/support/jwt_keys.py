"""Somebody who signs JSON Web Tokens that others can verify."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Issuer:
    """Signs claims as its own.

    Attributes:
        name: its ``iss``.
        public: its key, as PEM.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = rsa.generate_private_key(65_537, 2048)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        self.public = self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, claims: dict[str, Any]) -> str:
        """A token that says so."""
        parts = [_part({"alg": "RS256", "typ": "JWT"}), _part({"iss": self.name, **claims})]
        signed = ".".join(parts).encode()
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return ".".join([*parts, base64.urlsafe_b64encode(signature).decode().rstrip("=")])


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
