"""``credlatch token URL`` as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.every_store import STORES, URL, Kept
from support.logins import OAuthLogin, refusal

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer


@pytest.mark.parametrize("kept", STORES.values(), ids=STORES.keys())
def test_the_secrets_of_every_store_and_their_users(
    frozen: Program, home: Home, kept: Kept
) -> None:
    kept.write(home)
    answer = frozen("token", URL)
    assert (answer.code, answer.out.decode(), answer.err) == (0, f"{kept.secret}\n", "")
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


def test_nothing_found_is_1_and_a_line(frozen: Program) -> None:
    said = refusal(frozen("token", f"{URL}?signature=hunter2"))
    assert "no store has a credential for https://host.example/simple/" in said
    assert "hunter2" not in said


def test_plain_http_is_refused_and_loopback_is_served(frozen: Program, home: Home) -> None:
    home.write_rattler({host: {"BearerToken": "t"} for host in ("host.example", "127.0.0.1")})
    assert "plain http" in refusal(frozen("token", "http://host.example/"))
    assert "plain http" in refusal(frozen("token", "--user", "http://host.example/"))
    assert frozen("token", "http://127.0.0.1:8080/").out == b"t\n"


def test_an_expired_token_is_renewed_first(
    frozen: Program, home: Home, token_server: TokenServer
) -> None:
    login = OAuthLogin(home, token_server)
    login.write(left=-60)
    answer = frozen("token", login.uri)
    assert answer.out.decode() == f"{token_server.current_access_token}\n"
    assert len(login.refresh_tokens()) == 1


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
        ([], 2, "credlatch token --help"),
        (["--user"], 2, "credlatch token --help"),
        ([URL, URL], 2, "credlatch token --help"),
        (["--user", URL, URL], 2, "credlatch token --help"),
        (["--json", URL], 2, "credlatch token --help"),
        (["--user", "--user"], 2, "credlatch token --help"),
        (["host"], 1, "not absolute"),
        (["ftp://host.example/"], 1, "'ftp'"),
    ],
)
def test_bad_input_is_a_line(frozen: Program, args: list[str], code: int, says: str) -> None:
    answer = frozen("token", *args)
    assert (answer.code, answer.out) == (code, b"")
    assert answer.err.startswith("credlatch: ")
    assert answer.err.count("\n") == 1
    assert says in answer.err


def test_help_is_an_answer(frozen: Program) -> None:
    answer = frozen("token", "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(b"usage: credlatch token URL ")
