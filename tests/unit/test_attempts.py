"""What is noted about a grant keeps a single-use token from being sent twice, and is no secret."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from credlatch import clock
from credlatch.auth import Auth, TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.pyx import PyxRefresh
from credlatch.credential import Bearer, Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.renew import attempts, notes
from credlatch.renew.attempts import Attempt
from credlatch.renew.cache import FileLock
from credlatch.stores import Entry
from credlatch.system.atomic_write import AtomicWrite

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "https://auth.example/token"
ONCE = PyxRefresh(Secret("hunter2"), SERVER, "log in again")
OFTEN = OAuthRefresh(Secret("hunter2"), SERVER, "cid", "log in again")
BOTH = pytest.mark.parametrize("grant", [ONCE, OFTEN], ids=["once", "often"])
NOTES = "store.json.renewals"


def entry(token: str | None = "a token", expires: int | None = None) -> Entry:
    credential = None if token is None else Bearer(Secret(token))
    return Entry(credential, "the store", expires=expires)


def attempt(folder: Path, grant: Auth, token: str | None = "a token") -> Attempt:
    """The notes as a process of its own sees them."""
    return Attempt(FileLock(str(folder / "store.json.lock")), entry(token), grant)


def check(folder: Path, grant: Auth, *, held: bool = True) -> None:
    attempt(folder, grant).check(held=held)


def text(folder: Path) -> str:
    """What is noted, if anything is."""
    path = folder / NOTES
    return path.read_text() if path.exists() else ""


def age(folder: Path, seconds: float) -> None:
    """Make the notes so many seconds older."""
    lines = []
    for row in text(folder).splitlines():
        name, state, at, *rest = row.split(" ")
        lines.append(" ".join([name, state, str(float(at) - seconds), *rest]))
    (folder / NOTES).write_text("\n".join(lines) + "\n")


@BOTH
def test_what_was_never_sent_may_be_sent_whatever_else_was(tmp_path: Path, grant: Auth) -> None:
    check(tmp_path, grant)
    assert list(tmp_path.iterdir()) == []
    attempt(tmp_path, ONCE).sent()
    check(tmp_path, PyxRefresh(Secret("the next one"), SERVER, ""))
    check(tmp_path, PyxRefresh(Secret("hunter2"), "https://other.example/", ""))


@BOTH
def test_what_was_exchanged_leaves_nothing(tmp_path: Path, grant: Auth) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    assert len(text(tmp_path).splitlines()) == 1
    fresh = TokenResponse(Secret("fresh"), Secret("next"), int(time.time()) + 3600)
    mine.renewed(fresh)
    mine.close()
    mine.close()
    assert list(tmp_path.iterdir()) == []
    check(tmp_path, grant)


def test_notes_hold_no_secret_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    mine = attempt(tmp_path, ONCE)
    mine.sent()
    assert "hunter2" not in text(tmp_path)
    assert (tmp_path / NOTES).stat().st_mode & 0o777 == 0o600
    mine.answered(TokenResponse(Secret("sesame&1"), Secret("opensesame")))
    error = mine.failed(RenewalError("down: hunter2 sesame&1 sesame%261 opensesame"))
    mine.close()
    assert str(error) == "down: **** **** **** ****"
    assert text(tmp_path).rstrip().endswith("down: **** **** **** ****")
    assert "a token" not in text(tmp_path)


def test_a_single_use_token_whose_fate_is_unknown_is_never_sent_again(tmp_path: Path) -> None:
    attempt(tmp_path, ONCE).sent()
    for older in (0, 60, 86_400):
        age(tmp_path, older)
        with pytest.raises(LoginError, match=r"cut off.*one use only: log in again"):
            check(tmp_path, ONCE)


@BOTH
def test_who_does_not_hold_the_lock_waits_for_the_one_who_has_sent_it(
    tmp_path: Path, grant: Auth
) -> None:
    attempt(tmp_path, grant).sent()
    check(tmp_path, grant, held=False)


def test_grants_under_one_lock_do_not_forget_each_other(tmp_path: Path) -> None:
    other = PyxRefresh(Secret("the next one"), SERVER, "log in")
    attempt(tmp_path, ONCE).sent()
    mine = attempt(tmp_path, other)
    mine.sent()
    mine.renewed(TokenResponse(Secret("fresh"), None, int(time.time()) + 3600))
    mine.close()
    with pytest.raises(LoginError):
        check(tmp_path, ONCE)
    check(tmp_path, other)


def test_a_token_for_many_uses_waits_until_the_server_has_settled(tmp_path: Path) -> None:
    attempt(tmp_path, OFTEN).sent()
    with pytest.raises(RenewalError, match="try again in a moment") as raised:
        check(tmp_path, OFTEN)
    assert not isinstance(raised.value, LoginError)
    age(tmp_path, attempts.SETTLING)
    check(tmp_path, OFTEN)


@BOTH
def test_what_was_cut_off_is_read_without_the_lock_once_somebody_has_seen_it(
    tmp_path: Path, grant: Auth
) -> None:
    """Else each of some hundred would have to take it for that."""
    attempt(tmp_path, grant).sent()
    age(tmp_path, 5)
    said = set()
    for held in (True, False, True):
        with pytest.raises(RenewalError, match="was cut off") as raised:
            check(tmp_path, grant, held=held)
        said.add((type(raised.value), str(raised.value)))
    assert len(said) == 1
    age(tmp_path, attempts.SETTLING - 5)  # since it was sent, not since it was seen
    if grant is OFTEN:
        check(tmp_path, grant)


@BOTH
@pytest.mark.parametrize("held", [True, False])
def test_a_failure_is_shared_by_those_who_waited_for_its_outcome(
    tmp_path: Path, grant: Auth, *, held: bool
) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    told = mine.failed(RenewalError("the server is down"))
    mine.close()
    with pytest.raises(RenewalError, match=r"^the server is down$") as raised:
        check(tmp_path, grant, held=held)
    assert (type(raised.value), str(raised.value)) == (type(told), str(told))
    age(tmp_path, attempts.STORM)
    check(tmp_path, grant)


def _ago(error: BaseException) -> str:
    before, separator, _ = str(error).partition(" ago: ")
    return before + separator if separator else ""


@BOTH
def test_what_was_sent_and_not_answered_is_told_by_its_cause_as_long_as_it_holds(
    tmp_path: Path, grant: Auth
) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    told = mine.failed(RenewalError("it gave no answer (timed out)"), spent=True)
    mine.close()
    kind = LoginError if grant.single_use else RenewalError
    for older in (0, 2, 5) if not grant.single_use else (0, 60, 86_400):
        age(tmp_path, older)
        for held in (True, False):
            with pytest.raises(kind) as raised:
                check(tmp_path, grant, held=held)
            assert type(raised.value) is type(told)
            # With its age, later.
            assert str(raised.value).removeprefix(_ago(raised.value)) == str(told)
    assert str(told).startswith("it gave no answer (timed out)")
    assert ("one use only: log in again" in str(told)) is grant.single_use
    if not grant.single_use:
        age(tmp_path, attempts.SETTLING)
        check(tmp_path, grant)


@BOTH
def test_a_refusal_is_remembered(tmp_path: Path, grant: Auth) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    mine.failed(LoginError("log in again"))
    with pytest.raises(LoginError, match="log in again"):
        check(tmp_path, grant)


def test_a_refusal_is_final_only_for_what_is_used_once(tmp_path: Path) -> None:
    for grant in (ONCE, OFTEN):
        folder = tmp_path / type(grant).__name__
        folder.mkdir()
        attempt(folder, grant).failed(LoginError("log in again"))
        age(folder, attempts.REFUSAL)
        if grant.single_use:
            with pytest.raises(LoginError):
                check(folder, grant)
        else:
            check(folder, grant)


@BOTH
def test_a_useless_token_is_noted_under_the_refresh_token_that_came_with_it(
    tmp_path: Path, grant: Auth
) -> None:
    mine = attempt(tmp_path, grant)
    mine.sent()
    fresh = TokenResponse(Secret("useless"), Secret("next"))
    told = mine.useless(RenewalError("it has already expired"), fresh)
    mine.close()
    after = type(grant).__new__(type(grant))
    for name in ("secret", "server", "remedy"):
        setattr(after, name, getattr(grant, name))
    after.secret = Secret("next")
    with pytest.raises(RenewalError, match=r"^it has already expired$") as raised:
        check(tmp_path, after)
    assert str(raised.value) == str(told)
    check(tmp_path, grant)  # which no store has any more
    age(tmp_path, attempts.STORM)
    check(tmp_path, after)


def test_a_useless_token_without_another_refresh_token_may_have_spent_it(tmp_path: Path) -> None:
    for grant in (ONCE, OFTEN):
        folder = tmp_path / type(grant).__name__
        folder.mkdir()
        mine = attempt(folder, grant)
        mine.sent()
        mine.useless(RenewalError("it has already expired"), TokenResponse(Secret("useless")))
        mine.close()
        age(folder, attempts.SETTLING)
        if grant.single_use:
            with pytest.raises(LoginError, match=r"already expired.*one use only"):
                check(folder, grant)
        else:
            check(folder, grant)


def test_when_a_token_was_fetched_is_remembered_where_it_makes_a_difference(tmp_path: Path) -> None:
    now = time.time()
    for left, remembered in ((300, True), (None, True), (3600, False)):
        mine = attempt(tmp_path, OFTEN)
        mine.sent()
        mine.renewed(
            TokenResponse(Secret("fresh"), None, None if left is None else int(now) + left)
        )
        mine.close()
        learnt = attempt(tmp_path, OFTEN, "fresh").fetched()
        assert (learnt is not None) is remembered
        assert learnt is None or now - 1 <= learnt <= time.time()
        assert attempt(tmp_path, OFTEN, "another").fetched() is None
        assert attempt(tmp_path, OFTEN, None).fetched() is None
        # Its successor takes its place.
        mine = attempt(tmp_path, OFTEN, "fresh")
        mine.sent()
        mine.renewed(TokenResponse(Secret("fresher"), None, int(now) + 3600))
        mine.close()
        assert text(tmp_path) == ""


def test_a_clock_that_was_set_back_does_not_hold_a_failure_for_ever(tmp_path: Path) -> None:
    attempt(tmp_path, OFTEN).failed(RenewalError("down"))
    age(tmp_path, -86_400)
    check(tmp_path, OFTEN)
    attempt(tmp_path, OFTEN).renewed(TokenResponse(Secret("fresh")))
    age(tmp_path, -86_400)
    assert attempt(tmp_path, OFTEN, "fresh").fetched() is None


def blocked(folder: Path) -> None:
    """A folder where the file should be: root may write everywhere else."""
    (folder / NOTES).mkdir()
    (folder / NOTES / "x").write_text("")


@pytest.mark.parametrize("for_outcome", [False, True])
def test_without_room_for_a_note_and_the_outcome_what_is_good_once_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, for_outcome: bool
) -> None:
    real = AtomicWrite.__init__

    def full(self: AtomicWrite, path: str, room: int = 0) -> None:
        if room or not for_outcome:
            raise OSError(28, os.strerror(28))
        real(self, path)

    monkeypatch.setattr(AtomicWrite, "__init__", full)
    with pytest.raises(RenewalError, match=r"cannot be written.*make its folder writable"):
        attempt(tmp_path, ONCE).sent()
    assert for_outcome or text(tmp_path) == ""
    check(tmp_path, ONCE)


def test_what_cannot_be_read_is_not_sent_if_it_is_good_for_one_use_only(tmp_path: Path) -> None:
    blocked(tmp_path)
    for held in (True, False):
        with pytest.raises(RenewalError, match="what has been sent"):
            check(tmp_path, ONCE, held=held)


def test_what_is_good_for_many_uses_is_sent_without_a_note(tmp_path: Path) -> None:
    blocked(tmp_path)
    mine = attempt(tmp_path, OFTEN)
    mine.check(held=True)
    mine.sent()
    assert str(mine.failed(RenewalError("down"))) == "down"
    mine.renewed(TokenResponse(Secret("fresh")))
    assert mine.fetched() is None
    mine.close()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"future\nstate\n", b"\n", b"a b c d\n", b"x sent nan y\n"]
)
def test_notes_that_say_nothing_are_no_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NOTES).write_bytes(content)
    check(tmp_path, OFTEN)
    mine = attempt(tmp_path, OFTEN)
    mine.sent()
    mine.close()


def test_old_notes_are_swept_away_and_those_of_some_months_stay(tmp_path: Path) -> None:
    old, young = (PyxRefresh(Secret(name), SERVER, "log in again") for name in ("a", "b"))
    months = 60 * 86_400
    attempt(tmp_path, old).sent()
    age(tmp_path, notes.KEPT - months)
    attempt(tmp_path, young).sent()
    age(tmp_path, months)
    attempt(tmp_path, ONCE).sent()
    assert len(text(tmp_path).splitlines()) == 2
    check(tmp_path, old)
    with pytest.raises(LoginError):
        check(tmp_path, young)


def test_notes_never_pile_up(tmp_path: Path) -> None:
    rows = "".join(f"{number:064x} sent {time.time()} \n" for number in range(notes.MOST + 50))
    (tmp_path / NOTES).write_text(rows)
    attempt(tmp_path, ONCE).sent()
    assert len(text(tmp_path).splitlines()) == notes.MOST
    with pytest.raises(LoginError):
        check(tmp_path, ONCE)


def test_a_long_message_of_many_lines_is_one_line(tmp_path: Path) -> None:
    attempt(tmp_path, OFTEN).failed(RenewalError("a\nb\r\n" + "ü" * 5_000))
    assert len(text(tmp_path).splitlines()) == 1
    with pytest.raises(RenewalError, match=r"^a b ü+$"):
        check(tmp_path, OFTEN)


def test_a_failure_is_told_later_with_its_age(tmp_path: Path) -> None:
    mine = attempt(tmp_path, OFTEN)
    mine.sent()
    mine.failed(LoginError("the server refuses"))
    mine.close()
    with pytest.raises(LoginError, match=r"^the server refuses$"):
        check(tmp_path, OFTEN)
    age(tmp_path, 20)
    with pytest.raises(LoginError, match=r"^20 s ago: the server refuses$"):
        check(tmp_path, OFTEN)
    last = attempt(tmp_path, OFTEN).last()
    assert last is not None
    assert (last.state, last.message) == ("refused", "the server refuses")
    age(tmp_path, 60)
    check(tmp_path, OFTEN)  # the server is asked again


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"),
     (172_799, "47 h"), (172_800, "2 days")],
)  # fmt: skip
def test_how_long_something_takes_as_a_person_says_it(seconds: float, said: str) -> None:
    assert clock.span(seconds) == said
