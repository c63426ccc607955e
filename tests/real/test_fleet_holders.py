"""Whoever renews is killed, suspended or cut off: what may be promised, and what may not."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support.family_server import FamilyServer
from support.fleet_machine import Machine, machine
from support.fleet_round import HELPERS, MACHINES, G, Round, T, ended, times
from support.openbao import Bao, alone
from support.program import TIMEOUT
from support.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with alone(tmp_path_factory.mktemp("bao")) as bao:
        bao.furnish()
        yield bao


@pytest.fixture
def server() -> Iterator[FamilyServer]:
    with FamilyServer() as server:
        yield server


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Machine]]:
    """Four, each with a home of its own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(machine(tmp_path / f"machine-{each}")) for each in range(MACHINES)
        ]


def _with_a_holder(
    this: Round, server: FamilyServer, machines: list[Machine], hold: tuple[str, str]
) -> None:
    """The first machine claims, and does to itself what is said; then the others come."""
    this.begin(machines[:1], 1, hold=hold)
    deadline = time.monotonic() + TIMEOUT
    if hold[0] == "after":
        assert server.asked.wait(TIMEOUT)
        time.sleep(server.takes + 0.3)
    while True:
        value = this.engine.read().value
        assert value is not None
        if value["claim"] is not None:
            break
        assert time.monotonic() < deadline
    this.begin(machines[1:])


def test_a_holder_killed_before_its_request_is_followed_by_one_other(
    bao: Bao, server: FamilyServer, machines: list[Machine]
) -> None:
    this = Round(bao, server, 101)
    _with_a_holder(this, server, machines, ("before", "SIGKILL"))
    answers = ended(machines[1:])
    assert (this.posts, server.reused) == (1, 0)
    this.all_are_right(answers, (MACHINES - 1) * HELPERS)
    assert times(answers)[0] >= T - 2


@pytest.mark.parametrize(("reuse", "reused"), [(0.0, 1), (120.0, 0)])
def test_a_holder_killed_after_its_request_costs_the_login_unless_the_server_has_an_interval(
    bao: Bao, server: FamilyServer, machines: list[Machine], reuse: float, reused: int
) -> None:
    server.reuse = reuse
    this = Round(bao, server, 102)
    _with_a_holder(this, server, machines, ("after", "SIGKILL"))
    answers = ended(machines[1:])
    assert (this.posts, server.reused) == (2, reused)  # and not one for each helper
    if reused:
        assert {answer.get("kind") for answer in answers} == {"LoginError"}
        assert all("log in again" in answer["error"] for answer in answers)
    else:
        this.all_are_right(answers, (MACHINES - 1) * HELPERS)


@pytest.mark.parametrize(
    ("when", "seconds", "posts", "reused"),
    [("before", T + G + 10, 1, 0), ("after", G, 1, 0), ("after", T + G + 12, 2, 1)],
)
def test_a_holder_that_is_suspended(  # noqa: PLR0913, PLR0917 - its parts
    bao: Bao, server: FamilyServer, machines: list[Machine], when: str, seconds: float, posts: int,
    reused: int,
) -> None:  # fmt: skip
    this = Round(bao, server, 103)
    _with_a_holder(this, server, machines, (when, "SIGSTOP"))
    time.sleep(seconds)
    machines[0].send(signal.SIGCONT)
    answers = ended(machines[1:])
    first = machines[0].answers()
    assert (this.posts, server.reused) == (posts, reused)
    if reused:
        assert {answer.get("kind") for answer in answers} == {"LoginError"}
    else:
        this.all_are_right(answers + first, (MACHINES - 1) * HELPERS + 1)


@pytest.mark.parametrize(("seconds", "posts", "reused"), [(G, 1, 0), (T + G + 12, 2, 1)])
def test_a_holder_that_is_cut_off_is_as_one_suspended(
    bao: Bao, server: FamilyServer, machines: list[Machine], seconds: float, posts: int,
    reused: int,
) -> None:  # fmt: skip
    """Its way to the servers is cut while it asks the token server; everybody else's is not."""
    this = Round(bao, server, 105)
    with ExitStack() as stack:
        ways = [stack.enter_context(Relay(url)) for url in bao.urls]
        machines[0].tell(**{**this.said, "urls": [way.url for way in ways]}, helpers=1)
        assert server.asked.wait(TIMEOUT)
        for way in ways:
            way.cut()
        this.begin(machines[1:])
        time.sleep(seconds)
        for way in ways:
            way.mend()
        answers = ended(machines[1:])
        first = machines[0].answers()
    assert (this.posts, server.reused) == (posts, reused)
    if reused:
        assert {answer.get("kind") for answer in answers} == {"LoginError"}
    else:
        this.all_are_right(answers + first, (MACHINES - 1) * HELPERS + 1)
