"""Many callers at once, and an agent that is just starting, killed again and again, or hangs."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from support import storm
from support.agent import until
from support.gets import many
from support.program import IN_TIME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.agent import Agent
    from support.gets import Gets
    from support.home import Home

HOSTS = 40
CALLERS = 16
SEED = 1849
STARTERS = 100
STORM = 600  # calls: the agent answers hundreds a second, and something has to happen meanwhile
SOON = 9.0  # seconds: less than a call takes that waits for its agent to the end


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({f"h{n}.example": {"BearerToken": f"token-{n}"} for n in range(HOSTS)})


def uris(count: int) -> list[str]:
    return [f"https://h{n % HOSTS}.example/packages/{n}" for n in range(count)]


def token(number: int) -> str:
    return f"Bearer token-{number % HOSTS}"


def test_many_starters_at_once_end_with_one_agent(agent: Agent, tmp_path: Path) -> None:
    calls = [storm.bazel(uri) for uri in uris(STARTERS)]
    answers = storm.at_once(agent.program, calls, tmp_path / "storm")
    assert [answer.authorization for answer in answers] == [token(n) for n in range(STARTERS)]
    assert {answer.err for answer in answers} == {""}
    pid = agent.up()
    assert agent.everywhere() == {pid}
    assert {path.suffix for path in agent.folder.iterdir()} == {".sock", ".lock"}
    assert agent.call(uris(1)[0]).authorization == token(0)


def test_while_one_is_starting_nobody_starts_another(agent: Agent) -> None:
    agent.warm()
    agent.kill()
    agent.may_start()
    with agent.lock.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as an agent that does not listen yet
        for uri in uris(3):
            assert agent.program.bazel(uri).code == 0
            assert agent.everywhere() == set()
    assert agent.program.bazel(uris(1)[0]).code == 0
    agent.up()


def test_one_that_could_not_start_is_not_tried_again_by_every_call(agent: Agent) -> None:
    pid = agent.warm()
    os.kill(pid, signal.SIGKILL)
    agent.gone()
    os.utime(agent.lock)  # it was started just now
    for uri in uris(3):
        assert agent.program.bazel(uri).code == 0
        assert agent.everywhere() == set()
    os.utime(agent.lock, (time.time() + 900, time.time() + 900))  # the clock was set back
    agent.program.bazel(uris(1)[0])
    agent.up()


def _served(agent: Agent, gets: Gets, count: int) -> Callable[[], bool | None]:
    """Whether it has answered that many; or nobody will ask it."""
    return lambda: agent.calls >= count or not gets.are_going_on or None


def test_killed_at_random_again_and_again_nobody_notices(agent: Agent, tmp_path: Path) -> None:
    dice = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    kills: set[int] = set()
    served = 0
    agent.warm()
    with many(agent.program, uris(STORM), CALLERS, tmp_path / "calls") as gets:
        while gets.are_going_on:
            time.sleep(dice.uniform(0.01, 0.05))  # it may be answering, or coming up, or hidden
            if dice.random() < 0.5:
                until(_served(agent, gets, dice.randint(1, 20)), "calls that it answers")
            served += agent.calls
            for pid in agent.everywhere():
                os.kill(pid, signal.SIGKILL)
                kills.add(pid)
            agent.may_start()
        got = gets.all()
    assert [each.authorization for each in got] == [token(n) for n in range(STORM)]
    assert len(kills) >= 3
    assert served >= 10


def test_stopped_meanwhile_each_call_is_answered_soon(agent: Agent, tmp_path: Path) -> None:
    agent.warm()
    with many(agent.program, uris(STORM), CALLERS // 2, tmp_path / "calls") as gets:
        until(lambda: gets.ended >= 30 or None, "calls that it answers")
        with agent.stopped():
            stopped_at = gets.ended
            until(lambda: gets.ended >= stopped_at + 80 or None, "calls while it hangs")
        got = gets.all()
    assert [each.authorization for each in got] == [token(n) for n in range(STORM)]
    waited = sorted(each.seconds for each in got)[-80:]
    assert 0.5 < waited[-1] < IN_TIME  # some had waited for it
    # Not the slowest of them, which says how busy this machine is.
    assert statistics.median(waited) < SOON
    assert agent.call(uris(1)[0]).authorization == token(0)  # and it goes on as before
