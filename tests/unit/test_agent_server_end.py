"""When the agent ends: not while somebody waits, and not without what it has begun."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from credlatch.agent import server, wire
from support.serving import LONG, PATIENCE, Running, echo, rest, running, waiting


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)


def test_it_ends_when_nobody_asks() -> None:
    with running(echo, idle=0.2) as it:
        assert it.has_ended()


def test_who_looks_at_its_state_does_not_keep_it() -> None:
    left = []
    with running(echo, idle=0.5) as it:
        try:
            while it.ask(what=wire.STATUS):
                left.append(it.server.idle_left)
        except OSError:
            pass  # between its end and that of its socket
        assert it.has_ended()
    assert left == sorted(left, key=lambda each: -(each or 0.0))


def test_who_asks_keeps_it_and_who_waits_too() -> None:
    go = threading.Event()
    with running(waiting(go), idle=0.2) as it, it.connect() as slow:
        slow.sendall(wire.request(wire.GET, b"slow"))
        assert slow.recv(1) == wire.PULSE
        time.sleep(0.5)
        assert it.thread.is_alive()
        assert (it.server.idle_left or 0.0) == 0.0
        go.set()
        assert b"Gslow" in rest(slow)
        assert it.has_ended()


def test_without_a_limit_it_never_ends_of_itself() -> None:
    with running(echo) as it:
        assert it.server.idle_left is None
        assert it.ask() == wire.answer(0, b"G", b"")
        assert it.thread.is_alive()


def test_chores_are_done_when_they_want_to_be() -> None:
    times: list[float] = []

    def chores() -> float | None:
        times.append(time.monotonic())
        return 0.1 if len(times) < 5 else None

    with running(echo, chores=chores) as it:
        assert it.has_ended()
    assert len(times) == 5
    assert all(after - before >= 0.1 for before, after in pairwise(times))


def test_work_of_its_own_is_waited_for() -> None:
    here, begun, go, done = (threading.Event() for _ in range(4))

    def work() -> None:
        assert go.wait(PATIENCE)
        done.set()

    def chores() -> float:
        if not begun.is_set():
            assert here.wait(PATIENCE)
            it.server.do(work)
            begun.set()
        return LONG

    with running(echo, idle=0.1, chores=chores) as it:
        here.set()
        assert begun.wait(PATIENCE)
        time.sleep(0.3)
        assert it.thread.is_alive()  # though it is idle
        it.stop()
        time.sleep(0.1)
        assert it.thread.is_alive()
        go.set()
        assert it.has_ended()
    assert done.is_set()


def can_connect(it: Running) -> bool:
    try:
        it.connect().close()
    except ConnectionError:
        return False
    return True


def test_at_the_end_what_has_been_asked_is_answered_and_nothing_more() -> None:
    go = threading.Event()
    with running(waiting(go)) as it, it.connect() as slow:
        slow.sendall(wire.request(wire.GET, b"slow"))
        assert slow.recv(1) == wire.PULSE
        it.stop()
        deadline = time.monotonic() + PATIENCE
        while can_connect(it):
            assert time.monotonic() < deadline
        for _ in range(3):
            assert slow.recv(1) == wire.PULSE
        go.set()
        assert b"Gslow" in rest(slow)
        assert it.has_ended()


def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LAST", 0.1)
    go = threading.Event()

    def work() -> None:
        go.wait(PATIENCE)

    with running(echo) as it:
        it.server.do(work)
        it.stop()
        assert it.has_ended()
        go.set()
