"""Starting the agent in the background, after a call that found none."""

from __future__ import annotations

import errno
import os
import sys
import time

from credlatch.agent import place
from credlatch.system import locks, network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAUSE = 3.0  # seconds after a start before another is tried: one that fails is not tried by each
FIRST = "_CREDLATCH_FIRST"  # a variable with the line of the agent's log for the call before it
LOCK = 3  # the descriptor under which the agent inherits its lock
_KEPT = ("HOME", "PATH", "TMPDIR", "XDG_RUNTIME_DIR", "CREDLATCH_AGENT_IDLE")


def start(environ: Mapping[bytes, bytes], build: str, first: Callable[[], str]) -> None:
    """Start the agent, unless it is switched off, is there, or is just being started.

    Whatever goes wrong, there is no agent, and every call is served in its own process.

    Args:
        environ: the environment.
        build: which program this is.
        first: the line of its log for the call that starts it.
    """
    if environ.get(b"CREDLATCH_AGENT", b"") not in {b"", b"on"}:
        return
    try:
        lock = take(environ, build)
        if lock is not None:
            _spawn(lock, first())
            os.close(lock)
    except OSError:
        return


def take(environ: Mapping[bytes, bytes], build: str, pause: float = PAUSE) -> int | None:
    """The lock that an agent holds as long as it lives; None when somebody else has it.

    Raises:
        OSError: it cannot be had: the folder cannot be made, or is not ours alone.
    """
    folder = place.folder(environ, os.getuid())
    private(folder)
    try:
        lock = locks.at_once(folder + b"/%s.lock" % build.encode(), os.O_RDWR | os.O_CREAT)
    except BlockingIOError:
        return None
    status = os.fstat(lock)
    if not status.st_size or abs(time.time() - status.st_mtime) >= pause:
        os.pwrite(lock, b"held by the agent\n", 0)  # and its time is that of the start
        return lock
    os.close(lock)
    return None


def private(folder: bytes) -> None:
    """Make a folder for this user alone, or see that it is one.

    Raises:
        OSError: it cannot be made, or somebody else could put something into it.
    """
    why = ""
    if not os.path.lexists(folder):
        why = _why_not(folder)
        try:
            if not why:
                os.mkdir(folder, 0o700)
        except FileExistsError:
            pass  # another caller has been quicker
    if why or not place.is_private(folder, os.getuid()):
        raise PermissionError(errno.EPERM, why or _why_not(folder))


def _why_not(folder: bytes) -> str:
    from credlatch.agent import trouble

    return trouble.with_folder(folder, os.getuid())


def _spawn(lock: int, first: str) -> None:
    """Run the agent in a session of its own, without any descriptor of ours but the lock."""
    from credlatch.system.detached import detached

    def run() -> None:
        os.umask(0o077)
        words = ["credlatch", "agent", "serve", str(LOCK)]
        os.execve(sys.executable, words, _environment(first))  # noqa: S606 - no shell is wanted

    detached(run, {LOCK: lock})


def _environment(first: str) -> dict[str, str]:
    """What the agent needs of ours; what a caller's says comes with each call.

    No LD_LIBRARY_PATH, nor OPENSSL_CONF: libraries that a build has for itself would answer all
    others' calls.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if first:
        kept[FIRST] = first.encode("ascii", "backslashreplace").decode()
    kept |= network.handed_on(os.environ)
    # The loader must not take it for a child of this process (PyInstaller's documentation), and
    # glibc's one arena for each thread would hold on to memory.
    return {**kept, "PYINSTALLER_RESET_ENVIRONMENT": "1", "MALLOC_ARENA_MAX": "2"}
