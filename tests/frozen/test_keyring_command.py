"""``keyring`` as a process: exit status and streams as Python's command has them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.every_store import STORES, URL
from support.logins import OAuthLogin, refusal
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home
    from support.program import Answer, Program
    from support.token_server import TokenServer

CREDS = ("--mode=creds", "--output=json")


@pytest.fixture
def keyring(frozen: Program) -> Program:
    """The frozen program, called ``keyring``."""
    return frozen.called("keyring")


def nothing(answer: Answer) -> bool:
    """Whether a call found nothing, as keyring's own says it."""
    return answer == (1, b"", "")


@pytest.mark.parametrize("args", [["get", URL, "bob"], ["get", "host.example", "--mode", "creds"]])
def test_the_word_does_what_the_name_does(
    frozen: Program, keyring: Program, home: Home, args: list[str]
) -> None:
    STORES["netrc"].write(home)
    assert frozen("keyring", *args) == keyring(*args)
    assert keyring(*args).out.endswith(b"p: w\n")


def test_the_single_file_may_have_the_name_too(each_form: Program, home: Home) -> None:
    STORES["netrc"].write(home)
    assert each_form.called("keyring")("get", URL, "bob") == (0, b"p: w\n", "")


@pytest.mark.parametrize(
    "args",
    [["get", URL, "bob"], ["get", "some-service", "bob"], [*CREDS, "get", URL]],
)
def test_nothing_found_is_1_and_nothing_said(keyring: Program, args: list[str]) -> None:
    assert nothing(keyring(*args))


def test_plain_http_is_refused_and_loopback_is_served(keyring: Program, home: Home) -> None:
    login = {"BasicHTTP": {"username": "bob", "password": "pw"}}
    home.write_rattler({"host.example": login, "localhost": login})
    assert "plain http" in refusal(keyring("get", "http://host.example/simple/", "bob"))
    assert keyring("get", "http://localhost:8080/simple/", "bob").out == b"pw\n"
    assert nothing(keyring("get", "http://other.example/simple/", "bob"))


def test_an_expired_token_is_renewed_first(
    keyring: Program, login: OAuthLogin, token_server: TokenServer
) -> None:
    login.write(left=-60)
    answer = keyring("get", f"https://{login.key}/simple/", "bob")
    assert answer.out.decode() == f"{token_server.current_access_token}\n"
    assert keyring(*CREDS, "get", login.key).json() == {
        "username": "__token__", "password": token_server.current_access_token
    }  # fmt: skip
    assert len(login.refresh_tokens()) == 1


def test_a_token_that_cannot_be_renewed_says_so_and_is_not_given(
    keyring: Program, login: OAuthLogin, token_server: TokenServer
) -> None:
    login.write(left=-60)
    token_server.spend("refresh-0")
    assert "credlatch login" in refusal(keyring("get", login.key, "bob"))


def test_a_warning_leaves_the_answer_as_it_is(keyring: Program, home: Home) -> None:
    home.write(".netrc", "machine host.example login bob password pw\n", mode=0o644)
    answer = keyring("get", URL, "bob")
    assert (answer.code, answer.out) == (0, b"pw\n")
    assert "chmod 600" in answer.err


def test_a_broken_store_is_named_where_nothing_else_answers(keyring: Program, home: Home) -> None:
    broken = home.write(".rattler/credentials.json", "{")
    assert str(broken) in refusal(keyring("get", URL, "bob"))
    home.write(".netrc", "machine host.example login bob password pw\n")
    answer = keyring("get", URL, "bob")
    assert (answer.code, answer.out) == (0, b"pw\n")
    assert str(broken) in answer.err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "get, set or del"),
        (["get", URL], "user name"),
        (["-b", "x.Keyring", "get", URL, "bob"], "python -m keyring"),
        (["--frozen", "get", URL, "bob"], "'--frozen'"),
    ],
)
def test_wrong_usage_is_2_and_a_line(keyring: Program, args: list[str], says: str) -> None:
    assert says in refusal(keyring(*args), code=2)


def test_help_is_an_answer(keyring: Program) -> None:
    answer = keyring("--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(b"usage: keyring ")


def test_what_is_set_is_found_by_every_client(
    frozen: Program, keyring: Program, home: Home
) -> None:
    assert keyring("set", "host.example", "bob", stdin=b"p: w\n") == (0, b"", "")
    assert home.read_rattler() == {
        "host.example": {"BasicHTTP": {"username": "bob", "password": "p: w"}}
    }
    assert keyring("get", URL, "bob").out == b"p: w\n"
    assert frozen.bazel(URL).authorization == STORES["netrc"].header[1]
    assert frozen.docker("get", "host.example").json()["Secret"] == "p: w"


@pytest.mark.parametrize(
    ("stdin", "password"),
    [(b"pw\r\n", "pw"), (b"pw\n\n", "pw\n"), (b" pw ", " pw "), ("pä".encode(), "pä"), (b"\n", "")],
)
def test_one_newline_at_the_end_is_not_the_password_s(
    keyring: Program, home: Home, stdin: bytes, password: str
) -> None:
    assert keyring("set", URL, "bob", stdin=stdin).code == 0
    kept = home.read_rattler()["host.example/simple"]["BasicHTTP"]["password"]
    assert kept == password


def test_nothing_on_standard_input_is_no_password(keyring: Program) -> None:
    assert keyring("set", URL, "bob", stdin=b"pw\n").code == 0
    assert "no password came" in refusal(keyring("set", URL, "bob"))
    assert keyring("get", URL, "bob").out == b"pw\n"


def test_del_forgets_what_set_keeps_and_nothing_else(keyring: Program, home: Home) -> None:
    keyring("set", "host.example", "bob", stdin=b"pw\n")
    STORES["netrc"].write(home)
    assert keyring("del", "host.example", "bob").code == 0
    assert keyring("get", "host.example", "bob").out == b"p: w\n"
    said = refusal(keyring("del", "host.example", "bob"))
    assert "no login of bob" in said
    assert home.read_rattler() == {}


@pytest.mark.parametrize(
    ("service", "stdin", "says"),
    [
        ("http://host.example/", b"hunter2\n", "plain http"),
        ("host.example", b"hunter2\xff\n", "UTF-8"),
        ("host.example", b"hunter2" * 1_000_000, "1048576"),
        ("my service", b"hunter2\n", "space"),
    ],
)
def test_what_cannot_be_kept_is_said_and_not_kept(
    keyring: Program, home: Home, service: str, stdin: bytes, says: str
) -> None:
    said = refusal(keyring("set", service, "bob", stdin=stdin))
    assert says in said
    assert "hunter2" not in said
    assert not (home.path / ".rattler").exists()


@contextmanager
def asked_in_a_terminal(keyring: Program) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """``keyring set`` when it has asked for the password, and the other end of its terminal."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [*keyring.command, "set", "host.example", "bob"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=keyring.home.env,
        preexec_fn=lambda: os.login_tty(terminal),  # noqa: PLW1509 - one thread, and no other way
    ) as process:
        try:
            shown = b""
            while b": " not in shown:
                shown += os.read(controller, 1024)
            assert b"'bob'" in shown
            yield process, controller
        finally:
            process.kill()
            os.close(terminal)
            os.close(controller)


def echoes(terminal: int) -> bool:
    """Whether a terminal shows what is typed."""
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def test_a_person_is_asked_and_the_password_is_not_shown(keyring: Program, home: Home) -> None:
    with asked_in_a_terminal(keyring) as (process, terminal):
        assert not echoes(terminal)
        os.write(terminal, b"hunter2\n")
        assert process.wait(TIMEOUT) == 0
        assert echoes(terminal)
        assert b"hunter2" not in os.read(terminal, 1024)
    assert home.read_rattler()["host.example"]["BasicHTTP"]["password"] == "hunter2"


def test_ctrl_c_gives_the_terminal_back_as_it_was(keyring: Program, home: Home) -> None:
    with asked_in_a_terminal(keyring) as (process, terminal):
        os.write(terminal, b"\x03")
        assert process.wait(TIMEOUT) == 130
        assert echoes(terminal)
    assert not (home.path / ".rattler").exists()


def test_json_is_python_s_to_the_byte(keyring: Program, home: Home) -> None:
    login = {"username": 'b"ö', "password": "p\\ä\t"}
    home.write_rattler({"host.example": {"BasicHTTP": login}})
    assert keyring(*CREDS, "get", URL).out.decode() == f"{json.dumps(login)}\n"
