"""Unpacking: once, whole, by one process, and nothing of anybody's in the way."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.bundle import contents, unpacked
from credlatch.system import folders
from credlatch.system.locks import Exclusive

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

BUILD = "0123456789abcdef"
OTHER = "f" * 16
LONG_AGO = 31 * 86_400


class Unpacking:
    """Unpacks a program of one file, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: str) -> None:
        self.times += 1
        assert os.listdir(folder) == []
        with open(os.path.join(folder, "credlatch"), "w", encoding="utf-8") as file:
            file.write("program")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    return run


@pytest.fixture
def unpacking() -> Unpacking:
    return Unpacking()


def take(run: Path, unpacking: Unpacking) -> Path:
    folder, held = unpacked.take(str(run), BUILD, unpacking)
    assert held is not None
    assert held > 2
    os.close(held)
    assert (run / BUILD / "credlatch").read_text() == "program"
    return run / os.path.basename(folder)


def names(run: Path) -> set[str]:
    return set(os.listdir(run)) - {unpacked.LOCK}


def age(path: Path, seconds: float) -> None:
    when = time.time() - seconds
    os.utime(path, (when, when))


def test_it_is_unpacked_once(run: Path, unpacking: Unpacking) -> None:
    assert take(run, unpacking) == take(run, unpacking) == run / BUILD
    assert unpacking.times == 1
    assert names(run) == {BUILD}


def test_what_is_damaged_is_replaced(run: Path, unpacking: Unpacking) -> None:
    inode = take(run, unpacking).stat().st_ino
    (run / BUILD / "credlatch").unlink()
    assert take(run, unpacking).stat().st_ino != inode
    assert unpacking.times == 2
    assert names(run) == {BUILD}


@pytest.mark.parametrize("kind", ["file", "link", "open"])
def test_what_stands_in_its_place_is_replaced(run: Path, unpacking: Unpacking, kind: str) -> None:
    if kind == "file":
        (run / BUILD).write_text("")
    elif kind == "link":
        (run / BUILD).symlink_to("elsewhere")
    else:
        take(run, unpacking).chmod(0o755)
    folder = take(run, unpacking)
    assert not folder.is_symlink()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert names(run) == {BUILD}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("ours")])
def test_a_failure_leaves_nothing(run: Path, error: Exception) -> None:
    def fail(folder: str) -> None:
        with open(os.path.join(folder, "half"), "w", encoding="utf-8") as file:
            file.write("half")
        raise error

    with pytest.raises(type(error)):
        unpacked.take(str(run), BUILD, fail)
    assert names(run) == set()


def test_who_comes_second_takes_what_the_first_has_unpacked(
    run: Path, unpacking: Unpacking, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Meanwhile(Exclusive):
        def __enter__(self) -> Self:
            super().__enter__()
            monkeypatch.undo()
            folder = folders.beside(str(run / BUILD))
            os.mkdir(folder, 0o700)
            unpacking(folder)
            contents.write(folder)
            os.rename(folder, run / BUILD)
            return self

    monkeypatch.setattr("credlatch.system.locks.Exclusive", Meanwhile)
    take(run, unpacking)
    assert unpacking.times == 1


def test_one_who_hangs_is_not_waited_for(
    run: Path, unpacking: Unpacking, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = run / f".new-{OTHER}-1-aa"
    left.mkdir()
    age(left, 60)
    monkeypatch.setattr(unpacked, "PATIENCE", 0.05)
    with Exclusive(str(run / unpacked.LOCK), 0):
        take(run, unpacking)
    assert names(run) == {BUILD, left.name}  # which may be that one's


def test_without_locks_it_is_unpacked_all_the_same(
    run: Path, unpacking: Unpacking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    take(run, unpacking)
    take(run, unpacking)
    assert unpacking.times == 1
    assert names(run) == {BUILD}


def test_two_that_unpack_at_once_leave_one(run: Path, unpacking: Unpacking) -> None:
    def both(folder: str) -> None:
        unpacking(folder)
        os.unlink(run / unpacked.LOCK)  # so that the other one does not wait
        take(run, unpacking)

    folder, held = unpacked.take(str(run), BUILD, both)
    assert held is not None
    os.close(held)
    assert unpacking.times == 2
    assert os.listdir(folder) == ["credlatch", contents.LIST]
    assert names(run) == {BUILD}


def test_what_nobody_uses_is_removed_when_something_is_unpacked(
    run: Path, unpacking: Unpacking
) -> None:
    ages = {
        f".new-{OTHER}-1-aa": (10, False),
        f".old-{OTHER}-1-aa": (10, False),
        f".new-{OTHER}-1-bb": (1, True),
        "1" * 16: (LONG_AGO, False),
        "2" * 16: (LONG_AGO - 2 * 86_400, True),
    }
    for name, (seconds, _) in ages.items():
        (run / name / "_internal").mkdir(parents=True)
        age(run / name, seconds)
    used = run / ("3" * 16)
    used.mkdir()
    held = folders.hold(str(used))
    age(used, LONG_AGO)
    try:
        take(run, unpacking)
    finally:
        assert held is not None
        os.close(held)
    assert names(run) == {BUILD, used.name, *(name for name, (_, stays) in ages.items() if stays)}


def test_a_use_is_noted_when_the_last_is_a_day_old(run: Path, unpacking: Unpacking) -> None:
    folder = take(run, unpacking)
    for seconds, noted in ((3_600, False), (90_000, True)):
        age(folder, seconds)
        take(run, unpacking)
        assert (time.time() - folder.stat().st_mtime < 60) == noted


def test_a_use_that_cannot_be_noted_is_one(
    run: Path, unpacking: Unpacking, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(take(run, unpacking), 90_000)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("os.utime", refuse)
    take(run, unpacking)
    assert unpacking.times == 1


def test_a_place_that_cannot_be_written_is_an_error(run: Path, unpacking: Unpacking) -> None:
    (run / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        unpacked.take(str(run / "file"), BUILD, unpacking)
    assert unpacking.times == 0
