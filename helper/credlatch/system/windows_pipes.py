"""Named pipes of Windows, for one user of one machine; with time limits, as sockets have them.

Only Microsoft's documentation is the measure: CreateNamedPipe, "Named Pipe Security and Access
Rights", "Impersonation Levels".
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import _winapi
    import ctypes
    import errno
    import threading
    import time
    from ctypes import wintypes

    from credlatch.system import windows_users as users

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from collections.abc import Callable
        from typing import Final

    # winbase.h and winerror.h
    _REJECT_REMOTE_CLIENTS = 0x8
    _FIRST_INSTANCE = _winapi.FILE_FLAG_FIRST_PIPE_INSTANCE
    # A false server learns who calls, and cannot act as the caller.
    _IDENTIFICATION = 0x0010_0000 | 0x0001_0000  # SECURITY_SQOS_PRESENT, SECURITY_IDENTIFICATION
    _BROKEN, _NO_DATA, _BUSY, _NOT_FOUND = 109, 232, 231, 2
    WAITING: Final = 16  # instances for clients who come at once; others try again for a moment
    _BUFFER = 65_536  # bytes that the system holds in each direction
    _PAUSE = 0.005  # seconds between two tries where all instances are taken

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _server_of = _kernel32.GetNamedPipeServerProcessId
    _server_of.argtypes = (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD))
    _server_of.restype = wintypes.BOOL

    class Connection:
        """One end of a pipe; read and written as a socket is.

        Args:
            handle: the pipe's, opened for overlapped operations.
            believe: told the handle when the first bytes have come, before anybody sees them:
                raises OSError if they are not to be heard.
        """

        def __init__(self, handle: int, believe: Callable[[int], None] | None = None) -> None:
            self._handle = handle
            self._believe = believe
            self._seconds: float | None = None

        def settimeout(self, seconds: float | None) -> None:
            """How long one of the following may take; None: for ever."""
            self._seconds = seconds

        def recv(self, size: int) -> bytes:
            """Some bytes, as many as are there, up to ``size``; none when the other end has gone.

            Raises:
                TimeoutError: nothing came.
                OSError: it cannot be read, or is not to be heard.
            """
            try:
                reading, _ = _winapi.ReadFile(self._handle, size, overlapped=True)
                if not self._done(reading, self._seconds):
                    return b""
            except BrokenPipeError:
                return b""
            data = bytes(reading.getbuffer() or b"")
            if self._believe is not None:
                believe, self._believe = self._believe, None
                believe(self._handle)
            return data

        def send(self, data: bytes | memoryview) -> int:
            """Send some bytes; how many the other end, or the system, has taken.

            Raises:
                TimeoutError: none in time.
                OSError: the other end has gone.
            """
            writing, _ = _winapi.WriteFile(self._handle, data, overlapped=True)
            return self._done(writing, self._seconds)

        def sendall(self, data: bytes) -> None:
            """Send all bytes.

            Raises:
                TimeoutError: not all in time.
                OSError: the other end has gone.
            """
            view = memoryview(data)
            while view:
                view = view[self.send(view[:_BUFFER]) :]

        def _done(self, operation: _winapi.Overlapped, seconds: float | None) -> int:
            """Wait until an operation is done; how many bytes were moved."""
            if not _is_set([operation.event], seconds):
                operation.cancel()
                operation.GetOverlappedResult(True)
                raise TimeoutError(errno.ETIMEDOUT, "timed out")
            return operation.GetOverlappedResult(True)[0]

        def close(self) -> None:
            """End the connection; what was sent can still be read."""
            handle, self._handle = self._handle, 0
            if handle:
                _winapi.CloseHandle(handle)

    class Listener:
        """Waits for clients at a pipe's name: for this user's of this machine alone.

        Args:
            name: the pipe's.

        Raises:
            OSError: somebody else listens there, or it cannot be made.
        """

        def __init__(self, name: str) -> None:
            self.name = name
            self._user = users.own()
            # Its owner, and a list with that user alone: nobody else may open it, nor make another
            # instance of it.
            self._descriptor = users.Descriptor(f"O:{self._user}D:P(A;;FA;;;{self._user})")
            self._lock = threading.Lock()
            self._closed = False
            self._waiting: list[tuple[int, _winapi.Overlapped]] = []
            self._wait(_FIRST_INSTANCE)

        def _wait(self, flags: int = 0) -> None:
            """Wait for one more client.

            Raises:
                OSError: the system has nothing left for it, or the name is somebody else's.
            """
            handle = _winapi.CreateNamedPipe(
                self.name,
                _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED | flags,
                _winapi.PIPE_WAIT | _REJECT_REMOTE_CLIENTS,  # and bytes, not messages
                _winapi.PIPE_UNLIMITED_INSTANCES,
                _BUFFER,
                _BUFFER,
                0,
                self._descriptor.attributes,
            )
            try:
                coming = _winapi.ConnectNamedPipe(handle, overlapped=True)
            except BaseException as error:
                _winapi.CloseHandle(handle)
                if getattr(error, "winerror", 0) == _NO_DATA:
                    return  # a client has come, and gone again
                raise
            self._waiting.append((handle, coming))

        def accept(self, seconds: float) -> Connection | None:
            """The next client of this user's; None: nobody came in time, or has gone again.

            Raises:
                OSError: it listens no more, or the system has nothing left for one more client.
            """
            with self._lock:
                if self._closed:
                    raise OSError(errno.EBADF, "it is closed")
                while len(self._waiting) < WAITING:
                    try:
                        self._wait()
                    except OSError:
                        if self._waiting:
                            break
                        raise
                waiting = list(self._waiting)
            if not _is_set([coming.event for _, coming in waiting], seconds):
                return None
            with self._lock:
                # Those that are still there: it may have been closed meanwhile.
                come = [each for each in self._waiting if _is_set([each[1].event], 0.0)]
                if not come:
                    return None
                handle, coming = come[0]
                self._waiting.remove(come[0])
            try:
                coming.GetOverlappedResult(True)
            except OSError:
                _winapi.CloseHandle(handle)
                return None
            return Connection(handle, self._believe)

        def _believe(self, pipe: int) -> None:
            if users.of_client(pipe) != self._user:
                raise PermissionError(errno.EPERM, "another user asks")

        def is_found(self) -> bool:
            """Whether clients find it: nobody else can take its name meanwhile."""
            return not self._closed

        def withdraw(self) -> None:
            """Have nobody find it any more; for any thread."""
            self.close()

        def close(self) -> None:
            """Listen no more; connections that have begun go on. For any thread."""
            with self._lock:
                self._closed = True
                for handle, coming in self._waiting:
                    coming.cancel()
                    _winapi.CloseHandle(handle)
                self._waiting.clear()

    def connect(name: str, seconds: float) -> Connection | None:
        """A connection to the server of this user; None: there is none.

        Args:
            name: the pipe's.
            seconds: how long to wait while all its instances are taken.

        Raises:
            PermissionError: it is another user's; nothing has been sent.
            TimeoutError: all instances are taken.
            OSError: it cannot be opened.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                handle = _winapi.CreateFile(
                    name,
                    _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
                    0,
                    0,
                    _winapi.OPEN_EXISTING,
                    _winapi.FILE_FLAG_OVERLAPPED | _IDENTIFICATION,
                    0,
                )
                break
            except OSError as error:
                if error.winerror == _NOT_FOUND:
                    return None
                if error.winerror != _BUSY:
                    raise
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "timed out")
            time.sleep(_PAUSE)
        try:
            see_server(handle)
        except BaseException:
            _winapi.CloseHandle(handle)
            raise
        return Connection(handle)

    def see_server(handle: int) -> None:
        """See that both the pipe and the process that has made it are this user's.

        The process alone does not tell: it may have ended, and another one have its number. The
        pipe's owner cannot be made up; a user who is no administrator can name no other one.

        Raises:
            PermissionError: one is another user's.
            OSError: the system does not tell.
        """
        own = users.own()
        if users.of_object(handle) != own or users.of_process(server_of(handle)) != own:
            raise PermissionError(errno.EPERM, "it is another user's")

    def server_of(handle: int) -> int:
        """The process that has made a pipe.

        Raises:
            OSError: the system does not tell.
        """
        pid = wintypes.DWORD()
        if not _server_of(handle, ctypes.byref(pid)):
            raise ctypes.WinError(ctypes.get_last_error())
        return pid.value

    def _is_set(events: list[int], seconds: float | None) -> bool:
        """Whether one of some events comes in time."""
        wait = _winapi.INFINITE if seconds is None else max(0, round(seconds * 1000))
        return _winapi.WaitForMultipleObjects(events, False, wait) != _winapi.WAIT_TIMEOUT
