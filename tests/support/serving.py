"""The agent's server in a thread, and its clients."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from credlatch.agent import wire
from credlatch.agent.by_socket import SocketListener
from credlatch.agent.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    Answer = Callable[[bytes, list[bytes]], bytes]

PATIENCE = 90.0  # seconds after which a test fails
LONG = 1e9  # seconds that are never over


def rest(connection: socket.socket) -> bytes:
    """All that is still sent."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


class Running:
    """A server in a thread.

    Attributes:
        server: the server.
        thread: in which it runs.
    """

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self._path = path
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.server.run()
        self.server.finish()

    def connect(self) -> socket.socket:
        """A connection.

        Raises:
            OSError: it takes none.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    def ask(self, *fields: bytes, what: bytes = wire.GET) -> bytes:
        """All that is sent back, without the signs of life of a busy machine."""
        return self.tell(wire.request(what, *fields)).lstrip(wire.PULSE)

    def tell(self, data: bytes, *, end: bool = False) -> bytes:
        """All that is sent back, whatever was sent; ``end``: and nothing more will be."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
                if end:
                    connection.shutdown(socket.SHUT_WR)
                return rest(connection)
            except ConnectionError:
                return b""

    def stop(self) -> None:
        """Ask it to end."""
        self.server.stop()
        with suppress(OSError):
            self.connect().close()  # it sees that when something happens

    def has_ended(self) -> bool:
        """Whether it does so before long."""
        self.thread.join(PATIENCE)
        return not self.thread.is_alive()


@contextmanager
def running(
    answer: Answer,
    *,
    idle: float | None = None,
    chores: Callable[[], float | None] = lambda: LONG,
    uids: Collection[int] | None = None,
    use: bytes = wire.GET,
) -> Iterator[Running]:
    """A server for as long as the block; the arguments are Server's."""
    # Not below pytest's folder: the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="credlatch-", dir="/tmp") as folder:
        path = Path(folder) / "a.sock"
        mine = {os.getuid()} if uids is None else uids
        listener = SocketListener(os.fsencode(path), mine)
        made = Server(listener, answer, idle, chores, use)
        it = Running(made, path)
        try:
            yield it
        finally:
            it.stop()
            it.thread.join(PATIENCE)
            assert not it.thread.is_alive()


def echo(asks_for: bytes, fields: list[bytes]) -> bytes:
    """Answers with what it was asked."""
    return wire.answer(0, asks_for + b"".join(fields), b"")


def waiting(go: threading.Event) -> Answer:
    """Answers with what it was asked, when it may; at once when it was asked nothing."""

    def answer(asks_for: bytes, fields: list[bytes]) -> bytes:
        if fields:
            assert go.wait(PATIENCE)
        return echo(asks_for, fields)

    return answer
