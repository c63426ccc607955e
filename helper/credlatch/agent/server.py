"""Connections: a thread for each, signs of life for those who wait, an end when nobody asks."""

from __future__ import annotations

import threading
import time

from credlatch.agent import wire
from credlatch.system import threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.agent.transport import Connection, Listener

PULSE = 0.15  # seconds between two signs of life: a client gives up after three times that
PATIENCE = 10.0  # seconds for a client to send its whole request, and to take the answer
MOST = 512  # connections at once; who comes then serves itself
LAST = 10.0  # seconds at the end for what has begun: a call gives up after nine
QUIET = 30.0  # seconds between two looks around when nothing happens
ROOM = 32 * 1024 * 1024  # bytes of all requests at once; who sends more serves itself
# Bytes of one request's fields, by what it asks for. A forwarded one is a protocol and a request.
LARGEST = {wire.GET: wire.LONGEST, wire.FORWARDED: 1024 * 1024 + 4_096}
_NO_MORE = 64 * 1024  # bytes of any other request
_CHUNK = 64 * 1024  # bytes read at once


class _Work:
    """One connection that waits for its answer."""

    def __init__(self, connection: Connection) -> None:
        self.held = 0  # bytes of the server's room
        self._connection = connection
        self._lock = threading.Lock()
        self._answered = False

    def pulse(self) -> None:
        # Never waited for: whoever does not take the answer would hold up all others.
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._answered:
                self._connection.send(wire.PULSE)
        except OSError:
            pass  # who has gone is noticed when the answer is sent
        finally:
            self._lock.release()

    def answer(self, data: bytes) -> None:
        with self._lock:
            self._answered = True
            self._connection.sendall(data)


class Server:
    """Answers callers until it is stopped, or has been idle.

    Args:
        listener: gives those who may ask.
        answer: gives the whole answer to a request; whatever it raises, the caller serves itself.
        idle: seconds without a ``get`` after which it ends; None: never.
        chores: called when nothing happens; says in how many seconds it wants to be called again,
            or None to end the server.
        use: what a ``get`` asks for here; only such requests may be long, and keep it alive.
    """

    def __init__(
        self,
        listener: Listener,
        answer: Callable[[bytes, list[bytes]], bytes],
        idle: float | None,
        chores: Callable[[], float | None],
        use: bytes = wire.GET,
    ) -> None:
        self._listener = listener
        self._answer = answer
        self._idle = idle
        self._chores = chores
        self._use = use
        self._room = ROOM
        self._work: set[_Work] = set()
        self._threads = 0
        self._lock = threading.Lock()
        self._stopped = False
        self._last = time.monotonic()

    @property
    def idle_left(self) -> float | None:
        """Seconds until it ends if nobody asks for a credential; None: it does not."""
        if self._idle is None:
            return None
        return max(0.0, self._last + self._idle - time.monotonic())

    def stop(self) -> None:
        """End soon: ``run`` returns."""
        self._stopped = True

    def do(self, work: Callable[[], None]) -> bool:
        """Do something in a thread that the end waits for; False: there can be none."""

        def doing() -> None:
            try:
                work()
            finally:
                self._count(-1)

        self._count(1)
        try:
            threads.start(doing)
        except OSError:
            self._count(-1)
            return False
        return True

    def _count(self, threads: int) -> None:
        with self._lock:
            self._threads += threads

    def finish(self) -> None:
        """See through what has begun, and take no more.

        A renewal that is cut off would cost a login: its single-use token has been sent.
        """
        self._listener.close()
        deadline = time.monotonic() + LAST
        while self._threads and time.monotonic() < deadline:
            self._pulse()
            time.sleep(PULSE / 3)

    def run(self) -> None:
        """Serve."""
        pulse_at = look_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= look_at:
                look_at = now + self._look_around()
            if now >= pulse_at:
                pulse_at = now + PULSE
                self._pulse()
            busy = self._threads > 0  # before the next line: whoever stops it is a thread
            if self._stopped:
                return
            try:
                connection = self._listener.accept(PULSE if busy else max(PULSE, look_at - now))
            except OSError:
                time.sleep(PULSE)  # no descriptors left: others end meanwhile
            else:
                if connection is not None:
                    self._begin(connection)

    def _pulse(self) -> None:
        for work in list(self._work):
            work.pulse()

    def _look_around(self) -> float:
        """Do what is to be done now and then; how many seconds nothing need be done."""
        left = self.idle_left
        if self._threads == 0 and left == 0.0:
            self.stop()
        wanted = self._chores()
        if wanted is None:
            self.stop()
        return min(QUIET, *(each for each in (left, wanted, QUIET) if each is not None))

    def _begin(self, connection: Connection) -> None:
        if self._threads >= MOST or not self.do(lambda: self._serve(connection)):
            connection.close()  # the caller serves itself

    def _serve(self, connection: Connection) -> None:
        work = _Work(connection)
        try:
            asks_for, fields = self._request(connection, work)
            connection.settimeout(PATIENCE)
            self._work.add(work)
            try:
                data = self._answer(asks_for, fields)
            # A defect of ours: the caller meets it in its own process, and reports it there.
            except Exception:  # noqa: BLE001
                data = wire.DECLINED
            work.answer(data)
        except (OSError, ValueError):
            return  # not a client of ours, or one that has gone
        finally:
            self._work.discard(work)
            with self._lock:
                self._room += work.held
            connection.close()

    def _request(self, connection: Connection, work: _Work) -> tuple[bytes, list[bytes]]:
        """What a client asks for, and its fields; ValueError: it is none, or too slow."""
        deadline = time.monotonic() + PATIENCE

        def exactly(length: int) -> bytes:
            data = bytearray()
            while len(data) < length:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ValueError("too slow")
                connection.settimeout(left)
                chunk = connection.recv(min(_CHUNK, length - len(data)))
                if not chunk:
                    raise ValueError("cut off")
                # What has come, and not what is announced: who only announces keeps out nobody.
                with self._lock:
                    self._room -= len(chunk)
                    work.held += len(chunk)
                    if self._room < 0:
                        raise ValueError("too much is being asked at once")
                data += chunk
            return bytes(data)

        asks_for, length = wire.head(exactly(wire.HEAD))
        if length > (LARGEST[self._use] if asks_for == self._use else _NO_MORE):
            raise ValueError("too large")
        if asks_for == self._use:  # who looks at its state does not keep it alive
            self._last = time.monotonic()
        return asks_for, wire.unpack(exactly(length))
