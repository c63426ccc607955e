"""Logins for clients that know nothing else: found, kept and forgotten."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import logins
from credlatch import url as urls
from credlatch.credential import Secret
from credlatch.errors import RefusedError, StoreError
from credlatch.request import for_login
from credlatch.resolve import Resolver
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.found import secret

if TYPE_CHECKING:
    from support.home import Home

URL = "https://git.example/"


def basic(username: str, password: str) -> dict[str, Any]:
    return {"BasicHTTP": {"username": username, "password": password}}


def found(home: Home, text: str, username: str | None = None) -> str | None:
    url = urls.parse(text)
    url.username = username or url.username
    return secret(Resolver(caller_of(home)).resolve(for_login(url)))


def keep(home: Home, text: str, username: str, password: str) -> None:
    logins.keep(caller_of(home), urls.parse(text), username, Secret(password))


def forget(home: Home, text: str, username: str | None = None, password: str | None = None) -> bool:
    known = None if password is None else Secret(password)
    return logins.forget(caller_of(home), urls.parse(text), username, known)


def test_the_path_decides_before_the_host_and_the_user_before_the_path(home: Home) -> None:
    home.write_rattler(
        {
            "git.example": basic("bob", "host"),
            "git.example/team": basic("bob", "team"),
            "git.example/team/repo.git": basic("bob", "repo"),
            "alice@git.example": basic("alice", "alice"),
        }
    )
    assert found(home, URL) == "host"
    assert found(home, f"{URL}team") == "team"
    assert found(home, f"{URL}team/other.git") == "team"
    assert found(home, f"{URL}team/repo.git") == "repo"
    assert found(home, f"{URL}team/repo.git", "bob") == "repo"
    assert found(home, f"{URL}team/repo.git", "alice") == "alice"
    assert found(home, f"{URL}teams") == "host"


def test_a_login_that_makes_no_header_is_none(home: Home) -> None:
    home.write(
        ".docker/config.json", '{"auths":{"git.example":{"identitytoken":"for the token server"}}}'
    )
    with pytest.raises(StoreError, match="identity token"):
        found(home, URL)


@pytest.mark.parametrize(
    ("url", "key", "found_by", "not_by"),
    [
        ("https://git.example:8443/", "git.example:8443", "https://git.example:8443/x", URL),
        (f"{URL}team/a.git", "git.example/team/a.git", f"{URL}team/a.git", f"{URL}team/b.git"),
    ],
    ids=["port", "path"],
)
def test_what_is_kept_is_found_for_its_port_and_path_and_is_the_last_password(
    home: Home, url: str, key: str, found_by: str, not_by: str
) -> None:
    for password in ("old", "b"):
        keep(home, url, "bob", password)
        assert home.read_rattler() == {key: basic("bob", password)}
    assert found(home, found_by) == "b"
    assert found(home, not_by) is None


@pytest.mark.parametrize(
    "taken",
    [
        {"BearerToken": "t"},
        {"CondaToken": "t"},
        {
            "OAuth": {
                "access_token": "a",
                "refresh_token": "r",
                "token_endpoint": "https://a.example/token",
                "client_id": "rattler",
            }
        },
        {"BasicHTTP": {"username": "alice", "password": "a"}},
    ],
)
def test_nothing_of_anybody_else_s_is_overwritten(home: Home, taken: dict[str, Any]) -> None:
    home.write_rattler({"git.example": taken})
    keep(home, URL, "bob", "b")
    keep(home, URL, "bob", "c")
    assert home.read_rattler() == {"git.example": taken, "bob@git.example": basic("bob", "c")}
    assert found(home, URL, "bob") == "c"


def test_plain_http_is_refused_except_on_this_machine_and_nothing_kept_for_it(home: Home) -> None:
    with pytest.raises(RefusedError, match="plain http"):
        keep(home, "http://git.example/", "bob", "b")
    assert not (home.path / ".rattler").exists()
    home.write_rattler({host: basic("bob", "b") for host in ("git.example", "127.0.0.1")})
    with pytest.raises(RefusedError, match="plain http"):
        found(home, "http://git.example/", "bob")
    assert found(home, "http://127.0.0.1:8080/") == "b"
    assert found(home, "http://other.example/") is None


def test_nothing_is_kept_over_an_entry_that_cannot_be_read(home: Home) -> None:
    path = home.write_rattler({"git.example": {"Passkey": "of the future"}})
    before = path.read_bytes()
    with pytest.raises(StoreError, match="does not know"):
        keep(home, URL, "bob", "b")
    assert path.read_bytes() == before


def test_what_is_forgotten_is_that_login_alone(home: Home) -> None:
    entries = {
        "git.example": basic("bob", "b"),
        "git.example/team": basic("bob", "b"),
        "git.example:8443": basic("bob", "b"),
        "*.git.example": basic("bob", "b"),
        "https://git.example": basic("bob", "b"),
        "alice@git.example": basic("alice", "b"),
    }
    home.write_rattler(entries)
    assert forget(home, URL, "bob", "b")
    del entries["git.example"]
    assert home.read_rattler() == entries


@pytest.mark.parametrize(
    ("username", "password"), [("alice", None), ("alice", "b"), ("bob", "other"), (None, "other")]
)
def test_what_does_not_match_is_not_forgotten(
    home: Home, username: str | None, password: str | None
) -> None:
    path = home.write_rattler({"git.example": basic("bob", "b")})
    before = path.stat()
    assert not forget(home, URL, username, password)
    assert path.stat().st_ino == before.st_ino
    assert home.read_rattler() == {"git.example": basic("bob", "b")}


@pytest.mark.parametrize("password", [None, "t"])
@pytest.mark.parametrize("username", [None, "bob", "oauth2", "__token__"])
def test_a_token_is_never_forgotten(home: Home, username: str | None, password: str | None) -> None:
    tokens = {"git.example": {"BearerToken": "t"}, "bob@git.example": {"BearerToken": "t"}}
    home.write_rattler(tokens)
    assert not forget(home, URL, username, password)
    assert home.read_rattler() == tokens


def test_without_a_user_all_that_are_kept_there_are_forgotten(home: Home) -> None:
    other = {"alice@other.example": basic("alice", "a")}
    kept = {"git.example": basic("bob", "b"), "alice@git.example": basic("alice", "a")}
    home.write_rattler({**kept, **other})
    assert forget(home, URL)
    assert home.read_rattler() == other
    assert not forget(home, URL)


def test_an_at_sign_may_be_a_user_s_or_a_path_s(home: Home) -> None:
    users = ("bob@corp.example", "carol@corp.example")
    for text in (URL, f"{URL}@team/repo"):
        for user in users:
            keep(home, text, user, user)
            assert found(home, text, user) == user
    # Somebody's path that ends like a user's name for our host.
    other = {"evil.example/x@git.example": basic("bob", "b")}
    home.write_rattler({**home.read_rattler(), **other})
    assert forget(home, URL)
    assert found(home, URL) is None
    assert found(home, f"{URL}@team/repo", users[0]) == users[0]
    assert forget(home, f"{URL}@team/repo")
    assert home.read_rattler() == other


def test_other_tools_stores_are_not_written(home: Home) -> None:
    netrc = home.write(".netrc", "machine git.example login bob password b\n")
    before = netrc.read_bytes()
    assert not forget(home, URL, "bob", "b")
    assert netrc.read_bytes() == before


def test_the_keyring_is_used_where_there_is_one(home: Home) -> None:
    keyring = FakeKeyring()
    caller = WithKeyring(home, keyring)
    url = urls.parse(URL)
    logins.keep(caller, url, "bob", Secret("b"))
    assert keyring.items == [
        ("rattler", "git.example", '{"BasicHTTP":{"username":"bob","password":"b"}}')
    ]
    assert not (home.path / ".rattler/credentials.json").exists()
    assert logins.forget(WithKeyring(home, keyring), url, "bob", Secret("b"))
    assert keyring.items == []


def test_a_broken_place_hides_no_login_in_the_next_and_is_the_answer_where_there_is_none(
    home: Home,
) -> None:
    keyring = FakeKeyring(failure=StoreError("the keyring is locked"))
    caller = WithKeyring(home, keyring)
    request = for_login(urls.parse("https://bob@git.example/"))
    with pytest.raises(StoreError, match="the keyring is locked"):
        Resolver(caller).resolve(request)
    home.write_rattler({"git.example": basic("bob", "b")})
    caller = WithKeyring(home, keyring)
    assert secret(Resolver(caller).resolve(request)) == "b"
    assert "the keyring is locked" in caller.warnings


def test_looking_alone_renews_nothing(home: Home) -> None:
    login = {
        "access_token": "a",
        "refresh_token": "r",
        "token_endpoint": "http://127.0.0.1:9/token",  # nobody listens there
        "client_id": "rattler",
    }
    request = for_login(urls.parse(URL))
    home.write_rattler({"git.example": {"OAuth": {**login, "expires_at": time.time() + 60}}})
    caller = caller_of(home)
    assert secret(Resolver(caller, renews=False).resolve(request)) == "a"
    assert caller.warnings == []
    home.write_rattler({"git.example": {"OAuth": {**login, "expires_at": time.time() - 60}}})
    with pytest.raises(StoreError, match="expired"):
        Resolver(caller_of(home), renews=False).resolve(request)
