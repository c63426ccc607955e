"""Logins that Docker's clients keep: nothing of pixi's is lost or hidden, and logout ends them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import answers, docker_logins, logins, streams
from credlatch import url as urls
from credlatch.clients import CLIENTS
from credlatch.commands import docker as command
from credlatch.credential import Basic, Secret
from credlatch.errors import CredlatchError, RequestError, StoreError
from credlatch.stores.rattler import RattlerStore
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.docker_get import got
from support.found import sure

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home

HUB = "https://index.docker.io/v1/"
LOGIN = Basic("bob", Secret("of docker"))
TOKENS: dict[str, dict[str, Any]] = {
    "bearer": {"BearerToken": "t"},
    "conda": {"CondaToken": "t"},
    "oauth": {
        "OAuth": {
            "access_token": "t",
            "refresh_token": "once",
            "expires_at": 4_000_000_000,
            "token_endpoint": "https://auth.example/token",
            "client_id": "rattler",
        }
    },
}
KEPT = {
    **TOKENS,
    "s3": {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}},
    "future": {"Passkey": {"of": "the future"}},
}


def login(username: str, password: str) -> dict[str, Any]:
    return {"BasicHTTP": {"username": username, "password": password}}


class Places:
    """rattler's store in one of its two kinds of place."""

    def __init__(self, home: Home, *, keyring: bool) -> None:
        self._home = home
        self._keyring = FakeKeyring() if keyring else None

    def caller(self) -> Caller:
        if self._keyring is None:
            return caller_of(self._home)
        return WithKeyring(self._home, self._keyring)

    def write(self, entries: dict[str, Any]) -> None:
        if self._keyring is None:
            self._home.write_rattler(entries)
        else:
            self._keyring.items = [("rattler", k, json.dumps(v)) for k, v in entries.items()]

    def read(self) -> dict[str, Any]:
        if self._keyring is None:
            return self._home.read_rattler()
        return {name: json.loads(secret) for _, name, secret in self._keyring.items}

    def keep(self, key: str, credential: Basic = LOGIN) -> None:
        docker_logins.keep(self.caller(), key, credential)

    def forget(self, key: str) -> None:
        docker_logins.forget(self.caller(), key)

    def listed(self) -> dict[str, str]:
        return docker_logins.listed(self.caller())

    def got(self, key: str) -> str | None:
        return got(self.caller(), key)

    def by_pixi(self, host: str) -> object:
        """What rattler's own search finds for a host."""
        entry = RattlerStore(self.caller()).find(urls.parse(f"https://{host}/"))
        return None if entry is None or entry.credential is None else entry.credential.secret


@pytest.fixture(params=["file", "keyring"])
def places(request: pytest.FixtureRequest, home: Home) -> Places:
    return Places(home, keyring=request.param == "keyring")


def test_a_login_is_kept_under_the_key_as_it_was_sent(places: Places) -> None:
    for key in (HUB, "r.example:5000", "https://r.example:443", "r.example/ns", "my key"):
        places.write({})
        places.keep(key)
        assert places.read() == {key: login("bob", "of docker")}
        assert places.listed() == {key: "bob"}
        assert places.got(key) == "of docker"


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("key", ["r.example", "localhost", "r.example:5000", HUB])
def test_what_is_no_login_stays_and_the_login_is_found_until_logout(
    places: Places, key: str, kept: str
) -> None:
    places.write({key: KEPT[kept]})
    before = places.got(key) if kept in TOKENS else None
    places.keep(key)
    assert places.read()[key] == KEPT[kept]
    assert places.got(key) == "of docker"
    assert places.listed() == {key: "bob"}
    places.keep(key, Basic("carol", Secret("new")))
    assert places.got(key) == "new"
    assert places.listed() == {key: "carol"}
    places.forget(key)
    assert places.read() == {key: KEPT[kept]}
    assert places.listed() == {}
    if kept in TOKENS:
        assert places.got(key) == before == "t"


@pytest.mark.parametrize("kept", [*TOKENS.values(), login("alice", "t")])
@pytest.mark.parametrize("wildcard", ["*.r.example", "*.example"])
def test_what_pixi_keeps_for_a_domain_is_not_hidden_from_pixi(
    places: Places, wildcard: str, kept: dict[str, Any]
) -> None:
    places.write({wildcard: kept})
    places.keep("r.example")
    places.keep("other")
    assert places.by_pixi("r.example") == Secret("t")
    assert places.by_pixi("other") == Secret("of docker")
    assert places.got("r.example") == places.got("https://r.example:443") == "of docker"
    for key in ("r.example", "other"):
        places.forget(key)
    assert places.read() == {wildcard: kept}
    assert places.got("r.example") == "t"


@pytest.mark.parametrize(
    "old", [login("alice", "old"), "half", {"BasicHTTP": {"username": 1}}], ids=str
)
def test_a_new_login_takes_the_place_of_docker_s_old_one_or_a_damaged_one(
    places: Places, old: Any
) -> None:
    places.write({"r.example": old})
    places.keep("r.example")
    assert places.read() == {"r.example": login("bob", "of docker")}


def test_a_login_in_its_other_place_is_not_left_behind_when_the_token_has_gone(
    places: Places,
) -> None:
    places.write({"r.example": TOKENS["bearer"]})
    places.keep("r.example")
    places.write({k: v for k, v in places.read().items() if k != "r.example"})
    places.keep("r.example", Basic("carol", Secret("new")))
    assert places.got("r.example") == "new"
    places.forget("r.example")
    assert places.read() == {}


def test_a_token_in_the_second_place_is_not_hidden_by_a_login_in_the_first(home: Home) -> None:
    home.write_rattler({"r.example": TOKENS["oauth"]})
    keyring = FakeKeyring()
    docker_logins.keep(WithKeyring(home, keyring), "r.example", LOGIN)
    entry = sure(RattlerStore(WithKeyring(home, keyring)).find(urls.parse("https://r.example/")))
    assert entry.grant is not None


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ((TOKENS["oauth"], TOKENS["bearer"]), True),
        ((login("a", "1"), TOKENS["oauth"]), True),
        ((TOKENS["oauth"], login("a", "1")), True),
        ((login("a", "1"), login("b", "2")), False),
    ],
)
def test_of_items_that_are_doubled_logins_are_mended_and_tokens_stay(
    home: Home, values: tuple[dict[str, Any], ...], taken: bool
) -> None:
    keyring = FakeKeyring(*(("rattler", "r.example", json.dumps(value)) for value in values))
    docker_logins.keep(WithKeyring(home, keyring), "r.example", LOGIN)
    names = [name for _, name, _ in keyring.items]
    assert names.count("r.example") == (2 if taken else 1)
    docker_logins.forget(WithKeyring(home, keyring), "r.example")
    assert [name for _, name, _ in keyring.items] == ["r.example"] * (2 if taken else 0)


@pytest.mark.parametrize("key", ["r.example", "https://r.example/"])
def test_a_login_in_another_spelling_comes_before_a_token(places: Places, key: str) -> None:
    places.write({"r.example": TOKENS["bearer"]})
    places.keep("https://r.example:443")
    assert places.got(key) == "of docker"


def test_git_s_logins_and_docker_s_are_two_where_a_token_is(places: Places) -> None:
    places.write({"r.example": TOKENS["bearer"]})
    places.keep("r.example")
    url = urls.parse("https://r.example/")
    logins.keep(places.caller(), url, "bob", Secret("of git"))
    assert places.got("r.example") == "of docker"
    assert places.read()["r.example"] == TOKENS["bearer"]
    assert logins.forget(places.caller(), url, "bob", None)
    assert places.got("r.example") == "of docker"
    assert places.read().keys() == {"r.example", "docker://r.example"}


SPELLINGS = ["r.example", "r.example:443", "https://r.example", "https://r.example/v2/"]
HUB_NAMES = [HUB, "docker.io", "index.docker.io", "registry-1.docker.io", "https://docker.io/v2/"]


@pytest.mark.parametrize("names", [SPELLINGS, HUB_NAMES])
@pytest.mark.parametrize("at", range(4))
def test_logout_ends_the_login_under_every_spelling(
    places: Places, names: list[str], at: int
) -> None:
    others = {
        "r.example/ns": login("bob", "part"),
        "other.example": login("bob", "other"),
        "r.example:5000": login("bob", "port"),
        f"{HUB}refresh-token": login("bob", "device"),
    }
    places.write({**others, **{name: login("bob", "p") for name in names}})
    places.forget(names[at])
    assert places.read() == others
    assert places.got(names[0]) is None


def test_logout_from_a_part_of_a_registry_ends_the_login_for_that_part(places: Places) -> None:
    rest = {"r.example": login("bob", "p"), "r.example/ns": login("bob", "ns")}
    places.write({**rest, "r.example/ns/repo": login("bob", "repo")})
    places.forget("https://r.example/ns/repo")
    assert places.read() == rest


@pytest.mark.parametrize("kept", KEPT.values())
def test_logout_ends_no_token_under_any_spelling(places: Places, kept: dict[str, Any]) -> None:
    entries = dict.fromkeys(SPELLINGS, kept)
    places.write(entries)
    places.forget("r.example")
    assert places.read() == entries


@pytest.mark.parametrize("key", ["*", "*.r.example", "*r", "s3://bucket/x", "docker://r.example"])
def test_a_key_that_means_something_else_to_the_store_is_refused(places: Places, key: str) -> None:
    entries = {key: login("bob", "of pixi")}
    places.write(entries)
    with pytest.raises(RequestError, match=r"host\[:port\]") as raised:
        places.keep(key)
    assert "\n" not in str(raised.value)
    if not key.startswith("docker:"):
        places.forget(key)
    assert places.read() == entries


def test_what_cannot_be_asked_is_not_called_kept_or_ended(home: Home) -> None:
    home.write_rattler({"r.example": login("bob", "p")})
    locked = FakeKeyring(failure=StoreError("the keyring is locked"))
    with pytest.raises(CredlatchError, match="locked"):
        docker_logins.keep(WithKeyring(home, locked), "r.example", LOGIN)
    assert home.read_rattler() == {"r.example": login("bob", "p")}
    with pytest.raises(CredlatchError, match="locked"):
        docker_logins.forget(WithKeyring(home, locked), "r.example")
    assert home.read_rattler() == {}


def test_what_is_listed_is_what_get_answers(places: Places) -> None:
    places.write(
        {
            HUB: login("hub", "1"),
            "docker.io": login("other", "2"),
            "r.example": TOKENS["bearer"],
            "docker://r.example": login("moved", "3"),
            "docker://q.example": login("moved", "4"),
            "q.example": login("stale", "5"),
            "*.w.example": login("w", "6"),
        }
    )
    found = places.listed()
    assert found == {HUB: "hub", "docker.io": "other", "r.example": "moved", "q.example": "moved"}
    for key, username in found.items():
        answer = answers.get(CLIENTS["docker"], key.encode(), places.caller())
        assert json.loads(answer.out)["Username"] == username


def erased(home: Home, key: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``erase`` warns of."""
    caller = caller_of(home)
    monkeypatch.setattr(streams, "read_stdin", lambda _: key.encode())
    monkeypatch.setattr(streams, "reply", lambda answer: answer.status)
    assert command.run(["erase"], caller) == 0
    return caller.warnings


def test_logout_tells_what_other_tools_still_keep(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_rattler(
        {
            "r.example": login("bob", "p"),
            "t.example": TOKENS["bearer"],
            "o.example": {"OAuth": {**TOKENS["oauth"]["OAuth"], "expires_at": 1}},
        }
    )
    home.write(".netrc", "machine n.example login bob password p\ndefault login d password d\n")
    assert erased(home, "r.example", monkeypatch) == []
    for key, place in {
        "n.example": ".netrc",
        "t.example": "credentials.json",
        "o.example": "credentials.json",
    }.items():
        (said,) = erased(home, key, monkeypatch)
        assert key in said
        assert place in said
        assert erased(home, f"https://{key}", monkeypatch) == []
    assert erased(home, "n.example:5000", monkeypatch) == []
    assert erased(home, HUB, monkeypatch) == []
