"""A program's system calls on the files of one folder, one by one (strace).

They are listed in a first run; then each of many runs has something happen at one of them: the
process is killed, or the call fails.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.components import need
from support.program import PATIENT, TIMEOUT, Answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.program import Program
    from support.storm import Call

# Not --seccomp-bpf: with it nothing is injected.
_TRACE = ("-f", "-qq", "-y", "-e", "signal=none", "-e", "trace=%file,%desc")
# What changes something; a kill between two of these is a kill at the second.
_CHANGES = {"openat", "mkdir", "mkdirat", "flock", "write", "ftruncate", "fallocate", "fsync"}
_CHANGES |= {"rename", "renameat", "renameat2", "unlink", "unlinkat", "chmod", "fchmod", "link"}
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
        """Run it undisturbed, and list its system calls that change what is in the folders.

        Each later run must find what this one found, or the numbers are others.
        """
        done = self._run()
        assert done.code == 0, done
        said = self._log.read_text(errors="replace")
        seen: Counter[tuple[str, str]] = Counter()  # as strace counts: in each thread
        found = []
        for line in _LINE.finditer(said):
            call = (line["thread"], line["name"])
            seen[call] += 1
            here = any(str(folder) in line["rest"] for folder in folders)
            if here and line["name"] in _CHANGES:
                found.append(Step(line["name"], seen[call], line["rest"]))
        return found

    def kill_at(self, step: Step) -> Answer:
        """Run it again, and kill it when it comes to a system call."""
        return self._run("-e", f"inject={step.name}:signal=SIGKILL:when={step.number}")

    def fail_at(self, step: Step, error: str) -> Answer:
        """Run it again, and let one system call fail."""
        return self._run("-e", f"inject={step.name}:error={error}:when={step.number}")

    def _run(self, *inject: str) -> Answer:
        return Answer(
            subprocess.run(
                [
                    *(self._strace, *_TRACE, "-o", str(self._log), *inject, "--"),
                    *self._program.command,
                    *self._call.args,
                ],
                input=self._call.stdin,
                capture_output=True,
                env={**PATIENT, **self._program.home.env},
                cwd=self._program.home.path,
                timeout=TIMEOUT,
                check=False,
            )
        )
