"""Bad input from a client: one clear line where its protocol wants it, and nothing lost.

What is bad input, and what is said of it, tests/unit/test_*_protocol.py and test_url.py say.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.logins import docker_refusal, refusal
from support.matching import basic

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Answer, Program

PIPE = 65_536  # bytes: Bazel reads standard error only after the helper's end
SECRET = "kept-from-everybody"
STORE = {"a.example": {"BearerToken": SECRET}, "[::1]": {"BearerToken": SECRET}}
LOGIN = {"ServerURL": "r.example", "Username": "bob", "Secret": SECRET}


@pytest.fixture(autouse=True)
def store(home: Home) -> bytes:
    """A store that nothing here may change."""
    return home.write_rattler(STORE).read_bytes()


def untouched(home: Home, store: bytes) -> bool:
    files = sorted(path for path in home.path.rglob("*") if path.is_file())
    path = home.path / ".rattler/credentials.json"
    return files == [path] and path.read_bytes() == store


def refused(answer: Answer) -> str:
    """What a failure says, to Bazel or to Docker: a line that shows nothing."""
    said = docker_refusal(answer) if answer.out else refusal(answer)
    assert said[:-1].isprintable(), answer
    assert SECRET not in said
    assert len(said.encode()) < PIPE
    return said


def uri(text: str) -> bytes:
    return json.dumps({"uri": text}).encode()


def stored(**more: object) -> bytes:
    return json.dumps({**LOGIN, **more}).encode()


BAD = {
    "nothing": ("bazel get", b"", "nothing on standard input"),
    "half": ("bazel get", b'{"uri":"https://a.exam', "not JSON"),
    "deep": ("bazel get", b'{"uri":' + b"[" * 300_000, "not JSON"),
    "not UTF-8": ("bazel get", b'{"uri":"https://\xff.example/"}', "not UTF-8"),
    "no uri": ("bazel get", b"{}", '"uri"'),
    "grpcs": ("bazel get", uri("grpcs://a.example"), "'grpcs'"),
    "a line break": ("bazel get", uri("https://a.example/\r\nX: y"), "control character"),
    "half a surrogate": ("bazel get", uri("https://a.example/\ud800"), "control character"),
    "no host": ("bazel get", uri(f"https://user:{SECRET}@/"), "no host"),
    "66 KB": ("bazel get", uri("https://a.example/".ljust(66_000, "x")), "65536"),
    "10 MB": ("bazel get", uri("https://a.example/".ljust(10_000_000, "x")), "1048576"),
    "10 MB of nothing": ("bazel get", b" " * 10_000_000, "1048576"),
    "Bazel's, where nobody said so": ("get", b"{}", '"uri"'),
    "a key that is not UTF-8": ("docker get", b"\xff\xfe", "not UTF-8"),
    "a key of 10 MB": ("docker get", b"x" * 10_000_000, "1048576"),
    "an erased key that is not UTF-8": ("docker erase", b"\xff\xfe", "not UTF-8"),
    "a login that is none": ("docker store", stored()[:-2], "not JSON"),
    "a login of half a surrogate": ("docker store", stored(Secret="\ud800"), '"Secret"'),
    "a login of 10 MB": ("docker store", stored(Secret="x" * 10_000_000), "1048576"),
}


@pytest.mark.parametrize(("words", "stdin", "says"), BAD.values(), ids=BAD.keys())
def test_bad_requests(
    frozen: Program, home: Home, store: bytes, words: str, stdin: bytes, says: str
) -> None:
    assert says in refused(frozen(*words.split(), stdin=stdin))
    assert untouched(home, store)


@pytest.mark.parametrize(
    "url",
    [
        "https://A.EXAMPLE./x",
        "https://b.example@a.example:443/x",
        "https://[0:0:0:0:0:0:0:1]:443/x",
        "a.example:443",
    ],
)
def test_one_host_however_it_is_spelt(frozen: Program, url: str) -> None:
    assert frozen.bazel(url).authorization == f"Bearer {SECRET}"


def test_a_host_in_another_script(frozen: Program, home: Home) -> None:
    home.write_rattler({"xn--bcher-kva.example": {"BearerToken": "t"}})
    assert frozen.bazel("https://bücher.example/").authorization == "Bearer t"


@pytest.mark.parametrize("url", ["https://a.example@b.example/", "https://b.example/?a.example"])
def test_a_host_that_only_looks_like_it(frozen: Program, url: str) -> None:
    assert frozen.bazel(url).authorization is None


def test_plain_http_is_refused_in_one_line_and_loopback_is_served(
    frozen: Program, home: Home
) -> None:
    home.write_rattler({host: {"BearerToken": SECRET} for host in ("a.example", "127.0.0.1")})
    assert "plain http" in refused(frozen.bazel("http://a.example/x"))
    assert frozen.bazel("http://127.0.0.1:8080/x").authorization == f"Bearer {SECRET}"
    assert frozen.bazel("http://b.example/x").authorization is None


def test_neither_a_refusal_nor_an_answer_fills_the_pipe_that_nobody_reads_yet(
    frozen: Program, home: Home
) -> None:
    refused(frozen.bazel("http://a.example/".ljust(PIPE, "x")))
    home.write_rattler({"a.example": {"BearerToken": "x" * PIPE}})
    assert str(PIPE) in refused(frozen.bazel("https://a.example/"))


@pytest.mark.parametrize("character", ["\r\nX-Injected: yes", "\x00", "é"])
def test_a_token_that_could_write_headers_is_refused_and_a_login_is_encoded(
    frozen: Program, home: Home, character: str
) -> None:
    home.write_rattler({"a.example": {"BearerToken": f"{SECRET}{character}x"}})
    said = refused(frozen.bazel("https://a.example/"))
    assert "control or non-ASCII character" in said
    assert "X-Injected" not in said
    home.write_rattler({"a.example": {"BasicHTTP": {"username": "u", "password": character}}})
    assert frozen.bazel("https://a.example/").authorization == basic("u", character)


def test_an_s3_key_is_named_as_what_it_is(frozen: Program, home: Home) -> None:
    key = {"access_key_id": "A", "secret_access_key": SECRET, "session_token": None}
    home.write_rattler({"s3://bucket": {"S3Credentials": key}})
    assert "signs requests" in refused(frozen.bazel("s3://bucket/key"))


@pytest.mark.parametrize(
    ("words", "stdin", "text"),
    [
        ("docker get", b" \r\n", b"no credentials server URL\n"),
        ("docker erase", b"", b"no credentials server URL\n"),
        ("docker store", stored(ServerURL=""), b"no credentials server URL\n"),
        ("docker store", stored(Username=None), b"no credentials username\n"),
    ],
)
def test_docker_s_own_texts_are_the_wire_s(
    frozen: Program, home: Home, store: bytes, words: str, stdin: bytes, text: bytes
) -> None:
    assert frozen(*words.split(), stdin=stdin) == (1, text, "")
    assert untouched(home, store)


@pytest.mark.parametrize("key", ["a b/../c", "-v", "ftp://a.example", "{", "x" * 100_000, "a\nb"])
def test_a_key_that_is_no_registry_is_just_not_found(frozen: Program, key: str) -> None:
    not_found = b"credentials not found in native keychain\n"
    assert frozen.docker("get", key) == (1, not_found, "")


@pytest.mark.parametrize("size", [65_536, 512_000])
def test_a_secret_of_the_size_at_which_the_reference_helpers_fail(
    frozen: Program, size: int
) -> None:
    login = {**LOGIN, "Secret": "s" * size}
    assert frozen.docker("store", login).code == 0
    assert frozen.docker("get", "r.example").json() == login
