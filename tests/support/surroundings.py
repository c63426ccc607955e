"""A clock that jumps, and a system that takes what is read and written in pieces.

For a program that is linked to the C library: ``surroundings.c`` is laid before it.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import subprocess
from pathlib import Path

from support.components import need

_SOURCE = Path(__file__).with_suffix(".c")
_SCRATCH = Path(__file__).resolve().parents[2] / ".scratch" / "surroundings"
_FLAGS = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror")


def library() -> Path:
    """The library, compiled unless it is there."""
    made_of = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    there = _SCRATCH / f"{made_of}.so"
    if not there.exists():
        _SCRATCH.mkdir(parents=True, exist_ok=True)
        made = _SCRATCH / f"{made_of}.new"
        subprocess.run([need("gcc"), *_FLAGS, _SOURCE, "-o", made], check=True)
        made.replace(there)
    return there


def jumping(reading: int, seconds: int) -> dict[str, str]:
    """Variables with which the wall clock jumps at a reading; the first is 1."""
    return {"LD_PRELOAD": str(library()), "CLOCK_JUMP": f"{reading}:{seconds}"}


def in_pieces(most: int) -> dict[str, str]:
    """Variables with which each read and write takes so many bytes at most."""
    return {"LD_PRELOAD": str(library()), "SHORT": str(most)}


def burning(name: str, count: int, thread: int) -> dict[str, str]:
    """Variables with which a thread begins with so many calls that do nothing.

    Threads are counted as they are made, from 1; the first one of the process is none of them.
    """
    return {"LD_PRELOAD": str(library()), "BURN": f"{name}:{count}:{thread}"}


class Clock:
    """A wall clock that can be set while programs run.

    Args:
        path: a file for it, which is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self.environ = {"LD_PRELOAD": str(library()), "CLOCK_FILE": str(path)}

    def set(self, seconds: int) -> None:
        """Have it say so much more than the system's clock."""
        self._map[:] = struct.pack("=q", seconds)
