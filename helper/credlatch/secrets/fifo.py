"""A secret's file where nothing can be held: a FIFO, which has its content from us at each open.

Each reader gets a FIFO of its own: as soon as one has opened it, the next is put in its place. Two
who open it in the same instant still share the bytes of one, which ``leased_file`` avoids.
"""

from __future__ import annotations

import os
import sys
import time

from credlatch.secrets.secret_file import SecretFile
from credlatch.secrets.source import UNANSWERED
from credlatch.system import files, threads

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSES = (0.1, 0.3, 1.0, 3.0)  # seconds between two tries to open it


class Fifo(SecretFile):
    """One secret's FIFO, and the threads that answer its readers.

    Args:
        left: called when a reader has gone before it had all.
    """

    def __init__(
        self,
        path: str,
        answer: Callable[[], bytes],
        lost: Callable[[OSError], None],
        left: Callable[[], None],
    ) -> None:
        self._left = left
        super().__init__(path, answer, lost)

    def _place(self) -> None:
        os.mkfifo(self._beside, 0o600)
        os.replace(self._beside, self._path)

    def _serve(self) -> None:
        try:
            while self._serve_one():
                pass
        except OSError as error:
            if self._open:
                self._give_up(error)

    def _opened(self) -> int:
        """Its descriptor, once there is a reader, who waits for ever if nobody opens it.

        So what may pass, as a lack of descriptors, is waited out.
        """
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        for pause in _PAUSES:
            try:
                return os.open(self._path, flags)
            except OSError:
                if not self._open:
                    raise
                time.sleep(pause)
        return os.open(self._path, flags)

    def _serve_one(self) -> bool:
        """Wait for a reader, and answer it in a thread; False when there will be no more."""
        descriptor = self._opened()
        with self._placing:
            is_answered = self._open
            if is_answered:
                self.answered += 1
                self._place_next()
            goes_on = self._open
        # A reader that never reads keeps its own thread waiting, and no other reader.
        try:
            threads.start(self._write, descriptor, self._answer if is_answered else _nothing)
        except OSError as error:
            self._write(descriptor, _nothing)
            self._lost(error)
        return goes_on

    def _write(self, descriptor: int, answer: Callable[[], bytes]) -> None:
        try:
            view = memoryview(answer())
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            if self._open:
                self._left()
        finally:
            files.close(descriptor)


def _nothing() -> bytes:
    """What there is for a reader whom nobody answers: no secret, and little enough not to wait."""
    return UNANSWERED
