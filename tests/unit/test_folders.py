"""Folders that appear whole, and are not taken from those who use them."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.system import folders
from support.found import sure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "b" / "c").mkdir(parents=True)
    for name in ("a", "b/z", "b/c/d"):
        (folder / name).write_text(name)
    (folder / "link").symlink_to("b")
    return folder


def test_a_name_beside_is_in_the_same_folder_known_and_nobody_else_s() -> None:
    names = {folders.beside("/x/y/z", what) for what in ("new", "old") for _ in range(10)}
    assert len(names) == 20
    assert {os.path.dirname(name) for name in names} == {"/x/y"}
    assert all(folders.is_beside(os.path.basename(name)) for name in names)
    assert not any(map(folders.is_beside, ("z", ".z", "new-z", ".newz")))


def test_files_are_all_that_is_no_folder(folder: Path) -> None:
    assert list(folders.files(str(folder))) == ["a", "link", "b/z", "b/c/d"]
    with pytest.raises(FileNotFoundError):
        list(folders.files(str(folder / "gone")))


def test_a_folder_that_cannot_be_read_is_no_empty_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir
    places = [str(folder / name) for name in (".", "b", "b/c")]
    for place in places:

        def scandir(path: str, place: str = place) -> Any:
            if path == place:
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        for reads in (lambda: list(folders.files(str(folder))), lambda: folders.sync(str(folder))):
            with pytest.raises(OSError, match="Input/output error"):
                reads()


def test_all_is_synced_files_and_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = set()
    monkeypatch.setattr(
        "os.fsync", lambda number: synced.add(os.readlink(f"/proc/self/fd/{number}"))
    )
    folders.sync(str(folder))
    expected = {folder / name for name in ("", "a", "b", "b/z", "b/c", "b/c/d")}
    assert synced == {str(path) for path in expected}


@pytest.mark.parametrize("name", ["b", "a", "link", "gone"])
def test_anything_is_removed_and_no_link_followed(folder: Path, name: str) -> None:
    folders.remove(str(folder / name))
    assert not os.path.lexists(folder / name)
    assert (folder / "b" / "z").exists() == (name != "b")


def held(folder: Path) -> int:
    """A folder held as the launcher holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def test_what_is_held_is_not_claimed(folder: Path) -> None:
    first, second = held(folder), held(folder)
    os.close(first)
    with pytest.raises(BlockingIOError):
        folders.claim(str(folder))
    with pytest.raises(BlockingIOError):
        folders.discard(str(folder))
    os.close(second)
    claimed = folders.claim(str(folder))
    with pytest.raises(BlockingIOError):
        held(folder)
    assert claimed is not None
    os.close(claimed)
    folders.discard(str(folder))
    assert os.listdir(folder.parent) == []


def test_a_folder_that_a_program_runs_from_is_not_claimed(folder: Path) -> None:
    program = folder / "b" / "program"
    shutil.copy("/bin/cat", program)
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        sure(process.stdin).write(b"x")
        assert sure(process.stdout).read(1) == b"x"  # it runs
        with pytest.raises(BlockingIOError):
            folders.claim(str(folder))
        process.communicate()
    folders.discard(str(folder))


def test_only_a_folder_is_claimed(folder: Path) -> None:
    for name in ("a", "link", "gone"):
        with pytest.raises(OSError, match=name):
            folders.claim(str(folder / name))


def test_a_private_folder_is_one_that_others_cannot_enter(folder: Path) -> None:
    folder.chmod(0o700)
    folders.private(str(folder))
    for mode in (0o701, 0o750, 0o755, 0o1777):
        folder.chmod(mode)
        with pytest.raises(PermissionError):
            folders.private(str(folder))
    for name in ("a", "link"):
        with pytest.raises(NotADirectoryError):
            folders.private(str(folder / name))
