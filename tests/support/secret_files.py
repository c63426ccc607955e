"""The files that ``credlatch secrets`` gives to a command, in a folder of a test's own."""

from __future__ import annotations

import signal
import subprocess
import threading
from itertools import count
from typing import TYPE_CHECKING

import pytest

from credlatch.secrets.fifo import Fifo
from credlatch.secrets.leased_file import LeasedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credlatch.secrets.secret_file import SecretFile

    Offer = Callable[[Callable[[], bytes]], SecretFile]

SECONDS = 30  # far more than anything here takes


class Place:
    """A folder in memory, and files with secrets in it.

    Attributes:
        lost: why a file can be answered no more.
        left: how many readers have gone away.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lost: list[OSError] = []
        self.left = 0
        self._looks: list[Callable[[], None]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def held(self, answer: Callable[[], bytes], name: str = "t") -> LeasedFile:
        """A file whose readers are held."""
        file = LeasedFile(str(self.folder / name), answer, self.lost.append)
        self._looks.append(file.look)
        return file

    def fifo(self, answer: Callable[[], bytes]) -> Fifo:
        """A FIFO."""
        return Fifo(str(self.folder / "t"), answer, self.lost.append, self._one_left)

    def end(self) -> None:
        """Look at the files no more."""
        self._ended.set()
        self._thread.join()

    def _one_left(self) -> None:
        self.left += 1

    def _look(self) -> None:
        # In the program SIGIO says when; here it is ignored, so that no test need be the process.
        while not self._ended.wait(0.002):
            for look in self._looks:
                look()


@pytest.fixture(name="place")
def place_in_memory(in_memory: Path) -> Iterator[Place]:
    """A folder of the test's own."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    made = Place(in_memory)
    yield made
    made.end()
    signal.signal(signal.SIGIO, before)


@pytest.fixture(name="offer", params=["held", "fifo"])
def offer_of_a_kind(request: pytest.FixtureRequest, place: Place) -> Offer:
    """Either kind of file."""
    chosen: Offer = getattr(place, request.param)
    return chosen


def numbered(length: int = 0) -> Callable[[], bytes]:
    """An answer that is another one each time."""
    numbers = count(1)
    return lambda: f"{next(numbers)}".encode().ljust(length, b".")


def read(place: Place) -> bytes:
    """By a process of its own, which nothing here holds up."""
    done = subprocess.run(
        ["cat", str(place.folder / "t")], capture_output=True, check=True, timeout=SECONDS
    )
    return done.stdout
