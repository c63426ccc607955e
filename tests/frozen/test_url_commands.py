"""``credlatch header URL`` and ``credlatch token URL`` as processes."""

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

# What each word says of a token.
SAID = {"header": "Authorization: Bearer {}\n", "token": "{}\n"}
each_word = pytest.mark.parametrize("word", SAID)


@pytest.mark.parametrize("kept", STORES.values(), ids=STORES.keys())
def test_the_logins_of_every_store_are_those_that_bazel_gets(
    frozen: Program, home: Home, kept: Kept
) -> None:
    kept.write(home)
    name, value = kept.header
    assert frozen("header", URL) == (0, f"{name}: {value}\n".encode(), "")
    assert frozen.bazel(URL).json()["headers"] == {name: [value]}
    assert frozen("token", URL) == (0, f"{kept.secret}\n".encode(), "")
    user = kept.username or "__token__"
    for args in (["--user", URL], [URL, "--user"]):
        assert frozen("token", *args).out.decode() == f"{user}\n"


def test_a_token_has_the_user_that_the_url_names(frozen: Program, home: Home) -> None:
    home.write_rattler({"host.example": {"BearerToken": "t"}})
    assert frozen("token", "--user", "https://aws@host.example/").out == b"aws\n"
    assert frozen("token", "https://aws@host.example/").out == b"t\n"


def test_what_keyring_and_git_keep_for_a_path_is_found(frozen: Program) -> None:
    frozen("keyring", "set", URL, "bob", stdin=b"pw\n")
    assert frozen("token", f"{URL}pkg/").out == b"pw\n"
    assert frozen("token", "https://host.example/other/").code == 1


def test_a_bare_host_is_one(frozen: Program, home: Home) -> None:
    home.write_rattler({"host.example": {"BearerToken": "t"}})
    assert frozen("header", "host.example:8443").out == b"Authorization: Bearer t\n"


def test_anaconda_s_header_is_its_own(frozen: Program, home: Home) -> None:
    home.write_rattler(
        {host: {"CondaToken": "t"} for host in ("*.anaconda.org", "conda.anaconda.org")}
    )
    assert frozen("header", "https://conda.anaconda.org/x").out == b"Authorization: token t\n"


@each_word
def test_nothing_found_is_1_and_a_line(frozen: Program, word: str) -> None:
    said = refusal(frozen(word, f"{URL}?signature=hunter2"))
    assert "no store has a credential for https://host.example/simple/" in said
    assert "hunter2" not in said


@each_word
def test_plain_http_is_refused_and_loopback_is_served(
    frozen: Program, home: Home, word: str
) -> None:
    home.write_rattler({host: {"BearerToken": "t"} for host in ("host.example", "127.0.0.1")})
    assert "plain http" in refusal(frozen(word, "http://host.example/"))
    assert frozen(word, "http://127.0.0.1:8080/").out.decode() == SAID[word].format("t")


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


@each_word
def test_an_expired_token_is_renewed_first(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, word: str
) -> None:
    login.write(left=-60)
    answer = frozen(word, login.uri)
    assert answer.out.decode() == SAID[word].format(token_server.current_access_token)
    assert len(login.refresh_tokens()) == 1


def test_a_token_that_could_write_headers_is_refused(frozen: Program, home: Home) -> None:
    home.write_rattler({"host.example": {"BearerToken": "t\r\nX-Injected: yes"}})
    said = refusal(frozen("header", URL))
    assert "control or non-ASCII character" in said
    assert "X-Injected" not in said


def test_an_identity_token_is_for_a_token_server_and_nobody_else(
    frozen: Program, home: Home
) -> None:
    home.write(".docker/config.json", '{"auths":{"host.example":{"identitytoken":"hunter2"}}}')
    said = refusal(frozen("token", URL))
    assert "identity token" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ("", 2, "credlatch {} --help"),
        (f"{URL} {URL}", 2, "credlatch {} --help"),
        (f"--json {URL}", 2, "credlatch {} --help"),
        ("host", 1, "not absolute"),
        ("ftp://host.example/", 1, "'ftp'"),
        ("s3://bucket/key", 1, "no store has a credential"),
    ],
)
@each_word
def test_bad_input_is_a_line(frozen: Program, word: str, args: str, code: int, says: str) -> None:
    assert says.format(word) in refusal(frozen(word, *args.split()), code)


@each_word
def test_help_is_an_answer(frozen: Program, word: str) -> None:
    answer = frozen(word, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"usage: credlatch {word} URL".encode())
