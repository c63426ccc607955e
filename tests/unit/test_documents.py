"""A file is parsed again when it may have changed, and only then."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import StoreError
from credlatch.system import documents, files
from credlatch.system.documents import Documents
from support.found import sure

if TYPE_CHECKING:
    from pathlib import Path


class Reader:
    """Reads one file as a store does.

    Attributes:
        parsed: what has been parsed.
    """

    def __init__(self, path: Path) -> None:
        self.parsed: list[str] = []
        self.kept = Documents()
        self.path = path

    def parse(self, text: str, path: str) -> list[str]:
        self.parsed.append(text)
        if text == "damaged":
            raise StoreError(f"{path} is damaged")
        return [text]

    def read(self, path: Path | None = None) -> str:
        file = sure(files.opened(str(path or self.path)))
        with file:
            return self.kept.content(file, self.parse)[0]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    path = tmp_path / "store"
    path.write_text("old")
    return Reader(path)


SETTLED = documents.SETTLED


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as one that was changed long ago, unless a test sets it back."""
    monkeypatch.setattr(documents, "SETTLED", -1.0)


def wait_for_tick(path: Path) -> None:
    """Until the file system's clock shows another time than the file's."""
    probe = path.with_name("probe")
    while True:
        probe.write_text("")
        if probe.stat().st_ctime_ns > path.stat().st_ctime_ns:
            return
        time.sleep(0.001)


def test_an_unchanged_file_is_parsed_once(reader: Reader) -> None:
    assert [reader.read() for _ in range(3)] == ["old"] * 3
    assert reader.parsed == ["old"]


@pytest.mark.parametrize("how", ["in place", "renamed", "times set back", "longer", "relinked"])
def test_a_changed_file_is_parsed_again(reader: Reader, how: str) -> None:
    path = reader.path
    before = path.stat()
    assert reader.read() == "old"
    wait_for_tick(path)
    if how == "longer":
        with path.open("a") as file:
            file.write("er")
    elif how == "renamed":
        aside = path.with_name("aside")
        aside.write_text("new")
        aside.replace(path)
    elif how == "relinked":
        path.with_name("other").write_text("new")
        path.unlink()
        path.symlink_to("other")
    else:
        path.write_text("new")
        if how == "times set back":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert reader.read() == ("older" if how == "longer" else "new")


def test_a_file_that_was_changed_a_moment_ago_is_not_remembered(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two writes of the same size within one tick of the clock, the second leaves no trace.
    monkeypatch.setattr(documents, "SETTLED", SETTLED)
    real = documents._mark
    monkeypatch.setattr(documents, "_mark", lambda status: (*real(status)[:3], 0))
    monkeypatch.setattr(documents, "_changed", lambda _: 0)
    for number in range(300):
        content = f"{number:03}"
        reader.path.write_text(content)
        assert reader.read() == content


@pytest.mark.parametrize("set_back", [False, True])
@pytest.mark.parametrize(
    ("age", "parsed"), [(-60.0, 2), (0.0, 2), (1.9, 2), (2.1, 1), (86_400.0, 1)]
)
def test_how_long_ago_a_change_must_be_whatever_a_file_s_times_were_set_back_to(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, age: float, parsed: int, *, set_back: bool
) -> None:
    monkeypatch.setattr(documents, "SETTLED", SETTLED)
    if set_back:
        os.utime(reader.path, (1_000_000_000, 1_000_000_000))
    changed = reader.path.stat().st_ctime
    monkeypatch.setattr(time, "time", lambda: changed + age)
    reader.read()
    reader.read()
    assert len(reader.parsed) == parsed


def test_what_was_read_while_the_file_changed_is_not_served_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.Reading.text

    def text(self: files.Reading, limit: int = files.MAX_SIZE) -> str:
        said = real(self, limit)
        if said == "old":
            wait_for_tick(reader.path)
            reader.path.write_text("new")
            os.utime(reader.path, ns=(self.status.st_atime_ns, self.status.st_mtime_ns))
        return said

    monkeypatch.setattr(files.Reading, "text", text)
    assert reader.read() == "old"
    assert reader.read() == "new"
    assert reader.read() == "new"
    assert reader.parsed == ["old", "new"]


def test_a_failure_is_not_remembered(reader: Reader) -> None:
    reader.path.write_text("damaged")
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged"):
            reader.read()
    assert len(reader.parsed) == 2


def test_nothing_but_a_file_is_remembered(reader: Reader) -> None:
    reader.path.unlink()
    reader.path.symlink_to(os.devnull)
    assert (reader.read(), reader.read()) == ("", "")
    assert len(reader.parsed) == 2


def test_one_file_read_in_two_ways_is_two_documents(reader: Reader) -> None:
    file = sure(files.opened(str(reader.path)))
    with file:
        assert reader.kept.content(file, lambda text, _: len(text)) == 3
    assert reader.read() == "old"


def fill(reader: Reader, number: int, size: int) -> list[Path]:
    paths = [reader.path.with_name(f"{each:03}") for each in range(number)]
    for each in paths:
        each.write_text(each.name.ljust(size))
        reader.read(each)
    reader.parsed.clear()
    return paths


def test_of_too_many_files_those_that_were_used_last_are_remembered(reader: Reader) -> None:
    paths = fill(reader, documents.MOST, 3)
    reader.read(paths[0])
    reader.read()  # one more than there is room for
    assert reader.parsed == ["old"]
    reader.read(paths[0])
    assert reader.parsed == ["old"]
    reader.read(paths[1])
    assert reader.parsed == ["old", "001"]


def test_of_too_large_files_those_that_were_used_last_are_remembered(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "ROOM", 100)
    paths = fill(reader, 3, 40)
    for path in (paths[1], paths[2], paths[0]):
        reader.read(path)
    assert [each.strip() for each in reader.parsed] == ["000"]
    reader.path.write_text("x" * 101)
    reader.parsed.clear()
    assert [len(reader.read()) for _ in range(2)] == [101, 101]
    assert len(reader.parsed) == 2


def test_what_is_forgotten_takes_no_room(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "ROOM", 100)
    for number in range(10):
        path = reader.path.with_name(str(number))
        path.write_text("x" * 60)
        reader.read(path)
        reader.kept.forget(str(path), reader.parse)
    path = reader.path.with_name("last")
    path.write_text("y" * 60)
    reader.read(path)
    reader.read()
    reader.parsed.clear()
    reader.read(path)
    reader.read()
    assert reader.parsed == []
    reader.kept.clear()
    reader.read()
    assert reader.parsed == ["old"]


def test_many_threads_read_what_there_is_while_it_changes(reader: Reader) -> None:
    paths = [reader.path.with_name(str(number)) for number in range(4)]
    done: dict[Path, int] = dict.fromkeys(paths, 0)
    wrong: list[tuple[int, int]] = []
    stop = threading.Event()

    def write() -> None:
        for number in range(1, 150):
            for path in paths:
                aside = path.with_suffix(".new")
                aside.write_text("x" * number)  # another size each time: no tick hides a change
                aside.replace(path)
                done[path] = number
        stop.set()

    def read() -> None:
        while not stop.is_set():
            for path in paths:
                at_least = done[path]
                said = len(reader.read(path))
                if said < at_least:
                    wrong.append((said, at_least))

    for path in paths:
        path.write_text("")
    threads = [threading.Thread(target=each) for each in (write, *[read] * 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
