"""Something at the agent's socket that is not the agent, or has lost its mind."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from credlatch.agent import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

NOBODY = 65_534
FALSE = b"Bearer not-yours"
ANSWER = wire.answer(0, b'{"headers":{"Authorization":["%s"]}}\n' % FALSE, b"")


class Mad:
    """One connection, and whether the test is over.

    Attributes:
        connection: the connection.
        over: set at the end of the test.
    """

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection = connection
        self.over = over

    def say(self, data: bytes) -> None:
        """Send something, whatever was asked."""
        self.connection.sendall(data)

    def read(self) -> None:
        """Take the request."""
        while len(self.connection.recv(65_536)) == 65_536:
            pass

    def linger(self) -> None:
        """Keep the connection open, and say nothing more."""
        self.over.wait()

    def repeat(self, data: bytes) -> None:
        """Say it again and again."""
        while not self.over.wait(0.1):
            self.say(data)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be another user for a moment: sockets remember who connected, and who listened."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


class FalseAgent:
    """Listens at a socket for as long as the ``with`` block.

    Args:
        path: where; what is there is replaced.
        behave: what it does with each connection, which is closed afterwards.
        nobodys: whether another user listens; for root.

    Attributes:
        asked: how many have come.
    """

    def __init__(self, path: Path, behave: Callable[[Mad], None], *, nobodys: bool = False) -> None:
        self.asked = 0
        self._behave = behave
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        if nobodys:
            path.parent.chmod(0o777)
            path.parent.parent.chmod(0o755)
            with as_nobody():
                self._listen(path)
        else:
            self._listen(path)

    def _listen(self, path: Path) -> None:
        self._listener.bind(str(path))
        self._listener.listen(100)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.asked += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._behave(Mad(connection, self._over))
            except OSError:
                return  # the client has had enough
