"""The private folder in memory."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import SecretsError
from credlatch.secrets import folder as folders
from credlatch.secrets.folder import filesystem, private
from credlatch.secrets.source import UNANSWERED
from support.callers import caller_of
from support.in_memory import SHM
from support.started import started

if TYPE_CHECKING:
    from support.home import Home


def test_it_is_ours_alone_in_memory_and_gone_afterwards(home: Home, runtime: Path) -> None:
    with private(caller_of(home)) as folder:
        path = Path(folder)
        assert path.parent == runtime
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert filesystem(folder) == "tmpfs"
        (path / "t").write_text("x")
    assert list(runtime.iterdir()) == []


def test_two_are_not_in_each_others_way_not_even_an_old_one(home: Home, runtime: Path) -> None:
    with private(caller_of(home)) as one:
        os.utime(one, (1, 1))
        with private(caller_of(home)) as other:
            assert one != other
            assert Path(one).exists()
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("named", ["on disk", "with a comma", "absent", None])
def test_where_the_runtime_folder_is_not_fit_it_is_in_shm(
    home: Home, tmp_path: Path, named: str | None
) -> None:
    home.env["XDG_RUNTIME_DIR"] = str(tmp_path)
    if named == "with a comma":
        home.env["XDG_RUNTIME_DIR"] = f"{SHM}/a,b"
    elif named == "absent":
        home.env["XDG_RUNTIME_DIR"] = "/absent"
    elif named is None:
        del home.env["XDG_RUNTIME_DIR"]
    with private(caller_of(home)) as folder:
        assert Path(folder).parent == SHM


def test_where_others_can_write_is_no_place_for_it(home: Home, runtime: Path) -> None:
    """Whoever can write there could put a folder of his own in the place of ours."""
    for mode in (0o770, 0o707, 0o1777):
        runtime.chmod(mode)
        with private(caller_of(home)) as folder:
            assert Path(folder).parent == SHM
    runtime.chmod(0o755)
    with private(caller_of(home)) as folder:
        assert Path(folder).parent == runtime


def refusal(home: Home) -> str:
    """Why there can be none."""
    with pytest.raises(SecretsError) as caught, private(caller_of(home)):
        pass
    return str(caught.value)


def test_what_is_anothers_is_no_place_for_it(
    home: Home, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after ``su`` and ``sudo -E``, which leave XDG_RUNTIME_DIR as it was."""
    monkeypatch.setattr(os, "getuid", lambda: runtime.stat().st_uid + 1)
    monkeypatch.setattr(folders, "_SHARED", "/absent")
    assert f"{runtime} (not yours alone), /absent (not there)" in refusal(home)


def test_where_nothing_is_in_memory_that_is_said(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.env["XDG_RUNTIME_DIR"] = str(tmp_path)
    monkeypatch.setattr(folders, "filesystem", {str(tmp_path): "ext4"}.get)
    said = refusal(home)
    assert f"{tmp_path} (ext4), /dev/shm (not there)" in said
    assert "--as-env" in said


@pytest.mark.parametrize(
    ("call", "error", "why"),
    [
        ("mkdir", OSError(28, "No space left on device"), "cannot be made: no space left"),
        ("fork", OSError(11, "No more of it"), "cannot be watched: no more of it"),
    ],
)
def test_a_full_place_or_a_watcher_that_cannot_be_started_is_said(
    home: Home, runtime: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: OSError, why: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, call, fail)
    assert why in refusal(home)
    assert list(runtime.iterdir()) == []


def test_the_kind_of_a_file_system() -> None:
    assert filesystem("/proc") == "proc"
    assert filesystem(str(SHM)) == "tmpfs"
    assert filesystem("/absent") is None


def test_who_waits_at_a_fifo_when_it_goes_does_not_wait_for_ever(home: Home, runtime: Path) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(private(caller_of(home)))
        os.mkfifo(f"{folder}/t")
        with started(["cat", f"{folder}/t"], stdout=subprocess.PIPE) as reader:
            while not _opens(reader.pid):
                assert reader.poll() is None
            stack.close()
            assert reader.communicate(timeout=30)[0] == UNANSWERED
    assert list(runtime.iterdir()) == []


def _opens(pid: int) -> bool:
    """Whether a process sleeps in openat(2), by its number on x86_64 and aarch64."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "S" and Path(f"/proc/{pid}/syscall").read_text().split()[0] in {"257", "56"}


def abandoned(runtime: Path, name: str, age: float) -> Path:
    path = runtime / name
    path.mkdir(mode=0o700)
    (path / "t").write_text("x")
    os.mkfifo(path / "f")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def test_what_a_killed_run_left_is_removed_by_the_next(home: Home, in_memory: Path) -> None:
    runtime = in_memory
    home.env["XDG_RUNTIME_DIR"] = str(runtime)
    left = abandoned(runtime, "credlatch-secrets-left", age=3600)
    young = abandoned(runtime, "credlatch-secrets-young", age=1)
    alive = abandoned(runtime, "credlatch-secrets-alive", age=3600)
    other = abandoned(runtime, "other", age=3600)
    (runtime / "credlatch-secrets-link").symlink_to(other)
    lock = os.open(alive, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with private(caller_of(home)):
        assert not left.exists()
        assert young.exists()
        assert alive.exists()
        assert (other / "t").exists()
    os.close(lock)
