"""Who logs in at a provider: where they are sent, what they type, and what they are given."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager

from credlatch import streams
from credlatch.people import browser, interrupts
from credlatch.people import pasted as pastes
from credlatch.people.styles import DIM, STRONG, WARN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from credlatch.caller import Caller
    from credlatch.login.given import Given
    from credlatch.people.terminal import Terminal


class AtTerminal:
    """A person, who reads and types at a terminal: see ``login.person.Person``.

    Args:
        shown: where they read.
        caller: whose browser it is.
        arrived: takes what a provider gives them, as soon as it is there.
    """

    def __init__(self, shown: Terminal, caller: Caller, arrived: list[Given]) -> None:
        self.shown = shown
        self.caller = caller
        self.arrived = arrived
        self._is_elsewhere = not browser.is_here(caller)

    def at(self, url: str, code: str) -> None:
        """Send them there."""
        if code:
            self.shown.say("Open this in a browser, on any machine:")
        elif not self._is_elsewhere:
            self.shown.say("Your browser opens. If it does not, open this in one on this machine:")
        elif self._may_paste:
            self.shown.say("Open this in a browser:")
        else:
            self.shown.say("Open this in a browser on this machine, to which it comes back:")
        streams.answer(f"\n  {url}\n\n".encode())  # whole, to be copied
        if code:
            self.shown.say(f"See that it shows the code {code}, or type that there.", STRONG)
        elif not self._is_elsewhere and not browser.opened(url, self.caller):
            self.shown.say("No browser could be opened here.", STRONG)
            self._is_elsewhere = True
        if self._is_elsewhere and not code and self._may_paste:
            self.shown.say(
                "In a browser on another machine the last page does not load: "
                "copy its URL, which begins with http://, and paste it here.",
                STRONG,
            )
        self.shown.say("Waiting for you; Ctrl-C ends it.", DIM)

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        time.sleep(seconds)

    def is_gone(self) -> bool:
        """Never: Ctrl-C is how they go."""
        return False

    def finishing(self) -> AbstractContextManager[None]:
        """Ctrl-C waits for its end."""
        return interrupts.held()

    @property
    def _may_paste(self) -> bool:
        # A console of Windows cannot be waited for beside a socket.
        return self.shown.interactive and sys.platform != "win32"

    @contextmanager
    def pasted(self) -> Iterator[_Pasted | None]:
        """What they type meanwhile, where their browser may be elsewhere."""
        if not (self._is_elsewhere and self._may_paste):
            yield None
            return
        with pastes.at_once():
            yield _Pasted(self.shown)


class _Pasted:
    """The URL that a browser elsewhere was sent to: see ``login.loopback.Pasted``."""

    def __init__(self, shown: Terminal) -> None:
        self._shown = shown
        self._line = pastes.Line()

    def fileno(self) -> int:
        """Standard input."""
        return 0

    def line(self) -> str | None:
        """A line, once Enter is pressed.

        Raises:
            EOFError: nothing more comes.
        """
        return self._line.read()

    def refuse(self) -> None:
        """It was another URL."""
        self._shown.say(
            "That is not where this login's browser was sent to: log in at the URL above, and "
            "copy the whole URL of the page that does not load.",
            WARN,
        )
