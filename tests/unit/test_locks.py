"""Lock files as uv takes them: flock, one at a time, and readers who need not ask."""

from __future__ import annotations

import _thread
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import LockedError, StoreError
from credlatch.system import locks
from support.bound import listening
from support.found import sure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def flocked(path: Path) -> Iterator[int]:
    """The lock as another program holds it; closing the descriptor gives it up."""
    path.touch()
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    try:
        with flocked(path):
            return False
    except BlockingIOError:
        return True


def test_it_is_a_flock_that_others_see_and_it_ends_with_the_block(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "x.lock"
    with locks.Exclusive(str(path), 1):
        assert is_held(path)
    assert path.exists()
    assert not is_held(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(KeyError), locks.Exclusive(str(path), 1):
        raise KeyError
    assert not is_held(path)


@pytest.mark.parametrize("in_turn", [True, False])
@pytest.mark.parametrize("seconds", [-1, 0.0, 0.2])
def test_somebody_who_keeps_it_is_waited_for_and_not_for_ever(
    tmp_path: Path, seconds: float, *, in_turn: bool
) -> None:
    path = tmp_path / "x.lock"
    with locks.Exclusive(str(path), seconds, in_turn=in_turn):
        assert is_held(path)
    with flocked(path):
        begin = time.monotonic()
        held = pytest.raises(LockedError, match=r"x\.lock.*held by another process")
        with held, locks.Exclusive(str(path), seconds, in_turn=in_turn):
            pass
        assert seconds <= time.monotonic() - begin < 30


@contextmanager
def given_up_soon(path: Path, seconds: float = 0.1) -> Iterator[None]:
    """The lock as another program holds it for a moment more."""
    with flocked(path) as descriptor:
        release = threading.Timer(seconds, fcntl.flock, (descriptor, fcntl.LOCK_UN))
        release.start()
        yield
        release.join()


def test_whoever_waits_gets_it_when_it_is_given_up_and_a_reader_has_waited(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with given_up_soon(path), locks.Exclusive(str(path), 10):
        assert is_held(path)
    with given_up_soon(path):
        locks.settle(str(path), 10)
        assert not is_held(path)


def test_two_threads_of_one_process_exclude_each_other_like_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    inside: list[int] = []
    most: list[int] = []

    def run() -> None:
        for _ in range(20):
            with locks.Exclusive(str(path), 30):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0)  # let others run, who must not come in
                inside.pop()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 160


def test_a_thread_that_gives_up_does_not_end_another_thread_s_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with locks.Exclusive(str(path), 1):
        for _ in range(2):
            with pytest.raises(LockedError), locks.Exclusive(str(path), -1):
                pass
            with pytest.raises(StoreError):
                locks.settle(str(path), 0)
        assert is_held(path)


def test_a_reader_waits_for_no_lock_that_nobody_holds_and_makes_and_keeps_none(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.lock"
    locks.settle(str(path), 0)
    assert list(tmp_path.iterdir()) == []
    path.touch()
    locks.settle(str(path), 0)
    assert not is_held(path)


def test_a_writer_that_hangs_is_an_error_that_names_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with flocked(path), pytest.raises(StoreError, match=r"x\.lock has been locked by a writer"):
        locks.settle(str(path), 0.1)


def dangling(path: Path) -> None:
    path.symlink_to("victim")


def link(path: Path) -> None:
    (path.parent / "victim").touch()
    path.symlink_to("victim")


@pytest.mark.parametrize("make", [link, dangling, os.mkfifo, listening, os.mkdir])
def test_what_is_no_lock_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "x.lock"
    make(path)
    before = sorted(tmp_path.iterdir())
    with (
        pytest.raises(LockedError, match=r"x\.lock is no lock file"),
        locks.Exclusive(str(path), 9),
    ):
        pass
    with pytest.raises(LockedError, match=r"x\.lock is no lock file"):
        locks.settle(str(path))
    assert sorted(tmp_path.iterdir()) == before


def test_a_lock_is_made_anew_as_often_as_it_takes_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = os.open, [0]

    def opening(path: str, flags: int, *args: int, **location: int) -> int:
        if path == "x.lock":
            times[0] += 1
            raise FileExistsError if flags & os.O_EXCL else FileNotFoundError
        return real(path, flags, *args, **location)

    monkeypatch.setattr(os, "open", opening)
    with (
        pytest.raises(LockedError, match="removed as often"),
        locks.Exclusive(f"{tmp_path}/x.lock", 9),
    ):
        pass
    assert times[0] > 10


def test_who_waits_takes_no_time_of_the_processor_s_and_sees_a_signal(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    script = (
        "import sys, time\n"
        "from credlatch.system import locks\n"
        "try:\n"
        "    print('here', flush=True)\n"
        "    with locks.Exclusive(sys.argv[1], 600): pass\n"
        "except KeyboardInterrupt:\n"
        "    print(time.process_time(), flush=True)\n"
    )
    location = os.path.dirname(os.path.dirname(os.path.dirname(locks.__file__)))
    with flocked(path):
        waiting = subprocess.Popen(
            [sys.executable, "-S", "-c", script, path],
            env={"PYTHONPATH": location},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert sure(waiting.stdout).readline() == "here\n"
        time.sleep(3)
        waiting.send_signal(signal.SIGINT)
        out, _ = waiting.communicate(timeout=60)
    assert float(out) < 0.5
    assert not is_held(path)


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="the system tells who waits")
def test_who_came_first_has_it_first(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    order: list[int] = []

    def wait(number: int) -> None:
        with locks.Exclusive(str(path), 60):
            order.append(number)

    def waiting() -> int:
        with open("/proc/locks", encoding="ascii") as file:
            return sum("->" in row and f":{path.stat().st_ino} " in row for row in file)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(6)]
    with flocked(path):
        for count, thread in enumerate(threads, 1):
            thread.start()
            for _ in range(3_000):
                if waiting() == count:
                    break
                time.sleep(0.01)
            assert waiting() == count
    for thread in threads:
        thread.join(60)
    assert order == list(range(6))


def test_out_of_turn_whoever_comes_first_holds_it_and_all_others_see_its_end_at_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.lock"
    before = len(os.listdir("/dev/fd"))
    held = []
    all_of_them = threading.Barrier(6)

    def wait() -> None:
        with locks.Exclusive(str(path), 30, in_turn=False) as lock:
            held.append(lock.held)
            all_of_them.wait(30)  # none of them keeps the next one from coming here

    with locks.Exclusive(str(path), 30, in_turn=False) as first:
        assert first.held
        assert is_held(path)
        waiting = [threading.Thread(target=wait) for _ in range(5)]
        for each in waiting:
            each.start()
        time.sleep(0.2)
        assert held == []
    all_of_them.wait(30)
    # Nor do they keep anybody from having it.
    with locks.Exclusive(str(path), 30, in_turn=False) as lock:
        assert lock.held
    for each in waiting:
        each.join(30)
    assert held == [False] * 5
    assert len(os.listdir("/dev/fd")) == before


def test_who_has_given_up_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with flocked(path):
        for in_turn in (True, False, True, False):
            with pytest.raises(LockedError), locks.Exclusive(str(path), 0.05, in_turn=in_turn):
                pass
    with locks.Exclusive(str(path), 30):
        assert is_held(path)
    deadline = time.monotonic() + 30
    while _has_open(path):
        assert time.monotonic() < deadline, "who gave up has not let go"
        time.sleep(0.01)


def _has_open(path: Path) -> bool:
    """Whether this process has a file open, in whichever thread."""
    wanted = path.stat()
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # closed meanwhile, as the list itself is
            if os.path.samestat(os.fstat(int(name)), wanted):
                return True
    return False


@pytest.mark.parametrize("in_turn", [True, False])
def test_where_there_can_be_no_more_threads_it_is_tried_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_turn: bool
) -> None:
    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    path = tmp_path / "x.lock"
    monkeypatch.setattr(_thread, "start_new_thread", refused)
    with flocked(path):
        with pytest.raises(LockedError), locks.Exclusive(str(path), 0.1):
            pass
        with pytest.raises(LockedError):
            locks.settle(str(path), 0.1)
    with given_up_soon(path, 0.2), locks.Exclusive(str(path), 30, in_turn=in_turn) as lock:
        assert lock.held is is_held(path) is in_turn
