"""What the agent remembers of its calls: who asked for which host, and what came of it.

In memory only, and no secret in it.
"""

from __future__ import annotations

import time
from collections import deque

from credlatch import clock, lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.answers import Answer

KEPT = 1_000  # lines
UNKNOWN = "it asks in a protocol that is not known here"
_LONGEST = 200  # characters of a failure's text
_WIDEST = 400  # characters of a line: a host's name may be as long as a URL


def call(answer: Answer) -> str:
    """A call that was answered, also one with a failure, in words."""
    request, resolution = answer.request, answer.resolution
    host = request.url.netloc if request is not None and request.url is not None else "-"
    if resolution is not None:
        store, outcome = resolution.store, "answered"
    elif answer.failure is not None:
        store, outcome = "-", f"failed: {str(answer.failure)[:_LONGEST]}"
    else:
        store, outcome = "-", "no credential"
    return f"{answer.protocol} {host} {store} {outcome} ({answer.seconds * 1000:.1f} ms)"


def line(text: str) -> str:
    """A line of the log, with the time."""
    return f"{clock.timestamp(int(time.time()))} {lines.printable(text, _WIDEST)}"


class Log:
    """The last lines.

    Args:
        show: also told each line at once.
    """

    def __init__(self, show: Callable[[str], object] | None = None) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._show = show
        self.calls = 0
        self.declined = 0

    def answered(self, answer: Answer) -> None:
        """Note a call that was answered, also one with a failure."""
        self.calls += 1
        self.note(call(answer))

    def refused(self, protocol: str, why: str) -> None:
        """Note a call that was left to the caller's own process."""
        self.calls += 1
        self.declined += 1
        self.note(f"{protocol} - - left to the caller: {why}")

    def note(self, text: str) -> None:
        """Add a line, with the time."""
        self.add(line(text))

    def add(self, text: str) -> None:
        """Add a whole line."""
        self._lines.append(text)
        if self._show is not None:
            self._show(text)

    def text(self) -> str:
        """All lines that are kept."""
        return "".join(f"{line}\n" for line in list(self._lines))
