"""Starting the agent in the background, after a call that found none."""

from __future__ import annotations

import os
import sys
import time

from credlatch.agent import transport
from credlatch.system import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 3.0  # seconds after a start before another is tried: one that fails is not tried by each
FIRST = "_CREDLATCH_FIRST"  # a variable with the line of the agent's log for the call before it
_HELD = b"held by the agent\n"
_WORDS = ("credlatch", "agent", "serve")
_KEPT = ("PATH", "CREDLATCH_AGENT_IDLE") + (
    (
        *("USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "TEMP", "TMP"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC"),
    )
    if sys.platform == "win32"
    else ("HOME", "TMPDIR", "XDG_RUNTIME_DIR")
)


def start(build: str, first: Callable[[], str]) -> None:
    """Start the agent, unless it is switched off, is there, or is just being started.

    Whatever goes wrong, there is no agent, and every call is served in its own process.

    Args:
        build: which program this is.
        first: the line of its log for the call that starts it.
    """
    if os.environ.get("CREDLATCH_AGENT", "") not in {"", "on"}:
        return
    try:
        begin(build, first)
    except OSError:
        return


def begin(build: str, first: Callable[[], str], pause: float = PAUSE) -> None:
    """Start the agent, unless it is there, or is just being started.

    Raises:
        OSError: there can be none.
    """
    lock = take(build, pause)
    if lock is not None:
        try:
            _spawn(lock, first())
        finally:
            os.close(lock)


def take(build: str, pause: float = PAUSE) -> int | None:
    """The lock that an agent holds as long as it lives; None when somebody else has it.

    Raises:
        OSError: it cannot be had: the folder cannot be made, or is not ours alone.
    """
    try:
        lock = transport.locked(build)
    except BlockingIOError:
        return None
    status = os.fstat(lock)
    if not status.st_size or abs(time.time() - status.st_mtime) >= pause:
        os.write(lock, _HELD)  # and its time is that of the start
        return lock
    os.close(lock)
    return None


def _spawn(lock: int, first: str) -> None:
    transport.spawn(_WORDS, _environment(first), lock)


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
