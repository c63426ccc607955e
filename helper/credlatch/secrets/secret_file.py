"""What both kinds of a secret's file have in common."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress

from credlatch.system import threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class SecretFile(ABC):
    """A secret's file, and the thread that answers its readers.

    Args:
        path: where it is.
        answer: what a reader gets; called anew for each, or once for those who come together.
        lost: told why a reader gets what a build refuses, or nobody anything any more.

    Attributes:
        answered: how often it has been opened.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(
        self, path: str, answer: Callable[[], bytes], lost: Callable[[OSError], None]
    ) -> None:
        self.answered = 0
        self._path = path
        folder, name = os.path.split(path)
        self._beside = os.path.join(folder, f".{name}")
        self._answer = answer
        self._lost = lost
        self._open = True
        self._placing = threading.Lock()
        self._place()
        try:
            threads.start(self._serve)
        except OSError:
            os.unlink(path)
            raise

    def look(self) -> None:  # noqa: B027 - as it says
        """See whether somebody has opened it; nothing where its thread sees that by itself."""

    def close(self) -> None:
        """Put no more files there."""
        with self._placing:
            self._open = False

    @abstractmethod
    def _place(self) -> None:
        """Put the file of the next reader there; raises OSError where that cannot be."""

    @abstractmethod
    def _serve(self) -> None:
        """Answer one reader after the other, in a thread of its own."""

    def _place_next(self) -> None:
        try:
            self._place()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # Whoever opened one that nobody answers would wait for ever, or read what is another's:
        # they find none.
        with suppress(OSError):
            os.unlink(self._path)
        self._open = False
        self._lost(error)
