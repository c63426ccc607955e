"""The note about a grant keeps a single-use token from being sent twice, and holds no secret."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.grant import Grant, OAuthRefresh, PyxRefresh
from credlatch.renew import attempts
from credlatch.renew.attempts import Attempt

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "https://auth.example/token"
ONCE = PyxRefresh(Secret("hunter2"), SERVER, "log in again")
OFTEN = OAuthRefresh(Secret("hunter2"), SERVER, "cid", "log in again")
BOTH = pytest.mark.parametrize("grant", [ONCE, OFTEN], ids=["once", "often"])


def attempt(folder: Path, grant: Grant) -> Attempt:
    """The note as a process of its own sees it."""
    return Attempt(Caller({"XDG_CACHE_HOME": str(folder), "HOME": str(folder)}, "/"), grant)


def notes(folder: Path) -> list[Path]:
    return sorted(folder.glob("credlatch/attempts/*"))


def age(folder: Path, seconds: float) -> None:
    """Make the note so many seconds older."""
    (note,) = notes(folder)
    then = note.stat().st_mtime - seconds
    os.utime(note, (then, then))


@BOTH
def test_what_was_never_sent_may_be_sent(tmp_path: Path, grant: Grant) -> None:
    attempt(tmp_path, grant).check()
    assert notes(tmp_path) == []


@BOTH
def test_what_was_exchanged_leaves_no_note(tmp_path: Path, grant: Grant) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    assert len(notes(tmp_path)) == 1
    mine.ended()
    mine.ended()
    assert notes(tmp_path) == []
    attempt(tmp_path, grant).check()


def test_a_note_holds_no_secret_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    mine = attempt(tmp_path, ONCE)
    mine.sent()
    (note,) = notes(tmp_path)
    assert "hunter2" not in note.name + note.read_text()
    assert note.stat().st_mode & 0o777 == 0o600
    assert note.parent.stat().st_mode & 0o777 == 0o700


def test_a_single_use_token_whose_fate_is_unknown_is_never_sent_again(tmp_path: Path) -> None:
    attempt(tmp_path, ONCE).sent()
    for older in (0, 60, 86_400):
        age(tmp_path, older)
        with pytest.raises(LoginError, match=r"cut off.*one use only: log in again"):
            attempt(tmp_path, ONCE).check()


def test_another_grant_may_be_sent(tmp_path: Path) -> None:
    attempt(tmp_path, ONCE).sent()
    attempt(tmp_path, PyxRefresh(Secret("the next one"), SERVER, "")).check()
    attempt(tmp_path, PyxRefresh(Secret("hunter2"), "https://other.example/", "")).check()


def test_a_token_for_many_uses_waits_until_the_server_has_settled(tmp_path: Path) -> None:
    attempt(tmp_path, OFTEN).sent()
    with pytest.raises(RenewalError, match="try again in a moment") as raised:
        attempt(tmp_path, OFTEN).check()
    assert not isinstance(raised.value, LoginError)
    age(tmp_path, attempts.SETTLING)
    attempt(tmp_path, OFTEN).check()


@BOTH
def test_a_failure_is_shared_by_those_who_waited_for_its_outcome(
    tmp_path: Path, grant: Grant
) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    mine.failed(RenewalError("the server is down"))
    with pytest.raises(RenewalError, match="the server is down") as raised:
        attempt(tmp_path, grant).check()
    assert not isinstance(raised.value, LoginError)
    age(tmp_path, attempts.STORM)
    attempt(tmp_path, grant).check()


@BOTH
def test_a_refusal_is_remembered(tmp_path: Path, grant: Grant) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    mine.failed(LoginError("log in again"))
    with pytest.raises(LoginError, match="log in again"):
        attempt(tmp_path, grant).check()


def test_a_refusal_is_final_only_for_what_is_used_once(tmp_path: Path) -> None:
    for grant in (ONCE, OFTEN):
        folder = tmp_path / type(grant).__name__
        attempt(folder, grant).failed(LoginError("log in again"))
        age(folder, attempts.REFUSAL)
        if grant.single_use:
            with pytest.raises(LoginError):
                attempt(folder, grant).check()
        else:
            attempt(folder, grant).check()


def test_a_clock_that_was_set_back_does_not_hold_a_failure_for_ever(tmp_path: Path) -> None:
    attempt(tmp_path, OFTEN).failed(RenewalError("down"))
    age(tmp_path, -86_400)
    attempt(tmp_path, OFTEN).check()


def blocked(folder: Path) -> None:
    """A file where the folder should be: root may write everywhere else."""
    folder.mkdir(exist_ok=True)
    (folder / "credlatch").write_text("")


def test_what_cannot_be_noted_is_not_sent_if_it_is_good_for_one_use_only(tmp_path: Path) -> None:
    blocked(tmp_path)
    with pytest.raises(RenewalError, match=r"cannot be written.*make it writable"):
        attempt(tmp_path, ONCE).sent()


def test_what_is_good_for_many_uses_is_sent_without_a_note(tmp_path: Path) -> None:
    blocked(tmp_path)
    mine = attempt(tmp_path, OFTEN)
    mine.check()
    mine.sent()
    mine.failed(RenewalError("down"))
    mine.ended()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"future\nstate\n", b"\n"])
def test_a_note_that_says_nothing_is_no_crash(tmp_path: Path, content: bytes) -> None:
    attempt(tmp_path, OFTEN).sent()
    (note,) = notes(tmp_path)
    note.write_bytes(content)
    attempt(tmp_path, OFTEN).check()


def test_old_notes_are_swept_away_and_young_ones_stay(tmp_path: Path) -> None:
    for name in ("a", "b"):
        attempt(tmp_path, PyxRefresh(Secret(name), SERVER, "")).sent()
    old, young = notes(tmp_path)
    then = time.time() - 100 * 86_400
    os.utime(old, (then, then))
    attempt(tmp_path, ONCE).sent()
    assert old not in notes(tmp_path)
    assert young in notes(tmp_path)


def test_a_note_that_somebody_else_removes_meanwhile_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other grants are noted in the same folder under locks of their own.
    class Gone:
        path = str(tmp_path / "gone")

        def stat(self) -> os.stat_result:
            return os.stat(self.path)

    class Listing:
        def __enter__(self) -> list[Gone]:
            return [Gone()]

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr(os, "scandir", lambda _: Listing())
    attempt(tmp_path, ONCE).sent()
    with pytest.raises(LoginError):
        attempt(tmp_path, ONCE).check()
