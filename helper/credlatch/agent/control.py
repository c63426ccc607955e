"""Asking the agent about itself."""

from __future__ import annotations

import errno
import os
import time
from contextlib import closing

from credlatch.agent import start, transport, wire
from credlatch.errors import AgentError
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.agent.transport import Connection

PATIENCE = 3.0  # seconds for an agent to answer
LAST = 15.0  # seconds for its last answers, and for its process to end


def ask(build: str, what: bytes) -> bytes | None:
    """The agent's answer to STATUS, LOG or STOP; None when there is no agent.

    Raises:
        AgentError: there is one, and it does not answer, or is not to be believed.
    """
    try:
        connection = transport.connect(build, PATIENCE)
        if connection is None:
            return None
        with closing(connection):
            return _answer(connection, what)
    except OSError as error:
        why = transport.why_not()
        raise AgentError(
            why or f"the agent does not answer ({reason(error)}): {transport.END_IT}"
        ) from None


def end(build: str) -> None:
    """End the agent of a build, if there is one, and wait until its process has gone.

    Raises:
        AgentError: it does not answer, or not end.
    """
    if ask(build, wire.STOP) is None:
        return
    deadline = time.monotonic() + LAST
    while (lock := start.take(build, 0.0)) is None:
        if time.monotonic() > deadline:
            raise AgentError(f"the agent was asked to end, and has not: {transport.END_IT}")
        time.sleep(0.02)
    os.close(lock)


def _answer(connection: Connection, what: bytes) -> bytes:
    deadline = time.monotonic() + PATIENCE
    connection.sendall(wire.request(what))
    data = b""
    while chunk := connection.recv(65_536):
        data = data + chunk if data else chunk.lstrip(wire.PULSE)
        if time.monotonic() > deadline:
            raise TimeoutError
    if data[:1] != wire.ANSWERED:
        raise ConnectionError(errno.EIO, "it gave no answer")
    return wire.unpack(data[5:])[1]
