"""A secret's file where nothing can be held: a FIFO, which has its content from us at each open.

Each reader gets a FIFO of its own: as soon as one has opened it, the next is put in its place. Two
who open it in the same instant still share the bytes of one, which ``held`` avoids.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from credlatch.secrets.source import UNANSWERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Fifo:
    """One secret's FIFO, and the threads that answer its readers.

    Args:
        path: where it is.
        answer: what a reader gets; called anew for each.
        lost: told when it can be answered no more.
        left: called when a reader has gone before it had all.

    Attributes:
        answered: how often it has been opened.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(
        self,
        path: str,
        answer: Callable[[], bytes],
        lost: Callable[[OSError], None],
        left: Callable[[], None],
    ) -> None:
        self.path = path
        self.answered = 0
        self._answer = answer
        self._lost = lost
        self._left = left
        self._open = True
        self._placing = threading.Lock()
        self._place()
        threading.Thread(target=self._serve, daemon=True).start()

    def look(self) -> None:
        """Its thread waits for readers by itself."""

    def close(self) -> None:
        """Put no more FIFOs there."""
        with self._placing:
            self._open = False

    def _place(self) -> None:
        folder, name = os.path.split(self.path)
        beside = os.path.join(folder, f".{name}")
        os.mkfifo(beside, 0o600)
        os.replace(beside, self.path)

    def _serve(self) -> None:
        try:
            while self._serve_one():
                pass
        except OSError as error:
            if self._open:
                self._lost(error)

    def _serve_one(self) -> bool:
        """Wait for a reader, and answer it in a thread; False when there will be no more."""
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags)
        with self._placing:
            is_answered = self._open
            if is_answered:
                self.answered += 1
                self._place_next()
            goes_on = self._open
        # A reader that never reads keeps its own thread waiting, and no other reader.
        args = (descriptor, self._answer if is_answered else _nothing)
        threading.Thread(target=self._write, args=args, daemon=True).start()
        return goes_on

    def _place_next(self) -> None:
        try:
            self._place()
        except OSError as error:
            # Whoever opened one that nobody answers would wait for ever: they find none.
            with suppress(OSError):
                os.unlink(self.path)
            self._open = False
            self._lost(error)

    def _write(self, descriptor: int, answer: Callable[[], bytes]) -> None:
        try:
            view = memoryview(answer())
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            if self._open:
                self._left()
        finally:
            os.close(descriptor)


def _nothing() -> bytes:
    return UNANSWERED
