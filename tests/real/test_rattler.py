"""rattler's store, shared: py-rattler writes and we read, we write and py-rattler reads."""

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.matching import RATTLER_ROWS, RATTLER_STORE, basic
from support.rattler import oauth

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.rattler import Rattler
    from support.secret_service import SecretService
    from support.token_server import TokenServer

HOST = "o.example"
LOGIN = {"ServerURL": HOST, "Username": "jürgen", "Secret": 'p"w\\é: \t'}
LOGIN_HEADER = basic("jürgen", 'p"w\\é: \t')


def docker(program: Program, action: str, stdin: str | dict[str, str]) -> bytes:
    answer = program.docker(action, stdin)
    assert answer.code == 0, answer
    return answer.out


@pytest.mark.parametrize(("host", "header"), RATTLER_ROWS)
def test_each_host_gets_the_header_that_rattler_sends_there(
    home: Home, frozen: Program, host: str, header: str | None
) -> None:
    home.write_rattler(RATTLER_STORE)
    assert frozen.bazel(f"https://{host}/channel/x").authorization == header


def test_docker_s_own_keys_are_found_where_rattler_would_not_look(
    home: Home, frozen: Program, rattler: Rattler
) -> None:
    # They stay in the store as Docker sent them: that is how `list` gives them back.
    for key in ("a.example:8080", "https://b.example", "https://c.example:8443/v1/"):
        docker(frozen, "store", {**LOGIN, "ServerURL": key})
    for host in ("a.example:8080", "b.example", "c.example:8443"):
        assert rattler.authorization(host) is None
        assert frozen.bazel(f"https://{host}/v2/").authorization == LOGIN_HEADER
    for host in ("a.example", "a.example:8443", "b.example:8443", "c.example"):
        assert frozen.bazel(f"https://{host}/v2/").authorization is None
    assert set(home.read_rattler()) == {
        "a.example:8080", "https://b.example", "https://c.example:8443/v1/"
    }  # fmt: skip


def test_a_dot_at_the_end_of_a_host_names_the_same_host(home: Home, frozen: Program) -> None:
    # For the DNS it does; rattler takes it for another host, and sends nothing.
    home.write_rattler({"a.example": {"BearerToken": "t"}})
    assert frozen.bazel("https://a.example./x").authorization == "Bearer t"


class Place:
    """One of the places where rattler keeps credentials."""

    def __init__(self, home: Home, service: SecretService | None, file: Path) -> None:
        self.home = home
        self.service = service
        self.file = file

    def write(self, entries: dict[str, Any]) -> None:
        if self.service is None:
            self.file.parent.mkdir(exist_ok=True)
            self.file.write_text(json.dumps(entries))
            self.file.chmod(0o600)
            return
        for key, entry in entries.items():
            self.service.add(
                f"keyring:{key}@rattler", {"service": "rattler", "username": key}, json.dumps(entry)
            )

    def read(self) -> dict[str, Any]:
        if self.service is None:
            loaded: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}
            return loaded
        items = self.service.items()
        for item in items:
            assert set(item.names) == {"service", "username"}
            assert item.label == f"keyring:{item.names['username']}@rattler"
        found = {item.names["username"]: json.loads(item.secret) for item in items}
        assert len(found) == len(items), "two items for one key"
        return found


@pytest.fixture(params=["file", "RATTLER_AUTH_FILE", "keyring"])
def place(home: Home, request: pytest.FixtureRequest) -> Place:
    """Each place where rattler keeps credentials, one after the other, and nothing in it."""
    own = home.path / ".rattler/credentials.json"
    if request.param == "keyring":
        return Place(home, request.getfixturevalue("secret_service"), own)
    if request.param == "RATTLER_AUTH_FILE":
        own = home.path / "elsewhere.json"
        home.env["RATTLER_AUTH_FILE"] = str(own)
    return Place(home, None, own)


def test_rattler_sends_what_docker_stored(frozen: Program, rattler: Rattler, place: Place) -> None:
    docker(frozen, "store", LOGIN)
    assert rattler.authorization(HOST) == LOGIN_HEADER
    assert place.read() == {HOST: {"BasicHTTP": {"username": "jürgen", "password": 'p"w\\é: \t'}}}
    assert frozen.bazel(f"https://{HOST}/v2/").authorization == LOGIN_HEADER


def test_a_second_login_replaces_the_first(frozen: Program, rattler: Rattler, place: Place) -> None:
    docker(frozen, "store", LOGIN)
    docker(frozen, "store", {**LOGIN, "Username": "other", "Secret": "second"})
    assert rattler.authorization(HOST) == basic("other", "second")
    assert list(place.read()) == [HOST]


def test_rattler_sends_nothing_any_more_after_a_logout(
    frozen: Program, rattler: Rattler, place: Place
) -> None:
    docker(frozen, "store", LOGIN)
    docker(frozen, "store", {**LOGIN, "ServerURL": "other.example"})
    docker(frozen, "erase", HOST)
    assert rattler.authorization(HOST) is None
    assert rattler.authorization("other.example") == LOGIN_HEADER
    assert list(place.read()) == ["other.example"]


def test_a_logout_reaches_every_place(
    home: Home, frozen: Program, rattler: Rattler, secret_service: SecretService
) -> None:
    entry = {"BasicHTTP": {"username": "u", "password": "p"}}
    Place(home, secret_service, home.path).write({HOST: entry})
    home.write_rattler({HOST: entry, "other.example": entry})
    docker(frozen, "erase", HOST)
    assert rattler.authorization(HOST) is None
    assert list(home.read_rattler()) == ["other.example"]
    assert secret_service.items() == []


def test_a_store_over_an_item_that_rattler_made_leaves_one_item(
    home: Home,
    frozen: Program,
    rattler: Rattler,
    secret_service: SecretService,
    token_server: TokenServer,
) -> None:
    home.write_rattler({HOST: oauth(token_server, 1)})
    rattler.authorization(HOST)  # renews, and so makes the item
    home.write_rattler({})
    docker(frozen, "store", LOGIN)
    assert len(secret_service.items()) == 1
    assert rattler.authorization(HOST) == LOGIN_HEADER


def test_we_answer_with_the_token_that_rattler_renewed(
    frozen: Program, rattler: Rattler, token_server: TokenServer, place: Place
) -> None:
    place.write({HOST: oauth(token_server, int(time.time()) + 200)})
    sent = rattler.authorization(HOST)
    assert sent == f"Bearer {token_server.current_access_token}"
    answer = frozen.bazel(f"https://{HOST}/x")
    assert answer.authorization == sent
    assert len(token_server.posts("/token")) == 1
    assert json.loads(docker(frozen, "get", HOST))["Secret"] == token_server.current_access_token


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


def test_keyring_and_file_are_asked_in_rattlers_order(
    home: Home, frozen: Program, rattler: Rattler, secret_service: SecretService
) -> None:
    def bearer(*keys: str, of: str) -> dict[str, Any]:
        return {key: {"BearerToken": f"{key} of the {of}"} for key in keys}

    home.write_rattler(bearer("a.example", "b.example", "*.c.example", of="file"))
    Place(home, secret_service, home.path).write(
        bearer("a.example", "*.b.example", "*.c.example", of="keyring")
    )
    hosts = ["a.example", "b.example", "x.b.example", "c.example", "x.c.example"]
    sent = [s.authorization for s in rattler.fetch(*(f"http://{host}/x" for host in hosts))]
    assert sent[1] == "Bearer b.example of the file"  # exact before wildcard, in all places
    assert [frozen.bazel(f"https://{host}/x").authorization for host in hosts] == sent


def test_pixis_override_file_is_asked_before_the_keyring(
    home: Home, frozen: Program, rattler: Rattler, secret_service: SecretService
) -> None:
    Place(home, secret_service, home.path).write(
        {key: {"BearerToken": "of the keyring"} for key in (HOST, "other.example")}
    )
    override = home.write("override.json", json.dumps({HOST: {"BearerToken": "of the override"}}))
    config = f"authentication-override-file = '{override}'"
    home.write(".config/pixi/config.toml", config)
    sent = rattler.fetch(f"http://{HOST}/x", config=config)[0].authorization
    assert sent == "Bearer of the override"
    assert frozen.bazel(f"https://{HOST}/x").authorization == sent
    # pixi goes on to the keyring for what the file has not (py-rattler would not).
    assert frozen.bazel("https://other.example/x").authorization == "Bearer of the keyring"


def test_the_environments_file_is_the_only_source_where_rattler_asks_it_first(
    home: Home, frozen: Program, rattler: Rattler
) -> None:
    home.write_rattler({HOST: {"BearerToken": "of the home"}})
    home.env["RATTLER_AUTH_FILE"] = str(home.write("other.json", "{}"))
    assert rattler.authorization(HOST) == "Bearer of the home"
    assert frozen.bazel(f"https://{HOST}/x").authorization is None
