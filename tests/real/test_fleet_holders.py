"""Whoever renews is killed, suspended or cut off: what may be promised, and what may not.

At OpenBao and at Kubernetes alike: "before" is when all has been judged and nothing is sent, "amid"
while the token server is at work, "after" when its answer has come and nobody else has it.
"""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support.family_server import FamilyServer
from support.fleet_round import (
    HELPERS,
    MACHINES,
    G,
    Round,
    T,
    ended,
    of_kubernetes,
    of_openbao,
    times,
)
from support.openbao import alone
from support.program import TIMEOUT
from support.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.fleet_machine import Machine

_LONG = T + G + 12  # seconds: the others have taken over by then


@pytest.fixture(scope="module", params=["openbao", "kubernetes"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """What makes a place for a login, at each engine in turn."""
    if request.param == "kubernetes":
        kubernetes = request.getfixturevalue("kubernetes")
        yield lambda: of_kubernetes(kubernetes)
        return
    with alone(tmp_path_factory.mktemp("bao")) as bao:
        bao.furnish()
        yield lambda: of_openbao(bao, 0)


@pytest.fixture
def server() -> Iterator[FamilyServer]:
    with FamilyServer() as server:
        yield server


@pytest.fixture
def this(engine: Any, server: FamilyServer) -> Round:
    """A login that has ended."""
    return Round(engine(), server)


def _claimed(this: Round) -> bool:
    value = this.engine.read().value
    return value is not None and value["claim"] is not None


def _with_a_holder(
    this: Round, server: FamilyServer, machines: list[Machine], when: str, what: signal.Signals
) -> None:
    """The first machine claims, and it happens to it; then the others come."""
    if when == "amid":
        server.takes = 3.0
        this.begin(machines[:1], 1)
        assert server.asked.wait(TIMEOUT)
        machines[0].send(what)
    else:
        this.begin(machines[:1], 1, hold=(when, what.name))
    if when == "after":
        assert server.asked.wait(TIMEOUT)
        time.sleep(server.takes + 0.3)
    deadline = time.monotonic() + TIMEOUT
    while not _claimed(this):
        assert time.monotonic() < deadline
    this.begin(machines[1:])


def test_a_holder_killed_before_its_request_is_followed_by_one_other(
    this: Round, server: FamilyServer, machines: list[Machine]
) -> None:
    _with_a_holder(this, server, machines, "before", signal.SIGKILL)
    answers = ended(machines[1:])
    assert (this.posts, server.reused) == (1, 0)
    this.all_are_right(answers, (MACHINES - 1) * HELPERS)
    assert times(answers)[0] >= T - 2


@pytest.mark.parametrize(
    ("when", "reuse", "reused"), [("amid", 0.0, 1), ("after", 0.0, 1), ("after", 120.0, 0)]
)
def test_a_holder_killed_once_it_has_asked_costs_the_login_unless_the_server_has_an_interval(
    this: Round, server: FamilyServer, machines: list[Machine], when: str, reuse: float,
    reused: int,
) -> None:  # fmt: skip
    server.reuse = reuse
    _with_a_holder(this, server, machines, when, signal.SIGKILL)
    answers = ended(machines[1:])
    assert (this.posts, server.reused) == (2, reused)  # and not one for each helper
    _are_told(this, answers, reused)


@pytest.mark.parametrize(
    ("when", "seconds", "posts", "reused"),
    [
        ("before", T + G + 10, 1, 0), ("amid", G, 1, 0), ("after", G, 1, 0),
        ("amid", _LONG, 2, 1), ("after", _LONG, 2, 1),
    ],
)  # fmt: skip
def test_a_holder_that_is_suspended(  # noqa: PLR0913, PLR0917 - its parts
    this: Round, server: FamilyServer, machines: list[Machine], when: str, seconds: float,
    posts: int, reused: int,
) -> None:  # fmt: skip
    _with_a_holder(this, server, machines, when, signal.SIGSTOP)
    time.sleep(seconds)
    machines[0].send(signal.SIGCONT)
    answers = ended(machines[1:])
    first = machines[0].answers()
    assert (this.posts, server.reused) == (posts, reused)
    _are_told(this, answers if reused else answers + first, reused)


@contextmanager
def _ways(this: Round) -> Iterator[tuple[dict[str, Any], list[Relay]]]:
    """The holder's own way to the engine, which can be cut."""
    with ExitStack() as stack:
        ways = [stack.enter_context(Relay(url)) for url in this.said["urls"]]
        yield {"urls": [way.url for way in ways]}, ways


@pytest.mark.parametrize(("seconds", "posts", "reused"), [(G, 1, 0), (_LONG, 2, 1)])
def test_a_holder_that_is_cut_off_is_as_one_suspended(
    this: Round, server: FamilyServer, machines: list[Machine], seconds: float, posts: int,
    reused: int,
) -> None:  # fmt: skip
    """Its way to the engine is cut while it asks the token server; everybody else's is not."""
    with _ways(this) as (said, ways):
        this.begin(machines[:1], 1, **said)
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
    _are_told(this, answers if reused else answers + first, reused)


def test_a_holder_that_is_cut_off_before_its_request_and_for_good_is_followed_by_one_other(
    this: Round, server: FamilyServer, machines: list[Machine]
) -> None:
    with _ways(this) as (said, ways):
        this.begin(machines[:1], 1, hold=("before", "SIGSTOP"), **said)
        deadline = time.monotonic() + TIMEOUT
        while not _claimed(this):
            assert time.monotonic() < deadline
        for way in ways:
            way.cut()
        time.sleep(T / 2)  # by then it is late, and asks nobody
        machines[0].send(signal.SIGCONT)
        this.begin(machines[1:])
        answers = ended(machines[1:])
    assert (this.posts, server.reused) == (1, 0)
    this.all_are_right(answers, (MACHINES - 1) * HELPERS)


def _are_told(this: Round, answers: list[dict[str, Any]], reused: int) -> None:
    """All have the good token; or where the login is lost, all are told what to do."""
    if reused:
        assert {answer.get("kind") for answer in answers} == {"LoginError"}
        assert all("log in again" in answer["error"] for answer in answers)
    else:
        this.all_are_right(answers, len(answers))
