"""Having a token server renew a login that machines share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.errors import LoginError, RenewalError
from credlatch.fleet import renewal, value
from credlatch.fleet.engine import EngineError
from credlatch.fleet.steps import Refresh, Refreshed
from credlatch.renew.gate import NotSentError, UnansweredError
from support.family_server import FamilyServer
from support.flows import REQUEST
from support.token_server import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.token_server import TokenServer

SEND = renewal.sender(REQUEST, "log in again: credlatch login --fleet")


@pytest.fixture
def server() -> Iterator[FamilyServer]:
    """A server whose tokens say nothing by themselves."""
    with FamilyServer() as server:
        server.takes = 0.0
        yield server


def entry(server: TokenServer, **more: Any) -> dict[str, Any]:
    oauth = {
        "access_token": "old", "refresh_token": "first", "expires_at": 5, "client_id": "c",
        "token_endpoint": f"{server.url}/token",
    }  # fmt: skip
    return {"OAuth": {**oauth, **more}}


def sent(entry: dict[str, Any], ahead: float = 0.0, seconds: float = 20.0) -> Refreshed:
    return SEND(Refresh(entry, seconds, ahead))


def test_what_comes_is_put_in_the_place_of_what_was_and_all_else_stays(
    server: FamilyServer,
) -> None:
    before = server.family()
    before["OAuth"]["audience"] = "https://a.example"
    fresh = sent(before)
    oauth = fresh.entry["OAuth"]
    assert oauth["access_token"] in server.good
    assert oauth["refresh_token"] != before["OAuth"]["refresh_token"]
    assert oauth["audience"] == "https://a.example"
    assert abs(oauth["expires_at"] - time.time() - server.life) < 60
    assert fresh.problem == ""
    assert fresh.life is not None
    assert abs(fresh.life - server.life) < 60


def test_its_end_is_told_by_the_engine_s_clock(server: FamilyServer) -> None:
    """This machine is an hour ahead of it, and so are none of the others."""
    fresh = sent(server.family(), ahead=3600.0)
    assert abs(fresh.entry["OAuth"]["expires_at"] - (time.time() - 3600 + server.life)) < 60
    assert fresh.life is not None
    assert abs(fresh.life - server.life) < 60


def test_a_refusal_for_good_is_told_from_one_for_now(token_server: TokenServer) -> None:
    token_server.fault = Fault.INVALID_GRANT
    with pytest.raises(LoginError, match="credlatch login --fleet"):
        sent(entry(token_server))
    token_server.fault = Fault.STATUS_500
    with pytest.raises(RenewalError) as caught:
        sent(entry(token_server))
    assert not isinstance(caught.value, LoginError | NotSentError | UnansweredError)


def test_a_request_that_may_have_been_taken_is_told_from_one_that_never_left(
    token_server: TokenServer,
) -> None:
    token_server.fault = Fault.CLOSE
    with pytest.raises(UnansweredError):
        sent(entry(token_server))
    assert len(token_server.posts("/token")) == 1
    with pytest.raises(NotSentError):
        sent(entry(token_server, token_endpoint="http://127.0.0.1:9/token"))
    with pytest.raises(NotSentError):
        sent(entry(token_server), seconds=0.1)
    assert len(token_server.posts("/token")) == 1


def test_a_token_of_no_use_does_not_lose_the_next_refresh_token(token_server: TokenServer) -> None:
    token_server.fault = Fault.EXPIRED
    fresh = sent(entry(token_server))
    assert fresh.entry["OAuth"]["refresh_token"] == "rotated-1"
    assert fresh.entry["OAuth"]["access_token"] == "old"
    assert "already expired" in fresh.problem


@pytest.mark.parametrize("kept", [{"BearerToken": "t"}, {"OAuth": {}}, {}, {"Other": 1}])
def test_what_is_no_login_with_a_refresh_token_is_said_to_be_none(kept: dict[str, Any]) -> None:
    with pytest.raises(EngineError):
        sent(kept)


def login(end: object, life: object = None) -> value.Login:
    oauth = {"access_token": "a", "refresh_token": "r", "expires_at": end}
    found = value.login({"entry": {"OAuth": oauth}, "gen": 1, "life": life})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("left", "life", "expected"),
    [
        (500.0, 3600, False), (300.0, 3600, True), (-1.0, 3600, True), (300.0, None, True),
        (40.0, 60, False), (20.0, 60, True), (300.0, "long", True), (300.0, float("nan"), True),
    ],
)  # fmt: skip
def test_when_a_login_is_due(left: float, life: object, expected: bool) -> None:
    now = 1_000_000.0
    assert renewal.due()(login(now + left, life), now) is expected
    assert renewal.lives(login(now + left, life), now) is (left > 0)


def test_one_whose_end_nobody_knows_is_never_due() -> None:
    assert not renewal.due()(login(None), 1e9)
    assert renewal.lives(login(None), 1e9)


@pytest.mark.parametrize(
    "kept",
    [
        None, {}, {"entry": None}, {"entry": {"OAuth": []}}, {"entry": {"OAuth": {}}},
        {"entry": {"OAuth": {"access_token": "a", "refresh_token": ""}}},
        {"entry": {"OAuth": {"access_token": 1, "refresh_token": "r"}}},
        {"entry": {"OAuth": {"access_token": "a", "refresh_token": "r"}}, "gen": -1},
        {"entry": {"OAuth": {"access_token": "a", "refresh_token": "r"}}, "gen": True},
    ],
)  # fmt: skip
def test_what_is_no_login_is_not_understood(kept: dict[str, Any] | None) -> None:
    assert value.login(kept) is None


def test_a_claim_that_is_damaged_counts_as_one_for_its_writer_may_be_renewing() -> None:
    for claim in ("m", {}, {"ttl": -5}, {"ttl": float("inf"), "id": 7}, {"id": "a\x1b[2J"}):
        kept = {**login(5).kept, "claim": claim}
        found = value.login(kept)
        assert found is not None
        assert found.claim is not None
        assert 1 <= found.claim.ttl <= 3600
        assert found.claim.who.isprintable()


def test_what_others_have_put_beside_it_stays() -> None:
    found = value.login({**login(5).kept, "of a later version": {"x": 1}})
    assert found is not None
    assert found.renewed(found.entry)["of a later version"] == {"x": 1}
