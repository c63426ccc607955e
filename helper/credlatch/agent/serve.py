"""The agent's own process, from its start to its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from credlatch import answers, clock
from credlatch.agent import start, transport, wire
from credlatch.agent.log import UNKNOWN, Log
from credlatch.agent.refresh_ahead import RefreshAhead
from credlatch.agent.server import Server
from credlatch.caller import Caller
from credlatch.errors import ElsewhereError
from credlatch.shared_cache import SharedCache
from credlatch.system import files, memory
from credlatch.system.environment import received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.agent.transport import Listener

IDLE = 1_800.0  # seconds without a request after which it ends
_KIND, _ELSEWHERE = (
    ("pipe", "another logon session")
    if sys.platform == "win32"
    else ("socket", "another container or chroot")
)
_STACK = 1024 * 1024  # bytes for each thread
_DESCRIPTORS = 4_096  # of as many callers as are served at once, each with a few
LATER = 3_600.0  # seconds: nothing is to be done before the server looks around anyway


def run_until_signalled(
    server: Server, listener: Listener, announce: Callable[[], None] | None = None
) -> None:
    """Let a server run until it ends, or SIGINT or SIGTERM comes; then nobody finds it any more.

    The process is the server's from then on: its signals, and how large its threads are.

    Args:
        server: the server.
        listener: where it is found.
        announce: called when it may be asked, and signalled, from then on.
    """
    # An exception, because a mere flag would not end the waiting for a connection.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    threading.stack_size(_STACK)
    try:
        try:
            if announce is not None:
                announce()
            server.run()
        except KeyboardInterrupt:
            pass
        finally:
            try:
                listener.withdraw()
            finally:
                server.finish()
    except KeyboardInterrupt:
        return  # told twice


class Agent:
    """What answers for one build, for callers of this machine.

    Args:
        listener: where they find it.
        build: which program this is.
        idle: seconds without a ``get`` after which it ends; None: never.
    """

    def __init__(self, listener: Listener, build: str, idle: float | None) -> None:
        self._listener = listener
        self._build = build
        self._since = time.time()
        self._log = Log()
        if first := os.environ.pop(start.FIRST, ""):
            self._log.add(first)
        self._shared = SharedCache()
        self._refresh_ahead = RefreshAhead(self._log, IDLE if idle is None else idle)
        self._namespace = transport.namespace()
        self._server = Server(listener, self.answer, idle, self._chores)

    def run(self) -> None:
        """Serve until idle, stopped, or asked to end by a signal."""
        run_until_signalled(self._server, self._listener)
        self._shared.close()

    def answer(self, asks_for: bytes, fields: list[bytes]) -> bytes:
        """A whole answer to a request.

        Raises:
            ValueError: there is no such request.
        """
        if asks_for == wire.GET:
            return self._get(*fields)
        out = b""
        if asks_for == wire.STATUS:
            out = self._status().encode(errors="surrogateescape")
        elif asks_for == wire.LOG:
            out = self._log.text().encode(errors="backslashreplace")
        elif asks_for == wire.STOP:
            self._stop()
        else:
            raise ValueError("no such request")
        return wire.answer(0, out, b"")

    def _get(
        self, protocol: bytes, cwd: bytes, namespace: bytes, asked: bytes, variables: bytes
    ) -> bytes:
        client = answers.client_named(protocol, asked)
        if client is None:
            self._log.refused("-", UNKNOWN)
            return wire.DECLINED
        if namespace != self._namespace:
            self._log.refused(client.name, f"its paths lead elsewhere ({_ELSEWHERE})")
            return wire.DECLINED
        environ = received(variables)

        def make_caller() -> Caller:
            return Caller(environ, os.fsdecode(cwd), self._shared, is_guest=True)

        caller, before = make_caller(), files.shortages
        try:
            answer = answers.get(client, asked, caller)
        except ElsewhereError as error:
            self._log.refused(client.name, str(error))
            return wire.DECLINED
        finally:
            caller.close()
        if files.shortages != before:  # whoever had them at that time: it is safe to decline
            self._log.refused(client.name, "the agent has no descriptor or memory left")
            return wire.DECLINED
        if answer.request is not None and answer.resolution is not None:
            self._refresh_ahead.used(answer.request, answer.resolution, make_caller)
        self._log.answered(answer)
        return wire.answer(answer.status, answer.out, answer.err)

    def _stop(self) -> None:
        # First of all: who comes from now on finds no agent, and not one that is ending.
        try:
            self._listener.withdraw()
        finally:
            self._server.stop()

    def _chores(self) -> float | None:
        if not os.path.exists(sys.executable) or not self._listener.is_found():
            return None  # uninstalled, or nobody can find us any more
        self._shared.tidy()
        seconds = self._refresh_ahead.seconds()
        if seconds == 0.0:
            self._server.do(self._refresh_ahead.renew)
        return seconds or LATER

    def _status(self) -> str:
        left = self._server.idle_left
        lines = {
            "pid": str(os.getpid()),
            "build": self._build,
            "program": sys.executable,
            _KIND: self._listener.name,
            "since": clock.timestamp(int(self._since)),
            "requests": f"{self._log.calls}, {self._log.declined} of them left to the caller",
            "memory": f"{memory.resident() / 1e6:.1f} MB",
            "ends": "never" if left is None else f"after {left:.0f} s more without a request",
        }
        return "".join(f"{name}: {value}\n" for name, value in lines.items())


def idle_seconds() -> float | None:
    """How long it may be idle, by CREDLATCH_AGENT_IDLE in seconds; None for ever (0)."""
    try:
        seconds = float(os.environ.get("CREDLATCH_AGENT_IDLE") or IDLE)
    except ValueError:
        return IDLE
    return seconds if 0 < seconds < float("inf") else None if seconds == 0 else IDLE


def serve(build: str, lock: int | None) -> bool:
    """Be the agent; False if there is one.

    Args:
        build: which program this is.
        lock: the descriptor of the lock, when the starter has taken it.

    Raises:
        OSError: nobody could find it: its socket, or pipe, cannot be made.
    """
    memory.forbid_dumps()
    memory.allow_descriptors(_DESCRIPTORS)
    if lock is None:
        lock = start.take(build, pause=0.0)
    if lock is None:
        return False
    os.set_inheritable(lock, False)
    Agent(transport.listen(build), build, idle_seconds()).run()
    return True
