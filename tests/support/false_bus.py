"""A D-Bus with a Secret Service on it, which answers as real ones do, and fails as it is told."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from jeepney import DBusAddress, HeaderFields, Message, Parser, new_error, new_method_return
from jeepney.wrappers import new_signal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENT = "says nothing"
HANGS_UP = "hangs up"
FLOODS = "sends signals without end"
TRICKLES = "sends a greeting that never ends, byte by byte"
PROMPTS = "wants to ask the user first"
LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"
NO_REPLY = "org.freedesktop.DBus.Error.NoReply"
UNKNOWN = "org.freedesktop.DBus.Error.ServiceUnknown"

MOST = 200  # bytes that trickle
_NAME = "org.freedesktop.secrets"
_SECRET = "org.freedesktop.Secret."
_COLLECTION = "/org/freedesktop/secrets/collection/one"
_PROMPT = "/org/freedesktop/secrets/prompt/one"
_SESSION = "/org/freedesktop/secrets/session/one"


class FalseBus:
    """The bus and the service, running while their ``with`` block does.

    What a client asks goes by the method's name (``Hello``, ``SearchItems``, ``GetSecret``, …), its
    greeting by ``AUTH``. A fault is one of the words above, the name of a D-Bus error, or seconds
    to wait before a right answer.

    Args:
        path: the socket.
        uid: whose it is to be; another's needs root.

    Attributes:
        address: as DBUS_SESSION_BUS_ADDRESS has it.
        items: attributes and secret of what is kept.
        asked: the names of what has been asked, in order.
        connections: how many were accepted.
        trickled: how many bytes have trickled.
    """

    def __init__(self, path: Path, uid: int | None = None) -> None:
        self.path = path
        self.address = f"unix:path={path}"
        self.items: dict[str, tuple[dict[str, str], str]] = {}
        self.asked: list[str] = []
        self.connections = 0
        self.trickled = 0
        self._always: dict[str, str | float] = {}
        self._next: dict[str, list[str | float]] = defaultdict(list)
        self._made = 0
        self._stopping = threading.Event()
        self._accepting = threading.Event()
        self._accepting.set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        # Whose a socket is, the system takes down at this moment (unix(7), SO_PEERCRED).
        own = os.geteuid()
        if uid is not None:
            os.seteuid(uid)
        try:
            self._listener.listen(0)
        finally:
            if uid is not None:
                os.seteuid(own)
        path.chmod(0o777)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._accepting.set()
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._open:
            each.close()

    def always(self, name: str, fault: str | float) -> None:
        """Fail so whenever this is asked."""
        self._always[name] = fault

    def next(self, name: str, *faults: str | float) -> None:
        """Fail so the next times that this is asked, and then no more."""
        self._next[name] += faults

    def add(self, service: str, username: str, secret: str, **more: str) -> None:
        """Keep an item."""
        self._keep({"service": service, "username": username, **more}, secret)

    @contextmanager
    def full(self) -> Iterator[None]:
        """So many wait to be accepted that the system lets nobody else wait."""
        self._accepting.clear()
        waiting: list[socket.socket] = []
        for _ in range(2):  # whoever was being accepted is
            with suppress(BlockingIOError):
                while True:
                    waiting.append(socket.socket(socket.AF_UNIX))
                    waiting[-1].setblocking(False)
                    waiting[-1].connect(str(self.path))
            time.sleep(0.2)
        try:
            yield
        finally:
            for each in waiting:
                each.close()
            self._accepting.set()

    def _start(self, what: Any, *args: object) -> None:
        thread = threading.Thread(target=what, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self._accepting.wait()
            try:
                if select.select([self._listener], [], [], 0.05)[0] and self._accepting.is_set():
                    connection, _ = self._listener.accept()
                    self._open.append(connection)
                    self.connections += 1
                    self._start(self._serve, connection)
            except (OSError, ValueError):
                return  # it was closed

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            data = b""
            while b"\r\n" not in data:
                data += _some(connection)
            if self._fails(connection, "AUTH") is not None:
                return
            connection.sendall(b"OK 1234deadbeef\r\n")
            data = b""
            while b"BEGIN\r\n" not in data:
                data += _some(connection)
            parser = Parser()
            parser.add_data(data.partition(b"BEGIN\r\n")[2])
            while True:
                message = parser.get_next_message()
                if message is None:
                    parser.add_data(_some(connection))
                elif not self._answer(connection, message):
                    return

    def _fails(self, connection: socket.socket, name: str) -> str | None:
        """What goes wrong with what was asked; a wait, and silence, are over when it returns."""
        self.asked.append(name)
        waiting = self._next[name]
        fault = waiting.pop(0) if waiting else self._always.get(name)
        if isinstance(fault, int | float):
            self._stopping.wait(fault)
            return None
        if fault == SILENT:
            self._stopping.wait()
        if fault == TRICKLES:
            while not self._stopping.wait(0.1) and self.trickled < MOST:
                connection.sendall(b"O")
                self.trickled += 1
        if fault == HANGS_UP:
            connection.shutdown(socket.SHUT_RDWR)
        return fault

    def _answer(self, connection: socket.socket, message: Message) -> bool:
        fields = message.header.fields
        name, path = fields[HeaderFields.member], fields[HeaderFields.path]
        fault = self._fails(connection, name)
        if fault in {SILENT, HANGS_UP}:
            return False
        if fault == FLOODS:
            self._flood(connection)
            return False
        if fault is None or fault == PROMPTS:
            reply = self._method(name, path, message, prompts=fault == PROMPTS)
        else:
            reply = new_error(message, fault, "s", ("as the test has it",))
        reply.header.fields[HeaderFields.sender] = ":1.1"
        connection.sendall(reply.serialise(serial=len(self.asked)))
        return True

    def _method(self, name: str, path: str, message: Message, *, prompts: bool) -> Message:
        body: Any = message.body
        prompt = _PROMPT if prompts else "/"
        if name == "OpenSession" and body[0] != "plain":
            return new_error(message, "org.freedesktop.DBus.Error.NotSupported", "s", ("plain",))
        if name == "CreateItem":
            attributes = body[0][f"{_SECRET}Item.Attributes"][1]
            made = "/" if prompts else self._keep(attributes, bytes(body[1][2]).decode())
            return new_method_return(message, "oo", (made, prompt))
        if name == "SetSecret":
            self.items[path] = (self.items[path][0], bytes(body[0][2]).decode())
        if name == "Delete" and not prompts:
            del self.items[path]
        answers: dict[str, Any] = {
            "Hello": lambda: ("s", (":1.7",)),
            "SearchItems": lambda: ("aoao", (self._search(body[0]), [])),
            "OpenSession": lambda: ("vo", (("s", ""), _SESSION)),
            "Get": lambda: ("v", (self._property(path, body[1]),)),
            "GetSecret": lambda: ("(oayays)", (self._secret(path),)),
            "ReadAlias": lambda: ("o", (_COLLECTION,)),
            "Delete": lambda: ("o", (prompt,)),
        }
        return new_method_return(message, *answers.get(name, tuple)())

    def _search(self, attributes: dict[str, str]) -> list[str]:
        wanted = attributes.items()
        return [path for path, (kept, _) in self.items.items() if wanted <= kept.items()]

    def _property(self, path: str, name: str) -> tuple[str, Any]:
        if name == "Attributes":
            return "a{ss}", self.items[path][0]
        return ("b", False) if name == "Locked" else ("s", "a label")

    def _secret(self, path: str) -> tuple[str, bytes, bytes, str]:
        return _SESSION, b"", self.items[path][1].encode(), "text/plain"

    def _keep(self, attributes: dict[str, str], secret: str) -> str:
        self._made += 1
        path = f"{_COLLECTION}/{self._made}"
        self.items[path] = (dict(attributes), secret)
        return path

    def _flood(self, connection: socket.socket) -> None:
        emitter = DBusAddress(_COLLECTION, _NAME, f"{_SECRET}Collection")
        signal = new_signal(emitter, "ItemChanged", "s", ("x" * 1000,)).serialise(serial=1)
        while not self._stopping.is_set():
            connection.sendall(signal)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionResetError
    return data
