"""Asking the agent about itself."""

from __future__ import annotations

import errno
import os
import socket
import time

from credlatch.agent import place, trouble, wire
from credlatch.errors import AgentError
from credlatch.system.files import reason

END_IT = "end it: pkill -f 'credlatch agent serve'"
PATIENCE = 3.0  # seconds for an agent to answer


def ask(build: str, what: bytes) -> bytes | None:
    """The agent's answer to STATUS, LOG or STOP; None when there is no agent.

    Raises:
        AgentError: there is one, and it does not answer, or is not to be believed.
    """
    path = place.socket(os.environb, os.getuid(), build)
    try:
        return _ask(path, what)
    except OSError as error:
        why = trouble.with_folder(os.path.dirname(path), os.getuid())
        raise AgentError(why or f"the agent does not answer ({reason(error)}): {END_IT}") from None


def _ask(path: bytes, what: bytes) -> bytes | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        try:
            if not place.is_own_socket(path, os.getuid()):
                why = trouble.with_folder(os.path.dirname(path), os.getuid())
                raise AgentError(why or f"{os.fsdecode(path)} is no socket of yours: remove it")
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        if place.uid_of(connection) != os.getuid():
            raise AgentError(f"{os.fsdecode(path)} is answered by another user: remove it")
        connection.sendall(wire.request(what))
        data = b""
        while chunk := connection.recv(65_536):
            data = data + chunk if data else chunk.lstrip(wire.PULSE)
            if time.monotonic() > deadline:
                raise TimeoutError
    if data[:1] != wire.ANSWERED:
        raise ConnectionError(errno.EIO, "it gave no answer")
    return wire.unpack(data[5:])[1]
