"""``credlatch header URL`` as a process."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from support.every_store import STORES, URL, Kept
from support.logins import OAuthLogin, refusal

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer


@pytest.mark.parametrize("kept", STORES.values(), ids=STORES.keys())
def test_the_headers_of_every_store_are_those_that_bazel_gets(
    frozen: Program, home: Home, kept: Kept
) -> None:
    kept.write(home)
    name, value = kept.header
    answer = frozen("header", URL)
    assert (answer.code, answer.out.decode(), answer.err) == (0, f"{name}: {value}\n", "")
    assert frozen.bazel(URL).json()["headers"] == {name: [value]}


def test_a_bare_host_is_one(frozen: Program, home: Home) -> None:
    home.write_rattler({"host.example": {"BearerToken": "t"}})
    assert frozen("header", "host.example:8443").out == b"Authorization: Bearer t\n"


def test_anaconda_s_header_is_its_own(frozen: Program, home: Home) -> None:
    home.write_rattler({"*.anaconda.org": {"CondaToken": "t"}, "conda.anaconda.org": {
        "CondaToken": "t"}})  # fmt: skip
    assert frozen("header", "https://conda.anaconda.org/x").out == b"Authorization: token t\n"


def test_nothing_found_is_1_and_a_line(frozen: Program) -> None:
    said = refusal(frozen("header", f"{URL}?signature=hunter2"))
    assert "no store has a credential for https://host.example/simple/" in said
    assert "hunter2" not in said


def test_plain_http_is_refused_and_loopback_is_served(frozen: Program, home: Home) -> None:
    home.write_rattler({host: {"BearerToken": "t"} for host in ("host.example", "127.0.0.1")})
    assert "plain http" in refusal(frozen("header", "http://host.example/"))
    assert frozen("header", "http://127.0.0.1:8080/").out == b"Authorization: Bearer t\n"


def test_a_name_below_localhost_is_this_machine_only_if_it_resolves_to_it(
    frozen: Program, home: Home
) -> None:
    name = "no-such-name.credlatch-test.localhost."  # a label in between: no resolver has it
    home.write_rattler({name.removesuffix("."): {"BearerToken": "t"}})
    try:
        found = {address[0] for *_, address in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    answer = frozen("header", f"http://{name}:8080/")
    if found and found <= {"127.0.0.1", "::1"}:  # systemd's resolver knows RFC 6761
        assert answer.out == b"Authorization: Bearer t\n"
    else:
        assert "does not resolve to this machine alone" in refusal(answer)


def test_netrc_gives_nobody_what_follows_a_word_that_is_not_understood(
    frozen: Program, home: Home
) -> None:
    home.write(".netrc", 'machine a.example\nhost.example login u password "hunter 2"\n')
    for host in ("a.example", "host.example"):
        answer = frozen("header", f"https://{host}/")
        assert (answer.code, answer.out) == (1, b"")
        assert "not understood" in answer.err
        assert "hunter" not in answer.err


def test_an_expired_token_is_renewed_first(
    frozen: Program, home: Home, token_server: TokenServer
) -> None:
    login = OAuthLogin(home, token_server)
    login.write(left=-60)
    answer = frozen("header", login.uri)
    assert answer.out.decode() == f"Authorization: Bearer {token_server.current_access_token}\n"
    assert len(login.refresh_tokens()) == 1


def test_a_token_that_could_write_headers_is_refused(frozen: Program, home: Home) -> None:
    home.write_rattler({"host.example": {"BearerToken": "t\r\nX-Injected: yes"}})
    said = refusal(frozen("header", URL))
    assert "control or non-ASCII character" in said
    assert "X-Injected" not in said


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ([], 2, "credlatch header --help"),
        ([URL, URL], 2, "credlatch header --help"),
        (["--json", URL], 2, "credlatch header --help"),
        (["-x"], 2, "credlatch header --help"),
        (["host"], 1, "not absolute"),
        (["ftp://host.example/"], 1, "'ftp'"),
        (["s3://bucket/key"], 1, "no store has a credential"),
    ],
)
def test_bad_input_is_a_line(frozen: Program, args: list[str], code: int, says: str) -> None:
    answer = frozen("header", *args)
    assert (answer.code, answer.out) == (code, b"")
    assert answer.err.startswith("credlatch: ")
    assert answer.err.count("\n") == 1
    assert says in answer.err


def test_help_is_an_answer(frozen: Program) -> None:
    answer = frozen("header", "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(b"usage: credlatch header URL\n")
