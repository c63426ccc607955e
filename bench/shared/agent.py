"""The agent of one home, seen from outside: whether it runs, and what it costs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.home import Home
    from support.timing import Timed

_PATIENCE = 30  # seconds in which it must have come up, or gone
_WARM = 5  # calls that it has answered before anything is measured
_MOST = 0.95  # of the calls that are measured must have been answered by it
STATUS = re.compile(r"^pid: (\d+)$.*^requests: (\d+)\b", re.MULTILINE | re.DOTALL)


class Agent:
    """An agent that calls of one program start in one home.

    Args:
        program: the form of credlatch that is called.
        home: where it is called; its runtime folder holds the socket.
    """

    def __init__(self, program: Path, home: Home) -> None:
        self._program = program
        self._home = home
        self._pid: int | None = None
        self._requests = 0

    def _say(self, word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, "agent", word],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._home.env,
            cwd=self._home.path,
            timeout=_PATIENCE,
            check=False,
        )

    def _status(self) -> tuple[int, int] | None:
        """The process that answers, and how often it has; None when there is none.

        Raises:
            RuntimeError: ``status`` fails, or does not say so.
        """
        done = self._say("status")
        if done.returncode == 1 and not done.stderr:
            return None
        found = STATUS.search(done.stdout)
        if done.returncode != 0 or found is None:
            raise RuntimeError(f"credlatch agent status: {done}")
        return int(found[1]), int(found[2])

    def warm_up(self, call: Timed) -> None:
        """Call until the agent is there, and a few times more.

        Raises:
            RuntimeError: it does not come up.
        """
        deadline = time.monotonic() + _PATIENCE
        while self._status() is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{call.name}: no agent came up within {_PATIENCE} s")
            call.output()
            time.sleep(0.05)
        for _ in range(_WARM):
            call.output()
        status = self._status()
        if status is None:
            raise RuntimeError(f"{call.name}: the agent has gone at once")
        self._pid, self._requests = status

    def check(self, calls: int) -> None:
        """Make sure that what was measured since the warming up is this agent's work.

        Raises:
            RuntimeError: it is gone, another one is there, or it has answered too few calls.
        """
        status = self._status()
        if status is None or status[0] != self._pid:
            raise RuntimeError(f"the agent was process {self._pid} and is {status}")
        answered = status[1] - self._requests
        if answered < calls * _MOST:
            raise RuntimeError(f"the agent answered {answered} of {calls} calls")

    def resident(self) -> int:
        """The bytes that it has in memory: VmRSS of proc_pid_status(5)."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        (kibibytes,) = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        return int(kibibytes) * 1024

    def cpu(self) -> float:
        """The seconds of CPU that it and its ended children have used so far: proc_pid_stat(5)."""
        after_name = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        # The fields from `state`, the third, on: utime, stime, cutime, cstime are 14 to 17.
        return sum(map(int, after_name[11:15])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it, if it runs, in whatever state it is.

        Raises:
            RuntimeError: it did not end by itself.
        """
        running = STATUS.search(self._say("status").stdout)
        if running is not None:
            self._say("stop")
        # A hung one does not say which process it is: then it is the one that was measured.
        pid = int(running[1]) if running is not None else self._pid
        deadline = time.monotonic() + _PATIENCE
        while pid is not None and _alive(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                raise RuntimeError(f"credlatch agent stop: {pid} was still there, and is killed")
            time.sleep(0.01)


def _alive(pid: int) -> bool:
    """Whether a process runs: one that nobody has waited for yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
