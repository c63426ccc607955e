"""What takes long to make, kept in the user's cache for all checkouts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from devtools.steps import say

if TYPE_CHECKING:
    from collections.abc import Iterator


def cache_folder() -> Path:
    """Where all checkouts of a user keep what takes long to make (XDG base directories, 0.8)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "credlatch-dev"


@contextlib.contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Wait until no other checkout fills the folder; it is made if need be."""
    import fcntl  # on Linux alone is anything kept

    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another checkout that fills {cache}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
