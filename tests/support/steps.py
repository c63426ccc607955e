"""A program's system calls on the files of one folder, one by one (strace).

They are listed in a first run; then each of many runs has something happen at one of them: the
process is killed, or the call fails.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.components import need
from support.program import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.program import Answer, Program
    from support.storm import Call

# Not --seccomp-bpf: with it nothing is injected.
_STRACE = ("-f", "-qq", "-e", "signal=none")
_CALLS = {"openat", "mkdir", "mkdirat", "flock", "write", "ftruncate", "fallocate", "fsync"}
_CALLS |= {"rename", "renameat", "renameat2", "unlink", "unlinkat", "chmod", "fchmod", "link"}
_LIST = ("-y", "-e", f"trace={','.join(f'?{name}' for name in sorted(_CALLS))}")
_LINE = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One system call of a run.

    Attributes:
        name: which call.
        number: the how manieth of that name in its thread.
        text: what it was about, for a person.
    """

    name: str
    number: int
    text: str

    @property
    def changes(self) -> bool:
        """Whether it did anything: a kill between two that do is a kill at the second."""
        return "O_RDONLY" not in self.text and ") = -1 E" not in self.text


class Stepper:
    """Runs one call of the program under strace.

    Args:
        program: what is run.
        call: with which arguments and input.
        log: where strace writes.
    """

    def __init__(self, program: Program, call: Call, log: Path) -> None:
        self._program = program
        self._call = call
        self._log = log
        self._strace = need("strace")

    def steps(self, folders: Sequence[Path]) -> list[Step]:
        """Run it undisturbed, and list its system calls that open or change what is in the folders.

        Each later run must find what this one found, or the numbers are others.
        """
        done = self._run(*_LIST)
        assert done.code == 0, done
        said = self._log.read_text(errors="replace")
        seen: Counter[tuple[str, str]] = Counter()  # as strace counts: in each thread
        found = []
        for line in _LINE.finditer(said):
            call = (line["thread"], line["name"])
            seen[call] += 1
            if any(str(folder) in line["rest"] for folder in folders):
                found.append(Step(line["name"], seen[call], line["rest"]))
        return found

    def kill_at(self, step: Step) -> Answer:
        """Run it again, and kill it when it comes to a system call."""
        return self._inject(step, "signal=SIGKILL")

    def fail_at(self, step: Step, error: str) -> Answer:
        """Run it again, and let one system call fail."""
        return self._inject(step, f"error={error}")

    def _inject(self, step: Step, what: str) -> Answer:
        inject = f"inject={step.name}:{what}:when={step.number}"
        return self._run("-e", f"trace={step.name}", "-e", inject)

    def _run(self, *options: str) -> Answer:
        words = [self._strace, *_STRACE, "-o", str(self._log), *options, "--"]
        words += [*self._program.command, *self._call.args]
        return run(self._program.home, words, self._call.stdin)
