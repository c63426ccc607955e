"""Signed programs, as a release has them: a signature is appended, and the header changed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from devtools import release

from support import bills
from support.matching import basic
from support.signing import Signer
from support.wine import DIST, FORMS, Windows, WindowsHome, build

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "_internal/credlatch-program.exe"


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="session")
def signed(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the workflow of a release makes of a build, in its order."""
    dist = tmp_path_factory.mktemp("signed") / "dist"
    shutil.copytree(DIST, dist)
    for path in (dist / "credlatch.d").rglob("*.exe"):
        signer.sign(path)
    release.carry(Path(sys.executable), dist, "windows-x86_64")
    signer.sign(dist / "credlatch.exe")
    return dist


@pytest.fixture
def own_unpacked(every_home: WindowsHome) -> Iterator[Path]:
    """The folder of unpacked programs, without what other tests have there."""
    own = every_home.path / "AppData" / "Local" / "credlatch"
    aside = own.with_name("aside")
    if own.exists():
        own.rename(aside)
    yield own / "run"
    shutil.rmtree(own, ignore_errors=True)
    if aside.exists():
        aside.rename(own)


def test_both_forms_answer_when_all_of_them_is_signed(
    signer: Signer, signed: Path, own_unpacked: Path, every_home: WindowsHome, host: str
) -> None:
    every_home.clean()
    every_home.write("_netrc", f"machine {host} login bob password p\n")
    for program in (signed / "credlatch.d" / "credlatch.exe", signed / "credlatch.exe"):
        windows = Windows(program, every_home)
        assert signer.verifies(program)
        assert windows("--version").out.startswith(b"credlatch ")
        assert windows.bazel(f"https://{host}/x").authorization == basic("bob", "p")
        # What PyInstaller's loader reads of the archive at the end of the program.
        assert windows.docker("list").code == 0
    unpacked = own_unpacked / build()
    for name in ("credlatch.exe", PROGRAM):
        assert signer.verifies(unpacked / name)
        assert (unpacked / name).read_bytes() == (signed / "credlatch.d" / name).read_bytes()
    every_home.clean()


def test_their_bill_of_materials_has_the_hashes_of_what_is_signed(
    signed: Path, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    release.pack(signed, "windows-x86_64", into)
    (bill,) = into.glob("*.cdx.json")
    shutil.copyfile(bill, signed / bills.NAME)
    bills.see_that_each_file_is_in_exactly_one_component(signed)


def test_one_that_somebody_has_changed_is_not_signed(signer: Signer, tmp_path: Path) -> None:
    copy = tmp_path / "credlatch.exe"
    shutil.copy(FORMS["single"], copy)
    assert not signer.verifies(copy)
    signer.sign(copy)
    whole = copy.read_bytes()
    middle = len(whole) // 2
    copy.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    assert not signer.verifies(copy)
