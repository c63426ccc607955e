"""A connection to the caller's own D-Bus, on which nothing waits without a limit.

jeepney alone tries to connect once, waits for the bus's greeting without a limit, and talks to
whoever listens.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from jeepney.auth import BEGIN, Authenticator
from jeepney.bus import get_bus, get_connectable_addresses
from jeepney.io.blocking import DBusConnection

from credlatch.errors import AbsentError, StoreError
from credlatch.system.keyring.failures import is_passing, text_of

if sys.platform in ("darwin", "win32"):
    raise ImportError(f"{__name__} is for systems with D-Bus")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jeepney import Message

    Left = Callable[[float], float]

OPENING = 5.0  # seconds to connect, tried again while the bus is busy; it takes a millisecond
PATIENCE = 3.0  # seconds for one answer, which takes a millisecond, too
# Seconds there are even when the call's time is over: a token that was renewed must be kept.
GRACE = 0.5
_MOST = 16 * 1024 * 1024  # bytes of one answer


def path_of(address: str) -> str | None:
    """The path in a bus's address, with a zero byte before an abstract one; None: it has none."""
    try:
        path: str = get_bus(address)
    # An address may be anything; one that is no good is refused when it is opened.
    except Exception:  # noqa: BLE001
        return None
    return path


def socket_at(address: str) -> tuple[int, int] | None:
    """Which file a bus's address leads to; None where it is no file, or there is none."""
    try:
        status = os.stat(path_of(address) or "")
    except (OSError, ValueError):  # ValueError: it begins with a zero byte, as abstract ones do
        return None
    return status.st_dev, status.st_ino


def pauses(seconds: float) -> Iterator[None]:
    """A turn for each try within that time, one in any case, at growing distances."""
    end = time.monotonic() + seconds
    pause = 0.01
    yield
    while time.monotonic() + pause < end:
        time.sleep(pause)
        yield
        pause = min(pause * 1.5, 0.2)


def connect(address: str, left: Left) -> Bus:
    """Connect to the first bus of an address that is there (D-Bus specification, "Addresses").

    Absent is what nothing listens at, or nothing can, and a bus that is not the caller's. Whatever
    else is in the way may pass: it is tried again, and then a failure.

    Args:
        address: as DBUS_SESSION_BUS_ADDRESS has it.
        left: the seconds that a step of the call may take, of as many as it is given.

    Raises:
        AbsentError: there is none.
        StoreError: there is one, and it cannot be asked.
    """
    try:
        paths = list(get_connectable_addresses(address))
    except Exception:  # noqa: BLE001 - a bad address raises whatever parsing it met
        raise _absent("it names no Unix socket") from None
    absent: AbsentError | None = None
    for path in paths:
        try:
            return _connected(path, left)
        except AbsentError as error:
            absent = absent or error
    raise absent or _absent("it is empty")


def _connected(path: str, left: Left) -> Bus:
    failure: Exception | None = None
    given = left(OPENING)
    end = time.monotonic() + given
    for _ in pauses(given):
        try:
            return Bus(path, left, end)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - jeepney's errors and OSError have no common root
            failure = error
            if not is_passing(error):
                break
    said = text_of(failure or OSError())
    if isinstance(failure, TimeoutError):
        said = "it does not answer" if given else "no time was left: this machine is busy"
    raise StoreError(
        f"the D-Bus at DBUS_SESSION_BUS_ADDRESS, and so the keyring, cannot be used ({said}): "
        "try again, restart it, or unset the variable"
    )


class Bus(DBusConnection):  # type: ignore[misc]  # jeepney is not typed
    """A connection, for one thread at a time.

    Args:
        path: the socket's; an abstract one's begins with a zero byte.
        left: as for ``connect``.
        end: on the clock of ``time.monotonic``, when it must be open.

    Raises:
        AbsentError: nothing listens there, or another user does.
        Exception: whatever jeepney and the system raise.
    """

    def __init__(self, path: str, left: Left, end: float) -> None:
        self._left: Left = lambda most: min(most, max(0.0, end - time.monotonic()))
        self._over: float | None = None
        self._socket = own = _Socket(socket.AF_UNIX)
        try:
            own.allow(end)
            _reach(own, path)
            _authenticate(own)
            super().__init__(own)  # which says hello
        except BaseException:
            own.close()
            raise
        self.serve(left)

    def serve(self, left: Left) -> None:
        """From now on it is a call's that has these seconds left."""
        self._left = left
        self._over = None

    def send_and_get_reply(self, message: Message, *, timeout: float | None = None) -> Message:
        """Send a message; the reply to it.

        Raises:
            TimeoutError: there was none in the time that the call has left.
        """
        seconds = self._seconds() if timeout is None else timeout
        self._socket.allow(time.monotonic() + seconds)
        return super().send_and_get_reply(message, timeout=seconds)

    def _seconds(self) -> float:
        left = self._left(PATIENCE)
        if left >= GRACE:
            return left
        now = time.monotonic()
        if self._over is None:
            self._over = now + GRACE
        return max(0.0, self._over - now)


class _Socket(socket.socket):
    """A socket on which nothing is awaited for longer, and no answer is longer, than allowed."""

    _end = 0.0
    _room = 0

    def allow(self, end: float) -> None:
        """Allow all that follows until ``end``, on the clock of ``time.monotonic``."""
        self._end = end
        self._room = _MOST
        self._limit()

    def _limit(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive some bytes; there is no answer that never ends."""
        self._limit()
        data = super().recv(size, flags)
        self._room -= len(data)
        if not data:
            raise ConnectionResetError("the connection has ended")
        if self._room < 0:
            raise TimeoutError
        return data


def _reach(connection: _Socket, path: str) -> None:
    try:
        connection.connect(path)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
        raise _absent(text_of(error)) from None
    except ValueError as error:  # a zero byte in its name: no file's and no socket's
        raise _absent(text_of(error)) from None
    except PermissionError:
        if _is_own(path):
            raise
        raise _absent("it is another user's") from None
    except OSError as error:
        if error.errno is None and not isinstance(error, TimeoutError):  # a name that is too long
            raise _absent(text_of(error)) from None
        raise
    # Before a word is said: who listens here would be told what is to be kept.
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    uid = int.from_bytes(credentials[4:8], sys.byteorder)  # struct ucred: pid, uid, gid
    if uid != os.geteuid():
        raise _absent(f"it is another user's, {uid}, and gets nothing of yours")


def _is_own(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except (OSError, ValueError):
        return False  # in a folder that is closed to the caller


def _authenticate(connection: _Socket) -> None:
    conversation = Authenticator()
    for line in conversation:
        connection.sendall(line)
        conversation.feed(connection.recv(1024))
    connection.sendall(BEGIN)


def _absent(said: str) -> AbsentError:
    return AbsentError(
        f"no D-Bus of yours answers at DBUS_SESSION_BUS_ADDRESS ({said}): "
        "going on without the keyring"
    )
