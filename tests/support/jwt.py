"""Tokens that look like a real server's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

_KEY = b"credlatch-tests"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def make_jwt(exp: int | None, **claims: Any) -> str:
    """A signed JWT that ends at ``exp`` (seconds since the epoch; None: it has no such claim)."""
    body = claims if exp is None else {**claims, "exp": exp}
    parts = [{"alg": "HS256", "typ": "JWT"}, body]
    signed = ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{signed}.{_b64(hmac.digest(_KEY, signed.encode(), hashlib.sha256))}"
