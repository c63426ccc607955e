"""uv, with ``keyring-provider = "subprocess"``, installs from a protected index."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.guarded import Guarded
from support.logins import OAuthLogin
from support.matching import basic
from support.recording import Recording
from support.simple_index import INDEX, publish, with_user
from support.uv import Uv

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Answer, Program
    from support.token_server import TokenServer

BOB = {"BasicHTTP": {"username": "bob", "password": "p: ä"}}
HEADER = basic("bob", "p: ä")
ALWAYS = """
[project]
name = "project"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["demo"]

[[tool.uv.index]]
name = "team"
url = "{index}"
default = true
authenticate = "always"

[tool.uv]
keyring-provider = "subprocess"
"""


@pytest.fixture(params=["0.12.6", "0.13.8"])
def either_uv(request: pytest.FixtureRequest, home: Home) -> Uv:
    """The two versions of uv that matter."""
    uv = Uv(request.param, home)
    home.env |= {"UV_NO_CACHE": "1", "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    return uv


@pytest.fixture
def keyring(frozen: Program, tmp_path: Path) -> Recording:
    """Our keyring on PATH."""
    return Recording(frozen, "keyring", tmp_path / "keyring")


def install(uv: Uv, index: str) -> Answer:
    return uv("pip", "install", "--target", "installed", "--keyring-provider=subprocess",
              "--default-index", index, "demo")  # fmt: skip


def installed(home: Home) -> bool:
    return (home.path / "installed" / "demo" / "__init__.py").exists()


def test_the_password_comes_from_the_store(either_uv: Uv, home: Home, keyring: Recording) -> None:
    home.write_rattler({"127.0.0.1": BOB})
    with Guarded(HEADER.__eq__) as server:
        index = publish(server, "demo")
        answer = install(either_uv, with_user(index, "bob"))
    assert answer.code == 0, answer
    assert installed(home)
    assert "credlatch: " not in answer.err
    assert {visit.authorization for visit in server.admitted} == {HEADER}
    # How uv calls it, which tests/unit/test_keyring_protocol.py answers byte for byte.
    assert keyring.calls == [["get", index, "bob"]]


def test_without_a_user_name_it_asks_where_the_index_says_always(
    either_uv: Uv, home: Home, keyring: Recording
) -> None:
    home.write_rattler({"127.0.0.1": BOB})
    with Guarded(HEADER.__eq__) as server:
        index = publish(server, "demo")
        home.write("project/pyproject.toml", ALWAYS.format(index=index))
        either_uv.command.remove("--no-config")
        answer = either_uv("--directory", "project", "sync", "--no-install-project")
    assert answer.code == 0, answer
    assert list((home.path / "project/.venv").rglob("demo/__init__.py"))
    assert {visit.authorization for visit in server.admitted} == {HEADER}
    assert keyring.calls[0] == ["get", index, "--mode", "creds"]


def test_an_expired_token_is_renewed_for_uv(
    either_uv: Uv, home: Home, keyring: Recording, token_server: TokenServer
) -> None:
    login = OAuthLogin(home, token_server, "127.0.0.1")
    login.write(left=-60)
    with Guarded() as server:  # which takes tokens that have not ended, as a password too
        answer = install(either_uv, with_user(publish(server, "demo"), "__token__"))
    assert answer.code == 0, answer
    assert installed(home)
    fresh = str(token_server.current_access_token)
    assert {visit.authorization for visit in server.admitted} == {basic("__token__", fresh)}
    assert len(login.refresh_tokens()) == 1
    assert keyring.calls


def test_nobody_else_s_password_is_sent(either_uv: Uv, home: Home, keyring: Recording) -> None:
    home.write_rattler({"127.0.0.1": BOB})
    with Guarded(HEADER.__eq__) as server:
        index = publish(server, "demo")
        answer = install(either_uv, with_user(index, "alice"))
    assert answer.code != 0
    assert "is bob's, the URL names alice" in answer.err  # and nothing more is told of it
    assert BOB["BasicHTTP"]["password"] not in answer.err
    assert server.admitted == []
    host = index.removeprefix("http://").removesuffix(INDEX)
    assert keyring.calls == [
        ["get", index, "alice"],
        ["get", host, "alice"],
        ["get", f"http://{host}", "alice"],
    ]


def test_why_there_is_no_password_reaches_the_person(
    either_uv: Uv, home: Home, keyring: Recording, token_server: TokenServer
) -> None:
    OAuthLogin(home, token_server, "127.0.0.1").write(left=-60)
    token_server.spend("refresh-0")
    with Guarded() as server:
        answer = install(either_uv, with_user(publish(server, "demo"), "bob"))
    assert answer.code != 0
    assert "credlatch: " in answer.err
    assert "credlatch login 127.0.0.1" in answer.err
    assert server.admitted == []
    assert keyring.calls
