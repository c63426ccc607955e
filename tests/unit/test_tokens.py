"""Tokens in memory: found by what they depend on, and fetched by one thread at a time."""

from __future__ import annotations

import threading
import time

import pytest

from credlatch.auth import Auth, TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.pyx import PyxApiKey
from credlatch.credential import Basic, Secret
from credlatch.errors import LockedError
from credlatch.renew import margin
from credlatch.renew.tokens import TokenMemory
from credlatch.stores import Entry
from support.flows import REQUEST

SERVER = "https://a.example/"
KEY = PyxApiKey(Secret("k"), SERVER, "make a new key")


def found(memory: TokenMemory, grant: Auth = KEY) -> Entry:
    """What a store has found, with what is kept for it."""
    return memory.read(Entry(None, "the environment", grant=grant), REQUEST)


def keep(memory: TokenMemory, fresh: TokenResponse) -> None:
    memory.prepare(found(memory)).commit(fresh)


def test_a_token_is_kept_as_its_flow_says_and_the_source_s_entry_is_as_it_was() -> None:
    memory = TokenMemory()
    source = Entry(None, "the environment", grant=KEY)
    token = Secret("t")
    keep(memory, TokenResponse(token, expires=4_000_000_000, credential=Basic("aws", token)))
    entry = memory.read(source, REQUEST)
    assert isinstance(entry.credential, Basic)
    assert (entry.credential.username, entry.expires) == ("aws", 4_000_000_000)
    assert (source.credential, source.expires, source.handle) == (None, None, "")


@pytest.mark.parametrize(
    "other",
    [
        PyxApiKey(Secret("another"), SERVER, ""),
        PyxApiKey(Secret("k"), "https://b.example/", ""),
        OAuthRefresh(Secret("k"), SERVER, "cid", ""),
    ],
    ids=["secret", "server", "kind"],
)
def test_it_is_nobody_s_who_has_another(other: Auth) -> None:
    memory = TokenMemory()
    keep(memory, TokenResponse(Secret("t")))
    assert found(memory).credential is not None
    assert found(memory, other).credential is None
    memory.clear()
    assert found(memory).credential is None


def test_one_whose_end_nobody_knows_is_fetched_again_after_a_minute() -> None:
    memory = TokenMemory()
    keep(memory, TokenResponse(Secret("t")))
    entry = found(memory)
    assert not margin.is_due(entry, time.time())
    assert margin.is_due(entry, time.time() + margin.LATELY)
    memory.tidy()
    assert found(memory).credential is not None


def test_who_waits_for_a_thread_that_fetches_it_has_an_end() -> None:
    memory = TokenMemory()
    lock = memory.lock(found(memory))
    with lock.exclusive(0) as mine:
        assert mine.held
        for in_turn in (True, False):
            late = pytest.raises(LockedError, match="another call has been fetching")
            with late, memory.lock(found(memory)).exclusive(0.01, in_turn=in_turn):
                pass
    with lock.exclusive(0) as mine:
        assert mine.held


@pytest.mark.parametrize("in_turn", [True, False])
def test_all_who_wait_are_woken_and_hold_it_in_turn_or_not_at_all(*, in_turn: bool) -> None:
    memory = TokenMemory()
    held: list[bool] = []
    inside = 0
    begun = threading.Barrier(9)

    def wait() -> None:
        nonlocal inside
        begun.wait(60)
        with memory.lock(found(memory)).exclusive(60, in_turn=in_turn) as turn:
            if turn.held:
                inside += 1
                held.append(inside == 1)
                time.sleep(0.005)
                inside -= 1

    threads = [threading.Thread(target=wait) for _ in range(8)]
    with memory.lock(found(memory)).exclusive(0):
        for each in threads:
            each.start()
        begun.wait(60)
        time.sleep(0.05)
        assert held == []
    for each in threads:
        each.join(60)
    if in_turn:
        assert held == [True] * 8
    else:
        assert all(held)  # who had come by then never holds it; a late one, alone


def test_an_engine_is_made_once_for_whoever_has_the_same_login_to_it() -> None:
    memory = TokenMemory()
    made = [memory.engine("one", object), memory.engine("one", object)]
    assert made[0] is made[1]
    assert memory.engine("two", object) is not made[0]
    for number in range(20):
        memory.engine(str(number), object)
    assert memory.engine("one", object) is not made[0]
    memory.clear()
    assert memory.engine("two", object) is not made[0]
