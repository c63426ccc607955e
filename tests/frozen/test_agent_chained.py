"""Helpers that were there before: asked the same way for every client that asks by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.chains import Chained

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program

URL = "https://r.example/ns/repo/"
GIT = b"protocol=https\nhost=r.example\npath=ns/repo/\n\n"
DOCKER = '{"ServerURL":"r.example","Username":"u","Secret":"pw"}'
HEADERS = '{"headers":{"Authorization":["Basic dTpwdw=="]}}'


def chain(home: Home, said: str, protocol: str, host: str) -> Chained:
    chained = Chained(home)
    helper = chained.helper("docker-credential-other", login=said)
    chained.chain(**{protocol: {host: helper if protocol == "bazel" else "other"}})
    return chained


def answers(program: Program) -> dict[str, bytes]:
    return {
        "header": program("header", URL).out,
        "token": program("token", URL).out,
        "keyring": program("keyring", "get", URL, "u").out,
        "git": program("git", "get", stdin=GIT).out,
    }


FOUND = {
    "header": b"Authorization: Basic dTpwdw==\n",
    "token": b"pw\n",
    "keyring": b"pw\n",
    "git": b"username=u\npassword=pw\n",
}


@pytest.mark.parametrize("key", ["r.example", "r.example/ns"])
def test_docker_s_for_a_host(frozen: Program, home: Home, key: str) -> None:
    chained = chain(home, DOCKER, "docker", key)
    assert frozen.bazel(URL).authorization == "Basic dTpwdw=="
    assert answers(frozen) == FOUND
    assert chained.asked == ["get r.example"] * 5  # by the host's own key, and once for each


@pytest.mark.parametrize("host", ["r.example", "*.example", "*"])
def test_bazel_s(frozen: Program, home: Home, host: str) -> None:
    chained = chain(home, HEADERS, "bazel", host)
    assert frozen.bazel(URL).authorization == "Basic dTpwdw=="
    assert answers(frozen) == FOUND
    assert chained.asked == [f'get {{"uri":"{URL}"}}'] * 5


def test_docker_s_for_all_is_for_docker_s_clients(frozen: Program, home: Home) -> None:
    chained = chain(home, DOCKER, "docker", "*")
    assert frozen.bazel(URL).authorization is None
    assert answers(frozen) == dict.fromkeys(FOUND, b"")
    assert chained.asked == []
    assert frozen.docker("get", "r.example").json()["Secret"] == "pw"


def test_several_headers_are_no_login_and_no_defect(frozen: Program, home: Home) -> None:
    chain(home, '{"headers":{"x-a":["1"],"x-b":["s3cret"]}}', "bazel", "*")
    assert frozen("header", URL).out == b"x-a: 1\nx-b: s3cret\n"
    for words, stdin in ((["token", URL], b""), (["git", "get"], GIT)):
        answer = frozen(*words, stdin=stdin)
        assert (answer.code, answer.out, answer.err.count("\n")) == (1, b"", 1)
        assert "several headers" in answer.err
        assert "s3cret" not in answer.err
