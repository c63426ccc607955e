"""Files with secrets are written whole or not at all, for their owner alone."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.system import files, locks, writable
from credlatch.system.atomic_write import AtomicWrite
from support.components import need
from support.users import as_root

if TYPE_CHECKING:
    from collections.abc import Callable


def leftovers(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if each != path)


def test_threads_that_hold_the_lock_in_turn_lose_nothing(path: Path) -> None:
    path.write_text("")
    lock = f"{path}.lock"

    def run(name: str) -> None:
        for _ in range(10):
            with locks.Exclusive(lock, 30):
                write = AtomicWrite(str(path), room=1000)
                write.commit(path.read_bytes() + f"{name}\n".encode())

    threads = [threading.Thread(target=run, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text().split()) == sorted([str(n) for n in range(8)] * 10)
    assert leftovers(path) == [path.with_suffix(".lock").name]


def test_a_write_replaces_the_content_once_and_leaves_nothing_else(path: Path) -> None:
    write = AtomicWrite(str(path))
    assert path.read_text() == "old"
    write.commit(b"new")
    write.abandon()
    with pytest.raises(ValueError, match="before"):
        write.commit(b"newer")
    assert path.read_text() == "new"
    assert leftovers(path) == []


def test_what_is_abandoned_leaves_the_old_content_and_nothing_else(path: Path) -> None:
    write = AtomicWrite(str(path), room=100_000)
    write.abandon()
    write.abandon()
    assert path.read_text() == "old"
    assert leftovers(path) == []


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 1000, b"x" * 3_000_000])
def test_the_room_that_was_reserved_is_no_part_of_the_content(path: Path, data: bytes) -> None:
    write = AtomicWrite(str(path), room=1000)
    write.commit(data)
    assert path.read_bytes() == data


def test_only_its_owner_may_read_it_whatever_the_umask_and_the_old_mode(path: Path) -> None:
    path.chmod(0o644)
    before = os.umask(0)
    try:
        write = AtomicWrite(str(path))
        (aside,) = [each for each in path.parent.iterdir() if each != path]
        assert stat.S_IMODE(aside.stat().st_mode) == 0o600
        write.commit(b"new")
        AtomicWrite(str(path.parent / "made" / "store")).commit(b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((path.parent / "made").stat().st_mode) == 0o700


def test_a_file_that_its_owner_may_only_read_stays_so(path: Path) -> None:
    path.chmod(0o440)
    AtomicWrite(str(path)).commit(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_a_mode_that_is_asked_for_is_the_file_s_from_the_beginning(path: Path) -> None:
    write = AtomicWrite(str(path), mode=0o644)
    (aside,) = [each for each in path.parent.iterdir() if each != path]
    assert stat.S_IMODE(aside.stat().st_mode) == 0o644
    write.commit(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_replaced(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)
    with pytest.raises(OSError, match="not a file"):
        AtomicWrite(str(path))
    assert leftovers(path) == []


def test_no_descriptor_is_left_open(path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    AtomicWrite(str(path)).commit(b"new")
    AtomicWrite(str(path)).abandon()
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        AtomicWrite(str(path / "below" / "store"))
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_is_followed_and_stays(path: Path, tmp_path: Path, *, there: bool) -> None:
    target = path if there else path.parent / "later" / "store"
    links = [tmp_path / "link", tmp_path / "second"]
    links[0].symlink_to("second")
    links[1].symlink_to(target)
    AtomicWrite(str(links[0])).commit(b"new")
    assert [link.is_symlink() for link in (*links, target)] == [True, True, False]
    assert target.read_text() == "new"
    assert leftovers(path) == ([] if there else ["later"])


def test_what_a_killed_writer_left_is_in_nobody_s_way(path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from credlatch.system.atomic_write import AtomicWrite\n"
        "write = AtomicWrite(sys.argv[1], 1000)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    location = os.path.dirname(os.path.dirname(os.path.dirname(files.__file__)))
    killed = subprocess.run(
        [sys.executable, "-c", script, path], env={"PYTHONPATH": location}, timeout=60, check=False
    )
    assert killed.returncode == -9
    assert path.read_text() == "old"
    assert len(leftovers(path)) == 1
    AtomicWrite(str(path)).commit(b"new")
    assert path.read_text() == "new"
    assert leftovers(path) == []


def test_a_link_in_the_place_of_the_new_content_is_not_followed(path: Path) -> None:
    write = AtomicWrite(str(path))
    (aside,) = leftovers(path)
    write.abandon()
    victim = path.parent / "victim"
    victim.write_text("untouched")
    (path.parent / aside).symlink_to(victim)
    AtomicWrite(str(path)).commit(b"new")
    assert victim.read_text() == "untouched"
    assert path.read_text() == "new"


def recorded(patch: pytest.MonkeyPatch, fail: str = "") -> list[str]:
    """Notes the order of what is asked of the system, which fails at the one step named."""
    calls: list[str] = []

    def noted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            calls.append(name)
            if name == fail:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return call

    for name in ("posix_fallocate", "write", "ftruncate", "fsync", "replace"):
        patch.setattr(os, name, noted(name, getattr(os, name)))
    return calls


def test_the_content_is_durable_before_it_is_visible_and_the_rename_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = recorded(monkeypatch)
    AtomicWrite(str(path), room=10).commit(b"new")
    assert calls == ["posix_fallocate", "write", "ftruncate", "fsync", "replace", "fsync"]


@pytest.mark.parametrize("step", ["posix_fallocate", "write", "ftruncate", "fsync", "replace"])
def test_a_full_disk_at_any_step_leaves_the_old_content_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def attempt() -> None:
        AtomicWrite(str(path), room=10).commit(b"new")

    with monkeypatch.context() as patch:
        recorded(patch, fail=step)
        with pytest.raises(OSError, match="No space"):
            attempt()
    assert path.read_text() == "old"
    assert leftovers(path) == []


def test_a_write_that_the_system_takes_in_pieces_is_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    AtomicWrite(str(path)).commit(b"x" * 100)
    monkeypatch.undo()
    assert path.read_bytes() == b"x" * 100


def test_removing_what_is_not_there_is_no_error(path: Path) -> None:
    writable.remove(str(path))
    writable.remove(str(path))
    assert not path.exists()


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="the system lists what is mounted")
@pytest.mark.parametrize("name", ["store", "a store\\ of\ttwo"])
def test_a_file_that_is_mounted_by_itself_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("old")
    script = (
        "import sys\n"
        "from credlatch.system.atomic_write import AtomicWrite\n"
        "try:\n"
        "    AtomicWrite(sys.argv[1])\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    location = Path(files.__file__).parents[2]
    mount = 'mount --bind "$0" "$0" && exec "$@"'
    mounted = [need("unshare"), "--mount", "sh", "-c", mount, str(path)]
    done = subprocess.run(
        [*mounted, sys.executable, "-c", script, str(path)],
        env={**os.environ, "PYTHONPATH": str(location)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "it is mounted by itself: mount its folder instead\n"
    assert [each.name for each in tmp_path.iterdir()] == [name]
