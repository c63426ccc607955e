"""A server on loopback that answers as a test's function says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = tuple[int, dict[str, str], dict[str, Any] | bytes]  # status, headers, JSON or not


class Answering(Loopback):
    """Such a server, running while its block does.

    Args:
        answer: makes the answer to a request.

    Attributes:
        requests: what was asked, in order of arrival.
    """

    def __init__(self, answer: Callable[[Recorded], Answer]) -> None:
        self.requests: list[Recorded] = []
        self.answer = answer
        super().__init__(_Handler)


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: Answering = self.server.owner
        owner.requests.append(request)
        status, headers, said = owner.answer(request)
        self.send(status, said, headers)
