"""Many calls by a few callers at once, each caller a shell that makes one after the other.

As a build tool that fetches from many URLs: shells, because the test's own process would take more
time than what it starts.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.program import Program

LONG = 300.0  # seconds for all: far more than they may take

# An empty `.err` is as old as the call; `.code` is made at its end.
_CALLS = """
i=$1 step=$2 count=$3; shift 3
while [ "$i" -lt "$count" ]; do
  "$@" <"$i.in" >"$i.out" 2>"$i.err"
  echo $? >"$i.code"
  i=$((i + step))
done
"""


class Got:
    """What a call of many left behind.

    Attributes:
        code: its exit status.
        err: what it wrote to standard error.
        authorization: the one header that it answered.
        seconds: how long it took.
    """

    def __init__(self, stem: Path) -> None:
        code, err = stem.with_suffix(".code"), stem.with_suffix(".err")
        self.code = int(code.read_text())
        self.err = err.read_bytes()
        assert (self.code, self.err) == (0, b""), stem
        self.seconds = (code.stat().st_mtime_ns - err.stat().st_mtime_ns) / 1e9
        (self.authorization,) = json.loads(stem.with_suffix(".out").read_bytes())["headers"][
            "Authorization"
        ]


class Gets:
    """The calls, while they are made.

    Attributes:
        count: how many there will be.
    """

    def __init__(self, folder: Path, count: int, running: Sequence[subprocess.Popen[bytes]]):
        self.count = count
        self._folder = folder
        self._running = running

    @property
    def ended(self) -> int:
        """How many have ended so far."""
        return sum(1 for _ in self._folder.glob("*.code"))

    @property
    def are_going_on(self) -> bool:
        """Whether there are more to come."""
        return any(process.poll() is None for process in self._running)

    def all(self) -> list[Got]:
        """Wait for all of them; each has succeeded, and said nothing else."""
        for process in self._running:
            assert process.wait(LONG) == 0
        return [Got(self._folder / str(number)) for number in range(self.count)]


@contextmanager
def many(program: Program, uris: Sequence[str], callers: int, folder: Path) -> Iterator[Gets]:
    """Ask for each URI, as so many callers; none of them lives after the block."""
    folder.mkdir()
    for number, uri in enumerate(uris):
        (folder / f"{number}.in").write_text(json.dumps({"uri": uri}))
    running: list[subprocess.Popen[bytes]] = []
    try:
        for caller in range(callers):
            counts = [str(each) for each in (caller, callers, len(uris))]
            command = ["sh", "-c", _CALLS, "sh", *counts, *program.command, "get"]
            running.append(subprocess.Popen(command, env=program.home.env, cwd=folder))
        yield Gets(folder, len(uris), running)
    finally:
        for process in running:
            process.kill()
            process.wait()
