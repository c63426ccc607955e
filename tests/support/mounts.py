"""File systems of a test's own: one that is soon full, one that is read-only. For root on Linux."""

from __future__ import annotations

import errno
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOM = 256 * 1024  # bytes of the small disk: more than any write of the tests needs


def _mount(*options: str) -> None:
    done = subprocess.run([need("mount"), *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of little room in the place of a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={ROOM},mode=700", "credlatch-tests", str(folder))
    try:
        yield
    finally:
        _unmount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that nobody can write in, root included."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        _unmount(folder)


def _unmount(folder: Path) -> None:
    subprocess.run([need("umount"), str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk that a folder is on; the file that does it."""
    filler = folder / "filler"
    full = False
    with filler.open("wb", buffering=0) as file:
        while not full:
            try:
                file.write(bytes(4096))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                full = True
    return filler
