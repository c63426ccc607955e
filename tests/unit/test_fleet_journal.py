"""What a machine writes down of a renewal, before the engine has it."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet.journal import Journal
from credlatch.fleet.steps import Record, Refreshed

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = {"OAuth": {"access_token": "a", "refresh_token": "next", "expires_at": 5}}


def record(spent: str = "spent", entry: dict[str, object] | None = None) -> Record:
    return Record(Secret(spent), 7, Refreshed(entry or ENTRY, "", 3600.0))


def test_what_is_remembered_another_process_recalls_until_it_is_forgotten(tmp_path: Path) -> None:
    folder = str(tmp_path / "state" / "journal")
    one, other = Journal(folder), Journal(folder)
    assert other.recall() is None
    assert one.remember(record())
    found = other.recall()
    assert found is not None
    assert (found.spent.reveal(), found.gen, found.fresh) == ("spent", 7, record().fresh)
    other.forget()
    assert other.recall() is None
    one.forget()  # which is gone
    assert os.listdir(folder) == []


def test_nobody_else_reads_it_and_it_shows_no_secret(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "journal"))
    journal.remember(record())
    (path,) = (tmp_path / "journal").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "'spent'" not in repr(record())


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    folder = str(tmp_path)
    one, other = Journal(folder), Journal(folder)
    one.reserve()
    other.reserve()
    assert one.remember(record("first"))
    assert other.remember(record("second"))
    seen = set()
    while (found := other.recall()) is not None:
        seen.add(found.spent.reveal())
        other.forget()
    assert seen == {"first", "second"}


def test_room_that_is_not_used_is_given_back_also_that_of_a_killed_process(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.reserve()
    journal.close()
    assert list(tmp_path.iterdir()) == []
    Journal(str(tmp_path)).reserve()  # and killed
    (left,) = tmp_path.iterdir()
    assert journal.recall() is None
    assert left.exists()
    os.utime(left, (time.time() - 9000, time.time() - 9000))
    assert journal.recall() is None
    assert not left.exists()


def test_where_nothing_can_be_kept_that_is_known_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(str(tmp_path / "file" / "journal"))
    with pytest.raises(OSError, match="directory"):
        journal.reserve()
    assert not journal.remember(record())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"spent": "s", "gen": 1}', "\0" * 16384])
def test_one_that_is_damaged_is_looked_at_by_a_person(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.renewed").write_text(text)
    with pytest.raises(StoreError, match="is damaged, which may hold a login's next refresh token"):
        Journal(str(tmp_path)).recall()
