"""Bad input from a client: one clear line where its protocol wants it, and nothing lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

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


def clear(line: str) -> bool:
    return (
        line.startswith("credlatch: ")
        and line.endswith("\n")
        and line.count("\n") == 1
        and line[:-1].isprintable()
        and "Traceback" not in line
        and "internal error" not in line
        and SECRET not in line
        and len(line.encode()) < PIPE
    )


def refused_by_bazel(answer: Answer) -> str:
    """What a failure says; it must be one as Bazel shows it."""
    assert (answer.code, answer.out) == (1, b""), answer
    assert clear(answer.err), answer
    return answer.err


def refused_by_docker(answer: Answer) -> str:
    """What a failure says; it must be one as Docker shows it."""
    assert (answer.code, answer.err) == (1, ""), answer
    assert clear(answer.out.decode()), answer
    return answer.out.decode()


def uri(text: str) -> bytes:
    return json.dumps({"uri": text}).encode()


BAZEL = {
    "nothing": (b"", "nothing on standard input"),
    "white space": (b" \r\n", "nothing on standard input"),
    "not JSON": (b"{uri: https://a.example/}", "not JSON"),
    "half": (b'{"uri":"https://a.exam', "not JSON"),
    "two objects": (uri("https://a.example/") * 2, "not JSON"),
    "deep": (b'{"uri":' + b"[" * 300_000, "not JSON"),
    "not UTF-8": (b'{"uri":"https://\xff.example/"}', "not UTF-8"),
    "UTF-16": ('{"uri":"https://a.example/"}'.encode("utf-16-le"), "not JSON"),
    "an array": (b'["https://a.example/"]', "not a JSON object"),
    "no uri": (b"{}", '"uri"'),
    "a number": (b'{"uri":1}', '"uri"'),
    "null": (b'{"uri":null}', '"uri"'),
    "an empty uri": (uri(""), "empty"),
    "a relative uri": (uri("/simple/"), "not absolute"),
    "a path": (uri("a.example/simple/"), "not absolute"),
    "a word": (uri("simple"), "not absolute"),
    "grpcs": (uri("grpcs://a.example"), "'grpcs'"),
    "grpc": (uri("grpc://a.example:443"), "'grpc'"),
    "unix": (uri("unix:/run/a.example"), "not absolute"),
    "unix with slashes": (uri("unix:///run/a.example"), "'unix'"),
    "ftp": (uri("ftp://a.example/"), "'ftp'"),
    "a host with a percent sign": (uri("https://a%2eexample/"), "no host"),
    "a backslash": (uri("https://a.example\\@b.example/"), "backslash"),
    "a line break": (uri("https://a.example/\r\nX: y"), "control character"),
    "half a surrogate": (uri("https://a.example/\ud800"), "control character"),
    "an address in octal": (uri("https://0177.0.0.1/"), "number"),
    "an open bracket": (uri("https://[::1/"), "bracket"),
    "a zone": (uri("https://[::1%25lo]/"), "IPv6"),
    "a port that is none": (uri("https://a.example:99999/"), "port"),
    "no host": (uri(f"https://user:{SECRET}@/"), "no host"),
    "66 KB": (uri("https://a.example/".ljust(66_000, "x")), "65536"),
    "10 MB": (uri("https://a.example/".ljust(10_000_000, "x")), "1048576"),
    "10 MB of nothing": (b" " * 10_000_000, "1048576"),
}


@pytest.mark.parametrize(("stdin", "says"), BAZEL.values(), ids=BAZEL.keys())
def test_bazel_s_bad_requests(
    frozen: Program, home: Home, store: bytes, stdin: bytes, says: str
) -> None:
    assert says in refused_by_bazel(frozen("bazel", "get", stdin=stdin))
    assert untouched(home, store)


@pytest.mark.parametrize("name", ["nothing", "not JSON", "no uri", "grpcs"])
def test_a_bad_request_is_bazel_s_also_where_nobody_said_so(frozen: Program, name: str) -> None:
    stdin, says = BAZEL[name]
    assert says in refused_by_bazel(frozen("get", stdin=stdin))


@pytest.mark.parametrize(
    "url",
    [
        "https://A.EXAMPLE/x",
        "https://a.example./x",
        "https://a.example:443/x",
        "https://user:word@a.example/x",
        "https://b.example@a.example/x",
        "https://[::1]/x",
        "https://[0:0:0:0:0:0:0:1]:443/x",
        "a.example",
        "a.example:443",
    ],
)
def test_one_host_however_it_is_spelt(frozen: Program, url: str) -> None:
    assert frozen.bazel(url).authorization == f"Bearer {SECRET}"


@pytest.mark.parametrize("url", ["https://bücher.example/", "https://XN--BCHER-KVA.example/"])
def test_a_host_in_another_script(frozen: Program, home: Home, url: str) -> None:
    home.write_rattler({"xn--bcher-kva.example": {"BearerToken": "t"}})
    assert frozen.bazel(url).authorization == "Bearer t"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example@b.example/",
        "https://a.example.b.example/",
        "https://b.example/?a.example",
    ],
)
def test_a_host_that_only_looks_like_it(frozen: Program, url: str) -> None:
    assert frozen.bazel(url).authorization is None


def test_plain_http_is_refused_in_one_line_and_loopback_is_served(
    frozen: Program, home: Home
) -> None:
    home.write_rattler({host: {"BearerToken": SECRET} for host in ("a.example", "127.0.0.1")})
    assert "plain http" in refused_by_bazel(frozen.bazel("http://a.example/x"))
    assert frozen.bazel("http://127.0.0.1:8080/x").authorization == f"Bearer {SECRET}"
    assert frozen.bazel("http://b.example/x").authorization is None


def test_a_refusal_never_fills_the_pipe_that_nobody_reads_yet(frozen: Program) -> None:
    refused_by_bazel(frozen.bazel("http://a.example/".ljust(PIPE, "x")))


def test_an_answer_that_would_fill_the_pipe_is_refused(frozen: Program, home: Home) -> None:
    home.write_rattler({"a.example": {"BearerToken": "x" * PIPE}})
    assert str(PIPE) in refused_by_bazel(frozen.bazel("https://a.example/"))


@pytest.mark.parametrize("character", ["\r", "\n", "\r\nX-Injected: yes", "\x00", "\x1b[2J", "é"])
@pytest.mark.parametrize("kind", ["BearerToken", "CondaToken"])
def test_a_token_that_could_write_headers_is_refused(
    frozen: Program, home: Home, kind: str, character: str
) -> None:
    home.write_rattler({"a.example": {kind: f"{SECRET}{character}x"}})
    said = refused_by_bazel(frozen.bazel("https://a.example/"))
    assert "control or non-ASCII character" in said
    assert "X-Injected" not in said


def test_a_login_may_hold_them_since_it_is_encoded(frozen: Program, home: Home) -> None:
    home.write_rattler({"a.example": {"BasicHTTP": {"username": "u", "password": "a\r\nb"}}})
    assert frozen.bazel("https://a.example/").authorization == basic("u", "a\r\nb")


def test_an_s3_key_is_named_as_what_it_is(frozen: Program, home: Home) -> None:
    key = {"access_key_id": "A", "secret_access_key": SECRET, "session_token": None}
    home.write_rattler({"s3://bucket": {"S3Credentials": key}})
    assert "does not sign requests" in refused_by_bazel(frozen.bazel("s3://bucket/key"))


@pytest.mark.parametrize("key", ["", " \r\n"])
@pytest.mark.parametrize("action", ["get", "erase"])
def test_docker_without_a_key_gets_the_wire_s_own_text(
    frozen: Program, home: Home, store: bytes, action: str, key: str
) -> None:
    answer = frozen.docker(action, key)
    assert (answer.code, answer.out, answer.err) == (1, b"no credentials server URL\n", "")
    assert untouched(home, store)


@pytest.mark.parametrize(
    ("field", "text"),
    [("ServerURL", "no credentials server URL"), ("Username", "no credentials username")],
)
@pytest.mark.parametrize("value", ["absent", "", None])
def test_half_a_login_gets_the_wire_s_own_text(
    frozen: Program, home: Home, store: bytes, field: str, text: str, value: str | None
) -> None:
    login = {**LOGIN, field: value}
    if value == "absent":
        del login[field]
    answer = frozen.docker("store", json.dumps(login))
    assert (answer.code, answer.out, answer.err) == (1, f"{text}\n".encode(), "")
    assert untouched(home, store)


@pytest.mark.parametrize(
    "key",
    ["my key", "a b/../c", "-v", "ftp://a.example", "{", "[]", "x" * 100_000, "\x1b[2J", "a\nb"],
)
def test_a_key_that_is_no_registry_is_just_not_found(frozen: Program, key: str) -> None:
    answer = frozen.docker("get", key)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out == b"credentials not found in native keychain\n"


DOCKER = {
    "a key that is not UTF-8": ("get", b"\xff\xfe", "not UTF-8"),
    "a key of 10 MB": ("get", b"x" * 10_000_000, "1048576"),
    "an erased key that is not UTF-8": ("erase", b"\xff\xfe", "not UTF-8"),
    "nothing": ("store", b"", "not JSON"),
    "not JSON": ("store", b"r.example", "not JSON"),
    "half": ("store", json.dumps(LOGIN).encode()[:-2], "not JSON"),
    "not UTF-8": ("store", json.dumps(LOGIN).encode().replace(b"bob", b"\xff"), "not UTF-8"),
    "an array": ("store", json.dumps([LOGIN]).encode(), "not a JSON object"),
    "a number": ("store", json.dumps({**LOGIN, "Secret": 1}).encode(), '"Secret"'),
    "half a surrogate": ("store", json.dumps({**LOGIN, "Secret": "\ud800"}).encode(), '"Secret"'),
    "10 MB": ("store", json.dumps({**LOGIN, "Secret": "x" * 10_000_000}).encode(), "1048576"),
}


@pytest.mark.parametrize(("action", "stdin", "says"), DOCKER.values(), ids=DOCKER.keys())
def test_docker_s_bad_requests(
    frozen: Program, home: Home, store: bytes, action: str, stdin: bytes, says: str
) -> None:
    assert says in refused_by_docker(frozen("docker", action, stdin=stdin))
    assert untouched(home, store)


@pytest.mark.parametrize("size", [65_535, 65_536, 512_000])
def test_a_secret_of_the_size_at_which_the_reference_helpers_fail(
    frozen: Program, size: int
) -> None:
    login = {**LOGIN, "Secret": "s" * size}
    assert frozen.docker("store", login).code == 0
    assert frozen.docker("get", "r.example").json() == login
