"""What the single file carries, read from archives that PyInstaller itself has written."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import time
from typing import TYPE_CHECKING

import pytest
from PyInstaller.archive.writers import CArchiveWriter

from credlatch.bundle import carried
from credlatch.errors import PlaceError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"),
    reason="Windows' single file is built with Python 3.11.4 or newer",
)
NAME = "0123456789abcdef.tar.gz"
LIBRARY = os.urandom(100_000)


def packed(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 1, whole, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o755 if name == "credlatch" else 0o644
            archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()


FILES = {"credlatch": b"program", "_internal/library": LIBRARY}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def executable(tmp_path: Path, payload: bytes, *, before: bytes, after: bytes = b"") -> str:
    """A frozen executable: a loader, the archive, and what a linker or a signature adds."""
    content = tmp_path / "payload"
    content.write_bytes(payload)
    other = tmp_path / "other"
    other.write_bytes(b"other" * 1000)
    entries = [("other", str(other), True, "x"), (NAME, str(content), False, "a")]
    archive = tmp_path / "archive"
    CArchiveWriter(str(archive), [*entries, ("X opt=1", "", False, "o")], "libpython.so")
    program = tmp_path / "program"
    program.write_bytes(before + archive.read_bytes() + after)
    return str(program)


@pytest.mark.parametrize("after", [b"", b"headers of sections" * 10, bytes(3000)])
def test_all_is_unpacked_as_it_was(tmp_path: Path, folder: Path, after: bytes) -> None:
    begin = int(time.time())
    program = executable(tmp_path, packed(FILES), before=b"\x7fELF" * 999, after=after)

    carried.unpack(program, NAME, str(folder))

    for name, content in FILES.items():
        path = folder / name
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if name == "credlatch" else 0o600)
        assert path.stat().st_mtime >= begin  # what cleans caches by age lets it be


@pytest.mark.parametrize("chunk", [100, 101, 8192])
def test_the_last_record_counts_wherever_chunks_end(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    before = carried._MARK + bytes(200)  # as the loader has it, which looks for it too
    program = executable(tmp_path, packed(FILES), before=before, after=bytes(17))
    monkeypatch.setattr(carried, "_CHUNK", chunk)

    carried.unpack(program, NAME, str(folder))

    assert (folder / "_internal" / "library").read_bytes() == LIBRARY


def refused(program: str, folder: Path, name: str = NAME) -> str:
    with pytest.raises(PlaceError) as raised:
        carried.unpack(program, name, str(folder))
    assert program in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("content", [b"", b"x", b"#!/bin/sh\n" * 1000])
def test_a_file_that_is_something_else_by_now(tmp_path: Path, folder: Path, content: bytes) -> None:
    (tmp_path / "program").write_bytes(content)
    assert "has been replaced" in refused(str(tmp_path / "program"), folder)


def test_another_build_that_was_put_in_its_place(tmp_path: Path, folder: Path) -> None:
    program = executable(tmp_path, packed(FILES), before=b"")
    assert "has been replaced" in refused(program, folder, "f" * 16 + ".tar.gz")


def test_a_file_that_is_gone_by_now(tmp_path: Path, folder: Path) -> None:
    assert "no such file" in refused(str(tmp_path / "gone"), folder)


@pytest.mark.parametrize("spot", [3, 5_000, -6, -2])
def test_a_flipped_bit_is_noticed(tmp_path: Path, folder: Path, spot: int) -> None:
    payload = bytearray(packed(FILES))
    payload[spot] ^= 0x10
    assert "is damaged" in refused(executable(tmp_path, bytes(payload), before=b""), folder)


def test_an_archive_that_is_cut_off_is_noticed(tmp_path: Path, folder: Path) -> None:
    payload = packed(FILES)[:-1000]
    assert "is damaged" in refused(executable(tmp_path, payload, before=b""), folder)


@pytest.mark.parametrize("name", ["../outside", "a/../../outside"])
def test_nothing_is_written_outside(tmp_path: Path, folder: Path, name: str) -> None:
    assert "is damaged" in refused(executable(tmp_path, packed({name: b"x"}), before=b""), folder)
    assert not (tmp_path / "outside").exists()


def test_an_absolute_path_is_one_inside(tmp_path: Path, folder: Path) -> None:
    outside = tmp_path / "outside"
    carried.unpack(
        executable(tmp_path, packed({str(outside): b"x"}), before=b""), NAME, str(folder)
    )
    assert not outside.exists()
    assert (folder / str(outside)[1:]).exists()


def test_a_folder_that_cannot_be_written_is_not_the_archive_s_fault(
    tmp_path: Path, folder: Path
) -> None:
    program = executable(tmp_path, packed(FILES), before=b"")
    (folder / "_internal").write_text("in the way")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        carried.unpack(program, NAME, str(folder))
