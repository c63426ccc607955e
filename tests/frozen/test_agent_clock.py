"""The wall clock jumps while an agent runs: logins live on, and it does no more than before."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.agent import agent_of
from support.logins import ENDED, bearer, claims
from support.surroundings import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent
    from support.logins import Login
    from support.program import Program
    from support.token_server import TokenServer

MONTH = 30 * 86_400  # seconds
JUMPS = (MONTH, 0, -MONTH, 0, MONTH, -MONTH, 0)  # what the clock says more
CALLS = 3  # after each
IDLE = 1.0  # seconds in which nobody asks
BUSY = 0.3  # seconds of CPU in them: an agent that waits needs none


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The agent's."""
    return Clock(tmp_path / "clock")


@pytest.fixture
def agent(frozen: Program, clock: Clock) -> Iterator[Agent]:
    """An agent whose clock can be set. Its callers' is right: they only ask."""
    with agent_of(frozen) as agent:
        nothing = subprocess.DEVNULL
        with subprocess.Popen(
            [*frozen.command, "agent", "serve"],
            env={**frozen.home.env, **clock.environ},
            cwd=frozen.home.path,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
        ) as process:
            try:
                agent.up()
                yield agent
            finally:
                process.kill()


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_a_clock_that_jumps_by_a_month_costs_no_login_and_no_work(
    agent: Agent, clock: Clock, each_login: Login, token_server: TokenServer
) -> None:
    each_login.write(ENDED)
    agent.call(each_login.uri)
    for jump in JUMPS:
        clock.set(jump)
        renewed = len(each_login.refresh_tokens())
        for _ in range(CALLS):
            answer = agent.call(each_login.uri)
            if answer.code != 0:  # what the server gives is over by such a clock
                assert jump > 0
                assert "is this machine's clock right?" in answer.err
            elif jump == 0:
                assert claims(bearer(answer))["exp"] > time.time()
        assert len(each_login.refresh_tokens()) <= renewed + 1
        pid = agent.up()
        before = cpu(pid)
        time.sleep(IDLE / len(JUMPS))
        assert cpu(pid) - before < BUSY
    assert not token_server.replayed
    assert each_login.kept()[1] not in each_login.refresh_tokens()
