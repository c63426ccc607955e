"""A login that another tool has changed is what the very next call gets, agent or not."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from support.agent import agent_of
from support.rattler import oauth
from support.uv import Uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent
    from support.home import Home
    from support.program import Program
    from support.rattler import Rattler
    from support.secret_service import SecretService
    from support.token_server import TokenServer

HOST = "o.example"
URI = f"https://{HOST}/simple/"
TIMES = 20


@pytest.fixture
def agent(frozen: Program) -> Iterator[Agent]:
    with agent_of(frozen) as started:
        started.warm()
        yield started


def test_py_rattler_has_renewed(
    home: Home, agent: Agent, rattler: Rattler, token_server: TokenServer
) -> None:
    home.write_rattler({HOST: oauth(token_server, int(time.time()) + 3600)})
    assert agent.call(URI).authorization == "Bearer stored-access-token"
    home.write_rattler({HOST: oauth(token_server, int(time.time()) - 60)})
    assert rattler.authorization(HOST) == f"Bearer {token_server.current_access_token}"
    assert agent.call(URI).authorization == f"Bearer {token_server.current_access_token}"
    assert len(token_server.posts("/token")) == 1


def test_a_file_rewritten_in_place_to_the_same_size(home: Home, agent: Agent) -> None:
    # Within one tick of the file system's clock, and without another inode.
    for number in range(TIMES):
        home.write_rattler({HOST: {"BearerToken": f"token-{number:03}"}})
        assert agent.call(URI).authorization == f"Bearer token-{number:03}"


def test_a_file_replaced_after_it_has_rested(home: Home, agent: Agent) -> None:
    path = home.write_rattler({HOST: {"BearerToken": "before"}})
    long_ago = time.time() - 3600
    aside = home.write("aside", '{"o.example":{"BearerToken":"behind"}}')
    for _ in range(2):
        assert agent.call(URI).authorization == "Bearer before"
    # Equal size, and a time that is older than the first one's.
    assert path.stat().st_size == aside.stat().st_size
    os.utime(aside, (long_ago, long_ago))
    aside.replace(path)
    assert agent.call(URI).authorization == "Bearer behind"
    path.unlink()
    assert agent.call(URI).authorization is None


@pytest.mark.parametrize("version", ["0.12.6", "0.13.8"])
def test_uv_logs_in_again_and_out(home: Home, agent: Agent, version: str) -> None:
    uv = Uv(version, home)
    for password in ("first", "other"):
        uv.login(f"https://{HOST}", "--username", "ada", "--password", password)
        answer = agent.program.docker("get", f"https://{HOST}/simple/")
        assert answer.json()["Secret"] == password
    assert uv("auth", "logout", f"https://{HOST}", "--username", "ada").code == 0
    assert agent.call(URI).authorization is None


def test_posit_s_file(home: Home, agent: Agent) -> None:
    for token in ("one", "two"):
        home.write(
            ".ppm/tokens.toml",
            f'[[connections]]\naddress = "https://{HOST}"\ntoken = "{token}"\nauth_type = "sso"\n',
        )
        assert agent.program.docker("get", f"https://{HOST}/").json()["Secret"] == token


def test_an_item_of_the_keyring(frozen: Program, secret_service: SecretService) -> None:
    with agent_of(frozen) as agent:
        agent.warm()
        assert agent.call(URI).authorization is None
        item = {"service": "rattler", "username": HOST}
        login = '{"BasicHTTP":{"username":"ada","password":"first"}}'
        secret_service.add("made by rattler", item, login)
        assert agent.call(URI).authorization == "Basic YWRhOmZpcnN0"
        assert frozen.docker(
            "store", {"ServerURL": HOST, "Username": "ada", "Secret": "second"}
        ).code == 0  # fmt: skip
        assert agent.call(URI).authorization == "Basic YWRhOnNlY29uZA=="
        secret_service.lock()
        answer = frozen.bazel(URI)
        assert (answer.code, "locked" in answer.err) == (1, True), answer
        secret_service.unlock()
        assert agent.call(URI).authorization == "Basic YWRhOnNlY29uZA=="
        assert frozen.docker("erase", HOST).code == 0
        assert agent.call(URI).authorization is None


def test_what_docker_stores_and_erases(agent: Agent) -> None:
    login = {"ServerURL": HOST, "Username": "ada", "Secret": "s"}
    for _ in range(3):
        assert agent.program.docker("store", login).code == 0
        assert agent.program.docker("get", HOST).json()["Secret"] == "s"
        assert agent.program.docker("erase", HOST).code == 0
        assert agent.program.docker("get", HOST).code == 1
