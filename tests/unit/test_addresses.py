"""Names that are only meant to be this machine: the resolver says whether they are."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import logins
from credlatch import url as urls
from credlatch.auth.oauth import OAuthRefresh
from credlatch.caller import Caller
from credlatch.credential import Secret
from credlatch.errors import ElsewhereError, RefusedError, RenewalError
from credlatch.renew import exchange
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.stores.netrc import NetrcStore
from credlatch.system import addresses
from credlatch.system.network import settings
from support.callers import caller_of
from support.flows import REQUEST
from support.found import sure

if TYPE_CHECKING:
    from support.home import Home
    from support.token_server import TokenServer

NAMES = ["a.localhost", "A.B.Localhost.", "localhost."]


class FakeResolver:
    """Has addresses for every name, or takes its time.

    Attributes:
        asked: the names.
    """

    def __init__(self, *found: str) -> None:
        self.asked: list[str] = []
        self._found = found

    def __call__(self, host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        if not self._found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, 0, 0, "", (address, 0)) for address in self._found]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> FakeResolver:
    fake = FakeResolver(*getattr(request, "param", ("127.0.0.1", "::1")))
    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return fake


@pytest.mark.parametrize(
    ("resolver", "here"),
    [
        (("127.0.0.1",), True),
        (("::1", "127.0.0.1"), True),
        (("127.0.1.1",), True),
        (("::ffff:127.0.0.1",), True),
        (("127.0.0.1", "192.0.2.1"), False),
        (("::1", "2001:db8::1"), False),
        (("192.0.2.1",), False),
        (("::ffff:192.0.2.1",), False),
        (("0.0.0.0",), False),  # noqa: S104 - not this machine alone
        (("fe80::1%eth0",), False),
        (("not an address",), False),
        ((), False),
    ],
    indirect=["resolver"],
)
@pytest.mark.usefixtures("resolver")
def test_every_address_must_be_loopback_s(here: bool) -> None:
    assert addresses.is_loopback("a.localhost", 60) is here


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [] if done.wait(60) else None)
    begin = time.monotonic()
    assert not addresses.is_loopback("a.localhost", 0.05)
    done.set()
    assert time.monotonic() - begin < 50


@pytest.mark.parametrize("name", NAMES)
def test_a_credential_travels_in_the_clear_if_the_name_is_this_machine(
    home: Home, resolver: FakeResolver, name: str
) -> None:
    url = urls.parse(f"http://{name}:8080/x")
    assert caller_of(home).may_send(url)
    assert resolver.asked == [url.host]


@pytest.mark.parametrize("resolver", [(), ("192.0.2.1",)], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_and_if_it_is_not_it_is_refused_and_no_login_kept_for_it(
    home: Home, resolver: FakeResolver, name: str
) -> None:
    url = urls.parse(f"http://{name}:8080/x")
    with pytest.raises(RefusedError, match="plain http"):
        logins.keep(caller_of(home), url, "u", Secret("p"))
    assert not (home.path / ".rattler").exists()
    resolver.asked.clear()
    home.write_rattler({url.host: {"BearerToken": "t"}})
    with pytest.raises(RefusedError, match=r"in the clear.*does not resolve to this machine"):
        Resolver(caller_of(home)).resolve(Request(url, ()))
    assert resolver.asked == [url.host]


@pytest.mark.parametrize("project", [False, True])
@pytest.mark.parametrize("name", ["LOCALDOMAIN", "HOSTALIASES", "RES_OPTIONS"])
def test_a_process_with_another_resolver_does_not_say_whether_it_is(
    home: Home, resolver: FakeResolver, name: str, project: bool
) -> None:
    home.write_rattler({"a.localhost": {"BearerToken": "t"}})
    if project:
        home.write("auth.json", (home.path / ".rattler/credentials.json").read_text())
        home.write(".rattler/credentials.json", "{}")
        home.write("pixi.toml", "[workspace]\n")
        home.write(".pixi/config.toml", 'authentication-override-file = "auth.json"\n')
        home.write(".netrc", "")
    request = Request(urls.parse("http://a.localhost/"), ())
    environ = {**settings(os.environ), **home.env}
    agent_s = Caller(environ, str(home.path), is_guest=True)
    found = sure(Resolver(agent_s).resolve(request))
    assert found.store == ("pixi-project" if project else "rattler")
    resolver.asked.clear()
    other = Caller({**environ, name: "evil.example"}, str(home.path), is_guest=True)
    with pytest.raises(ElsewhereError):
        Resolver(other).resolve(request)
    assert resolver.asked == []


def test_the_resolver_takes_no_longer_than_what_is_left_of_the_call(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def elsewhere(_host: str, seconds: float) -> bool:
        waits.append(seconds)
        return False

    monkeypatch.setattr(addresses, "is_loopback", elsewhere)
    caller = caller_of(home)
    caller.deadline = time.monotonic() + 1.0
    assert not caller.may_send(urls.parse("http://a.localhost/"))
    grant = OAuthRefresh(Secret("r"), "http://keycloak.localhost:9/token", "c", "log in")
    with pytest.raises(RenewalError, match="in the clear"):
        exchange.exchange(grant, REQUEST, time.monotonic() + 1.0)
    assert len(waits) == 2
    assert max(waits) <= 1.0


@pytest.mark.parametrize("resolver", [("192.0.2.1",)], indirect=True)
def test_netrc_s_default_does_not_travel_there_either(home: Home, resolver: FakeResolver) -> None:
    home.write(".netrc", "machine b.example login u password p\n")
    assert NetrcStore(caller_of(home)).find(urls.parse("http://a.localhost/")) is None
    assert resolver.asked == []
    home.write(".netrc", "default login d password D\n")
    assert NetrcStore(caller_of(home)).find(urls.parse("http://a.localhost/")) is None
    assert resolver.asked == ["a.localhost"]


@pytest.mark.parametrize(
    "url",
    [
        "https://a.localhost/", "https://localhost./", "http://localhost:5000/",
        "http://127.0.0.1/", "http://[::1]/", "https://a.example/", "http://a.example/",
        "http://localhost.evil.example/", "s3://a.localhost/",
    ],
)  # fmt: skip
def test_the_resolver_is_asked_for_nothing_else(
    home: Home, resolver: FakeResolver, url: str
) -> None:
    home.write_rattler({urls.parse(url).host: {"BearerToken": "t"}})
    home.write(".netrc", "default login d password D\n")
    caller = caller_of(home)
    NetrcStore(caller).find(urls.parse(url))
    caller.may_send(urls.parse(url))
    assert resolver.asked == []


@pytest.mark.parametrize("resolver", [("192.0.2.1",)], indirect=True)
def test_no_refresh_token_is_sent_there(resolver: FakeResolver) -> None:
    grant = OAuthRefresh(Secret("r"), "http://keycloak.localhost:9/token", "c", "log in")
    with pytest.raises(RenewalError, match="in the clear"):
        exchange.exchange(grant, REQUEST, time.monotonic() + 5)
    assert resolver.asked == ["keycloak.localhost"]


def test_it_is_sent_to_this_machine_whatever_the_name_is_a_moment_later(
    token_server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, []

    def changing(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        if host == "keycloak.localhost" and asked.count(host) > 1:
            raise socket.gaierror(socket.EAI_NONAME, "another machine's, by now")
        return real("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    port = urls.parse(token_server.url).port
    server = f"http://keycloak.localhost:{port}/token?realm=a//b"
    grant = OAuthRefresh(Secret("r"), server, "c", "log in")
    fresh = exchange.exchange(grant, REQUEST, time.monotonic() + 60)
    assert fresh.token.reveal() == token_server.current_access_token
    (request,) = token_server.requests
    assert request.headers["host"] == f"keycloak.localhost:{port}"
    assert request.target == "/token?realm=a//b"
    assert asked[0] == "keycloak.localhost"
    assert set(asked[1:]) == {"localhost"}
