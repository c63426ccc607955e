"""A token of rattler's store that ends: who renews it, where it goes, that both then have it."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from support.rattler import oauth
from support.storm import ask_together

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.rattler import Rattler
    from support.rattler_places import Place
    from support.secret_service import SecretService
    from support.token_server import TokenServer

HOST = "o.example"


def test_we_answer_with_the_token_that_rattler_renewed(
    frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place
) -> None:
    place.write({HOST: oauth(token_server, int(time.time()) + 200)})
    sent = rattler.authorization(HOST)
    assert sent == f"Bearer {token_server.current_access_token}"
    answer = frozen.bazel(f"https://{HOST}/x")
    assert answer.authorization == sent
    assert len(token_server.posts("/token")) == 1
    assert frozen.docker("get", HOST).json()["Secret"] == token_server.current_access_token


def test_many_at_once_renew_it_once(
    home: Home, frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place
) -> None:
    place.write({HOST: oauth(token_server, 1)})
    token_server.delay = 0.5  # everybody has asked before the answer comes
    ours = [*frozen.command, "get"]
    headers = ask_together(home, f"https://{HOST}/x", ours, times=20)
    assert headers == {f"Bearer {token_server.current_access_token}"}
    assert len(token_server.requests) == 1
    assert list(place.read()) == [HOST]
    assert {rattler.authorization(HOST)} == headers


@pytest.mark.parametrize("left", [-3600, 200])
def test_rattler_sends_the_token_that_we_renewed(
    frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place, left: int
) -> None:
    other = {"BasicHTTP": {"username": "u", "password": "p"}}
    place.write({HOST: oauth(token_server, int(time.time()) + left), "other.example": other})
    renewed = frozen.bazel(f"https://{HOST}/x").authorization
    assert renewed == f"Bearer {token_server.current_access_token}"
    assert rattler.authorization(HOST) == renewed
    assert frozen.bazel(f"https://{HOST}/x").authorization == renewed
    (post,) = token_server.posts("/token")
    assert post.form == {
        "grant_type": "refresh_token", "refresh_token": "r-0", "client_id": "rattler"
    }  # fmt: skip
    kept = place.read()
    assert kept["other.example"] == other
    new = kept[HOST]["OAuth"]
    assert (new["refresh_token"], new["client_id"]) == ("rotated-1", "rattler")
    assert abs(new["expires_at"] - (time.time() + 3600)) < 60
    if place.service is not None:
        assert not place.file.exists()


@pytest.mark.parametrize("audience", ["https://audit.example/a b", ""])
def test_the_audience_is_what_rattler_sends_and_is_kept(
    frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place, audience: str
) -> None:
    token_server.lifetime = 100  # so short that each use renews
    place.write({HOST: oauth(token_server, 1, audience=audience)})
    sent = [frozen.bazel(f"https://{HOST}/x").authorization, rattler.authorization(HOST)]
    ours, theirs = (dict(post.form) for post in token_server.posts("/token"))
    assert ours.pop("refresh_token") == "r-0"
    assert theirs.pop("refresh_token") == "rotated-1"
    assert ours == theirs
    assert ours["audience"] == audience
    assert place.read()[HOST]["OAuth"]["audience"] == audience
    assert sent[1] == f"Bearer {token_server.current_access_token}"


def test_what_we_do_not_know_of_an_entry_is_kept_in_the_keyring_too(
    frozen: Program, token_server: TokenServer, place: Place
) -> None:
    place.write({HOST: oauth(token_server, 1, issuer="https://i.example", later=[1, {"a": None}])})
    assert frozen.bazel(f"https://{HOST}/x").authorization is not None
    kept = place.read()[HOST]["OAuth"]
    assert (kept["issuer"], kept["later"]) == ("https://i.example", [1, {"a": None}])
    assert kept["access_token"] == token_server.current_access_token


def test_an_end_before_1970_is_the_past_for_rattler_and_for_us(
    frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place
) -> None:
    end = -(2**63)
    place.write({HOST: oauth(token_server, end)})
    renewed = frozen.bazel(f"https://{HOST}/x").authorization
    assert renewed == f"Bearer {token_server.current_access_token}"
    place.write({"other.example": oauth(token_server, end, refresh="r-1")})
    assert rattler.authorization("other.example") == f"Bearer {token_server.current_access_token}"


def test_each_renews_what_the_other_renewed_before(
    frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place
) -> None:
    token_server.lifetime = 100  # so short that each use renews
    place.write({HOST: oauth(token_server, 1)})
    sent = [rattler.authorization(HOST) if n % 2 else frozen.bazel(f"https://{HOST}/x").authorization
            for n in range(4)]  # fmt: skip
    assert len(set(sent)) == 4
    assert [p.form["refresh_token"] for p in token_server.posts("/token")] == [
        "r-0", "rotated-1", "rotated-2", "rotated-3"
    ]  # fmt: skip
    assert token_server.replayed == []


def test_a_renewal_keeps_the_link_the_mode_and_what_we_do_not_know(
    home: Home, frozen: Program, token_server: TokenServer
) -> None:
    entry = oauth(token_server, 1)
    entry["OAuth"]["of_the_future"] = [1, {"a": None}]
    unknown = {"NewKind": {"x": 1}}
    odd = {"BearerToken": "t", "and": "more"}
    path = home.write_rattler({HOST: entry, "new.example": unknown, "odd.example": odd})
    target = home.path / "synced" / "credentials.json"
    target.parent.mkdir()
    os.replace(path, target)
    path.symlink_to(target)
    target.chmod(0o640)
    assert frozen.bazel(f"https://{HOST}/x").authorization is not None
    kept = home.read_rattler()
    assert kept["new.example"] == unknown
    assert kept["odd.example"] == odd
    assert kept[HOST]["OAuth"]["of_the_future"] == [1, {"a": None}]
    assert kept[HOST]["OAuth"]["access_token"] == token_server.current_access_token
    assert path.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_token_is_renewed_where_it_was_read(
    home: Home,
    frozen: Program,
    rattler: Rattler,
    token_server: TokenServer,
    secret_service: SecretService,
) -> None:
    home.write_rattler({HOST: oauth(token_server, 1)})
    renewed = frozen.bazel(f"https://{HOST}/x").authorization
    assert rattler.authorization(HOST) == renewed
    assert home.read_rattler()[HOST]["OAuth"]["refresh_token"] == "rotated-1"
    assert secret_service.items() == []  # where rattler itself would have moved it
