"""Whether a request has left this machine: what may be sent again, and what may be spent."""

from __future__ import annotations

import threading
import time

from credlatch.errors import RenewalError


class NotSentError(RenewalError):
    """Nothing left this machine."""


class TooLateError(NotSentError):
    """Nothing was tried, for want of time or descriptors. Whoever has more may succeed."""


class UnansweredError(RenewalError):
    """The request was sent, and whether the server acted on it is not known.

    Its text is the cause alone: what to do depends on what was sent.
    """


class Gate:
    """Stands between a request and the network: who has given it up knows that it is not sent.

    Args:
        latest: on the clock of ``time.monotonic``, until when it is let through: a process that is
            suspended goes on later as if no time had passed.
    """

    def __init__(self, latest: float) -> None:
        self._latest = latest
        self._opened = threading.Condition()
        self._is_open = self._is_shut = False

    def wait(self, seconds: float) -> bool:
        """Whether it is opened in time; if not, it never will be."""
        with self._opened:
            self._opened.wait_for(lambda: self._is_open, max(0.0, seconds))
            self._is_shut = not self._is_open
            return self._is_open

    def open(self) -> None:
        """Let the request through, or raise NotSentError."""
        with self._opened:
            self._is_shut |= not self._is_open and time.monotonic() > self._latest
            if self._is_shut:
                raise NotSentError("given up")
            self._is_open = True
            self._opened.notify_all()

    def trace(self, event: str, _: object) -> None:
        """What httpcore calls at each step of a request."""
        if event.endswith(".send_request_headers.started"):
            self.open()
