"""The agent's socket: in a folder that only its user can enter. Not on Windows."""

from __future__ import annotations

import errno
import os
import sys

from credlatch.agent import place
from credlatch.errors import AgentError
from credlatch.system import locks

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Collection, Mapping, Sequence

    from credlatch.agent.transport import Connection

END_IT = "end it: pkill -f 'credlatch agent serve'"
PATIENCE = 1.0  # seconds to connect
LOCK = 3  # the descriptor under which the agent inherits its lock
BACKLOG = 1_024  # connections that wait to be accepted: a storm of callers comes at once


class SocketListener:
    """Listens at a socket, where one that a dead process left may be.

    It appears there when it listens already: nobody ever finds it deaf.

    Args:
        path: the socket's.
        uids: the users who may ask.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: bytes, uids: Collection[int]) -> None:
        self._path = path
        self._uids = uids
        self._socket = _listening(path)
        self._identity = identity(path)

    @property
    def name(self) -> str:
        """The path."""
        return os.fsdecode(self._path)

    def accept(self, seconds: float) -> socket.socket | None:
        """The next caller; None: nobody came in time, or another user.

        Raises:
            OSError: there are no descriptors left, or it is closed.
        """
        self._socket.settimeout(seconds)
        try:
            connection = self._socket.accept()[0]
        except TimeoutError:
            return None
        try:
            if place.uid_of(connection) in self._uids:
                return connection
        except OSError:
            pass
        _close(connection)
        return None

    def is_found(self) -> bool:
        """Whether the socket at its path is still this one."""
        return identity(self._path) == self._identity

    def withdraw(self) -> None:
        """Remove the socket, unless another one is there by now.

        Whatever the system says: one that stays is deaf soon, and the next agent takes its place.
        """
        try:
            if self.is_found():
                unlink(self._path)
        except OSError:
            pass

    def close(self) -> None:
        """Listen no more."""
        _close(self._socket)


def listen(build: str) -> SocketListener:
    """The agent's own.

    Raises:
        OSError: it cannot be made.
    """
    return SocketListener(place.socket(os.environb, os.getuid(), build), {os.getuid()})


def connect(build: str, seconds: float) -> Connection | None:
    """A connection to this user's agent; None: there is none.

    Args:
        build: whose agent.
        seconds: its time limit.

    Raises:
        AgentError: it is not to be believed; nothing has been sent.
        OSError: it does not answer.
    """
    import socket

    path = place.socket(os.environb, os.getuid(), build)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        _see(path, None)
        connection.connect(path)
        _see(path, connection)
    except (FileNotFoundError, ConnectionRefusedError):
        _close(connection)
        return None
    except BaseException:
        _close(connection)
        raise
    return connection


def _close(connection: Connection) -> None:
    """Let go of it: that is done whatever the system says (close(2))."""
    try:  # noqa: SIM105 - the call that starts an agent imports no contextlib
        connection.close()
    except OSError:
        pass


def _see(path: bytes, connection: socket.socket | None) -> None:
    """See that a socket, or who answers there, is this user's.

    Raises:
        AgentError: it is not.
        OSError: there is none.
    """
    if connection is None and not place.is_own_socket(path, os.getuid()):
        why = _why_not(os.path.dirname(path))
        raise AgentError(why or f"{os.fsdecode(path)} is no socket of yours: remove it")
    if connection is not None and place.uid_of(connection) != os.getuid():
        raise AgentError(f"{os.fsdecode(path)} is answered by another user: remove it")


def listens(build: str) -> bool:
    """Whether somebody listens.

    Raises:
        AgentError: who is not to be believed, or it cannot be told.
    """
    from credlatch.system.files import reason

    try:
        connection = connect(build, PATIENCE)
    except (TimeoutError, BlockingIOError, ConnectionError):
        return True  # and does not answer
    except OSError as error:
        why = why_not() or reason(error)
        raise AgentError(f"whether an agent is running cannot be told: {why}") from None
    if connection is not None:
        _close(connection)
    return connection is not None


def locked(build: str) -> int:
    """The descriptor of the lock that an agent holds as long as it lives.

    Raises:
        BlockingIOError: somebody else has it.
        OSError: it cannot be had: the folder cannot be made, or is not ours alone.
    """
    folder = place.folder(os.environb, os.getuid())
    private(folder)
    return locks.at_once(folder + b"/%s.lock" % build.encode(), os.O_RDWR | os.O_CREAT)


def inherited(word: str) -> int | None:
    """The descriptor of that lock, which the starter has handed on; None: the word is none."""
    return LOCK if word == str(LOCK) else None


def spawn(words: Sequence[str], environ: Mapping[str, str], lock: int) -> None:
    """Run this program in a session of its own, without any descriptor of ours but the lock.

    Raises:
        OSError: there can be no more processes.
    """
    from credlatch.system.detached import detached

    def run() -> None:
        os.umask(0o077)
        os.execve(sys.executable, [*words, str(LOCK)], environ)  # noqa: S606 - no shell is wanted

    detached(run, {LOCK: lock})


def namespace() -> bytes:
    """Where paths lead."""
    return place.mount_namespace()


def why_not() -> str:
    """Why there can be no agent, in words for a person; empty where there can."""
    return _why_not(place.folder(os.environb, os.getuid()))


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


def _listening(path: bytes) -> socket.socket:
    import socket

    aside = path + b".new"
    unlink(aside)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mask = os.umask(0o077)
        try:
            listener.bind(aside)
        finally:
            os.umask(mask)
        listener.listen(BACKLOG)
        os.rename(aside, path)
    except BaseException:
        listener.close()
        raise
    return listener


def unlink(path: bytes) -> None:
    """Remove a socket that may not be there."""
    try:  # noqa: SIM105 - as short as the other
        os.unlink(path)
    except FileNotFoundError:
        pass


def identity(path: bytes) -> tuple[int, int] | None:
    """Which file is at ``path``, to be told from a later one; None: there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
