"""Answers that are no token, or not quite: understood, or refused in one clear line, in time.

What a body means is said by tests/unit/test_auth_oauth.py and test_auth_responses.py.
"""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest

from support.logins import ENDED, FIRST, TOLD_EARLY, bearer, oauth, refusal, timestamp
from support.program import IN_TIME
from support.raw_server import RawServer

if TYPE_CHECKING:
    from support.program import Answer, Program

HOST = "packages.example.com"
URI = f"https://{HOST}/noarch/repodata.json"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
LARGEST = 2**63 - 1  # what rattler takes as a moment; beyond it, it rejects the whole file


def with_body(body: bytes, more: bytes = b"") -> bytes:
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


COMPRESSED = b"Content-Encoding: gzip\r\n"
NO_TOKEN = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a redirect to nowhere": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    "cut short": HEAD + b'Content-Length: 500\r\n\r\n{"access_token": "fresh"',
    "half a character": with_body(b'{"access_token": "\\ud800"}'),
    "objects in objects": with_body(b'{"a":' * 40_000),
    "wrongly compressed": with_body(b"not gzip", COMPRESSED),
    "much, compressed": with_body(gzip.compress(bytes(50_000_000)), COMPRESSED),
}
WITHOUT_END = {
    "a head": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "heads": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


def ask(program: Program, server: RawServer) -> Answer:
    """Renew a login at a server. Rattler must still be able to read the whole store."""
    other = oauth(server, ENDED, "another refresh token")
    program.home.write_rattler({HOST: oauth(server, ENDED), "other.example.com": other})
    begin = time.monotonic()
    answer = program.bazel(URI)
    assert time.monotonic() - begin < IN_TIME
    assert len(server.heads) == 1, "the refresh token was sent again"
    kept = program.home.read_rattler()
    assert kept["other.example.com"] == other
    ends = kept[HOST]["OAuth"]["expires_at"]
    assert ends is None or (isinstance(ends, int) and 0 <= ends <= LARGEST)
    return answer


@pytest.mark.parametrize("answer", NO_TOKEN.values(), ids=NO_TOKEN)
def test_an_answer_without_a_token_that_can_be_used_is_refused_in_one_line(
    frozen: Program, answer: bytes
) -> None:
    with RawServer(answer) as server:
        assert server.url in refusal(ask(frozen, server))
        assert frozen.home.read_rattler()[HOST]["OAuth"]["refresh_token"] == FIRST


@pytest.mark.parametrize(("begin", "piece"), WITHOUT_END.values(), ids=WITHOUT_END)
def test_an_answer_without_end_is_given_up_in_time(
    frozen: Program, begin: bytes, piece: bytes
) -> None:
    with RawServer(begin).then_for_ever(piece) as server:
        assert server.url in refusal(ask(frozen, server))


def told(value: bytes) -> bytes:
    """A token that ends in so many seconds."""
    return with_body(
        b'{"access_token": "fresh", "refresh_token": "next", "expires_in": %s}' % value
    )


def test_the_end_is_kept_and_told(frozen: Program) -> None:
    with RawServer(told(b'"3600"')) as server:  # as Azure AD's first version spells it
        answer = ask(frozen, server)
    assert bearer(answer) == "fresh"
    ends = frozen.home.read_rattler()[HOST]["OAuth"]["expires_at"]
    assert time.time() + 3540 < ends <= time.time() + 3601
    assert answer.json()["expires"] == timestamp(ends - TOLD_EARLY)


@pytest.mark.parametrize("value", [b"1e300", b"1e19", b"1e400", b'"soon"'])
def test_an_end_that_nobody_can_write_down_is_no_end(frozen: Program, value: bytes) -> None:
    with RawServer(told(value)) as server:
        answer = ask(frozen, server)
    assert bearer(answer) == "fresh"
    assert "expires" not in answer.json()
    kept = frozen.home.read_rattler()[HOST]["OAuth"]
    assert (kept["refresh_token"], kept["expires_at"]) == ("next", None)


def test_a_token_that_has_ended_when_it_comes_is_refused_and_its_refresh_token_kept(
    frozen: Program,
) -> None:
    with RawServer(told(b"-1e300")) as server:
        assert "expired" in refusal(ask(frozen, server))
    assert frozen.home.read_rattler()[HOST]["OAuth"]["refresh_token"] == "next"
