"""Calls of the program that are killed at a random moment, and what a kill left behind."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import pytest

from support.home import Home
from support.program import TIMEOUT, Answer, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from support.storm import Call

SEED = 1843
WORKERS = 2  # as many as there are cores on a small machine
MOST = 100  # calls of each: far more than it takes until kills have fallen before and after
SPANS = ((0.0, 0.3), (0.0, 1.1), (0.7, 1.1))  # of a call's life: in turn early, at any time, late
KILLED = -signal.SIGKILL


class Phase(Enum):
    """Where in a call's life a kill fell, by what it left."""

    BEFORE = "the old content was in place"
    AFTER = "the new content was in place"
    ENDED = "too late: the call had ended"


class Killer:
    """Calls the program in a home of its own, and kills it.

    Attributes:
        number: which of the killers it is.
        home: where it is called.
        random: the same at every run of the test.
        phases: how many kills fell where.
    """

    def __init__(self, folder: Path, tmp_path: Path, number: int) -> None:
        self.number = number
        self.home = Home(tmp_path / f"home-{number}")
        self.random = random.Random(SEED + number)  # noqa: S311 - to be repeated, not to be secret
        self.phases: Counter[Phase] = Counter()
        self._program = Program([str(folder)], self.home, tmp_path / f"links-{number}")
        self._lives: deque[float] = deque(maxlen=5)

    @property
    def kills(self) -> int:
        """How many calls have been killed before they ended."""
        return self.phases.total() - self.phases[Phase.ENDED]

    def calibrate(self, calls: Iterable[Call]) -> None:
        """See how long calls take that nobody kills."""
        for call in calls:
            begin = time.monotonic()
            answer = self.call(call)
            assert answer.code == 0, answer
            self._lives.append(time.monotonic() - begin)

    @property
    def _life(self) -> float:
        return statistics.median(self._lives)

    def kill(self, call: Call, store: Path, changed: Callable[[], bool]) -> Phase:
        """Make a call, kill it somewhere in its life or a little later, and see what it left.

        Args:
            call: the call.
            store: the file that it writes.
            changed: looks into that file; it must be whole, as it was or as it shall be.
        """
        delay = self.random.uniform(*SPANS[self.phases.total() % len(SPANS)]) * self._life
        begin = time.monotonic()
        answer = self.call(call, delay)
        # A machine is slow and quick by turns: a life is as long as the last few that were seen.
        if answer.code == 0 or delay > self._life:
            self._lives.append(time.monotonic() - begin)
        assert answer.code in {0, KILLED}, answer
        new = changed()
        _beside(store)
        if answer.code == 0:
            assert new, "the call succeeded, and its result is not there"
            phase = Phase.ENDED
        else:
            phase = Phase.AFTER if new else Phase.BEFORE
        self.phases[phase] += 1
        return phase

    def call(self, call: Call, seconds: float = TIMEOUT) -> Answer:
        """Make a call that has so many seconds to live."""
        with subprocess.Popen(
            [*self._program.command, *call.args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.home.env,
            cwd=self.home.path,
        ) as process:
            try:
                out, err = process.communicate(call.stdin, seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
            return Answer(process.returncode, out, err.decode())


def _beside(store: Path) -> dict[str, int]:
    """What lies beside a store, its lock and its notes: nothing, or what a killed writer left."""
    ours = {f"{name}.{end}" for name in (store.name, store.stem) for end in ("lock", "renewals")}
    ours |= {f".{name}.credlatch" for name in ours}
    found = {
        entry.name: entry.stat().st_mtime_ns
        for entry in os.scandir(store.parent)
        if entry.name not in {store.name, *ours}
    }
    assert len(found) <= 1, f"temporary files pile up: {sorted(found)}"
    return found


def tidy(store: Path) -> bool:
    """Whether nothing lies beside a store but its lock and its notes."""
    return not _beside(store)


def notes_of(store: Path) -> Path:
    """Where it is noted what became of renewals."""
    return store.with_name(f"{store.name}.renewals")


class Hunt(Protocol):
    """What one killer does in its home."""

    def play(self, number: int) -> bool:
        """Make and kill the call of one round; whether it has shown all that a kill may do."""

    def finish(self) -> None:
        """Look at what all the kills have left."""


def hunt(folder: Path, tmp_path: Path, kills: int, prepare: Callable[[Killer], Hunt]) -> None:
    """Let several killers work at once until kills enough have fallen, before a write and after.

    Args:
        folder: the program.
        tmp_path: where each gets a home.
        kills: how many each makes at least.
        prepare: fills a killer's home.
    """
    shown: list[bool] = []
    phases: Counter[Phase] = Counter()

    def one(killer: Killer) -> None:
        mine = prepare(killer)
        for number in range(MOST):
            shown.append(mine.play(number))
            phases.update(killer.phases)
            # After a write there is little left of a life: what comes too late shows as much.
            late = phases[Phase.AFTER] + phases[Phase.ENDED]
            if killer.kills >= kills and any(shown) and phases[Phase.BEFORE] and late:
                break
        else:
            pytest.fail(f"{MOST} calls have not shown all: {phases}")
        mine.finish()

    killers = [Killer(folder, tmp_path, number) for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, killers))
