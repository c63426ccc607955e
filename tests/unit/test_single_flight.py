"""One renewal at a time, of what is still due, and nothing that was fetched is lost."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from credlatch.auth import Auth, TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.pyx import PyxRefresh
from credlatch.caller import Caller
from credlatch.credential import Bearer, Secret
from credlatch.errors import LockedError, LoginError, RenewalError, StoreError
from credlatch.renew import exchange as exchanges
from credlatch.renew import margin, single_flight
from credlatch.renew.attempts import Attempt
from credlatch.renew.http import TooLateError, UnansweredError
from credlatch.renew.single_flight import renew
from credlatch.stores import Entry, RenewableStore
from support.flows import REQUEST
from support.found import secret, sure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credlatch.request import Request

NOW = int(time.time())
NEW = TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600)
FULL = OSError(28, os.strerror(28))
KEEPING = 0.5  # seconds, which is enough here
USES = pytest.mark.parametrize("once", [True, False], ids=["once", "often"])


def soon() -> int:
    """A moment inside the margin, whenever the test runs."""
    return int(time.time()) + 100


class Kept(RenewableStore):
    """A store of one entry, in memory; its lock is a real file.

    Attributes:
        entry: what it holds; None: nothing any more.
        written: what was committed.
        open: how many writes are neither committed nor abandoned.
        room: why nothing can be written, if that is so.
        full: why what was made room for cannot be written either.
        full_times: how often that is so; None: always.
    """

    name = "kept"

    def __init__(self, folder: Path, entry: Entry | None) -> None:
        self.folder = folder
        self.entry = entry
        self.written: list[TokenResponse] = []
        self.open = 0
        self.room: OSError | None = None
        self.full: Exception | None = None
        self.full_times: int | None = None

    def find(self, url: object) -> Entry | None:  # noqa: ARG002 - there is just one
        return self.entry

    def lock_path(self, entry: Entry) -> str:  # noqa: ARG002 - likewise
        return str(self.folder / "store.lock")

    def prepare(self, entry: Entry) -> Kept:  # noqa: ARG002 - likewise
        if self.room is not None:
            raise self.room
        self.open += 1
        return self

    def commit(self, fresh: TokenResponse) -> None:
        self.open = 0
        if self.full is not None and self.full_times != 0:
            self.full_times = None if self.full_times is None else self.full_times - 1
            raise self.full
        self.written.append(fresh)
        grant = sure(sure(self.entry).grant)
        refresh, once = fresh.refresh_token or grant.secret, isinstance(grant, PyxRefresh)
        self.entry = entry(fresh.token.reveal(), fresh.expires, refresh.reveal(), once=once)

    def abandon(self) -> None:
        self.open = 0


def entry(
    token: str | None, expires: int | None, refresh: str = "r-1", *, once: bool = False
) -> Entry:
    grant: Auth = OAuthRefresh(Secret(refresh), "https://auth.example/token", "c", "log in again")
    if once:
        grant = PyxRefresh(Secret(refresh), "https://auth.example/", "log in again")
    credential = None if token is None else Bearer(Secret(token))
    return Entry(credential, "the store", expires=expires, grant=grant, renew_unknown=once)


class Server:
    """What takes the place of the network.

    Attributes:
        answer: what it gives, or raises; None: it must not be asked.
        sent: the secrets that it was sent.
    """

    def __init__(self) -> None:
        self.answer: TokenResponse | Exception | None = None
        self.sent: list[str] = []

    def __call__(
        self, grant: Auth, _request: Request, deadline: float, _caller: Caller
    ) -> TokenResponse:
        assert deadline > time.monotonic()
        self.sent.append(grant.secret.reveal())
        assert self.answer is not None
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server in the place of the network, which must not be asked unless it has an answer."""
    server = Server()
    monkeypatch.setattr(exchanges, "exchange", server)
    monkeypatch.setattr(single_flight, "KEEPING", KEEPING)
    return server


@pytest.fixture
def once() -> bool:
    """Whether the refresh token is good for one use only, where a test does not say it."""
    return False


@pytest.fixture
def old(once: bool) -> Entry:
    """An entry whose token has ended."""
    return entry("old", NOW - 1, once=once)


@pytest.fixture
def store(tmp_path: Path, old: Entry) -> Kept:
    """A store that holds it."""
    return Kept(tmp_path, old)


def caller(seconds: float, environ: dict[str, str] | None = None) -> Caller:
    """One who has so much time."""
    made = Caller(environ or {}, "/")
    made.deadline = time.monotonic() + seconds
    return made


def run(
    store: Kept,
    seen: Entry | None = None,
    look: Callable[[], Entry | None] | None = None,
    within: float = 5,
) -> Entry:
    """Renew what was seen: what the store holds, unless it is said."""
    asks = caller(within)
    try:
        return renew(store, seen or sure(store.entry), REQUEST, look or (lambda: store.entry), asks)
    finally:
        assert store.open == 0, "a write was left open"
        with held(store):
            pass


@contextmanager
def held(store: Kept) -> Iterator[int]:
    """Somebody else's lock, as a descriptor."""
    with open(store.folder / "store.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield lock.fileno()


def test_what_is_due_is_fetched_once_and_kept(server: Server, store: Kept) -> None:
    server.answer = NEW
    renewed = run(store)
    assert secret(renewed) == "new"
    assert renewed.expires == NOW + 3600
    assert server.sent == ["r-1"]
    assert len(store.written) == 1


@USES
def test_what_is_sent_has_been_noted_before(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = []

    def sending(*_: object) -> TokenResponse:
        noted.append((store.folder / "store.renewals").read_text().split()[1])
        return NEW

    monkeypatch.setattr(exchanges, "exchange", sending)
    run(store)
    assert noted == ["sent"]


@pytest.mark.parametrize("left", [2, 60, 299, 3600])
def test_a_good_token_that_somebody_else_has_fetched_is_taken_however_short_it_lives(
    tmp_path: Path, left: int
) -> None:
    theirs = entry("theirs", int(time.time()) + left, "r-2")
    for seen in (entry("old", NOW - 1), entry("old", soon()), entry(None, None)):
        assert run(Kept(tmp_path, theirs), seen) is theirs


def test_another_token_that_has_ended_too_is_renewed(server: Server, tmp_path: Path) -> None:
    server.answer = NEW
    run(Kept(tmp_path, entry("theirs", NOW - 1, "r-2")), entry("old", NOW - 60))
    assert server.sent == ["r-2"]


def test_a_token_without_an_end_is_due_unless_it_has_changed(
    server: Server, tmp_path: Path
) -> None:
    seen = entry("opaque", None, once=True)
    theirs = entry("theirs", None, "r-9", once=True)
    assert run(Kept(tmp_path, theirs), seen) is theirs
    server.answer = TokenResponse(Secret("new"), Secret("r-2"))
    run(Kept(tmp_path, seen))
    assert server.sent == ["r-1"]


@pytest.mark.parametrize("found", [None, Entry(Bearer(Secret("t")), "the store", expires=0)])
def test_a_login_that_was_ended_meanwhile_is_not_renewed(
    tmp_path: Path, old: Entry, found: Entry | None
) -> None:
    with pytest.raises(RenewalError, match="has gone"):
        run(Kept(tmp_path, found), old)


def test_nothing_is_sent_if_the_result_could_not_be_kept(store: Kept) -> None:
    store.room = FULL
    with pytest.raises(RenewalError, match="no space left"):
        run(store)


@pytest.mark.parametrize("once", [True], ids=["once"])
def test_a_single_use_token_without_an_answer_is_never_sent_again(
    server: Server, store: Kept
) -> None:
    server.answer = UnansweredError("no answer")
    for _ in range(3):
        with pytest.raises(LoginError, match=r"^no answer; .* one use only: log in again$"):
            run(store)
    assert server.sent == ["r-1"]


@USES
@pytest.mark.parametrize(
    "outcome",
    [
        RenewalError("HTTP 500: try again"),
        LoginError("HTTP 400: log in again"),
        UnansweredError("it answered with something else than a token"),
        TokenResponse(Secret("a\r\nb"), None, NOW + 3600),
        TokenResponse(Secret("late"), None, NOW - 60),
        TokenResponse(Secret("late"), Secret("r-2"), NOW - 60),
    ],
    ids=["500", "400", "garbage", "no header", "expired", "expired, with another refresh token"],
)
def test_everybody_reads_the_first_cause(
    server: Server, store: Kept, outcome: TokenResponse | Exception
) -> None:
    """However it failed, and whoever asks, with the lock or without."""
    server.answer = outcome
    said = []
    for _ in range(3):
        with pytest.raises(RenewalError) as raised:
            run(store)
        said.append((type(raised.value), str(raised.value)))
    assert len(set(said)) == 1
    assert "cut off" not in said[0][1]
    assert type(outcome) is not LoginError or said[0] == (LoginError, str(outcome))
    assert server.sent == ["r-1"]


@USES
@pytest.mark.parametrize("full", [FULL, StoreError("it is odd")])
def test_what_came_and_could_not_be_kept_is_what_everybody_reads(
    server: Server, store: Kept, full: Exception, *, once: bool
) -> None:
    server.answer = NEW
    store.full = full
    said = set()
    for _ in range(3):
        with pytest.raises(RenewalError, match="could not be kept") as raised:
            run(store)
        said.add(str(raised.value))
        assert isinstance(raised.value, LoginError) is once
    assert len(said) == 1
    assert server.sent == ["r-1"]


@USES
@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("full", [FULL, StoreError("it is odd"), ImportError("not loaded")])
def test_what_came_is_kept_though_the_first_writes_of_it_fail(
    server: Server, store: Kept, full: Exception, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_flight, "KEEPING", 60)  # a busy machine needs its time
    server.answer = NEW
    store.full, store.full_times = full, times
    assert secret(run(store, within=60)) == "new"
    assert (store.written, store.open) == ([NEW], 0)
    assert server.sent == ["r-1"]


def test_no_text_has_what_was_sent_or_what_came(server: Server, tmp_path: Path) -> None:
    store = Kept(tmp_path, entry("old", NOW - 1, "sesame/1"))
    server.answer = RenewalError("it says sesame/1, sesame%2F1")
    with pytest.raises(RenewalError) as raised:
        run(store)
    assert "sesame" not in str(raised.value) + "".join(
        path.read_text() for path in tmp_path.iterdir()
    )
    (tmp_path / "store.renewals").unlink()
    server.answer = TokenResponse(Secret("fresh-token"), Secret("next-one"), NOW + 3600)
    store.full = StoreError("no room for fresh-token and next-one")
    with pytest.raises(RenewalError, match="no room for") as raised:
        run(store)
    assert "fresh-token" not in str(raised.value)
    assert "next-one" not in str(raised.value)


@pytest.mark.parametrize("once", [True], ids=["once"])
def test_a_note_is_beside_the_lock_whatever_else_surrounds_the_caller(
    server: Server, tmp_path: Path, old: Entry
) -> None:
    server.answer = UnansweredError("no answer")
    store = Kept(tmp_path / "store", old)
    store.folder.mkdir()
    for name in ("a", "b"):
        home = tmp_path / name
        home.mkdir()
        environ = {"XDG_CACHE_HOME": str(home), "HOME": str(home)}
        with pytest.raises(LoginError, match="no answer"):
            renew(store, old, REQUEST, lambda: store.entry, caller(5, environ))
        assert list(home.iterdir()) == []
    assert server.sent == ["r-1"]
    assert sorted(path.name for path in store.folder.iterdir()) == ["store.lock", "store.renewals"]


@pytest.mark.parametrize("life", [5, 60, 300])
def test_a_token_that_lives_shortly_is_renewed_once_and_then_served(
    server: Server, store: Kept, life: int
) -> None:
    """Each caller sees the same token, which the old margin would have had renewed each time."""
    server.answer = TokenResponse(Secret("new"), Secret("r-2"), int(time.time()) + life)
    assert not margin.is_due(run(store), time.time())
    for _ in range(3):
        again = entry("new", sure(store.entry).expires, "r-2")  # as the next process reads it
        store.entry = again
        assert run(store) is again
        assert not margin.is_due(again, time.time())
    assert server.sent == ["r-1"]


def test_a_token_without_an_end_is_not_renewed_again_within_a_minute(
    server: Server, tmp_path: Path
) -> None:
    server.answer = TokenResponse(Secret("new"), Secret("r-2"))
    store = Kept(tmp_path, entry("opaque", None, once=True))
    run(store)
    store.entry = again = entry("new", None, "r-2", once=True)
    assert run(store) is again
    assert server.sent == ["r-1"]


def test_a_token_that_has_ended_when_it_is_read_again_was_good_when_it_came(
    server: Server, store: Kept, old: Entry
) -> None:
    server.answer = TokenResponse(Secret("new"), Secret("r-2"), int(time.time()) + 1)
    looks = iter([old, entry("new", NOW - 1, "r-2")])
    assert run(store, old, lambda: next(looks)).expires == NOW - 1


@pytest.mark.parametrize(("once", "left"), [(True, 1.5), (False, 0.3), (False, -1.0)])
def test_nothing_is_sent_without_time_for_an_answer_and_who_has_more_sends_it(
    server: Server, store: Kept, old: Entry, left: float
) -> None:
    with pytest.raises(RenewalError, match="no time was left"):
        renew(store, old, REQUEST, lambda: store.entry, caller(left))
    server.answer = NEW
    run(store)
    assert server.sent == ["r-1"]


@pytest.mark.parametrize("once", [True], ids=["once"])
def test_a_call_that_comes_too_late_to_send_is_no_cause_for_others(
    server: Server, store: Kept
) -> None:
    """At a machine's load, what comes before the sending may take all that was left."""
    server.answer = TooLateError("no time was left")
    with pytest.raises(RenewalError, match="no time was left"):
        run(store)
    server.answer = NEW
    run(store)
    assert server.sent == ["r-1", "r-1"]


@pytest.mark.parametrize(
    "fresh",
    [
        TokenResponse(Secret("a\r\nb"), Secret("r-2"), NOW + 3600),
        TokenResponse(Secret("late"), Secret("r-2"), NOW - 60),
        TokenResponse(Secret(""), Secret("r-2")),
        TokenResponse(Secret("late"), None, NOW - 60),
    ],
    ids=["no header", "expired", "empty", "expired, without another refresh token"],
)
def test_a_token_of_no_use_is_not_kept_but_the_next_refresh_token_is(
    server: Server, tmp_path: Path, fresh: TokenResponse
) -> None:
    server.answer = fresh
    store = Kept(tmp_path, entry("old", end := soon()))
    with pytest.raises(RenewalError, match="answered with a token"):
        run(store)
    expected = [] if fresh.refresh_token is None else [(Secret("old"), Secret("r-2"), end)]
    assert [(kept.token, kept.refresh_token, kept.expires) for kept in store.written] == expected


def test_what_has_gone_after_it_was_written_is_a_failure(
    server: Server, store: Kept, old: Entry
) -> None:
    server.answer = TokenResponse(Secret("new"))
    looks = iter([old, None])
    with pytest.raises(StoreError, match="renewed token is not in"):
        run(store, old, lambda: next(looks))


@pytest.mark.parametrize(
    ("left", "seconds", "waits"),
    [(100, 30, 0.0), (-1, 0.5, 0.5)],
    ids=["with a good token, not long", "without, until the deadline and no longer"],
)
def test_a_holder_that_hangs_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int, seconds: float, waits: float
) -> None:
    monkeypatch.setattr("credlatch.renew.single_flight.IMPATIENCE", 0.1)
    old = entry("old", int(time.time()) + left)
    store = Kept(tmp_path, old)
    begin = time.monotonic()
    with held(store), pytest.raises(LockedError, match="held by another process"):
        renew(store, old, REQUEST, lambda: old, caller(seconds))
    assert waits <= time.monotonic() - begin < 25


def test_a_disk_that_fails_on_the_way_to_the_lock_is_told_of(
    store: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(_self: Kept, _entry: Entry) -> str:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), "/home")

    monkeypatch.setattr(Kept, "lock_path", stale)
    old = sure(store.entry)
    with pytest.raises(StoreError, match=f"^{old.location} cannot be locked: stale file handle$"):
        renew(store, old, REQUEST, lambda: old, caller(30))


class Crowd:
    """Twenty callers who want it renewed, each in a thread; what they get is in ``ended``."""

    def __init__(self, store: Kept) -> None:
        self.store = store
        self.seen = sure(store.entry)
        self.ended: list[Entry | str] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(20)]
        for each in self._threads:
            each.start()

    def _call(self) -> None:
        try:
            found = renew(self.store, self.seen, REQUEST, lambda: self.store.entry, caller(30))
        except RenewalError as error:
            self.ended.append(str(error))
        else:
            self.ended.append(found)

    def wait_in_vain(self) -> None:
        """See that nobody gets anything."""
        time.sleep(0.2)
        assert self.ended == []

    def all(self) -> list[Entry | str]:
        """What they get in the end, each of them something."""
        for each in self._threads:
            each.join(25)
        assert len(self.ended) == 20
        return self.ended


def attempt_of(store: Kept) -> Attempt:
    held = sure(store.entry)
    return Attempt(store.lock(held), held, sure(held.grant))


@pytest.mark.parametrize("outcome", ["renewed", "failed"])
def test_those_who_wait_learn_the_outcome_all_at_once(store: Kept, outcome: str) -> None:
    """Without the lock: hundreds who took it one after the other would wait for each other."""
    new = entry("new", NOW + 3600, "r-2")
    attempt = attempt_of(store)
    with held(store) as lock:
        attempt.sent()
        crowd = Crowd(store)
        crowd.wait_in_vain()
        if outcome == "renewed":
            store.entry = new
            attempt.renewed(NEW)
        else:
            attempt.failed(RenewalError("the server is down"))
        # As one who reads the outcome slowly would hold it, if they held it while they read.
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert crowd.all() == [new if outcome == "renewed" else "the server is down"] * 20


@USES
def test_where_the_holder_has_ended_without_an_outcome_one_of_all_follows(
    server: Server, store: Kept
) -> None:
    """It was killed before it sent anything, or is another tool that wrote something else."""
    server.answer = NEW
    with held(store):
        crowd = Crowd(store)
        crowd.wait_in_vain()
    assert [isinstance(each, Entry) and secret(each) for each in crowd.all()] == ["new"] * 20
    assert server.sent == ["r-1"]


@USES
def test_where_the_holder_was_killed_after_it_had_sent_all_are_told_and_nothing_is_sent(
    store: Kept,
) -> None:
    with held(store):
        attempt_of(store).sent()
        crowd = Crowd(store)
        time.sleep(0.2)
    (said,) = {str(each) for each in crowd.all()}
    assert "was cut off before its outcome was known" in said


def test_where_nothing_can_be_kept_each_is_told_in_turn(store: Kept) -> None:
    store.room = FULL
    assert all("no space left" in str(each) for each in Crowd(store).all())
