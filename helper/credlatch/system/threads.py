"""Threads that end with the process."""

from __future__ import annotations

import errno
import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def start(work: Callable[..., object], *args: object) -> threading.Thread:
    """Do something in a thread of its own.

    Raises:
        OSError: there can be no more threads.
    """
    thread = threading.Thread(target=work, args=args, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # so Python says it, without the system's reason
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
    return thread
