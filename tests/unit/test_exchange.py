"""What goes wrong before anything is sent is a clear failure, and no secret is in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credlatch.auth import HttpRequest
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.pyx import PyxApiKey, PyxRefresh
from credlatch.caller import Caller
from credlatch.credential import Bearer, Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.renew.exchange import exchange
from credlatch.renew.http import UnansweredError
from credlatch.renew.single_flight import renew
from credlatch.stores import Entry
from credlatch.stores.pyx import PyxStore
from support.flows import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.auth import Auth, Flow
    from credlatch.request import Request
    from support.home import Home
    from support.token_server import TokenServer

SECRET = "kept-from-everybody"
PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")

# What a user's environment may hold; none of it leads to a connection.
BAD_PROXIES = {
    "a kind that is not built in": ("ALL_PROXY", "socks5://127.0.0.1:1"),
    "a kind that does not exist": ("HTTPS_PROXY", f"ftp://u:{SECRET}@127.0.0.1"),
    "no URL": ("HTTPS_PROXY", "://"),
    "half an address": ("HTTPS_PROXY", "http://[::1"),
    "an exception that is none": ("NO_PROXY", "[::1,,%"),
    "a proxy that is not there": ("HTTPS_PROXY", f"http://u:{SECRET}@127.0.0.1:1"),
}


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    # A name that is asked for would leave this machine: nothing here asks for one.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")


def failure(grant: Auth) -> RenewalError:
    """What sending it raises, long before the deadline."""
    with pytest.raises(RenewalError) as raised:
        exchange(grant, REQUEST, time.monotonic() + 5)
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)
    return raised.value


def oauth(server: str, secret: str = SECRET) -> OAuthRefresh:
    return OAuthRefresh(Secret(secret), server, "cid", "log in again")


@pytest.mark.parametrize(("name", "value"), BAD_PROXIES.values(), ids=BAD_PROXIES.keys())
def test_a_single_use_token_that_was_not_sent_may_be_sent_later(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    kept = home.write("tokens.json", "{}")
    grant = PyxRefresh(Secret(SECRET), "https://auth.invalid/", "log in again")
    entry = Entry(Bearer(Secret("old")), "a test", expires=1, grant=grant, handle=str(kept))
    caller = Caller({"XDG_CACHE_HOME": str(tmp_path)}, "/")

    def attempt() -> None:
        renew(PyxStore(caller), entry, REQUEST, lambda: entry, caller)

    monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(RenewalError) as raised:
            attempt()
        assert not isinstance(raised.value, LoginError), "its login is lost"
        assert SECRET not in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "server",
    [
        "http://auth.example/token", "http://10.0.0.1/token", "http://localhost.evil.example/token",
        "s3://bucket/token", "ftp://127.0.0.1/token", "https://127.1/token",
        "https://127.0.0.1:99999/token", "https://a b/token", "https://127.0.0.1/\r\ntoken",
        "/token", "",
    ],
)  # fmt: skip
def test_a_login_is_sent_to_no_server_in_the_clear_nor_to_one_in_doubt(server: str) -> None:
    assert not isinstance(failure(oauth(server)), UnansweredError | LoginError)


@pytest.mark.parametrize("rest", ["\r\nX-Injected: yes", "\x01", "é", "\udcff"])
def test_a_key_that_no_header_can_carry_is_not_sent_and_not_shown(
    token_server: TokenServer, rest: str
) -> None:
    for grant in (
        PyxApiKey(Secret(f"{SECRET}{rest}"), token_server.url, "make a new key"),
        oauth(f"{token_server.url}/token", "\ud800"),
    ):
        assert not isinstance(failure(grant), UnansweredError)
    assert token_server.requests == []


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # not asked: this machine is loopback
    assert "http://127.0.0.1:1/token" in str(failure(oauth("http://127.0.0.1:1/token")))


def test_without_time_left_nothing_is_begun() -> None:
    with pytest.raises(RenewalError, match="no time was left"):
        exchange(oauth("http://127.0.0.1:1/"), REQUEST, time.monotonic())


class Elsewhere(OAuthRefresh):
    """A flow that a server's answer leads to another server."""

    __slots__ = ("other",)

    def __init__(self, server: str, other: str) -> None:
        super().__init__(Secret(SECRET), server, "cid", "log in again")
        self.other = other

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - as the others
        yield HttpRequest("GET", self.other, headers={"Authorization": self.secret.reveal()})
        raise AssertionError("it was sent")


@pytest.mark.parametrize("server", ["https://auth.example/", "http://127.0.0.1:1/", "no server"])
def test_nothing_goes_to_a_server_that_the_login_is_not_for(
    token_server: TokenServer, server: str
) -> None:
    assert not isinstance(failure(Elsewhere(server, f"{token_server.url}/x")), UnansweredError)
    assert token_server.requests == []
