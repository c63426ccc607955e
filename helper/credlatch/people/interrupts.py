"""Ctrl-C, where something is on its way that is lost if nobody waits for it."""

from __future__ import annotations

import signal
from contextlib import contextmanager

from credlatch import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


def raised() -> None:
    """Have Ctrl-C raise, so that what is being done can be said to be undone."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def held() -> Iterator[None]:
    """Have Ctrl-C count at the end of this; a second one counts at once.

    Raises:
        KeyboardInterrupt: it was Ctrl-C.
    """
    pressed = False

    def heard(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            signal.default_int_handler(number, frame)
        pressed = True
        streams.say("an answer is on its way, and is waited for; Ctrl-C again ends that, too")

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
