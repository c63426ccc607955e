"""Folders in memory, as runtime folders are: of the test's own, whoever else makes some there."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.home import Home

SHM = Path("/dev/shm")  # noqa: S108 - what is made there gets a name that nobody can guess


def until(true: Callable[[], object]) -> None:
    """Wait until something is so, however slow the machine is."""
    deadline = time.monotonic() + TIMEOUT
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def secret_folders(runtime: Path) -> list[Path]:
    """The folders with secrets that there are now."""
    return sorted(runtime.glob("credlatch-secrets-*"))


@pytest.fixture(name="in_memory")
def folder_in_memory() -> Iterator[Path]:
    """A folder of the test's own, for this user alone."""
    folder = Path(tempfile.mkdtemp(prefix="credlatch-tests-", dir=SHM))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(name="runtime")
def runtime_folder(home: Home, in_memory: Path) -> Iterator[Path]:
    """The home's runtime folder; however a test ends, no folder with secrets is left in it."""
    home.env["XDG_RUNTIME_DIR"] = str(in_memory)
    yield in_memory
    until(lambda: not secret_folders(in_memory))


def runtime_of(home: Home) -> Path:
    """A home's runtime folder."""
    return Path(home.env["XDG_RUNTIME_DIR"])
