"""Asking the agent about itself."""

from __future__ import annotations

import os
import socket
import time

from credlatch.agent import peer, place, wire

PATIENCE = 3.0  # seconds for an agent to answer


def ask(build: str, what: bytes) -> bytes | None:
    """The agent's answer to STATUS, LOG or STOP; None when there is no agent.

    Raises:
        OSError: there is one, and it does not answer.
    """
    path = place.socket(os.environb, os.getuid(), build)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        try:
            if not place.is_own_socket(path, os.getuid()):
                raise PermissionError(1, f"{os.fsdecode(path)} is not this user's alone")
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        if peer.uid_of(connection) != os.getuid():
            raise PermissionError(1, "the socket is another user's")
        connection.sendall(wire.request(what))
        data = b""
        while chunk := connection.recv(65_536):
            data = data + chunk if data else chunk.lstrip(wire.PULSE)
            if time.monotonic() > deadline:
                raise TimeoutError
    if data[:1] != wire.ANSWERED:
        raise ConnectionError(5, "it gave no answer")
    return wire.unpack(data[5:])[1]
