"""Times programs against each other, so that what the machine does meanwhile hits all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Timed:
    """One program to be timed.

    Attributes:
        name: what the table calls it.
        command: the words that start it.
        stdin: what it reads.
        env: its whole environment; None: ours.
        cwd: where it runs; None: here.
    """

    name: str
    command: Sequence[str | Path]
    stdin: bytes = b""
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    status: int = 0


class Times:
    """The seconds that the runs of one program took."""

    def __init__(self) -> None:
        self.all: list[float] = []

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.all)

    @property
    def spread(self) -> float:
        """How far apart the middle half of the runs is."""
        low, _, high = statistics.quantiles(self.all, n=4)
        return high - low


def once(what: Timed) -> float:
    """Run a program once, from its start to its end."""
    env = dict(what.env) if what.env is not None else dict(os.environ)
    words = [str(word) for word in what.command]
    begin = time.perf_counter()
    done = subprocess.run(
        words, input=what.stdin, capture_output=True, env=env, cwd=what.cwd, timeout=60, check=False
    )
    took = time.perf_counter() - begin
    if done.returncode != what.status:
        raise RuntimeError(f"{what.name}: exit status {done.returncode}: {done.stderr.decode()}")
    return took


def interleaved(programs: Sequence[Timed], rounds: int) -> dict[str, Times]:
    """Run all programs in turn, ``rounds`` times; each once before, to warm the caches."""
    times = {program.name: Times() for program in programs}
    for program in programs:
        once(program)
    for turn in range(rounds):
        # Every other round backwards: none always comes after the same one.
        for program in programs if turn % 2 == 0 else reversed(programs):
            times[program.name].all.append(once(program))
    return times
