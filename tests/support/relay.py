"""A way to a server on loopback that can be cut."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import urllib.parse
from typing import Any, Self


class _Handler(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        relay = self.server
        try:
            onward = relay.onward()
        except OSError:
            return
        with onward:
            back = threading.Thread(target=_pump, args=(onward, self.request))
            back.start()
            _pump(self.request, onward)
            back.join()


class Relay(socketserver.ThreadingTCPServer):
    """Passes on what comes, while its ``with`` block lasts and it is not cut.

    Args:
        url: the server's.

    Attributes:
        url: where it is asked.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, url: str) -> None:
        there = urllib.parse.urlsplit(url)
        self._there = there.hostname or "", there.port or 0
        self._is_cut = False
        self._open: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"{there.scheme}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def onward(self) -> socket.socket:
        """A connection to the server; raises OSError while it is cut."""
        if self._is_cut:
            raise ConnectionRefusedError
        made = socket.create_connection(self._there)
        self._open.append(made)
        return made

    def cut(self) -> None:
        """Let nothing through any more, nor what is on its way."""
        self._is_cut = True
        for each in self._open:
            _end(each)
        self._open.clear()

    def mend(self) -> None:
        """Let new connections through again."""
        self._is_cut = False


def _pump(source: Any, target: Any) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
