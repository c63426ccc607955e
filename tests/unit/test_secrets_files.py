"""What the readers of a secret's file get, of either kind: slow ones, and those who go away."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.secrets import fifo
from credlatch.secrets.leased_file import LeasedFile
from credlatch.secrets.source import MAX_SIZE, UNANSWERED
from credlatch.system import threads
from support.found import sure
from support.in_memory import until
from support.secret_files import (
    SECONDS,
    numbered,
    offer_of_a_kind,  # noqa: F401 - a fixture
    place_in_memory,  # noqa: F401 - a fixture
    read,
)
from support.started import started

if TYPE_CHECKING:
    from support.secret_files import Offer, Place


def test_each_reader_gets_an_answer_of_its_own(place: Place, offer: Offer) -> None:
    file = offer(numbered())
    assert [read(place) for _ in range(3)] == [b"1", b"2", b"3"]
    assert file.answered == 3


@pytest.mark.parametrize("length", [1, 4097, 65_537, MAX_SIZE, MAX_SIZE + 1])
def test_an_answer_of_any_length_arrives_whole(place: Place, offer: Offer, length: int) -> None:
    offer(numbered(length))
    assert len(read(place)) == length
    assert len(read(place)) == length


def test_who_only_looks_at_the_file_asks_for_nothing(place: Place, offer: Offer) -> None:
    file = offer(numbered())
    for _ in range(3):
        status = (place.folder / "t").stat()
        assert status.st_size < MAX_SIZE  # BuildKit looks at the size when it starts
        assert stat.S_IMODE(status.st_mode) == 0o600
    assert sorted(os.listdir(place.folder)) == ["t"]
    assert file.answered == 0


def test_a_reader_that_dies_leaves_the_next_ones_alone(place: Place, offer: Offer) -> None:
    offer(numbered(MAX_SIZE))
    with started(["head", "-c", "10", str(place.folder / "t")], stdout=-1) as process:
        out, _ = process.communicate(timeout=SECONDS)
    assert out == b"1........."
    assert read(place).startswith(b"2.")


def test_a_reader_that_never_reads_holds_up_nobody(place: Place, offer: Offer) -> None:
    file = offer(numbered(MAX_SIZE))
    sleeper = ["sh", "-c", f"exec 3<{place.folder}/t; echo; exec sleep {SECONDS}"]
    with started(sleeper, stdout=subprocess.PIPE) as process:
        sure(process.stdout).read(1)
        until(lambda: file.answered == 1)
        assert read(place).startswith(b"2.")
        process.kill()


def test_a_fifo_says_when_its_reader_has_gone(place: Place) -> None:
    place.fifo(numbered(MAX_SIZE))
    with started(["head", "-c", "1", str(place.folder / "t")], stdout=-1) as process:
        process.communicate(timeout=SECONDS)
    until(lambda: place.left > 0)
    assert place.left == 1
    assert place.lost == []


def test_where_nobody_is_answered_any_more_no_file_is_put(place: Place, offer: Offer) -> None:
    before = set(threading.enumerate())
    file = offer(numbered())
    (thread,) = set(threading.enumerate()) - before
    assert read(place) == b"1"
    until(lambda: file.answered == 1)
    file.close()
    last = (place.folder / "t").stat().st_ino
    with started(["cat", str(place.folder / "t")], stdout=subprocess.PIPE) as process:
        thread.join(SECONDS)
        if isinstance(file, LeasedFile):
            assert process.poll() is None
            os.close(file._descriptor)  # as the end of the process does
        assert process.communicate(timeout=SECONDS)[0] == UNANSWERED
    (path,) = place.folder.iterdir()
    assert path.stat().st_ino == last
    assert place.lost == []


def test_a_fifo_is_one(place: Place) -> None:
    place.fifo(numbered())
    assert stat.S_ISFIFO((place.folder / "t").stat().st_mode)
    assert read(place) == b"1"
    assert stat.S_ISFIFO((place.folder / "t").stat().st_mode)


@pytest.mark.parametrize(("fails", "lost"), [(2, 0), (100, 1)])
def test_a_fifo_that_cannot_be_opened_is_tried_again_and_then_taken_away(
    place: Place, monkeypatch: pytest.MonkeyPatch, fails: int, lost: int
) -> None:
    real, path, left = os.open, str(place.folder / "t"), [fails]
    monkeypatch.setattr(fifo, "_PAUSES", (0.01, 0.01, 0.01))

    def opened(named: Any, flags: int, *more: Any, **others: Any) -> int:
        if named == path and flags & os.O_WRONLY and left[0] > 0:
            left[0] -= 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(named, flags, *more, **others)

    monkeypatch.setattr(os, "open", opened)
    place.fifo(numbered())
    if lost:
        until(lambda: not os.path.lexists(path))
        until(lambda: len(place.lost) == lost)
    else:
        assert read(place) == b"1"
        assert place.lost == []


def test_a_reader_of_a_fifo_for_whom_there_is_no_thread_gets_no_secret_and_it_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.fifo(numbered())

    def start(*_: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with monkeypatch.context() as patched:
        patched.setattr(threads, "start", start)
        assert read(place) == UNANSWERED
        until(lambda: len(place.lost) == 1)
    assert read(place) == b"1"


def test_where_the_next_file_cannot_be_put_the_reader_gets_its_own_and_nobody_else_any(
    place: Place, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    file = offer(lambda: b"hunter2")
    (thread,) = set(threading.enumerate()) - before
    full = OSError(28, "No space left on device")

    def fail(*_: object) -> int:
        raise full

    monkeypatch.setattr(type(file), "_place", fail)
    assert read(place) == b"hunter2"
    until(lambda: bool(place.lost))
    assert place.lost == [full]
    assert list(place.folder.iterdir()) == []  # nothing that nobody will ever answer
    assert file.answered == 1
    thread.join(SECONDS)
    assert not thread.is_alive()
