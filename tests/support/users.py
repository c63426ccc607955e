"""Other users of the machine, for root to be: who own files, and who call us."""

from __future__ import annotations

import os
import shutil
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADA, EVE = 1_815_001, 1_815_002  # users without an account: nobody is logged in as one of them
TEAM = 1_815_100  # a group

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is another user, as root may be")


@contextmanager
def open_place() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's, and nobody but us may change."""
    place = Path(tempfile.mkdtemp(prefix="credlatch-"))
    try:
        place.chmod(0o755)
        yield place
    finally:
        shutil.rmtree(place)


def owned(path: Path, uid: int, gid: int | None = None) -> Path:
    """Give a file, folder or link to a user."""
    os.chown(path, uid, uid if gid is None else gid, follow_symlinks=False)
    return path


def folder(path: Path, uid: int = 0, mode: int = 0o755) -> Path:
    """A folder of a user's."""
    path.mkdir()
    path.chmod(mode)
    return owned(path, uid)


def become(uid: int, work: Callable[[], object], groups: tuple[int, ...] = ()) -> str:
    """Do something as a user, in a process of its own; what it gave, or its failure, as a text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            try:
                said = str(work())
            except Exception as error:  # noqa: BLE001 - every failure is what a test is about
                said = f"{type(error).__name__}: {error}"
            os.write(writer, said.encode())
        except BaseException:  # noqa: BLE001 - it must end here, and not in pytest
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as said_there:
        said = said_there.read()
    os.waitpid(child, 0)
    return said
