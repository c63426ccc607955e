"""Ctrl-C, where something is on its way that is lost if nobody waits for it."""

from __future__ import annotations

import signal
from contextlib import contextmanager

from credlatch import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


_ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def raised(*, ends: bool = False) -> None:
    """Have Ctrl-C raise, so that what is being done can be said to be undone.

    Args:
        ends: likewise a terminal that is closed, and whoever ends the process.
    """
    for each in (signal.SIGINT, *(_ENDS if ends else ())):
        if each == signal.SIGINT or signal.getsignal(each) == signal.SIG_DFL:
            signal.signal(each, signal.default_int_handler)


@contextmanager
def held() -> Iterator[None]:
    """Have Ctrl-C, and what else raises as it does, count at the end of this; a second at once.

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

    raising = [
        each
        for each in (signal.SIGINT, *_ENDS)
        if each == signal.SIGINT or signal.getsignal(each) is signal.default_int_handler
    ]
    before = [signal.signal(each, heard) for each in raising]
    try:
        yield
    finally:
        for each, handler in zip(raising, before, strict=True):
            signal.signal(each, handler)
    if pressed:
        raise KeyboardInterrupt
