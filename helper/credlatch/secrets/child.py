"""The command: it gets our signals, and we end as it does."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager

from credlatch.errors import SecretsError
from credlatch.system.files import reason

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# What somebody may send us and mean the command.
_PASSED_ON = frozenset(
    {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
)
# What a terminal sends to all that run in it, the command too.
_OF_TERMINALS = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT})
_TAKEN = _PASSED_ON | {signal.SIGCHLD, signal.SIGIO}
# Python ignores these, which a command would inherit.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


@contextmanager
def taken() -> Iterator[set[int]]:
    """Have signals wait until ``run`` takes them; gives what was blocked before.

    Threads that are started within the block take none either.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would leave us no exit status
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _TAKEN)
    try:
        yield {int(number) for number in before}
    finally:
        # Somebody may still open a secret's file.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        # What has come too late was for a command that has ended.
        while late := signal.sigpending() & _TAKEN:
            signal.sigwait(late)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(
    program: str,
    words: Sequence[str],
    environ: Mapping[str, str],
    blocked: set[int],
    on_io: Callable[[], None],
) -> int:
    """Run the command to its end; its exit status, or less than 0: the signal it died of.

    Args:
        program: the executable.
        words: its command line.
        environ: its environment.
        blocked: the signals that it is to have blocked.
        on_io: called whenever SIGIO has come.

    Raises:
        SecretsError: it cannot be run.
    """
    try:
        pid = os.posix_spawn(
            program, list(words), environ, setsigmask=blocked, setsigdef=_IGNORED_BY_PYTHON
        )
    except OSError as error:
        raise SecretsError(f"{program} cannot be run: {reason(error)}") from None
    while True:
        number, from_terminal = _next()
        if number == signal.SIGIO:
            on_io()
        elif number == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        elif not from_terminal:
            os.kill(pid, number)


def _next() -> tuple[int, bool]:
    """The next signal, and whether it came to the command as well."""
    if sys.platform == "linux":
        found = signal.sigwaitinfo(_TAKEN)
        by_kernel = found.si_code > 0  # sigaction(2)
        # That a terminal has gone is told to its session's leader alone.
        to_leader = found.si_signo == signal.SIGHUP and os.getsid(0) == os.getpid()
        return found.si_signo, by_kernel and not to_leader
    else:  # noqa: RET505 - the type checker sees one platform
        number = signal.sigwait(_TAKEN)
        return number, number in _OF_TERMINALS and in_foreground()


def in_foreground() -> bool:
    """Whether what is typed in a terminal comes to us, and so to the command as well."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def die_of(number: int) -> int:
    """End as the command did; the status for a shell, where that is not possible."""
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    return 128 + number
