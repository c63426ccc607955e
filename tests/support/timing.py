"""Times programs against each other, so that what the machine does meanwhile hits all alike."""

from __future__ import annotations

import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")


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

    def __init__(self, taken: Iterable[float] = ()) -> None:
        self.all = list(taken)

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.all)

    @property
    def slowest(self) -> float:
        """What 99 of 100 do not exceed."""
        return sorted(self.all)[max(0, -(-len(self.all) * 99 // 100) - 1)]

    @property
    def spread(self) -> float:
        """How far apart the middle half of the runs is; of a single run, 0."""
        if len(self.all) == 1:
            return 0.0
        low, _, high = statistics.quantiles(self.all, n=4)
        return high - low


def turns(programs: Sequence[T], rounds: int) -> Iterator[T]:
    """All of them in turn, so many times.

    Every other round goes backwards, so that none always comes after the same one.
    """
    for turn in range(rounds):
        yield from programs if turn % 2 == 0 else reversed(programs)


def interleaved(programs: Sequence[Timed], rounds: int) -> dict[str, Times]:
    """Run all programs in turn, ``rounds`` times; each once before, to warm the caches."""
    times = {program.name: Times() for program in programs}
    for program in programs:
        program.output()
    for program in turns(programs, rounds):
        times[program.name].all.append(program.seconds())
    return times
