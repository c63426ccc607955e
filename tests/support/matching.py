"""Which entry of a store answers for which URL: the rules of rattler and of uv, row by row.

The expectations are what the real programs do; tests/real asks them, and asks us the same.
"""

from __future__ import annotations

import base64
import json
from typing import Any

AMBIGUOUS = "ambiguous"


def basic(username: str, password: str) -> str:
    """The header of a Basic credential."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _bearer(token: str) -> dict[str, str]:
    return {"BearerToken": token}


RATTLER_STORE: dict[str, Any] = {
    "exact.example": _bearer("exact"),
    "*.wild.example": _bearer("wild"),
    "sub.wild.example": _bearer("sub"),
    "*.deep.wild.example": _bearer("deep"),
    "*.localhost": _bearer("local"),
    "*.test": _bearer("top"),
    "*": _bearer("star"),
    "10.1.2.3": _bearer("address"),
    "*.1.2.3": _bearer("part of an address"),
    "*.10.1.2.4": _bearer("wildcard of an address"),
    "[::1]": _bearer("six"),
    "UPPER.example": _bearer("upper"),
    "*.Capital.example": _bearer("capital"),
    "xn--bcher-kva.example": _bearer("punycode"),
    "bucket.wild.example": {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}},
    "*.buckets.wild.example": {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}},
    "basic.example": {"BasicHTTP": {"username": "jürgen", "password": "p:ä w"}},
    "fresh.example": {
        "OAuth": {
            "access_token": "never-ends",
            "refresh_token": None,
            "expires_at": None,
            "token_endpoint": "http://127.0.0.1:9/token",
            "revocation_endpoint": None,
            "client_id": "rattler",
        }
    },
    "sparse.example": {
        "OAuth": {
            "access_token": "says-little",
            "token_endpoint": "http://127.0.0.1:9/token",
            "client_id": "rattler",
        }
    },
}

# Host as a URL has it, and the header that goes there.
RATTLER_ROWS: list[tuple[str, str | None]] = [
    ("exact.example", "Bearer exact"),
    ("EXACT.Example", "Bearer exact"),
    ("exact.example:8443", "Bearer exact"),
    ("below.exact.example", None),
    ("inexact.example", None),
    ("wild.example", "Bearer wild"),
    ("a.wild.example", "Bearer wild"),
    ("a.b.wild.example", "Bearer wild"),
    ("A.Wild.example", "Bearer wild"),
    ("a.wild.example:8443", "Bearer wild"),
    ("bewild.example", None),
    ("sub.wild.example", "Bearer sub"),
    ("below.sub.wild.example", "Bearer wild"),
    ("deep.wild.example", "Bearer deep"),
    ("a.deep.wild.example", "Bearer deep"),
    ("localhost", "Bearer local"),
    ("localhost:5000", "Bearer local"),
    ("a.localhost:5000", "Bearer local"),
    ("test", "Bearer top"),
    ("a.test", "Bearer top"),
    ("other.example", None),
    ("10.1.2.3", "Bearer address"),
    ("10.1.2.3:8443", "Bearer address"),
    ("11.1.2.3", None),
    ("10.1.2.4", None),
    ("[::1]:8443", "Bearer six"),
    ("[::2]", None),
    ("upper.example", None),
    ("a.capital.example", None),
    ("bücher.example", "Bearer punycode"),
    ("xn--bcher-kva.example", "Bearer punycode"),
    ("bucket.wild.example", None),
    ("below.bucket.wild.example", "Bearer wild"),
    ("buckets.wild.example", None),
    ("below.buckets.wild.example", None),
    ("basic.example", basic("jürgen", "p:ä w")),
    ("fresh.example", "Bearer never-ends"),
    ("sparse.example", "Bearer says-little"),
]

# Service, user name, and password; without a user, a token.
_UV_ENTRIES = [
    ("https://a.example/", "root", "r"),
    ("https://a.example/team", "team", "t"),
    ("https://a.example/team/deep/", "deep", "d"),
    ("https://a.example/Case", "case", "c"),
    ("https://ported.example:8443/", "ported", "p"),
    ("https://default.example:443/", "default", "d"),
    ("http://localhost/", "plain", "p"),
    ("http://127.0.0.1:9000/", "address", "p"),
    ("https://[::1]:8443/", "six", "p"),
    ("https://two.example/", "alice", "1"),
    ("https://two.example/", "bob", "2"),
    ("https://two.example/x", "carol", "3"),
    ("https://slash.example/a/", "with", "1"),
    ("https://slash.example/a", "without", "2"),
    ("https://name.example/", "only", None),
    ("https://bearer.example/", None, "tok"),
    ("https://user:word@info.example/", "user", "p"),
    ("https://query.example/a?x=1", "query", "q"),
    ("https://escaped.example/a%20b/", "escaped", "e"),
    ("https://special.example/", "a@b", 'p"w\\é'),
    ("https://xn--bcher-kva.example/", "idn", "i"),
    ("https://twice.example", "u", "1"),
    ("https://TWICE.example:443/", "u", "2"),
    ("https://both.example/a", None, "of-a"),
    ("https://both.example/a", "u", "p"),
    ("https://both.example/a", None, "last"),
    ("https://both.example/q?x=1", "u", "1"),
    ("https://both.example/q?x=2", "u", "2"),
    ("https://both.example/named", "u", "p"),
    ("https://u@both.example/named", "u", "named"),
    ("https://signs.example/é/{x} y/", "raw", "r"),
    ("https://signs.example/%C3%A9/^", "encoded", "e"),
]


def _uv_entry(service: str, username: str | None, secret: str | None) -> str:
    named = {"username": username} if username else {"scheme": "bearer", "token": secret}
    fields = {"service": service, **named, **({"password": secret} if username and secret else {})}
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
    return "\n[[credential]]\n" + "".join(lines)


UV_STORE = "".join(_uv_entry(*entry) for entry in _UV_ENTRIES)

# URL, and the header that goes there.
UV_ROWS: list[tuple[str, str | None]] = [
    ("https://a.example", basic("root", "r")),
    ("https://a.example/", basic("root", "r")),
    ("https://A.EXAMPLE/x", basic("root", "r")),
    ("https://a.example:443/", basic("root", "r")),
    ("https://a.example:8443/", None),
    ("https://below.a.example/", None),
    ("https://a.example/team", basic("team", "t")),
    ("https://a.example/team/", basic("team", "t")),
    ("https://a.example/team/x", basic("team", "t")),
    ("https://a.example/team?x=/y", basic("team", "t")),
    ("https://a.example/x/../team", basic("team", "t")),
    ("https://a.example/teams", basic("root", "r")),
    ("https://a.example//team", basic("root", "r")),
    ("https://a.example/t%65am", basic("root", "r")),
    ("https://a.example/team/deep", basic("team", "t")),
    ("https://a.example/team/deep/", basic("deep", "d")),
    ("https://a.example/team/deep/x", basic("deep", "d")),
    ("https://a.example/team/deeper", basic("team", "t")),
    ("https://a.example/Case/x", basic("case", "c")),
    ("https://a.example/case/x", basic("root", "r")),
    ("https://root@a.example/team/x", basic("root", "r")),
    ("https://ported.example:8443/x", basic("ported", "p")),
    ("https://ported.example/", None),
    ("https://default.example/", basic("default", "d")),
    ("https://default.example:443/", basic("default", "d")),
    ("http://localhost/x", basic("plain", "p")),
    ("http://localhost:80/x", basic("plain", "p")),
    ("http://localhost:81/", None),
    ("https://localhost/", None),
    ("http://127.0.0.1:9000/", basic("address", "p")),
    ("https://[::1]:8443/", basic("six", "p")),
    ("https://two.example/", AMBIGUOUS),
    ("https://alice@two.example/", basic("alice", "1")),
    ("https://bob@two.example/x", basic("bob", "2")),
    ("https://two.example/x", basic("carol", "3")),
    ("https://carol@two.example/x/y", basic("carol", "3")),
    ("https://carol@two.example/", None),
    ("https://dave@two.example/", None),
    ("https://slash.example/a", basic("without", "2")),
    ("https://slash.example/a/b", basic("with", "1")),
    ("https://with@slash.example/a", None),
    ("https://name.example/", basic("only", "")),
    ("https://bearer.example/x", "Bearer tok"),
    ("https://somebody@bearer.example/x", None),
    ("https://info.example/", basic("user", "p")),
    ("https://user@info.example/", basic("user", "p")),
    ("https://other@info.example/", None),
    ("https://query.example/a", basic("query", "q")),
    ("https://query.example/a/b?x=2", basic("query", "q")),
    ("https://escaped.example/a%20b/c", basic("escaped", "e")),
    ("https://special.example/", basic("a@b", 'p"w\\é')),
    ("https://a%40b@special.example/", basic("a@b", 'p"w\\é')),
    ("https://bücher.example/", basic("idn", "i")),
    ("https://twice.example/x", basic("u", "2")),
    ("https://u@twice.example/x", basic("u", "2")),
    ("https://both.example/a", "Bearer last"),
    ("https://both.example/a/", AMBIGUOUS),
    ("https://both.example/a/x", AMBIGUOUS),
    ("https://both.example/a?x", AMBIGUOUS),
    ("https://u@both.example/a", basic("u", "p")),
    ("https://both.example/q", AMBIGUOUS),
    ("https://both.example/q?x=2", AMBIGUOUS),
    ("https://u@both.example/q?x=2", AMBIGUOUS),
    ("https://u@both.example/named", basic("u", "named")),
    ("https://both.example/named", AMBIGUOUS),
    ("https://signs.example/%C3%A9/%7Bx%7D%20y/z", basic("raw", "r")),
    ("https://signs.example/é/{x}%20y/", basic("raw", "r")),
    ("https://signs.example/é/%7bx%7d%20y/", None),
    ("https://signs.example/é/^/z", basic("encoded", "e")),
    ("https://signs.example/é/%5E/z", None),
    ("https://signs.example/%c3%a9/^", None),
]
