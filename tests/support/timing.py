"""Times programs against each other, so that what the machine does meanwhile hits all alike."""

from __future__ import annotations

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

    def output(self) -> bytes:
        """Run it once; what it prints.

        Raises:
            RuntimeError: it fails.
        """
        done = subprocess.run(
            [str(word) for word in self.command],
            input=self.stdin,
            capture_output=True,
            env=dict(self.env) if self.env is not None else None,
            cwd=self.cwd,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} ends with {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def seconds(self) -> float:
        """Run it once; how long that takes."""
        begin = time.perf_counter()
        self.output()
        return time.perf_counter() - begin


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


def interleaved(programs: Sequence[Timed], rounds: int) -> dict[str, Times]:
    """Run all programs in turn, ``rounds`` times; each once before, to warm the caches."""
    times = {program.name: Times() for program in programs}
    for program in programs:
        program.output()
    for turn in range(rounds):
        # Every other round backwards: none always comes after the same one.
        for program in programs if turn % 2 == 0 else reversed(programs):
            times[program.name].all.append(program.seconds())
    return times
