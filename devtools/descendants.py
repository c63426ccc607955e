"""Running a command that starts daemons, and ending those that it leaves behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from devtools.steps import ROOT, run, say

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def run_and_end_all(*command: str | Path) -> int:
    """Run a command in the project's folder and give its exit status, when nothing of it runs.

    A process of the tests that crashes ends no daemon of its own. A daemon that holds our standard
    output would keep whoever reads that, as CI does, waiting for its end.
    """
    if sys.platform != "linux":
        return run(*command)
    # Whoever loses its parent below us becomes our child, also in a session of its own.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sys.stdout.flush()
    first = subprocess.Popen([*map(str, command)], cwd=ROOT)
    try:
        while True:
            ended, status = os.waitpid(-1, 0)  # tests ask whether a process is gone: none lingers
            if ended == first.pid:
                first.returncode = os.waitstatus_to_exitcode(status)
                return first.returncode
    except KeyboardInterrupt:
        first.wait()  # it has been told, too, and ends its daemons itself
        raise
    finally:
        _end_children()


def _end_children() -> None:
    """End all children, and what becomes one by that."""
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            for process, name in _children():
                say(f"ending what has been left running: {name} (process {process})")
                os.kill(process, signal.SIGKILL)
            os.waitpid(-1, 0)


def _children() -> list[tuple[int, str]]:
    """The processes and the names of those of our children that run."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            process, _, rest = file.read_text(errors="replace").partition(" (")
        except OSError:  # it has ended
            continue
        name, _, rest = rest.rpartition(") ")  # proc_pid_stat(5): a name may hold anything
        state, parent, *_ = rest.split()
        if int(parent) == os.getpid() and state != "Z":
            found.append((int(process), name))
    return found
