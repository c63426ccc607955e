"""Bazel's protocol, by its bytes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from credlatch import url as urls
from credlatch.credential import AccessKey, Basic, Bearer, Secret, Token
from credlatch.errors import RequestError
from credlatch.protocols import bazel
from credlatch.renew import margin
from credlatch.resolve import Resolution
from credlatch.stores import Entry
from support.found import sure
from support.jwt import make_jwt

URL = urls.parse("https://a.example/x")
PIPE = 65_536  # bytes that a pipe holds: Bazel reads it only when the helper has ended


def resolution(
    credential: Bearer | Basic | Token | AccessKey, expires: int | None = None
) -> Resolution:
    return Resolution(credential, URL, expires, "store", Entry(credential, "a test"))


@pytest.mark.parametrize(
    ("stdin", "url"),
    [
        # What Bazel writes: compact, no newline, and Gson's escapes.
        (b'{"uri":"https://a.example/x"}', "https://a.example/x"),
        (rb'{"uri":"https://a.example/x?a\u003db\u0026c"}', "https://a.example/x?a=b&c"),
        (b'{"uri":"https://b\xc3\xbccher.example/"}', "https://xn--bcher-kva.example/"),
        (rb'{"uri":"https://b\u00fccher.example/"}', "https://xn--bcher-kva.example/"),
        (b'\xef\xbb\xbf{"uri":"https://a.example/x"}\r\n', "https://a.example/x"),
        # What other clients may write.
        (b' {\r\n\t"uri" : "https://a.example/x"\r\n}\n', "https://a.example/x"),
        (b'{"uri":"https://a.example/x","extra":{"a":[1,null]}}', "https://a.example/x"),
        (b'{"extra":1,"uri":"https://a.example/x"}', "https://a.example/x"),
        (b'{"uri":"a.example"}', "https://a.example/"),
        (b'{"uri":"https://*.googleapis.com/"}', "https://*.googleapis.com/"),
        (b'{"uri":"s3://bucket/key"}', "s3://bucket/key"),
    ],
)
def test_a_request(stdin: bytes, url: str) -> None:
    request = bazel.parse(stdin)
    assert sure(request.url).text == url
    assert not request.login
    assert not request.key_first


@pytest.mark.parametrize(
    ("stdin", "complaint"),
    [
        (b"", "nothing on standard input"),
        (b" \r\n\t", "nothing on standard input"),
        (b"{", "not JSON"),
        (b"https://a.example/", "not JSON"),
        (b'{"uri":"https://a.example/"} {}', "not JSON"),
        (b'{"uri":"https://a.example/"}x', "not JSON"),
        (b'{"uri":"https://a.example/",}', "not JSON"),
        (b"{'uri':'https://a.example/'}", "not JSON"),
        (b'{"uri":"https://a.example/\n"}', "not JSON"),
        (b'{"uri":NaN}', "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"uri":"https://\xff.example/"}', "not UTF-8"),
        ('{"uri":"https://a.example/"}'.encode("utf-16"), "not UTF-8"),
        (b"[]", "not a JSON object"),
        (b'["https://a.example/"]', "not a JSON object"),
        (b'"https://a.example/"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", '"uri"'),
        (b'{"URI":"https://a.example/"}', '"uri"'),
        (b'{"uri":null}', '"uri"'),
        (b'{"uri":1}', '"uri"'),
        (b'{"uri":["https://a.example/"]}', '"uri"'),
        (b'{"uri":""}', "empty"),
        (b'{"uri":"/simple/"}', "not absolute"),
        (b'{"uri":"grpcs://a.example"}', "grpcs"),
        (rb'{"uri":"https://a.example/\r\nX: y"}', "control character"),
        (rb'{"uri":"https://a.example/\ud800"}', "control character"),
        (b'{"uri":"https://a.example/' + b"x" * 65_536 + b'"}', "65536 is the most"),
    ],
)
def test_what_is_no_request_is_refused_in_one_line(stdin: bytes, complaint: str) -> None:
    with pytest.raises(RequestError) as raised:
        bazel.parse(stdin)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("credential", "expires", "answer"),
    [
        (Bearer(Secret("t")), None, b'{"headers":{"Authorization":["Bearer t"]}}\n'),
        (
            Bearer(Secret("t")),
            1_795_223_476,
            b'{"headers":{"Authorization":["Bearer t"]},"expires":"2026-11-21T01:11:16Z"}\n',
        ),
        (
            Basic("Aladdin", Secret("open sesame")),  # RFC 7617's own example
            None,
            b'{"headers":{"Authorization":["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]}}\n',
        ),
        (Token(Secret("t"), "X-API-Key"), None, b'{"headers":{"X-API-Key":["t"]}}\n'),
        (Bearer(Secret('a"\\')), None, b'{"headers":{"Authorization":["Bearer a\\"\\\\"]}}\n'),
    ],
)
def test_an_answer(credential: Bearer, expires: int | None, answer: bytes) -> None:
    assert bazel.render(resolution(credential, expires)) == answer


def test_a_miss_has_headers_too_and_an_answer_is_ascii_whatever_the_login() -> None:
    # Without the key a Rust client fails; without the answer Bazel does.
    assert bazel.render(None) == b'{"headers":{}}\n'
    answer = bazel.render(resolution(Basic("jürgen", Secret("漢\u2028\x00"))))
    assert answer.isascii()
    assert answer.count(b"\n") == 1


@pytest.mark.parametrize("expires", [0, 1_795_223_476, 4_102_444_799])
def test_expires_is_what_java_s_pattern_accepts(expires: int) -> None:
    answer = json.loads(bazel.render(resolution(Bearer(Secret("t")), expires)))
    text = answer["expires"]
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert moment.timestamp() == expires
    assert len(text) == len("yyyy-MM-ddTHH:mm:ssZ")


@pytest.mark.parametrize("exp", [13_000_000_000, 253_402_300_799, 10**15])
def test_no_end_is_sent_that_bazel_cannot_count_to(exp: int) -> None:
    # Bazel's cache turns the time that is left into nanoseconds in 64 bits, which is 292 years.
    entry = Entry(Bearer(Secret(make_jwt(exp))), "a test")
    expires = margin.ask_again(entry, time.time())
    answer = json.loads(bazel.render(resolution(Bearer(Secret("t")), expires)))
    moment = datetime.fromisoformat(answer.get("expires", "2000-01-01T00:00:00Z"))
    assert moment < datetime.now(UTC) + timedelta(days=290 * 365)
    assert answer["headers"] == {"Authorization": ["Bearer t"]}


def test_an_answer_fits_into_the_pipe_to_the_byte() -> None:
    frame = len(b'{"headers":{"Authorization":["Bearer "]}}\n')
    assert len(bazel.render(resolution(Bearer(Secret("x" * (PIPE - frame)))))) == PIPE
    with pytest.raises(RequestError, match=r"a test.*65537") as raised:
        bazel.render(resolution(Bearer(Secret("x" * (PIPE - frame + 1)))))
    assert "xxx" not in str(raised.value)
