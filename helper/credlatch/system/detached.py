"""Processes that go on by themselves."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def detached(
    work: Callable[[], object], kept: Mapping[int, int], *, own_session: bool = True
) -> None:
    """Do something in a process that nobody has to wait for, and that outlives this one.

    Args:
        work: what it does; the process ends with it.
        kept: what it has of our descriptors, by the numbers that it has them under; those of the
            standard streams that are none of these have nothing in them.
        own_session: whether what a terminal sends to us does not come to it.

    Raises:
        OSError: there can be no more processes.
    """
    child = os.fork()
    if child:
        try:  # noqa: SIM105 - contextlib is not imported for this
            os.waitpid(child, 0)
        except ChildProcessError:
            pass  # where our caller ignores SIGCHLD, nothing is left of it
        return
    try:
        if own_session:
            os.setsid()
        if os.fork() == 0:
            _keep(kept)
            os.chdir("/")
            work()
    finally:
        os._exit(0)


def _keep(kept: Mapping[int, int]) -> None:
    # First of all: one may have a stream's number, where the caller came without streams.
    for number, descriptor in kept.items():
        os.dup2(descriptor, number)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2} - set(kept):
        os.dup2(nothing, stream)
    wanted = {0, 1, 2, *kept}
    for number in wanted:
        os.set_inheritable(number, True)  # dup2 does not, when both are the same
    try:
        there = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        os.closerange(max(wanted) + 1, os.sysconf("SC_OPEN_MAX"))
        return
    for number in set(there) - wanted:  # there may be a thousand million numbers
        os.closerange(number, number + 1)
