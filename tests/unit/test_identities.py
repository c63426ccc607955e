"""Identities: which system is asked for a URL, and what comes of one that fails."""

from __future__ import annotations

import itertools
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.caller import Caller
from credlatch.credential import Basic, Bearer, Secret
from credlatch.errors import CredlatchError, RenewalError, StoreError
from credlatch.headers import Headers
from credlatch.identities import table
from credlatch.identities.table import System
from credlatch.request import Request, for_url
from credlatch.resolve import Outcome, Resolver
from credlatch.shared_cache import SharedCache
from credlatch.stores import Entry
from support.found import header, secret, sure

if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.auth import Flow
    from support.internet import Internet

    Made = Entry | CredlatchError | None
    Add = Callable[..., "Fake"]

URL = "https://a.systems.example/x"


class Fake(ModuleType):
    """A system's file, whose answer a test sets."""

    def __init__(self, name: str, made: Made, *, optional: bool) -> None:
        super().__init__(name)
        self.made = made
        self.optional = optional
        self.asked: list[str] = []

    def claims(self, url: urls.Url) -> bool:
        return url.scheme == "https" and url.default_port

    def anonymous(self, _: urls.Url) -> bool:
        return self.optional

    def find(self, request: Request, url: urls.Url, _: Caller) -> Entry | None:
        assert request.url is url
        self.asked.append(url.text)
        if isinstance(self.made, CredlatchError):
            raise self.made
        return self.made


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Add:
    """Adds a row, and the file that it stands for."""
    monkeypatch.setattr(table, "SYSTEMS", ())

    def add(name: str, made: Made, *hosts: str, optional: bool = False, **row: object) -> Fake:
        system = System(name, *(hosts or ("systems.example",)), **row)  # type: ignore[arg-type] # by name
        monkeypatch.setattr(table, "SYSTEMS", (*table.SYSTEMS, system))
        fake = Fake(f"credlatch.identities.{name}", made, optional=optional)
        monkeypatch.setitem(sys.modules, fake.__name__, fake)
        return fake

    return add


def entry(token: str = "t") -> Entry:
    return Entry(Bearer(Secret(token)), f"the identity {token}")


def outcome(url: str = URL, caller: Caller | None = None) -> Outcome:
    nobody = Caller({"HOME": "/nowhere"}, "/")
    return Resolver(caller or nobody).outcome(for_url(urls.parse(url)))


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://systems.example/", True),
        ("https://a.b.systems.example/x", True),
        ("https://SYSTEMS.example.:443/", True),
        ("https://evilsystems.example/", False),
        ("https://systems.example.evil.example/", False),
        ("https://example/", False),
        ("https://*.systems.example/", False),
    ],
)
def test_a_row_s_host_stands_for_itself_and_for_all_below_it(
    add: Add, url: str, asked: bool
) -> None:
    fake = add("one", entry())
    assert (secret(outcome(url).resolution) == "t") == asked
    assert bool(fake.asked) == asked


@pytest.mark.parametrize("url", ["http://a.systems.example/", "https://a.systems.example:8443/"])
def test_a_system_is_not_asked_for_what_it_does_not_claim(add: Add, url: str) -> None:
    fake = add("one", entry())
    assert outcome(url).resolution is None
    assert fake.asked == []


def test_the_first_system_that_has_an_identity_answers(add: Add) -> None:
    none, first, second = (add(name, made) for name, made in
                           (("a", None), ("b", entry("b")), ("c", entry("c"))))  # fmt: skip
    found = outcome()
    assert secret(found.resolution) == "b"
    assert sure(found.resolution).store == "identity"
    assert [len(each.asked) for each in (none, first, second)] == [1, 1, 0]


def test_a_stored_login_beats_an_identity(add: Add) -> None:
    fake = add("one", entry())
    caller = Caller({"HOME": "/nowhere", "CREDLATCH_TOKEN_A_SYSTEMS_EXAMPLE": "stored"}, "/")
    assert secret(outcome(caller=caller).resolution) == "stored"
    assert fake.asked == []


def test_a_variable_has_a_system_asked_for_every_host(add: Add) -> None:
    add("one", entry(), "nowhere.example", variables=("NAMES_A_HOST",))
    assert outcome().resolution is None
    for value, found in (("a", "t"), (" ", None)):
        caller = Caller({"HOME": "/nowhere", "NAMES_A_HOST": value}, "/")
        assert secret(outcome(caller=caller).resolution) == found


@pytest.mark.parametrize("optional", [True, False])
def test_an_identity_that_cannot_be_had_is_a_warning_where_none_is_needed(
    add: Add, optional: bool
) -> None:
    add("one", StoreError("the login of one is damaged: one login"), optional=optional)
    caller = Caller({"HOME": "/nowhere"}, "/")
    found = outcome(caller=caller)
    assert found.resolution is None
    assert (found.failure is None) == optional
    assert caller.warnings == ["the login of one is damaged: one login"] * optional


def test_after_an_identity_that_cannot_be_had_the_next_answers(add: Add) -> None:
    add("one", StoreError("damaged"), optional=True)
    add("two", entry())
    caller = Caller({"HOME": "/nowhere"}, "/")
    assert secret(outcome(caller=caller).resolution) == "t"
    assert caller.warnings == ["damaged"]


# Identities that a token is got with


class Fetched(Auth):
    """A token that a server gives to who sends a secret, or to everybody."""

    single_use = False

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - of no matter here
        response = yield HttpRequest("POST", f"{self.server}/t", form={"s": self.secret.reveal()})
        if response.status != 200:
            raise RenewalError(f"{self.shown} refuses: one login")
        token = Secret(response.body.decode())
        return TokenResponse(token, expires=int(now) + 3600)


class Public(Fetched):
    anonymous = True


class Once(Fetched):
    """The same, made for one request alone."""

    def cache_key(self, _: Request) -> None:
        return None


def got(auth: Auth, then: Callable[[Entry], Entry] | None = None) -> Entry:
    found = Entry(None, "the identity one", grant=auth, remedy="one login")
    found.then = then
    return found


def second(kind: type[Fetched]) -> Callable[[Entry], Entry]:
    """What gets another token with the first one, and hands out both."""

    def then(first: Entry) -> Entry:
        token = sure(first.credential).secret
        return got(kind(token, "https://second.example", "one login"), finished)

    def finished(made: Entry) -> Entry:
        token = sure(made.credential).secret
        login = Basic("user", token)
        return Entry(Headers({"X-Token": token}, login), made.location, expires=made.expires)

    return then


def first(kind: type[Fetched] = Fetched, said: str = "secret") -> Auth:
    return kind(Secret(said), "https://first.example", "one login")


@pytest.fixture
def servers(internet: Internet) -> Internet:
    """Two token servers, which number what they give and name what it was given for."""
    number = itertools.count(1)
    for name in ("first", "second"):
        internet.hosts[f"{name}.example"] = lambda visit: (
            200, {}, f"{next(number)}-for-{visit.form['s']}".encode()
        )  # fmt: skip
    return internet


def test_a_token_is_fetched_once_and_kept_in_memory(add: Add, servers: Internet) -> None:
    add("one", got(first()))
    shared = SharedCache()
    for _ in range(2):
        caller = Caller({"HOME": "/nowhere"}, "/", shared)
        found = sure(outcome(caller=caller).resolution)
        assert header(found) == "Bearer 1-for-secret"
        assert found.expires is not None
    assert len(servers.visits) == 1
    assert outcome(caller=Caller({"HOME": "/nowhere"}, "/")).resolution is not None
    assert len(servers.visits) == 2  # nobody's memory is another's


def test_what_begins_with_no_secret_is_sent_without_one(add: Add, servers: Internet) -> None:
    add("one", got(first(Public, "")))
    assert secret(outcome().resolution) == "1-for-"
    assert [visit.form for visit in servers.visits] == [{"s": ""}]


def test_what_should_begin_with_a_secret_is_not_sent_without_one(
    add: Add, servers: Internet
) -> None:
    add("one", got(first(Fetched, "")))
    assert "damaged: one login" in str(outcome().failure)
    assert servers.visits == []


@pytest.mark.parametrize(("kind", "fetched"), [(Fetched, 2), (Once, 3)])
def test_a_credential_is_made_of_what_was_fetched_and_each_is_kept_for_itself(
    add: Add, servers: Internet, kind: type[Fetched], fetched: int
) -> None:
    add("one", got(first(), second(kind)))
    shared = SharedCache()
    for _ in range(2):
        found = sure(outcome(caller=Caller({"HOME": "/nowhere"}, "/", shared)).resolution)
        token = found.credential.secret.reveal()
        assert token.endswith("-for-1-for-secret")
        assert found.credential.headers() == {"X-Token": token}
        username, password = found.credential.login("a")
        assert (username, password.reveal()) == ("user", token)
        assert found.store == "identity"
    assert len(servers.visits) == fetched


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("failing", ["first", "second"])
@pytest.mark.parametrize("kind", [Fetched, Once])
def test_a_server_that_refuses_is_a_warning_where_nobody_need_log_in(
    add: Add, servers: Internet, kind: type[Fetched], failing: str, optional: bool
) -> None:
    add("one", got(first(), second(kind)), optional=optional)
    servers.hosts[f"{failing}.example"] = lambda _: (403, {}, b"no")
    caller = Caller({"HOME": "/nowhere"}, "/")
    found = outcome(caller=caller)
    assert found.resolution is None
    assert (found.failure is None) == optional
    said = caller.warnings if optional else [str(found.failure)]
    assert len(said) == 1
    assert f"{failing}.example" in said[0]
    assert said[0].endswith("(the request goes without a credential)") == optional
    assert "secret" not in said[0].replace("secrets", "")


def test_an_identity_that_fails_hides_no_broken_store(add: Add, servers: Internet) -> None:
    add("one", got(first()), optional=True)
    del servers.hosts["first.example"]
    caller = Caller({"HOME": "/nowhere", "NETRC": "/"}, "/")
    assert isinstance(outcome(caller=caller).failure, StoreError)
    assert any("without a credential" in each for each in caller.warnings)
