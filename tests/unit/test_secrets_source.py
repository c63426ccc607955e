"""A secret's bytes, resolved anew each time."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import LockedError, RenewalError, SecretsError
from credlatch.secrets import source as sources
from credlatch.secrets import wanted
from credlatch.secrets.source import MAX_SIZE, Says, Source
from credlatch.shared_cache import SharedCache
from support.false_bus import FalseBus
from support.in_memory import until
from support.logins import OAuthLogin
from support.token_server import Fault

if TYPE_CHECKING:
    from support.home import Home
    from support.token_server import TokenServer

HOST = "packages.example.com"
VARIABLE = "CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def source(home: Home, said: list[str]) -> Source:
    return of("token", home, said)


def of(shape: str, home: Home, said: list[str], patience: float = 0.0) -> Source:
    secret = wanted.secret(f"id=t,url=https://{HOST}/,as={shape}")
    return Source(secret, home.env, Says(said.append), patience)


def test_what_a_store_holds_now_is_what_is_given(home: Home, source: Source) -> None:
    for find in (source.first, source.for_reader):
        for value in ("one", "x" * MAX_SIZE):
            home.env[VARIABLE] = value
            assert find() == value.encode()


@pytest.mark.parametrize(("left", "tokens"), [(-60, 3), (500, 1)])
def test_a_token_is_renewed_for_a_reader_unless_it_lives_on(
    home: Home, source: Source, token_server: TokenServer, left: int, tokens: int
) -> None:
    login = OAuthLogin(home, token_server)
    given = []
    for number, find in enumerate((source.first, source.for_reader, source.for_reader)):
        if number == 0 or left < 0:
            login.write(left, f"refresh-of-{number}")
        given.append(find())
    assert len(set(given)) == tokens
    assert len(login.refresh_tokens()) == (3 if left < 0 else 0)


@pytest.mark.parametrize("address", ["absolute", "relative"])
def test_all_readings_of_a_build_ask_the_keyring_over_one_connection(
    home: Home, said: list[str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    shared = SharedCache()
    secret = wanted.secret(f"id=t,url=https://{HOST}/,as=token")
    with tempfile.TemporaryDirectory(prefix="fb-") as folder, FalseBus(Path(folder) / "bus") as bus:
        # To the process of a build, unlike the agent, a relative address leads where it led before.
        monkeypatch.chdir(folder)
        relative = address == "relative"
        home.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=bus" if relative else bus.address
        bus.add("rattler", HOST, '{"BearerToken":"one"}')
        readings = [Source(secret, home.env, Says(said.append), shared=shared) for _ in range(2)]
        assert [each.find() for each in readings] == [b"one", b"one"]
        bus.items.clear()
        bus.add("rattler", HOST, '{"BearerToken":"two"}')
        assert [each.find() for each in readings] == [b"two", b"two"]
        assert bus.connections == 1
        shared.close()
    assert said == []


def test_where_there_is_no_credential_there_is_none(source: Source, said: list[str]) -> None:
    assert source.first() is None
    assert said == []
    assert f"no store has a credential for https://{HOST}/: log in" in source.missing


def test_what_nearly_was_the_secret_is_named(home: Home, source: Source) -> None:
    home.write(".netrc", f"machine {HOST}:443 login a password b\n")
    assert "; netrc has line 1, 'machine" in source.missing
    assert "(netrc knows no ports): log in there" in source.missing


def test_a_reader_whose_credential_has_gone_gets_what_fails_and_we_say_why(
    source: Source, said: list[str]
) -> None:
    given = source.for_reader()
    assert len(given) == MAX_SIZE + 1
    assert given.startswith(b"credlatch: the secret 't': no store has a credential for")
    assert given.strip().count(b"\n") == 0
    assert said == [source.missing]


def test_a_refused_renewal_is_said_at_once(
    home: Home, source: Source, token_server: TokenServer, said: list[str]
) -> None:
    token_server.fault = Fault.INVALID_GRANT
    OAuthLogin(home, token_server).write(-60)
    given = of("token", home, said, patience=60.0).for_reader()
    assert len(given) == MAX_SIZE + 1
    (line,) = said
    assert "the secret 't' cannot be renewed" in line
    assert "credlatch login" in line
    assert line.encode() in given
    with pytest.raises(SecretsError, match=r"the secret 't': .*log in again"):
        source.first()


def test_a_lock_that_is_held_is_waited_for_as_is_a_renewal_that_may_yet_succeed(
    home: Home, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "PAUSE", 0.0)
    answers: list[Exception | bytes] = [LockedError("held"), RenewalError("down"), b"x"]

    def find(_: Source) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Source, "find", find)
    assert of("token", home, said, patience=600.0).for_reader() == b"x"
    assert said == []


@pytest.mark.parametrize(("times", "patience"), [(1, 20.0), (None, 0.5)])
def test_a_renewal_that_may_yet_succeed_is_tried_again_until_patience_ends(
    home: Home,
    token_server: TokenServer,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    times: int | None,
    patience: float,
) -> None:
    monkeypatch.setattr(sources, "PAUSE", 0.5 if times else 0.1)
    token_server.fault, token_server.fault_times = Fault.STATUS_500, times
    OAuthLogin(home, token_server).write(-60)
    given = of("token", home, said, patience).for_reader()
    if times:
        assert given == str(token_server.current_access_token).encode()
    assert (len(given) == MAX_SIZE + 1, len(said)) == (times is None, 0 if times else 1)


def test_an_error_of_our_own_lets_nobody_wait(
    source: Source, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(Source, "find", broken)
    assert len(source.for_reader()) == MAX_SIZE + 1
    assert said == ["the secret 't': internal error: ZeroDivisionError"]


@pytest.mark.parametrize(
    ("value", "shape", "why"),
    [
        (
            "x" * (MAX_SIZE + 1),
            "token",
            f"it has {MAX_SIZE + 1} bytes, and a build takes {MAX_SIZE}",
        ),
        ("a b", ".npmrc", "character that .npmrc cannot hold"),
    ],
)
def test_what_cannot_be_given_is_said_without_the_secret(
    home: Home, said: list[str], value: str, shape: str, why: str
) -> None:
    home.env[VARIABLE] = value
    with pytest.raises(SecretsError) as caught:
        of(shape, home, said).first()
    assert f"the secret 't': the credential from the variable {VARIABLE}" in str(caught.value)
    assert f"does not go as {shape}: " in str(caught.value)
    assert why in str(caught.value)
    assert value not in str(caught.value)


def test_an_empty_secret_would_be_none(home: Home, said: list[str]) -> None:
    home.write_rattler({HOST: {"BasicHTTP": {"username": "bob", "password": ""}}})
    with pytest.raises(SecretsError, match="it is empty"):
        of("password", home, said).first()
    assert of("user", home, said).first() == b"bob"


def test_warnings_of_stores_are_said_once(home: Home, source: Source, said: list[str]) -> None:
    home.env[VARIABLE] = "t"
    home.write(".netrc", f"machine {HOST} login u password p\n", mode=0o644)
    del home.env[VARIABLE]
    for _ in range(3):
        assert source.for_reader() == b"p"
    (line,) = said
    assert "can be read by other users" in line


def test_nothing_is_said_twice_but_on_demand() -> None:
    heard: list[str] = []
    says = Says(heard.append)
    for line in ("a", "b", "a"):
        says(line)
    assert heard == ["a", "b"]
    says.again(1)
    assert heard == ["a", "b", "b"]


def test_the_end_waits_for_a_renewal_that_is_under_way(
    home: Home, source: Source, token_server: TokenServer, said: list[str]
) -> None:
    token_server.delay = 0.5
    login = OAuthLogin(home, token_server)
    login.write(-60)
    reader = threading.Thread(target=source.for_reader)
    reader.start()
    until(lambda: token_server.posts("/token"))
    source.end()
    assert login.kept()[0] == token_server.current_access_token
    reader.join()
    assert said == []


def test_after_the_end_nothing_is_begun_and_nothing_said(
    home: Home, token_server: TokenServer, said: list[str]
) -> None:
    OAuthLogin(home, token_server).write(-60)
    ended = of("token", home, said)
    ended.end()
    assert len(ended.for_reader()) == MAX_SIZE + 1
    assert said == []
    assert token_server.requests == []


def test_the_end_does_not_wait_for_patience(
    home: Home, token_server: TokenServer, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "PAUSE", 1000.0)
    token_server.fault = Fault.STATUS_500
    OAuthLogin(home, token_server).write(-60)
    patient = of("token", home, said, patience=10_000.0)
    given: list[bytes] = []
    reader = threading.Thread(target=lambda: given.append(patient.for_reader()))
    reader.start()
    until(lambda: token_server.posts("/token"))
    patient.end()
    reader.join()
    assert [len(each) for each in given] == [MAX_SIZE + 1]
    assert said == []


def test_where_buildkit_would_ask_as_nobody_it_gets_what_opens_nothing(
    home: Home, said: list[str]
) -> None:
    for secret in (wanted.for_http(HOST), wanted.for_git(HOST)):
        source = Source(secret, home.env, Says(said.append), 0.0)
        home.env[VARIABLE] = "one"
        assert source.for_reader() != wanted.NOBODYS
        del home.env[VARIABLE]
        assert source.for_reader() == wanted.NOBODYS
        assert said.pop() == source.missing
