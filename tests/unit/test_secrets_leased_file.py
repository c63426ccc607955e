"""Files whose readers are held: several at once, and when something goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from credlatch.secrets import leased_file
from credlatch.secrets.source import MAX_SIZE, UNANSWERED
from support.in_memory import until
from support.secret_files import (
    SECONDS,
    numbered,
    place_in_memory,  # noqa: F401 - a fixture
    read,
)
from support.started import started

if TYPE_CHECKING:
    from support.secret_files import Place


class Slow:
    """An answer that comes when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let = threading.Event()

    def __call__(self) -> bytes:
        self.asked.set()
        self.let.wait(SECONDS)
        return b"slow"


def read_by(script: str, place: Place) -> str:
    """What a Python script prints that is given the file."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(place.folder / "t")],
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return done.stdout


def test_a_reader_that_waits_holds_up_no_other_secret(place: Place) -> None:
    slow = Slow()
    place.held(slow)
    with started(["cat", str(place.folder / "t")], stdout=subprocess.PIPE) as process:
        slow.asked.wait(SECONDS)
        place.held(lambda: b"quick", "other")
        quick = subprocess.run(
            ["cat", str(place.folder / "other")], capture_output=True, check=True, timeout=SECONDS
        )
        assert quick.stdout == b"quick"
        assert process.poll() is None
        slow.let.set()
        assert process.communicate(timeout=SECONDS)[0] == b"slow"


def test_while_a_reader_waits_the_next_file_is_there_and_no_larger_than_a_build_takes(
    place: Place,
) -> None:
    """Another build may begin meanwhile, and look at the size of what it is given."""
    slow = Slow()
    first = place.folder / "t"
    before = place.held(slow)._descriptor
    with started(["cat", str(first)], stdout=subprocess.PIPE) as process:
        slow.asked.wait(SECONDS)
        assert first.stat().st_size == len(UNANSWERED)
        assert first.stat().st_ino != os.fstat(before).st_ino
        # What the reader finds who is let through too early: no build takes as much.
        assert os.fstat(before).st_size == MAX_SIZE + 1
        assert os.pread(before, 100, 0).rstrip(b"\0") == UNANSWERED
        slow.let.set()
        assert process.communicate(timeout=SECONDS)[0] == b"slow"


def test_of_a_held_file_any_number_of_readers_gets_all_at_the_same_instant(place: Place) -> None:
    """They take the place of a build's parallel steps, all of which open their secret at once."""
    file = place.held(numbered(2000))
    together = (
        "import sys, threading\n"
        "barrier = threading.Barrier(8)\n"
        "found = []\n"
        "def one():\n"
        "    barrier.wait()\n"
        "    found.append(open(sys.argv[1]).read())\n"
        "for _ in range(25):\n"
        "    threads = [threading.Thread(target=one) for _ in range(8)]\n"
        "    [each.start() for each in threads], [each.join() for each in threads]\n"
        "print({len(text) for text in found}, {text[-1] for text in found}, len(found))\n"
    )
    assert read_by(together, place) == "{2000} {'.'} 200\n"
    assert 25 <= file.answered <= 200


def test_a_held_file_can_be_read_twice_and_its_size_is_true_once_it_is_open(place: Place) -> None:
    place.held(numbered(5000))
    twice = (
        "import os, sys\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    one = file.read(); file.seek(0)\n"
        "    print(one == file.read(), len(one) == os.fstat(file.fileno()).st_size)\n"
    )
    assert read_by(twice, place) == "True True\n"


def test_no_secret_is_in_the_folder_before_or_after_it_is_read(place: Place) -> None:
    file = place.held(lambda: b"hunter2")
    assert read(place) == b"hunter2"
    # Not to be held: the kernel refuses it instead, and what is there can be seen.
    with pytest.raises(BlockingIOError):
        os.open(place.folder / "t", os.O_RDONLY | os.O_NONBLOCK)
    until(lambda: file.answered == 2 and os.listdir(place.folder) == ["t"])
    assert (place.folder / "t").stat().st_size == len(UNANSWERED)


def test_where_there_is_no_room_for_a_secret_its_reader_gets_what_a_build_refuses(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.held(lambda: b"hunter2")

    error = OSError(28, "No space left on device")

    def full(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "pwrite", full)
    assert read(place) == b"\0" * (MAX_SIZE + 1)
    until(lambda: bool(place.lost))
    assert place.lost == [error]
    monkeypatch.undo()
    assert read(place) == b"hunter2"  # the next one is answered


def test_a_file_that_somebody_else_has_open_is_held_as_soon_as_he_is_gone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, busy = leased_file._lease, [BlockingIOError(), BlockingIOError()]

    def first_in_vain(descriptor: int, kind: int) -> None:
        if busy:
            raise busy.pop()
        lease(descriptor, kind)

    monkeypatch.setattr(leased_file, "_lease", first_in_vain)
    place.held(numbered())
    assert read(place) == b"1"


def test_where_nothing_can_be_held_none_is_made(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(leased_file, "_lease", unknown)
    with pytest.raises(OSError, match="Invalid argument"):
        place.held(numbered())
    assert list(place.folder.iterdir()) == []
