"""A server on loopback that answers with bytes of a test's own, however wrong they are."""

from __future__ import annotations

import itertools
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAUSE = 0.1  # seconds between the pieces of an answer: slow, and never silent


class RawServer:
    """Reads the head of each request, answers, and hangs up; running while its block does.

    Args:
        pieces: the answer; one that comes in several pieces comes slowly, and one that never ends
            is sent until the client hangs up.

    Attributes:
        heads: the requests, each up to the empty line.
    """

    def __init__(self, *pieces: bytes) -> None:
        self.heads: list[bytes] = []
        self._pieces: Iterable[bytes] = pieces
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve)

    def then_for_ever(self, piece: bytes) -> Self:
        """Go on with the same piece without end."""
        self._pieces = itertools.chain(self._pieces, itertools.repeat(piece))
        return self

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                connection = self._socket.accept()[0]
            except OSError:  # told to stop
                return
            with connection:
                try:
                    self._answer(connection)
                except OSError:  # the client hung up
                    continue

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65_536)
            if not received:
                return
            request += received
        self.heads.append(request.partition(b"\r\n\r\n")[0])
        for piece in self._pieces:
            connection.sendall(piece)
            if self._stopping.wait(_PAUSE):
                return
