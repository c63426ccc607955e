"""When a token ends is read from the token, and nothing in a token breaks the reading."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from credlatch import jwt
from support.jwt import make_jwt


def token(payload: bytes, head: bytes = b'{"alg":"none"}') -> str:
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (head, payload, b"s"))
    return ".".join(parts)


def claims(**values: Any) -> str:
    return token(json.dumps(values).encode())


def test_what_uv_keeps_for_pyx() -> None:
    sample = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3OTUyMjM0NzYsImlzcyI6Im1vY2siLCJ1cm46cHl4"
        "Om9yZ19uYW1lIjoiYWNtZSIsIm4iOjMwfQ.c2ln"
    )
    assert jwt.expiry(sample) == 1_795_223_476


@pytest.mark.parametrize(
    ("exp", "expiry"),
    [
        *((exp, exp) for exp in (0, 1_795_223_476, 4_000_000_000)),
        (1_795_223_476.9, 1_795_223_476),
        *((exp, 0) for exp in (-1, -1.5, -(10**30))),
    ],
)
@pytest.mark.parametrize("padding", range(4))
def test_its_end_in_whole_seconds(exp: float, expiry: int, padding: int) -> None:
    assert jwt.expiry(claims(exp=exp, x="x" * padding)) == expiry


def test_the_url_alphabet_of_base64() -> None:
    signed = claims(exp=5, x="ÿþý>>>???")
    assert set("-_") & set(token(b'{"exp":5,"x":"\xc3\xbf\xc3\xbe>>>???"}') + signed)
    assert jwt.expiry(token(b'{"exp":5,"x":"\xc3\xbf\xc3\xbe>>>???"}')) == 5
    assert jwt.expiry(signed) == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "a.b.c",
        "pyx-sk-test",
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJub25lIn0.e30",
        "eyJhbGciOiJub25lIn0.e30.s.s",
        "eyJhbGciOiJub25lIn0..s",
        "eyJhbGciOiJub25lIn0.ä.s",
        "eyJhbGciOiJub25lIn0.e.s",
        make_jwt(None),
        claims(exp="1795223476"),
        claims(exp=None),
        claims(exp=True),
        claims(exp=[1]),
        token(b'{"exp":1e999}'),
        token(b'{"exp":NaN}'),
        token(b'{"exp":' + b"9" * 5000 + b"}"),
        token(b'{"exp":5'),
        token(b"[5]"),
        token(b"5"),
        token(b"\xff\xfe"),
        token(b"[" * 100_000),
    ],
)
def test_no_end_that_is_known(text: str) -> None:
    assert jwt.expiry(text) is None


def test_when_it_was_issued_is_read_with_its_end() -> None:
    assert jwt.moments(claims(iat=3, exp=5)) == (3, 5)
    assert jwt.moments(claims(exp=5)) == (None, 5)
    assert jwt.moments(claims(iat=3.7)) == (3, None)
    assert jwt.moments("hunter2") == (None, None)
    assert jwt.moments(token(b"[5]")) == (None, None)
