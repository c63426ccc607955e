"""A folder from which something is missing is noticed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from credlatch.bundle import contents

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "in side" / "deep").mkdir(parents=True)
    (folder / "program").write_text("program")
    (folder / "in side" / "a library").write_text("library")
    (folder / "in side" / "deep" / "ünd").write_text("")
    (folder / "link").symlink_to("in side")
    contents.write(str(folder))
    return folder


def test_what_was_written_down_is_whole(folder: Path) -> None:
    assert contents.whole(str(folder))
    moved = folder.rename(folder.parent / "moved")
    assert contents.whole(str(moved))


def test_a_list_is_written_once(folder: Path) -> None:
    with pytest.raises(FileExistsError):
        contents.write(str(folder))


@pytest.mark.parametrize("name", ["program", "in side/a library", "in side/deep/ünd", "link"])
def test_a_missing_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert not contents.whole(str(folder))
    (folder / name).mkdir()
    assert not contents.whole(str(folder))


def test_another_size_or_time_is_noticed(folder: Path) -> None:
    program = folder / "program"
    status = program.stat()
    program.write_text("progrém")
    os.utime(program, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not contents.whole(str(folder))
    program.write_text("longer!")
    os.utime(program, (status.st_atime + 10, status.st_mtime + 10))
    assert not contents.whole(str(folder))


@pytest.mark.parametrize(
    "text", ["", "credlatch 1 0", "credlatch 1 1\n", "credlatch 2 0\n7 program\n", "\n", "a\nb c d"]
)
def test_a_list_that_is_none_is_noticed(folder: Path, text: str) -> None:
    (folder / contents.LIST).write_text(text)
    assert contents.whole(str(folder)) == (text == "credlatch 1 0")
    (folder / contents.LIST).unlink()
    assert not contents.whole(str(folder))


def test_a_list_cut_off_is_noticed(folder: Path) -> None:
    whole = (folder / contents.LIST).read_bytes()
    for length in range(len(whole) - 1):  # the last line's end means nothing
        (folder / contents.LIST).write_bytes(whole[:length])
        assert not contents.whole(str(folder)), whole[:length]


def test_no_folder_is_not_whole(folder: Path) -> None:
    shutil.rmtree(folder)
    assert not contents.whole(str(folder))
    folder.write_text("")
    assert not contents.whole(str(folder))
