"""Two hundred calls of the frozen program on four machines, each with an agent of its own.

The leader of three servers is killed while one of them renews.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support.agent import Agent, agent_of
from support.family_server import FamilyServer
from support.fleets import LOGIN, URL, configure, put_login
from support.home import Home
from support.openbao import Bao, cluster
from support.program import TIMEOUT, Program
from support.storm import Timed, at_once, bazel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MACHINES, CALLS = 4, 50


@pytest.fixture
def bao(tmp_path: Path) -> Iterator[Bao]:
    with cluster(tmp_path / "cluster") as bao:
        bao.furnish()
        yield bao


@pytest.fixture
def server() -> Iterator[FamilyServer]:
    with FamilyServer() as server:
        yield server


@pytest.fixture
def agents(bao: Bao, frozen: Program, tmp_path: Path) -> Iterator[list[Agent]]:
    """The program on four machines, where every machine may renew."""
    with ExitStack() as stack:
        made = []
        for number in range(MACHINES):
            home = Home(tmp_path / f"machine-{number}")
            home.env["CREDLATCH_TIMEOUT"] = "200"
            configure(home, bao, "renewer", "one-path = true")
            program = Program(frozen.command, home, tmp_path / f"links-{number}")
            made.append(stack.enter_context(agent_of(program)))
        yield made


@pytest.mark.parametrize("is_killed", [False, True])
def test_one_of_two_hundred_calls_renews_and_all_are_answered(
    bao: Bao, agents: list[Agent], server: FamilyServer, tmp_path: Path, is_killed: bool
) -> None:
    bao.whole()
    put_login(bao, server.family())
    bao.settled(f"fleet/data/{LOGIN}")
    for agent in agents:
        agent.warm()
    leader = bao.leader()

    def kill() -> None:
        assert server.asked.wait(TIMEOUT)
        time.sleep(0.4)
        leader.kill()

    killer = threading.Thread(target=kill)
    if is_killed:
        killer.start()

    def asked(number: int) -> list[Timed]:
        folder = tmp_path / f"calls-{number}"
        return at_once(agents[number].program, [bazel(URL)] * CALLS, folder)

    with ThreadPoolExecutor(MACHINES) as pool:
        answers = [answer for each in pool.map(asked, range(MACHINES)) for answer in each]
    if is_killed:
        killer.join()
    said = {str(each.authorization) for each in answers}
    took = sorted(each.seconds for each in answers)
    told = {"posts": len(server.posts), "p50": took[len(took) // 2], "max": took[-1]}
    print(json.dumps({"killed": is_killed, **told}))  # noqa: T201 - what a run at length is for
    assert said == {f"Bearer {token}" for token in server.good}
    assert (len(server.posts), server.reused, len(server.good)) == (1, 0, 1)
