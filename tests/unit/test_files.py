"""Files with secrets are read with care."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.system import files, locks

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_read_as_utf_8_without_its_byte_order_mark(path: Path) -> None:
    path.write_bytes("\ufeffä\r\n".encode())
    assert files.read(str(path)) == "ä\r\n"


@pytest.mark.parametrize("name", ["none", "none/none", "store/none", "link"])
def test_what_is_not_there_is_none_and_dev_null_is_empty(path: Path, name: str) -> None:
    (path.parent / "link").symlink_to("gone")
    assert files.read(str(path.parent / name)) is None
    assert files.read(os.devnull) == ""


def refused(path: Path, limit: int = files.MAX_SIZE) -> str:
    with pytest.raises(StoreError) as raised:
        files.read(str(path), limit=limit)
    assert str(path) in str(raised.value)
    return str(raised.value)


def test_a_fifo_with_a_writer_is_refused_and_not_read(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(path, os.O_WRONLY)
    try:
        os.write(writing, b"secret")
        assert "not a file" in refused(path)
        assert os.read(reading, 6) == b"secret"
    finally:
        os.close(writing)
        os.close(reading)


def test_a_circle_of_links_is_refused_with_the_system_s_reason(path: Path) -> None:
    path.unlink()
    path.symlink_to("store")
    assert os.strerror(errno.ELOOP).lower() in refused(path)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_that_no_file_has_is_refused(path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="no file has such a name"):
        files.read(f"{path}{name}")


def test_a_name_that_is_too_long_is_refused(path: Path) -> None:
    assert "too long" in refused(path.parent / ("x" * 300))


@pytest.mark.parametrize("size", [10, 11])
def test_the_largest_file_and_one_byte_more(path: Path, size: int) -> None:
    path.write_text("x" * size)
    if size == 10:
        assert files.read(str(path), limit=10) == "x" * 10
    else:
        assert "larger than 10 bytes" in refused(path, limit=10)


def test_a_device_that_never_ends_is_refused(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "larger than" in refused(path, limit=100_000)


def test_no_descriptor_is_left_open(path: Path) -> None:
    before = os.listdir("/dev/fd")
    files.read(str(path))
    refused(path.parent)
    path.write_bytes(b"\xff")
    refused(path)
    assert len(os.listdir("/dev/fd")) == len(before)


def test_what_has_been_read_counts_whatever_the_system_says_when_it_is_closed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.close

    def failing(descriptor: int) -> None:
        real(descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "close", failing)
    with locks.Exclusive(f"{path}.lock", 1):
        assert files.read(str(path)) == "old"
    locks.settle(f"{path}.lock")


def test_a_shortage_of_this_process_s_own_is_counted_however_deep_it_is() -> None:
    before = files.shortages
    assert files.reason(OSError(errno.EACCES, "Permission denied")) == "permission denied"
    assert files.shortages == before
    assert files.reason(OSError(errno.EMFILE, "Too many open files")) == "too many open files"
    assert files.shortages == before + 1
    error = ValueError("no connection")
    error.__cause__ = RuntimeError("none")
    error.__cause__.__context__ = OSError(errno.ENFILE, os.strerror(errno.ENFILE))
    assert files.is_short(error)
    assert files.shortages == before + 2
    assert not files.is_short(ValueError("no connection"))


def test_as_many_descriptors_are_allowed_as_the_system_allows() -> None:
    ask = "import resource as r; from credlatch.system import memory\n"
    ask += "r.setrlimit(r.RLIMIT_NOFILE, ({}, {})); memory.allow_descriptors({})\n"
    ask += "print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    rows = [(64, 256, 200, 200), (64, 128, 200, 128), (256, 256, 200, 256)]
    for soft, hard, wanted, got in rows:
        words = [sys.executable, "-c", ask.format(soft, hard, wanted)]
        assert int(subprocess.check_output(words)) == got


@pytest.mark.parametrize(
    ("mode", "text", "warned"),
    [(0o600, "old", False), (0o400, "old", False), (0o640, "old", True), (0o644, "", False)],
)
def test_a_file_that_others_may_read_is_warned_of_unless_it_is_empty(
    path: Path, mode: int, text: str, *, warned: bool
) -> None:
    path.write_text(text)
    path.chmod(mode)
    said: list[str] = []
    assert files.read(str(path), said.append) == text
    assert bool(said) is warned
    assert files.read(str(path)) == text


def test_what_is_refused_is_not_warned_of_as_well(path: Path) -> None:
    caller = Caller({}, "/")
    path.write_bytes(b"\xff")
    path.chmod(0o644)
    path.parent.chmod(0o755)
    for each in (path, path.parent):
        for read in (files.read, lambda name, _: caller.document(name, lambda text, _: text)):
            with pytest.raises(StoreError):
                read(str(each), caller.warn)
    assert caller.warnings == []


def test_a_reason_has_no_path_and_no_number() -> None:
    assert files.reason(PermissionError(13, "Permission denied", "/a/path")) == "permission denied"
    assert files.reason(OSError(errno.EIO, "I/O error")) == "I/O error"  # as musl says it
    assert files.reason(OSError("odd")) == "oserror"
    # One that we have found ourselves may be about another file, whose name stays as it is.
    assert files.reason(OSError(1, "/Ada is another user's")) == "/Ada is another user's"
