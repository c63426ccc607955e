"""One renewal at a time, of what is still due, and nothing that was fetched is lost."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.credential import Bearer, Secret
from credlatch.errors import LockedError, LoginError, RenewalError, StoreError
from credlatch.grant import Fresh, Grant, OAuthRefresh, PyxRefresh
from credlatch.renew import exchange as exchanges
from credlatch.renew.http import UnansweredError
from credlatch.renew.single_flight import renew
from credlatch.stores import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = int(time.time())


def soon() -> int:
    """A moment inside the margin, whenever the test runs."""
    return int(time.time()) + 100


class Kept:
    """A store of one entry, in memory; its lock is a real file.

    Attributes:
        entry: what it holds; None: nothing any more.
        written: what was committed.
        open: how many writes are neither committed nor abandoned.
    """

    name = "kept"

    def __init__(self, folder: Path, entry: Entry | None) -> None:
        self.folder = folder
        self.entry = entry
        self.written: list[Fresh] = []
        self.open = 0
        self.room: OSError | None = None

    def find(self, url: object) -> Entry | None:  # noqa: ARG002 - there is just one
        return self.entry

    def lock_path(self, entry: Entry) -> str:  # noqa: ARG002 - likewise
        return str(self.folder / "store.lock")

    def prepare(self, entry: Entry) -> Kept:  # noqa: ARG002 - likewise
        if self.room is not None:
            raise self.room
        self.open += 1
        return self

    def commit(self, fresh: Fresh) -> None:
        self.open = 0
        self.written.append(fresh)
        assert self.entry is not None
        refresh = fresh.refresh_token or self.entry.grant.secret if self.entry.grant else Secret("")
        self.entry = entry(fresh.token.reveal(), fresh.expires, refresh.reveal())

    def abandon(self) -> None:
        self.open = 0


def entry(
    token: str | None, expires: int | None, refresh: str = "r-1", *, once: bool = False
) -> Entry:
    grant: Grant = OAuthRefresh(Secret(refresh), "https://auth.example/token", "c", "log in again")
    if once:
        grant = PyxRefresh(Secret(refresh), "https://auth.example/", "log in again")
    credential = None if token is None else Bearer(Secret(token))
    return Entry(credential, "the store", expires=expires, grant=grant, renew_unknown=once)


class Server:
    """What takes the place of the network: it gives one answer, or raises one error."""

    def __init__(self, answer: Fresh | Exception) -> None:
        self.answer = answer
        self.sent: list[str] = []

    def __call__(self, grant: Grant, deadline: float) -> Fresh:
        assert deadline > time.monotonic()
        self.sent.append(grant.secret.reveal())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fresh | Exception], Server]:
    """Put a server in the place of the network."""

    def put(answer: Fresh | Exception) -> Server:
        server = Server(answer)
        monkeypatch.setattr(exchanges, "exchange", server)
        return server

    return put


def run(store: Kept, seen: Entry, look: Callable[[], Entry | None] | None = None) -> Entry:
    caller = Caller({"XDG_CACHE_HOME": str(store.folder)}, "/")
    try:
        return renew(store, seen, look or (lambda: store.entry), caller, time.monotonic() + 5)
    finally:
        assert store.open == 0, "a write was left open"
        with open(store.lock_path(seen), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_due_is_fetched_once_and_kept(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(Fresh(Secret("new"), Secret("r-2"), NOW + 3600))
    old = entry("old", NOW - 1)
    store = Kept(tmp_path, old)
    renewed = run(store, old)
    assert renewed.credential is not None
    assert renewed.credential.secret == Secret("new")
    assert renewed.expires == NOW + 3600
    assert server.sent == ["r-1"]
    assert len(store.written) == 1


def test_what_somebody_else_has_renewed_meanwhile_is_taken(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(AssertionError("it was asked"))
    theirs = entry("theirs", NOW + 3600, "r-2")
    assert run(Kept(tmp_path, theirs), entry("old", NOW - 1)) is theirs
    assert server.sent == []


def test_a_token_without_an_end_is_due_unless_it_has_changed(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(Fresh(Secret("new"), Secret("r-2")))
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
    with pytest.raises(RenewalError, match="no answer"):
        run(Kept(tmp_path, old), old)
    for _ in range(2):
        with pytest.raises(LoginError, match="one use only"):
            run(Kept(tmp_path, old), old)
    assert server.sent == ["r-1"]


@pytest.mark.parametrize(
    "fresh",
    [
        Fresh(Secret("a\r\nb"), Secret("r-2"), NOW + 3600),
        Fresh(Secret("late"), Secret("r-2"), NOW - 60),
        Fresh(Secret(""), Secret("r-2")),
    ],
)
def test_a_token_of_no_use_is_not_kept_but_the_next_refresh_token_is(
    tmp_path: Path, serve: Callable[..., Server], fresh: Fresh
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
    serve(Fresh(Secret("late"), None, NOW - 60))
    old = entry("old", soon())
    store = Kept(tmp_path, old)
    with pytest.raises(RenewalError, match="already expired"):
        run(store, old)
    assert store.written == []


def test_what_has_gone_after_it_was_written_is_a_failure(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    serve(Fresh(Secret("new")))
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
    caller = Caller({"XDG_CACHE_HOME": str(tmp_path)}, "/")
    begin = time.monotonic()
    with open(store.lock_path(old), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="held by another process"):
            renew(store, old, lambda: old, caller, begin + 30)
    assert time.monotonic() - begin < 5
    assert server.sent == []
