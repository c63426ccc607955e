"""The agent renews as every process does: once among all of them, and early when it can."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.agent import agent_of
from support.logins import ENDED, FIRST, OAuthLogin, bearer
from support.storm import Call, at_once, bazel
from support.token_server import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.agent import Agent
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

MARGIN, AHEAD, WORTH = 400, 60, 30  # seconds: see docs/stores.md, and credlatch.agent.refresh_ahead
SLACK = 8  # seconds for a busy machine to note that a token is worth it
PATIENCE = 300.0  # seconds for an early renewal that is 38 s off


@pytest.fixture
def agent(frozen: Program) -> Iterator[Agent]:
    with agent_of(frozen) as started:
        started.warm()
        yield started


def test_40_callers_of_the_agent_share_one_renewal(
    agent: Agent, login: OAuthLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    login.write(ENDED)
    calls = [bazel(f"{login.uri}?{number}") for number in range(40)]
    answers = at_once(agent.program, calls, tmp_path / "storm")
    assert login.refresh_tokens() == [FIRST]
    assert {(answer.code, answer.err) for answer in answers} == {(0, "")}
    assert {bearer(answer) for answer in answers} == {token_server.current_access_token}
    assert agent.served >= 1  # on a machine that is slow, some do not wait for it


def test_callers_with_and_without_the_agent_share_one_renewal(
    agent: Agent, login: OAuthLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    login.write(ENDED)
    token_server.delay = 1.0
    one = bazel(login.uri)
    other = Call(one.args, one.stdin, {"CREDLATCH_AGENT": "off"})
    answers = at_once(agent.program, [one, other] * 10, tmp_path / "storm")
    assert login.refresh_tokens() == [FIRST]
    assert {bearer(answer) for answer in answers} == {token_server.current_access_token}


def test_a_slow_token_server_is_waited_for(
    agent: Agent, login: OAuthLogin, token_server: TokenServer
) -> None:
    # Far longer than an agent that hangs would be waited for.
    login.write(ENDED)
    token_server.delay = 3.0
    assert bearer(agent.call(login.uri)) == token_server.current_access_token


def test_a_renewal_through_another_proxy_is_left_to_the_caller(
    agent: Agent, home: Home, login: OAuthLogin, token_server: TokenServer
) -> None:
    login.write(ENDED)
    home.env["HTTPS_PROXY"] = "http://127.0.0.1:9"
    before = agent.declined
    assert bearer(agent.program.bazel(login.uri)) == token_server.current_access_token
    assert agent.declined == before + 1
    assert "left to the caller" in agent.log()[-1]
    # What needs no renewal is answered all the same.
    assert bearer(agent.call(login.uri)) == token_server.current_access_token


def test_a_failure_is_told_as_without_the_agent(
    agent: Agent, home: Home, login: OAuthLogin, token_server: TokenServer
) -> None:
    login.write(ENDED)
    token_server.fault = Fault.INVALID_GRANT
    answer = agent.call(login.uri)
    home.env["CREDLATCH_AGENT"] = "off"
    alone = agent.program.bazel(login.uri)
    assert (answer.code, answer.out) == (alone.code, alone.out) == (1, b"")
    assert answer.err == alone.err != ""


def test_a_token_in_use_is_renewed_before_anybody_has_to_wait(
    agent: Agent, login: OAuthLogin, token_server: TokenServer
) -> None:
    good = login.write(MARGIN + AHEAD + WORTH + SLACK)
    assert bearer(agent.call(login.uri)) == good
    deadline = time.monotonic() + PATIENCE
    while "renewed early" not in agent.log()[-1]:
        assert time.monotonic() < deadline, agent.log()
        time.sleep(0.2)
    assert login.refresh_tokens() == [FIRST]
    assert bearer(agent.call(login.uri)) == token_server.current_access_token
    assert login.refresh_tokens() == [FIRST]
