"""Where a browser comes back to: what has the state is heard, and nobody else can stop that."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from credlatch.errors import LoginError, UsageError
from credlatch.login.loopback import Listener
from credlatch.system.visitors import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = "s" * 43
PATIENCE = 60.0
GOOD = f"/?code=c&state={STATE}"


class Waiting:
    """A listener that waits in a thread."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.host = listener.redirect.removeprefix("http://").partition("/")[0]
        address, _, port = self.host.rpartition(":")
        self._address = ("::1" if "[" in address else "127.0.0.1", int(port))
        self.brought: list[dict[str, str] | None] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._wait)
        self.thread.start()

    def _wait(self) -> None:
        self.brought.append(self.listener.returned(STATE, PATIENCE, self.is_over.is_set))

    def connect(self) -> socket.socket:
        return socket.create_connection(self._address, PATIENCE)

    def tell(self, data: bytes) -> bytes:
        """What is answered to these bytes."""
        with self.connect() as connection:
            connection.sendall(data)
            with contextlib.suppress(ConnectionError):
                return b"".join(iter(lambda: connection.recv(65_536), b""))
        return b""

    def get(self, target: str, host: str | None = None, method: str = "GET") -> bytes:
        head = f"{method} {target} HTTP/1.1\r\nHost: {host or self.host}\r\nA: b\r\n\r\n"
        return self.tell(head.encode("latin-1"))

    def result(self) -> dict[str, str] | None:
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.brought[0]


@contextlib.contextmanager
def waiting(redirect: str = "http://127.0.0.1") -> Iterator[Waiting]:
    with Listener(redirect) as listener:
        made = Waiting(listener)
        try:
            yield made
        finally:
            made.is_over.set()
            made.thread.join(PATIENCE)


@pytest.fixture
def at() -> Iterator[Waiting]:
    """One that waits."""
    with waiting() as made:
        yield made


def test_what_a_browser_brings_back_is_heard_once_and_nobody_after_it(at: Waiting) -> None:
    page = at.get(f"{GOOD}&iss=https%3A%2F%2Fsso.example&scope=a+b")
    assert page.startswith(b"HTTP/1.1 200 ")
    assert b"no-store" in page
    assert STATE.encode() not in page
    assert at.result() == {
        "code": "c", "state": STATE, "iss": "https://sso.example", "scope": "a b"
    }  # fmt: skip
    at.listener.__exit__()
    with pytest.raises(ConnectionRefusedError):
        at.connect()


def test_what_a_provider_says_of_a_failure_is_heard_too(at: Waiting) -> None:
    at.get(f"/?error=access_denied&state={STATE}")
    assert at.result() == {"error": "access_denied", "state": STATE}


HOSTILE = {
    "another state": "/?code=evil&state=other",
    "no state": "/?code=evil",
    "two states": f"{GOOD}&state={STATE}",
    "two codes": f"{GOOD}&code=evil",
    "another path": f"/other?code=evil&state={STATE}",
    "a whole URL": f"http://evil.example/?code=evil&state={STATE}",
    "what a browser asks by itself": "/favicon.ico",
    "more fields than any provider's": f"{GOOD}&" + "&".join(f"f{n}=1" for n in range(40)),
    "what is no text": f"/?code=%FF%FE&state={STATE}",
}


@pytest.mark.parametrize("target", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_not_the_provider_s_answer_changes_nothing(at: Waiting, target: str) -> None:
    page = at.get(target)
    assert page.startswith(b"HTTP/1.1 400 ")
    assert STATE.encode() not in page
    assert at.get(GOOD).startswith(b"HTTP/1.1 200 ")
    assert at.result() == {"code": "c", "state": STATE}


@pytest.mark.parametrize("host", ["evil.example", "localhost:1", "127.0.0.1", ""])
def test_a_name_that_has_been_made_to_lead_here_is_refused(at: Waiting, host: str) -> None:
    assert at.get(GOOD, host or " ").startswith(b"HTTP/1.1 400 ")
    assert at.get(GOOD, method="POST").startswith(b"HTTP/1.1 400 ")
    twice = f"GET {GOOD} HTTP/1.1\r\nHost: {at.host}\r\nHost: {at.host}\r\n\r\n"
    assert at.tell(twice.encode()).startswith(b"HTTP/1.1 400 ")
    at.get(GOOD)
    assert at.result() is not None


RAW = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "half a line": b"GET /\r\n\r\n",
    "zeros": b"\0" * 100_000,
    "a line without end": b"GET /?" + b"a" * 100_000,
    "bytes that are no text": b"GET /?\xff\xfe HTTP/1.1\r\n\r\n",
    "nothing": b"\r\n\r\n",
}


@pytest.mark.parametrize("data", RAW.values(), ids=RAW.keys())
def test_what_is_no_request_changes_nothing(at: Waiting, data: bytes) -> None:
    assert not at.tell(data).startswith(b"HTTP/1.1 200")
    at.get(GOOD)
    assert at.result() == {"code": "c", "state": STATE}


def test_who_says_nothing_or_too_little_keeps_nobody_waiting(at: Waiting) -> None:
    slow = at.connect()
    slow.sendall(b"GET /?code=")
    silent = [at.connect() for _ in range(40)]  # browsers open connections that they do not use
    assert at.get(GOOD).startswith(b"HTTP/1.1 200 ")
    assert at.result() == {"code": "c", "state": STATE}
    for connection in (slow, *silent):
        connection.close()


def test_it_waits_no_longer_than_it_was_told(at: Waiting) -> None:
    with Listener() as other:
        assert other.returned(STATE, 0.05) is None
    at.is_over.set()
    assert at.result() is None


def test_it_is_reached_from_this_machine_alone(at: Waiting) -> None:
    with socket.socket() as other:
        other.settimeout(PATIENCE)
        # All of 127.0.0.0/8 is this machine: what listens everywhere answers there, too.
        with pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", int(at.host.rpartition(":")[2])))


@pytest.mark.parametrize(
    "place", ["http://localhost/callback", "http://[::1]", "http://127.0.0.1/a/b"]
)
def test_it_is_where_a_provider_knows_it(place: str) -> None:
    with waiting(place) as made:
        head, path = made.listener.redirect.rpartition(":")[::2]
        assert place.startswith(head)
        path = path.partition("/")[2]
        assert made.get(f"/{path}{GOOD[1:]}").startswith(b"HTTP/1.1 200 ")
        assert made.result() == {"code": "c", "state": STATE}


@pytest.mark.parametrize(
    "place",
    [
        "https://127.0.0.1/", "http://example.com/", "http://0.0.0.0:1/", "http://127.0.0.1:x/",
        "http://user@127.0.0.1/", "http://127.0.0.1:99999/", "http://127.0.0.2/", "", "127.0.0.1",
        "http://127.0.0.1/?a=b", "http://127.0.0.1.evil.example/",
    ],
)  # fmt: skip
def test_it_is_nowhere_else(place: str) -> None:
    with pytest.raises(UsageError, match="on this machine"):
        Listener(place)


def test_the_port_that_a_provider_knows_can_be_had_again_at_once() -> None:
    with waiting() as at:
        redirect = at.listener.redirect
        at.get(GOOD)
        at.result()
    with waiting(redirect) as again:
        again.get(GOOD)
        assert again.result() is not None


def test_a_port_that_is_taken_is_said_to_be(at: Waiting) -> None:
    with pytest.raises(LoginError, match="in use"):
        Listener(at.listener.redirect)


def test_who_makes_room_for_another_while_speaking_ends_nothing() -> None:
    with Listener() as listener:
        address = "127.0.0.1", urlsplit(listener.redirect).port
        visitors = [socket.create_connection(address) for _ in range(MOST)]
        rounds = 0

        def is_over() -> bool:
            nonlocal rounds
            rounds += 1
            if rounds == MOST + 5:  # all are being read; both come in one look
                visitors.append(socket.create_connection(address))
                visitors[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
            return rounds > MOST + 8

        assert listener.returned("state", 120.0, is_over) is None
        for visitor in visitors:
            visitor.close()
