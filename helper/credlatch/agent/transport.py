"""How callers of this machine reach the agent: by a socket, on Windows by a named pipe.

Both modules below have the same functions, and what they give is used in the same way.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Connection(Protocol):
        """One end of a connection, as ``socket.socket`` is one."""

        def settimeout(self, seconds: float | None, /) -> None:
            """How long one of the following may take."""

        def recv(self, size: int, /) -> bytes:
            """Some bytes; none at the end."""

        def send(self, data: bytes, /) -> int:
            """Send some; how many."""

        def sendall(self, data: bytes, /) -> None:
            """Send all."""

        def close(self) -> None:
            """End it; what was sent can still be read."""

    class Listener(Protocol):
        """Who waits for callers, and hands out those only who may ask.

        Attributes:
            name: where they find it, for a person.
        """

        @property
        def name(self) -> str:
            """As above."""

        def accept(self, seconds: float) -> Connection | None:
            """The next caller; None: nobody came in time, or somebody who may not ask.

            Raises:
                OSError: the system has nothing left for one more, or it is closed.
            """

        def is_found(self) -> bool:
            """Whether callers still find it by its name."""

        def withdraw(self) -> None:
            """Have nobody find it any more; for any thread."""

        def close(self) -> None:
            """Listen no more; connections that have begun go on."""


if sys.platform == "win32":
    from credlatch.agent.by_pipe import (
        END_IT,
        connect,
        inherited,
        listen,
        listens,
        locked,
        namespace,
        spawn,
        why_not,
    )
else:
    from credlatch.agent.by_socket import (
        END_IT,
        connect,
        inherited,
        listen,
        listens,
        locked,
        namespace,
        spawn,
        why_not,
    )

__all__ = [
    "END_IT",
    "connect",
    "inherited",
    "listen",
    "listens",
    "locked",
    "namespace",
    "spawn",
    "why_not",
]
