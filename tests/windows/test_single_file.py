"""The single file of Windows: unpacked once, whole, where nobody else can put another program."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from support.logins import refusal
from support.users import EVE, as_root
from support.wine import FORMS, TIMEOUT, Windows, WindowsHome, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLERS = 4


class Unpacking:
    """The single file, which has not unpacked itself yet: Wine names the folder where it does."""

    def __init__(self, home: WindowsHome) -> None:
        self.base = base = home.path / "AppData" / "Local"
        self.temporary = home.path / "Temp" / "credlatch"  # where it would be then
        self.run = base / "credlatch" / "run"
        self.folder = self.run / build()
        self.windows = Windows(FORMS["single"], home)

    def names(self) -> set[str]:
        return {path.name for path in self.run.iterdir()}

    def answers(self) -> bool:
        return self.windows("--version").code == 0


@pytest.fixture
def unpacking(every_home: WindowsHome) -> Iterator[Unpacking]:
    unpacking = Unpacking(every_home)
    own = unpacking.run.parent
    aside = own.with_name("aside")
    every_home.clean()
    if own.exists():
        own.rename(aside)
    unpacking.temporary.parent.mkdir(exist_ok=True)
    unpacking.temporary.touch()
    yield unpacking
    unpacking.temporary.unlink(missing_ok=True)
    shutil.rmtree(own, ignore_errors=True)
    own.unlink(missing_ok=True)
    every_home.clean()
    if aside.exists():
        aside.rename(own)


def test_it_is_unpacked_once_by_whoever_comes_first(unpacking: Unpacking) -> None:
    callers = [unpacking.windows.start("--version") for _ in range(CALLERS)]
    (said,) = {each.communicate(timeout=TIMEOUT)[0] for each in callers}
    assert said.startswith(b"credlatch 0.1.0\n")
    assert unpacking.names() == {"lock", build()}
    before = {path: path.stat().st_mtime_ns for path in unpacking.folder.rglob("*")}
    assert unpacking.answers()
    assert {path: path.stat().st_mtime_ns for path in unpacking.folder.rglob("*")} == before
    carried = {path.name for path in FORMS["folder"].parent.rglob("*") if path.is_file()}
    assert {path.name for path in before if path.is_file()} == carried | {"unpacked"}


def test_what_is_missing_or_changed_is_unpacked_again_and_what_was_left_goes(
    unpacking: Unpacking,
) -> None:
    assert unpacking.answers()
    program = unpacking.folder / "_internal" / "credlatch-program.exe"
    whole = program.read_bytes()
    left = unpacking.run / f".new-{build()}-4-4"
    other, young = unpacking.run / ("a" * 16), unpacking.run / ("b" * 16)
    for harm in ("gone", "longer", "older"):
        for folder in (left, other, young):
            (folder / "_internal").mkdir(parents=True, exist_ok=True)
        long_ago = time.time() - 31 * 86_400
        os.utime(other, (long_ago, long_ago))
        if harm == "gone":
            program.unlink()
        elif harm == "longer":
            program.write_bytes(whole + b"x")
        else:
            os.utime(program, (long_ago, long_ago))
        assert unpacking.answers()
        assert program.read_bytes() == whole
        assert unpacking.names() == {"lock", build(), young.name}


def test_what_runs_stays_and_a_damaged_one_hinders_nobody(unpacking: Unpacking) -> None:
    with unpacking.windows.start("get") as running:
        assert running.stdin is not None
        running.stdin.write(b" " * 300_000)  # more than a pipe holds: it runs
        (unpacking.folder / "unpacked").unlink()
        assert unpacking.answers()
        assert unpacking.folder.is_dir()
        running.stdin.close()
        running.stdin = None
        assert running.communicate(timeout=TIMEOUT)[0] == b""
    assert unpacking.answers()
    assert unpacking.names() == {"lock", build()}


@as_root
@pytest.mark.parametrize("which", ["credlatch", "credlatch/run"])
def test_nowhere_that_another_user_has_made_or_may_change(unpacking: Unpacking, which: str) -> None:
    folder = unpacking.base / which
    folder.mkdir(parents=True)
    os.chown(folder, EVE, EVE)
    said = refusal(unpacking.windows("--version"), 1)
    assert "\\AppData\\Local\\credlatch\\run: another user's" in said
    assert "set LOCALAPPDATA to a folder of yours" in said
    os.chown(folder, 0, 0)
    folder.chmod(0o777)
    assert "other users may change it" in refusal(unpacking.windows("--version"), 1)
    assert not list(folder.rglob(build()))
    folder.chmod(0o755)
    assert unpacking.answers()


@as_root
def test_a_program_that_another_user_has_put_there_is_not_run(unpacking: Unpacking) -> None:
    assert unpacking.answers()
    os.chown(unpacking.folder, EVE, EVE)
    assert unpacking.answers()
    assert unpacking.folder.stat().st_uid == 0


def test_where_it_cannot_be_made_it_is_in_the_temporary_folder(unpacking: Unpacking) -> None:
    unpacking.run.parent.touch()
    unpacking.temporary.unlink()
    try:
        assert unpacking.answers()
        assert (unpacking.temporary / "run" / build()).is_dir()
    finally:
        shutil.rmtree(unpacking.temporary)


def test_a_damaged_copy_says_so(unpacking: Unpacking, tmp_path: Path) -> None:
    whole = FORMS["single"].read_bytes()
    broken = tmp_path / "credlatch.exe"
    middle = len(whole) // 2
    broken.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    unpacking.windows.program = broken
    said = refusal(unpacking.windows("--version"), 1)
    assert "this program is damaged: put a fresh copy in its place" in said
    assert unpacking.names() == {"lock"}


def test_one_that_is_killed_while_it_unpacks_leaves_nothing_for_long(unpacking: Unpacking) -> None:
    process = unpacking.windows.start("--version")
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and not list(unpacking.run.glob(".new-*/_internal/*")):
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=TIMEOUT)
    assert unpacking.answers()
    assert unpacking.names() == {"lock", build()}
    shutil.rmtree(unpacking.run)
    assert unpacking.answers()
