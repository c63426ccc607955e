"""One renewal at a time, of what is still due, and nothing that was fetched is lost."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.auth import Auth, TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.pyx import PyxRefresh
from credlatch.caller import Caller
from credlatch.credential import Bearer, Secret
from credlatch.errors import LockedError, LoginError, RenewalError, StoreError
from credlatch.renew import exchange as exchanges
from credlatch.renew import margin
from credlatch.renew.attempts import Attempt
from credlatch.renew.http import TooLateError, UnansweredError
from credlatch.renew.single_flight import renew
from credlatch.stores import Entry, RenewableStore
from support.flows import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credlatch.request import Request

NOW = int(time.time())


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
    """

    name = "kept"

    def __init__(self, folder: Path, entry: Entry | None) -> None:
        self.folder = folder
        self.entry = entry
        self.written: list[TokenResponse] = []
        self.open = 0
        self.room: OSError | None = None
        self.full: Exception | None = None

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
        if self.full is not None:
            raise self.full
        self.written.append(fresh)
        assert self.entry is not None
        refresh = fresh.refresh_token or self.entry.grant.secret if self.entry.grant else Secret("")
        once = isinstance(self.entry.grant, PyxRefresh)
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
    """What takes the place of the network: it gives one answer, or raises one error."""

    def __init__(self, answer: TokenResponse | Exception) -> None:
        self.answer = answer
        self.sent: list[str] = []

    def __call__(self, grant: Auth, _request: Request, deadline: float) -> TokenResponse:
        assert deadline > time.monotonic()
        self.sent.append(grant.secret.reveal())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[TokenResponse | Exception], Server]:
    """Put a server in the place of the network."""

    def put(answer: TokenResponse | Exception) -> Server:
        server = Server(answer)
        monkeypatch.setattr(exchanges, "exchange", server)
        return server

    return put


def caller(seconds: float, environ: dict[str, str] | None = None) -> Caller:
    """One who has so much time."""
    made = Caller(environ or {}, "/")
    made.deadline = time.monotonic() + seconds
    return made


def run(store: Kept, seen: Entry, look: Callable[[], Entry | None] | None = None) -> Entry:
    try:
        return renew(store, seen, REQUEST, look or (lambda: store.entry), caller(5))
    finally:
        assert store.open == 0, "a write was left open"
        with open(store.lock_path(seen), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_due_is_fetched_once_and_kept(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
    old = entry("old", NOW - 1)
    store = Kept(tmp_path, old)
    renewed = run(store, old)
    assert renewed.credential is not None
    assert renewed.credential.secret == Secret("new")
    assert renewed.expires == NOW + 3600
    assert server.sent == ["r-1"]
    assert len(store.written) == 1


@pytest.mark.parametrize("once", [True, False])
def test_what_is_sent_has_been_noted_before(
    tmp_path: Path, serve: Callable[..., Server], *, once: bool
) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
    noted = []

    def sending(grant: Auth, request: Request, deadline: float) -> TokenResponse:
        noted.append((tmp_path / "store.renewals").read_text().split()[1])
        return server(grant, request, deadline)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchanges, "exchange", sending)
        old = entry("old", NOW - 1, once=once)
        run(Kept(tmp_path, old), old)
    assert noted == ["sent"]


def test_what_somebody_else_has_renewed_meanwhile_is_taken(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(AssertionError("it was asked"))
    theirs = entry("theirs", NOW + 3600, "r-2")
    assert run(Kept(tmp_path, theirs), entry("old", NOW - 1)) is theirs
    assert server.sent == []


def test_a_valid_token_other_than_the_one_seen_is_served_however_short_it_lives(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(AssertionError("it was asked"))
    for left in (2, 60, 299):
        theirs = entry("theirs", int(time.time()) + left, "r-2")
        for seen in (entry("old", NOW - 1), entry("old", soon()), entry(None, None)):
            assert run(Kept(tmp_path, theirs), seen) is theirs
    assert server.sent == []


def test_another_token_that_has_ended_too_is_renewed(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-3"), NOW + 3600))
    theirs = entry("theirs", NOW - 1, "r-2")
    run(Kept(tmp_path, theirs), entry("old", NOW - 60))
    assert server.sent == ["r-2"]


def test_a_token_without_an_end_is_due_unless_it_has_changed(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-2")))
    seen = entry("opaque", None, once=True)
    theirs = entry("theirs", None, "r-9", once=True)
    assert run(Kept(tmp_path, theirs), seen) is theirs
    assert server.sent == []
    run(Kept(tmp_path, seen), seen)
    assert server.sent == ["r-1"]


@pytest.mark.parametrize("found", [None, Entry(Bearer(Secret("t")), "the store", expires=0)])
def test_a_login_that_was_ended_meanwhile_is_not_renewed(
    tmp_path: Path, serve: Callable[..., Server], found: Entry | None
) -> None:
    server = serve(AssertionError("it was asked"))
    with pytest.raises(RenewalError, match="has gone"):
        run(Kept(tmp_path, found), entry("old", NOW - 1))
    assert server.sent == []


def test_nothing_is_sent_if_the_result_could_not_be_kept(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(AssertionError("it was asked"))
    old = entry("old", NOW - 1)
    store = Kept(tmp_path, old)
    store.room = OSError(28, os.strerror(28))
    with pytest.raises(RenewalError, match="no space left"):
        run(store, old)
    assert server.sent == []


@pytest.mark.parametrize("error", [RenewalError("down"), LoginError("refused")])
def test_a_failure_is_not_asked_for_again_at_once(
    tmp_path: Path, serve: Callable[..., Server], error: RenewalError
) -> None:
    server = serve(error)
    old = entry("old", NOW - 1)
    for _ in range(3):
        with pytest.raises(type(error), match=str(error)):
            run(Kept(tmp_path, old), old)
    assert server.sent == ["r-1"]


def test_a_single_use_token_without_an_answer_is_never_sent_again(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(UnansweredError("no answer"))
    old = entry("old", NOW - 1, once=True)
    for _ in range(3):
        with pytest.raises(LoginError, match=r"^no answer; .* one use only: log in again$"):
            run(Kept(tmp_path, old), old)
    assert server.sent == ["r-1"]


@pytest.mark.parametrize("once", [True, False], ids=["once", "often"])
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
    tmp_path: Path, serve: Callable[..., Server], outcome: TokenResponse | Exception, *, once: bool
) -> None:
    """However it failed, and whoever asks, with the lock or without."""
    server = serve(outcome)
    old = entry("old", NOW - 1, once=once)
    if once:
        old.expires = NOW - 1
    store = Kept(tmp_path, old)
    said = []
    for _ in range(3):
        with pytest.raises(RenewalError) as raised:
            run(store, store.entry or old)
        said.append((type(raised.value), str(raised.value)))
    assert len(set(said)) == 1
    assert "cut off" not in said[0][1]
    assert server.sent == ["r-1"]


@pytest.mark.parametrize("full", [OSError(28, os.strerror(28)), StoreError("it is odd")])
def test_what_came_and_could_not_be_kept_is_what_everybody_reads(
    tmp_path: Path, serve: Callable[..., Server], full: Exception
) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
    for once in (True, False):
        folder = tmp_path / str(once)
        folder.mkdir()
        old = entry("old", NOW - 1, once=once)
        old.expires = NOW - 1
        store = Kept(folder, old)
        store.full = full
        said = set()
        for _ in range(3):
            with pytest.raises(RenewalError, match="could not be kept") as raised:
                run(store, old)
            said.add(str(raised.value))
            assert isinstance(raised.value, LoginError) is once
        assert len(said) == 1
    assert server.sent == ["r-1", "r-1"]


def test_no_text_has_what_was_sent_or_what_came(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    old = entry("old", NOW - 1, "sesame/1")
    store = Kept(tmp_path, old)
    serve(RenewalError("it says sesame/1, sesame%2F1"))
    with pytest.raises(RenewalError) as raised:
        run(store, old)
    assert "sesame" not in str(raised.value) + "".join(
        path.read_text() for path in tmp_path.iterdir()
    )
    (tmp_path / "store.renewals").unlink()
    serve(TokenResponse(Secret("fresh-token"), Secret("next-one"), NOW + 3600))
    store.full = StoreError("no room for fresh-token and next-one")
    with pytest.raises(RenewalError, match="no room for") as raised:
        run(store, old)
    assert "fresh-token" not in str(raised.value)
    assert "next-one" not in str(raised.value)


def test_a_note_is_beside_the_lock_whatever_else_surrounds_the_caller(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(UnansweredError("no answer"))
    old = entry("old", NOW - 1, once=True)
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


def test_a_token_that_lives_shortly_is_renewed_once_and_then_served(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    """Each caller sees the same token, which the old margin would have had renewed each time."""
    for life in (5, 60, 300):
        folder = tmp_path / str(life)
        folder.mkdir()
        server = serve(TokenResponse(Secret("new"), Secret("r-2"), int(time.time()) + life))
        old = entry("old", NOW - 1)
        store = Kept(folder, old)
        renewed = run(store, old)
        assert not margin.is_due(renewed, time.time())
        for _ in range(3):
            assert store.entry is not None
            again = entry("new", store.entry.expires, "r-2")  # as the next process reads it
            store.entry = again
            served = run(store, again)
            assert served is again
            assert not margin.is_due(served, time.time())
        assert server.sent == ["r-1"]


def test_a_token_without_an_end_is_not_renewed_again_within_a_minute(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-2")))
    old = entry("opaque", None, once=True)
    store = Kept(tmp_path, old)
    run(store, old)
    again = entry("new", None, "r-2", once=True)
    store.entry = again
    assert run(store, again) is again
    assert server.sent == ["r-1"]


def test_a_token_that_has_ended_when_it_is_read_again_was_good_when_it_came(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    fresh = TokenResponse(Secret("new"), Secret("r-2"), int(time.time()) + 1)
    serve(fresh)
    old = entry("old", NOW - 1)
    store = Kept(tmp_path, old)
    looks = iter([old, entry("new", NOW - 1, "r-2")])
    assert run(store, old, lambda: next(looks)).expires == NOW - 1


@pytest.mark.parametrize(("once", "left"), [(True, 1.5), (False, 0.3), (False, -1.0)])
def test_nothing_is_sent_without_time_for_an_answer_and_who_has_more_sends_it(
    tmp_path: Path, serve: Callable[..., Server], left: float, *, once: bool
) -> None:
    server = serve(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
    old = entry("old", NOW - 1, once=once)
    old.expires = NOW - 1
    store = Kept(tmp_path, old)
    with pytest.raises(RenewalError, match="no time was left"):
        renew(store, old, REQUEST, lambda: store.entry, caller(left))
    assert server.sent == []
    run(store, old)
    assert server.sent == ["r-1"]


def test_a_call_that_comes_too_late_to_send_is_no_cause_for_others(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    """At a machine's load, what comes before the sending may take all that was left."""
    serve(TooLateError("no time was left"))
    old = entry("old", NOW - 1, once=True)
    store = Kept(tmp_path, old)
    with pytest.raises(RenewalError, match="no time was left"):
        run(store, old)
    server = serve(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
    run(store, old)
    assert server.sent == ["r-1"]


@pytest.mark.parametrize(
    "fresh",
    [
        TokenResponse(Secret("a\r\nb"), Secret("r-2"), NOW + 3600),
        TokenResponse(Secret("late"), Secret("r-2"), NOW - 60),
        TokenResponse(Secret(""), Secret("r-2")),
    ],
)
def test_a_token_of_no_use_is_not_kept_but_the_next_refresh_token_is(
    tmp_path: Path, serve: Callable[..., Server], fresh: TokenResponse
) -> None:
    serve(fresh)
    old = entry("old", soon())
    store = Kept(tmp_path, old)
    with pytest.raises(RenewalError, match="answered with a token"):
        run(store, old)
    (kept,) = store.written
    assert kept.token == Secret("old")
    assert kept.refresh_token == Secret("r-2")
    assert kept.expires == old.expires


def test_a_token_of_no_use_without_another_refresh_token_changes_nothing(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    serve(TokenResponse(Secret("late"), None, NOW - 60))
    old = entry("old", soon())
    store = Kept(tmp_path, old)
    with pytest.raises(RenewalError, match="already expired"):
        run(store, old)
    assert store.written == []


def test_what_has_gone_after_it_was_written_is_a_failure(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    serve(TokenResponse(Secret("new")))
    old = entry("old", NOW - 1)
    looks = iter([old, None])
    with pytest.raises(StoreError, match="renewed token is not in"):
        run(Kept(tmp_path, old), old, lambda: next(looks))


def test_with_a_good_token_nobody_waits_long_for_a_lock_that_is_held(
    tmp_path: Path, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credlatch.renew.single_flight.IMPATIENCE", 0.1)
    server = serve(AssertionError("it was asked"))
    old = entry("old", soon())
    store = Kept(tmp_path, old)
    begin = time.monotonic()
    with open(store.lock_path(old), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="held by another process"):
            renew(store, old, REQUEST, lambda: old, caller(30))
    assert time.monotonic() - begin < 5
    assert server.sent == []


def many(store: Kept, seen: Entry, ended: list[Entry | str]) -> list[threading.Thread]:
    """Callers who want it renewed, each in a thread; what they get is added to ``ended``."""

    def call() -> None:
        try:
            ended.append(renew(store, seen, REQUEST, lambda: store.entry, caller(30)))
        except RenewalError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=call) for _ in range(20)]
    for each in threads:
        each.start()
    return threads


@pytest.mark.parametrize("outcome", ["renewed", "failed"])
def test_those_who_wait_learn_the_outcome_all_at_once(
    tmp_path: Path, serve: Callable[..., Server], outcome: str
) -> None:
    """Without the lock: hundreds who took it one after the other would wait for each other."""
    server = serve(AssertionError("it was asked"))
    old, new = entry("old", NOW - 1), entry("new", NOW + 3600, "r-2")
    store = Kept(tmp_path, old)
    assert old.grant is not None
    attempt = Attempt(store.lock(old), old, old.grant)
    ended: list[Entry | str] = []
    with open(store.lock_path(old), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        attempt.sent()
        waiting = many(store, old, ended)
        time.sleep(0.2)
        assert ended == []
        if outcome == "renewed":
            store.entry = new
            attempt.renewed(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
        else:
            attempt.failed(RenewalError("the server is down"))
        # As one who reads the outcome slowly would hold it, if they held it while they read.
        fcntl.flock(lock, fcntl.LOCK_SH)
        for each in waiting:
            each.join(25)
    assert ended == ([new] * 20 if outcome == "renewed" else ["the server is down"] * 20)
    assert server.sent == []


@pytest.mark.parametrize("once", [True, False], ids=["once", "often"])
def test_where_the_holder_has_ended_without_an_outcome_one_of_all_follows(
    tmp_path: Path, serve: Callable[..., Server], *, once: bool
) -> None:
    """It was killed before it sent anything, or is another tool that wrote something else."""
    server = serve(TokenResponse(Secret("new"), Secret("r-2"), NOW + 3600))
    old = entry("old", NOW - 1, once=once)
    store = Kept(tmp_path, old)
    ended: list[Entry | str] = []
    with open(store.lock_path(old), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = many(store, old, ended)
        time.sleep(0.2)
        assert ended == []
    for each in waiting:
        each.join(25)
    tokens = [
        each.credential.secret for each in ended if isinstance(each, Entry) and each.credential
    ]
    assert tokens == [Secret("new")] * 20
    assert server.sent == ["r-1"]


@pytest.mark.parametrize("once", [True, False], ids=["once", "often"])
def test_where_the_holder_was_killed_after_it_had_sent_all_are_told_and_nothing_is_sent(
    tmp_path: Path, serve: Callable[..., Server], *, once: bool
) -> None:
    server = serve(AssertionError("it was asked"))
    old = entry("old", NOW - 1, once=once)
    old.expires = NOW - 1
    store = Kept(tmp_path, old)
    assert old.grant is not None
    ended: list[Entry | str] = []
    with open(store.lock_path(old), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Attempt(store.lock(old), old, old.grant).sent()
        waiting = many(store, old, ended)
        time.sleep(0.2)
    for each in waiting:
        each.join(25)
    assert len(ended) == 20
    (said,) = {str(each) for each in ended}
    assert "was cut off before its outcome was known" in said
    assert server.sent == []


def test_where_nothing_can_be_kept_each_is_told_in_turn(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(AssertionError("it was asked"))
    old = entry("old", NOW - 1)
    store = Kept(tmp_path, old)
    store.room = OSError(28, os.strerror(28))
    ended: list[Entry | str] = []
    for each in many(store, old, ended):
        each.join(25)
    assert len(ended) == 20
    assert all("no space left" in str(each) for each in ended)
    assert server.sent == []


def test_a_holder_that_hangs_is_waited_for_until_the_deadline_and_no_longer(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(AssertionError("it was asked"))
    old = entry("old", NOW - 1)
    store = Kept(tmp_path, old)
    begin = time.monotonic()
    with open(store.lock_path(old), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="held by another process"):
            renew(store, old, REQUEST, lambda: old, caller(0.5))
    assert 0.5 <= time.monotonic() - begin < 10
    assert server.sent == []
