"""Who may start the agent: one caller at a time, in a folder of its own user's alone."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import by_socket, place, start
from support.found import sure

if TYPE_CHECKING:
    from pathlib import Path

BUILD = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The agent's folder, which is not there yet; pytest's are too long for it."""
    folder = tmp_path / "credlatch"
    monkeypatch.setattr(place, "folder", lambda _environ, _uid: os.fsencode(folder))
    return folder


def take(pause: float = start.PAUSE) -> int | None:
    return start.take(BUILD, pause)


def test_the_first_has_it_and_nobody_else(folder: Path) -> None:
    lock = sure(take())
    assert not os.get_inheritable(lock)
    assert take(0.0) is None
    os.close(lock)
    assert stat.S_IMODE((folder / f"{BUILD}.lock").stat().st_mode) == 0o600


def taken(pause: float = start.PAUSE) -> bool:
    """Whether whoever asks may start it; it could not, or was killed."""
    lock = take(pause)
    if lock is not None:
        os.close(lock)
    return lock is not None


def test_a_moment_after_a_start_nobody_tries_again_unless_told_to(folder: Path) -> None:
    assert taken()
    assert not taken()
    assert [taken(0.0) for _ in range(2)] == [True, True]
    path = folder / f"{BUILD}.lock"
    before = time.time() - start.PAUSE
    os.utime(path, (before, before))
    assert taken()
    assert not taken()  # it has told the time anew
    ahead = time.time() + 3_600
    os.utime(path, (ahead, ahead))  # the clock was set back
    assert taken()


def test_each_build_has_its_own(folder: Path) -> None:
    locks = [start.take(build) for build in (BUILD, "f" * 16)]
    assert None not in locks
    assert len(list(folder.iterdir())) == 2
    for lock in locks:
        os.close(lock or 0)


def test_no_descriptor_stays_open(folder: Path) -> None:
    def descriptors() -> int:
        free = os.open(os.devnull, os.O_RDONLY)
        os.close(free)
        return free

    lock = sure(take())
    before = descriptors()
    assert take() is None  # held
    os.close(lock)
    assert take() is None  # just started
    (folder / f"{BUILD}.lock").unlink()
    (folder / f"{BUILD}.lock").mkdir()
    with pytest.raises(IsADirectoryError):
        take()
    assert descriptors() == min(before, lock)


def test_the_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "credlatch"
    mask = os.umask(0)
    try:
        by_socket.private(os.fsencode(folder))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    by_socket.private(os.fsencode(folder))


def test_what_is_no_folder_or_one_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch(0o700)
    (tmp_path / "dangling").symlink_to("nothing")
    for name in ("link", "file", "dangling"):
        with pytest.raises(PermissionError):
            by_socket.private(os.fsencode(tmp_path / name))
    assert not (tmp_path / "nothing").exists()
    for mode in (0o701, 0o710, 0o704, 0o755, 0o777, 0o1777):
        (tmp_path / "real").chmod(mode)
        with pytest.raises(PermissionError):
            by_socket.private(os.fsencode(tmp_path / "real"))


@pytest.mark.parametrize("target", ["there", "gone"])
def test_a_link_in_the_lock_s_place_is_not_followed(folder: Path, target: str) -> None:
    folder.mkdir(mode=0o700)
    other = folder.with_name("other")
    if target == "there":
        other.write_text("mine")
    (folder / f"{BUILD}.lock").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        take()
    assert other.exists() is (target == "there")
    assert target == "gone" or other.read_text() == "mine"


def test_nothing_is_made_in_a_folder_that_is_not_there_or_another_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PermissionError, match="run cannot be looked at"):
        by_socket.private(os.fsencode(tmp_path / "run" / "credlatch"))
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PermissionError):
        by_socket.private(os.fsencode(tmp_path / "credlatch"))
    assert list(tmp_path.iterdir()) == []
    tmp_path.chmod(0o1777)  # as /tmp is: then what is made there must be this user's, and is not
    with pytest.raises(PermissionError):
        by_socket.private(os.fsencode(tmp_path / "credlatch"))


@pytest.mark.parametrize("chosen", ["on", "", None, "off", "/run/forwarded.sock", "no", "0"])
def test_one_is_started_unless_somebody_has_chosen_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    spawned: list[str] = []
    monkeypatch.setattr(start, "_spawn", lambda _, first: spawned.append(first))
    monkeypatch.delenv("CREDLATCH_AGENT", raising=False)
    if chosen is not None:
        monkeypatch.setenv("CREDLATCH_AGENT", chosen)
    for _ in range(2):
        start.start(BUILD, lambda: "a line")
    assert spawned == (["a line"] if chosen in {"on", "", None} else [])
    assert folder.exists() is bool(spawned)


def test_a_start_that_fails_is_no_failure_of_the_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(11, "no more processes")

    monkeypatch.setattr(start, "_spawn", fail)
    start.start(BUILD, str)
    folder.chmod(0o755)
    start.start(BUILD, str)


def test_what_it_is_given_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a caller's says comes with each call; its own is for the loader and the network."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    given = {
        "PATH": "/bin", "HOME": "/home/u", "XDG_RUNTIME_DIR": "/run/u", "TMPDIR": "/t",
        "CREDLATCH_AGENT_IDLE": "60", "https_proxy": "http://p:1", "SSL_CERT_FILE": "/ca.pem",
    }  # fmt: skip
    others = {
        "CREDLATCH_TOKEN_A_EXAMPLE": "s", "PYX_API_KEY": "s", "AWS_SECRET_ACCESS_KEY": "s",
        "DBUS_SESSION_BUS_ADDRESS": "unix:x", "LD_LIBRARY_PATH": "/bundle", "PYTHONPATH": "/p",
        "LD_LIBRARY_PATH_ORIG": "/a/build/s", "LD_PRELOAD": "/x.so", "LD_AUDIT": "/x.so",
        "SSLKEYLOGFILE": "/keys", "GCONV_PATH": "/g", "OPENSSL_MODULES": "/m", "NETRC": "/n",
        "OPENSSL_CONF": "/o.cnf",
    }  # fmt: skip
    for name, value in {**given, **others}.items():
        monkeypatch.setenv(name, value)
    its = start._environment("")
    assert {name: its.get(name) for name in given} == given
    assert set(its) - set(given) == {"PYINSTALLER_RESET_ENVIRONMENT", "MALLOC_ARENA_MAX"}
    assert start._environment("a\udcff\u2028é")[start.FIRST] == "a\\udcff\\u2028\\xe9"
