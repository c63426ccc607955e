"""``credlatch --cargo-plugin`` by cargo's own bytes: tests/real runs cargo itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.cargo_plugin import (
    CRATES_IO,
    HELLO,
    INDEX,
    NAMED,
    NOT_FOUND,
    Plugin,
    asked,
    line,
    request,
)
from support.jwt import make_jwt
from support.logins import OAuthLogin
from support.matching import basic
from support.program import run
from support.terminal import at_terminal

if TYPE_CHECKING:
    from support.agent import Agent
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

BOB = {"BasicHTTP": {"username": "bob", "password": "p: w"}}
KEY = f"cargo:{INDEX}"


@pytest.fixture
def frozen(frozen: Program) -> Program:
    """The program, to which the team's index is the caller's own."""
    frozen.home.env |= NAMED
    return frozen


def got(token: str, **more: Any) -> dict[str, Any]:
    cache = more or {"cache": "session"}
    return {"Ok": {"kind": "get", "token": token, **cache, "operation_independent": True}}


def other(answer: Any) -> str:
    """Why there is no answer."""
    assert list(answer) == ["Err"]
    assert answer["Err"].pop("kind") == "other"
    (text,) = answer["Err"].values()
    assert "\n" not in text
    assert "internal error" not in text
    return str(text)


def test_it_answers_each_request_at_once_and_as_things_are_then(each_form: Program) -> None:
    with Plugin(each_form) as plugin:
        assert plugin.says() == HELLO
        assert plugin.asked() == NOT_FOUND
        each_form.home.write_rattler({"host.example": BOB})
        assert plugin.asked() == got(basic("bob", "p: w"))
        assert plugin.asked("logout") == NOT_FOUND
        assert plugin.asked("login", token="t") == {"Ok": {"kind": "login"}}
        assert plugin.asked(operation="publish", name="c", vers="1", cksum="0") == got("t")
        assert plugin.asked("dance") == {"Err": {"kind": "operation-not-supported"}}
        assert plugin.asked("logout") == {"Ok": {"kind": "logout"}}
        each_form.home.write_rattler({})
        assert plugin.asked() == NOT_FOUND
        assert plugin.end() == ""


def test_a_request_may_come_in_pieces_or_with_others_and_without_an_end(frozen: Program) -> None:
    frozen.home.write_rattler({"host.example": {"BearerToken": "t"}})
    with Plugin(frozen) as plugin:
        whole = line(request())
        plugin.tell(whole[:20])
        assert plugin.says() == HELLO
        plugin.tell(whole[20:] + b"\r\n" + whole)
        assert [plugin.says(), plugin.says()] == [got("Bearer t")] * 2
        done = frozen("--cargo-plugin", stdin=whole.removesuffix(b"\n"))
        assert (done.code, done.err) == (0, "")
        assert [json.loads(each) for each in done.out.splitlines()] == [HELLO, got("Bearer t")]
        assert frozen("--cargo-plugin").out == b'{"v":[1]}\n'


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\n", b"[\n", b"7\n", b"{}\n", b'{"v":2}\n', b'{"v":true}\n', b"[" * 100_000 + b"\n",
        line({"v": 1, "kind": "get"}), line({"v": 1, "kind": "get", "registry": []}),
        line({"v": 1, "kind": "get", "registry": {"index-url": 7}}),
        line({"v": 1, "registry": {"index-url": INDEX}}),
        line(request(args="--raw")), line(request(args=["--row"])), line(request(args=[{}])),
        line(request("login", token=["s3cret"])), b"x" * 2_000_000,
    ],
)  # fmt: skip
def test_what_is_no_request_is_told_in_one_line(frozen: Program, sent: bytes) -> None:
    done = frozen("--cargo-plugin", stdin=sent)
    hello, answer = map(json.loads, done.out.splitlines())
    assert (done.code, done.err, hello) == (0, "", HELLO)
    assert "s3cret" not in other(answer)


@pytest.mark.parametrize(
    "index",
    [
        "sparse+https://127.1/", "sparse+s3://b/", "sparse+host.example", "sparse+", "sparse+https://",
        "sparse+file:///x/", "https://h/\x1b[2J", "sparse+https://a b/", "\ud800",
    ],
)  # fmt: skip
def test_an_index_that_is_none_is_the_next_provider_s(frozen: Program, index: str) -> None:
    assert asked(frozen, index=index) == {"Err": {"kind": "url-not-supported"}}


@pytest.mark.parametrize("prefix", ["", "registry+"])
@pytest.mark.parametrize("index", [CRATES_IO, "https://github.com/someone/index", "http://h/x"])
def test_a_git_repository_s_host_has_its_login_for_git_alone(
    frozen: Program, index: str, prefix: str
) -> None:
    host = index.split("/")[2]
    frozen.home.write_rattler({host: {"BearerToken": "for git"}, f"{host}/rust-lang": BOB})
    frozen.home.write(".netrc", f"machine {host} login bob password for-git\n")
    assert asked(frozen, index=prefix + index) == NOT_FOUND


def test_the_public_registry_s_token_is_kept_too(frozen: Program) -> None:
    assert asked(frozen, "login", CRATES_IO, token="cio") == {"Ok": {"kind": "login"}}
    assert asked(frozen, index=CRATES_IO) == got("cio")
    assert asked(frozen, index="https://github.com/rust-lang/other") == NOT_FOUND
    assert asked(frozen, "logout", CRATES_IO) == {"Ok": {"kind": "logout"}}
    assert asked(frozen, index=CRATES_IO) == NOT_FOUND


def test_each_index_has_its_own_token_and_no_other_client_gets_it(frozen: Program) -> None:
    other_index = "sparse+https://host.example/other/"
    for index, token in ((INDEX, "Bearer one"), (other_index, "Bearer two")):
        assert asked(frozen, "login", index, token=token) == {"Ok": {"kind": "login"}}
    assert asked(frozen) == got("Bearer one")
    assert asked(frozen, index=other_index) == got("Bearer two")
    assert asked(frozen, index="sparse+https://host.example/") == NOT_FOUND
    assert frozen.bazel("https://host.example/cargo/").authorization is None
    for key in ("host.example", KEY):
        assert frozen.docker("get", key).code == (1 if key != KEY else 0)
    assert frozen.docker("list").out == b"{}\n"
    assert frozen.docker("erase", KEY).code in {0, 1}


def test_a_token_that_ends(frozen: Program) -> None:
    now = int(time.time())
    for left, told in ((3600, 3600 - 30), (100, 100 - 10 + 60)):
        token = make_jwt(now + left)
        frozen.home.write_rattler({"host.example": {"BearerToken": token}})
        answer = asked(frozen)["Ok"]
        assert (answer["token"], answer["cache"]) == (f"Bearer {token}", "expires")
        assert abs(answer["expiration"] - (now + told)) < 20
    for token in (make_jwt(now - 1), f"Bearer {make_jwt(now - 1)}"):
        assert asked(frozen, "login", token=token) == {"Ok": {"kind": "login"}}
        assert "cargo logout, and cargo login again" in other(asked(frozen))


def test_a_login_that_is_dead_is_told_and_one_of_another_kind_is_nobody_s(
    frozen: Program, token_server: TokenServer
) -> None:
    OAuthLogin(frozen.home, token_server, "host.example").write(left=-60)
    token_server.spend("refresh-0")
    assert "credlatch login host.example" in other(asked(frozen))
    frozen.home.write_rattler({"host.example": {"CondaToken": "for quetz"}})
    assert asked(frozen) == NOT_FOUND
    assert asked(frozen, args=["--raw"]) == got("for quetz")


def test_nothing_is_sent_or_kept_for_plain_http(frozen: Program) -> None:
    index = "sparse+http://host.example/"
    frozen.home.env["CARGO_REGISTRIES_PLAIN_INDEX"] = index
    frozen.home.write_rattler({"host.example": BOB})
    assert "plain http" in other(asked(frozen, index=index))
    for each in (index, "http://host.example/index.git", "registry+http://host.example/x"):
        assert "plain http" in other(asked(frozen, "login", each, token="t"))
    assert frozen.home.read_rattler() == {"host.example": BOB}


@pytest.mark.parametrize("token", ["a\nb", "\x00", "ä", " ", "\ud800"])
def test_a_token_that_no_header_can_have_is_not_kept(frozen: Program, token: str) -> None:
    text = other(asked(frozen, "login", token=token))
    assert text.startswith("the token is not kept: ")
    assert not (frozen.home.path / ".rattler").exists()


def test_without_a_terminal_nobody_is_asked_for_a_token(frozen: Program) -> None:
    assert "no terminal" in other(asked(frozen, "login"))


def test_a_person_types_the_token_at_the_terminal(frozen: Program) -> None:
    sent = json.dumps(request("login", **{"login-url": "https://host.example/me"}))
    # Whoever leads a session and opens a terminal has it as its own.
    take = ': < "$(tty)"'
    script = f"{take}; printf '%s\\n' '{sent}' | {frozen.command[0]} --cargo-plugin | cat"
    code, screen = at_terminal(
        ["/bin/sh", "-c", script], frozen.home, " typed \n", question="host.example/me: "
    )
    assert code == 0
    assert "Token for team, found at https://host.example/me: " in screen
    assert "typed" not in screen
    assert '{"Ok":{"kind":"login"}}' in screen
    assert asked(frozen) == got("typed")


def test_the_agent_answers_and_remembers_nothing_of_a_logout(agent: Agent) -> None:
    home = agent.home
    home.write_rattler({"host.example": BOB})
    agent.warm()
    before = len(agent.log())
    assert asked(agent.program) == got(basic("bob", "p: w"))
    assert agent.log()[before].split(" ", 1)[1].startswith("cargo host.example rattler answered")
    assert asked(agent.program, "login", token="t") == {"Ok": {"kind": "login"}}
    assert asked(agent.program) == got("t")
    assert asked(agent.program, "logout") == {"Ok": {"kind": "logout"}}
    assert asked(agent.program) == got(basic("bob", "p: w"))


def test_one_request_by_hand(frozen: Program) -> None:
    frozen.home.write_rattler({"host.example": {"BearerToken": "t"}})
    done = frozen("cargo", "get", stdin=line(request()))
    assert (done.code, done.err, json.loads(done.out)) == (0, "", got("Bearer t"))
    assert frozen("cargo", "put").code == 2
    assert frozen("--cargo-plugin", "more").code == 2


def test_whoever_has_gone_needs_no_answer(frozen: Program) -> None:
    script = f"{frozen.command[0]} --cargo-plugin < /dev/null | true; exit ${{PIPESTATUS[0]}}"
    assert run(frozen.home, ["bash", "-c", script]) == (0, b"", "")


def test_a_warning_reaches_the_terminal_and_not_cargo(frozen: Program, home: Home) -> None:
    home.write(".rattler/credentials.json", "{")
    home.write(".netrc", "machine host.example login bob password p\n")
    with Plugin(frozen) as plugin:
        assert plugin.says() == HELLO
        assert plugin.asked() == got(basic("bob", "p"))
        assert ".rattler/credentials.json" in plugin.end()
