"""rattler's store, shared: py-rattler writes and we read, we write and py-rattler reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.matching import basic
from support.rattler import oauth
from support.rattler_places import Place

if TYPE_CHECKING:
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


def test_rattler_sends_what_docker_stored(frozen: Program, rattler: Rattler, place: Place) -> None:
    docker(frozen, "store", LOGIN)
    assert rattler.authorization(HOST) == LOGIN_HEADER
    assert place.read() == {HOST: {"BasicHTTP": {"username": "jürgen", "password": 'p"w\\é: \t'}}}
    assert frozen.bazel(f"https://{HOST}/v2/").authorization == LOGIN_HEADER


def test_docker_stores_into_the_file_that_the_environment_names_and_not_into_the_keyring(
    home: Home, frozen: Program, rattler: Rattler, secret_service: SecretService
) -> None:
    path = home.path / "named" / "by" / "the environment.json"
    home.env["RATTLER_AUTH_FILE"] = str(path)
    docker(frozen, "store", LOGIN)
    assert list(json.loads(path.read_text())) == [HOST]
    assert secret_service.items() == []
    assert rattler.authorization(HOST) == LOGIN_HEADER


@pytest.mark.parametrize("kept_under", [HOST, f"*.{HOST}"])
def test_a_token_and_a_docker_login_for_one_host_are_two_and_rattler_sends_the_token(
    frozen: Program, rattler: Rattler, place: Place, kept_under: str
) -> None:
    place.write({kept_under: {"BearerToken": "of pixi"}})
    docker(frozen, "store", LOGIN)
    assert json.loads(docker(frozen, "get", HOST)) == LOGIN
    assert json.loads(docker(frozen, "list", "")) == {HOST: LOGIN["Username"]}
    assert rattler.authorization(HOST) == "Bearer of pixi"
    assert frozen.bazel(f"https://{HOST}/v2/").authorization == "Bearer of pixi"
    docker(frozen, "erase", f"https://{HOST}:443")
    assert place.read() == {kept_under: {"BearerToken": "of pixi"}}
    assert json.loads(docker(frozen, "get", HOST))["Secret"] == "of pixi"


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


def test_a_store_beside_an_item_that_rattler_made_leaves_that_to_rattler(
    home: Home,
    frozen: Program,
    rattler: Rattler,
    secret_service: SecretService,
    token_server: TokenServer,
) -> None:
    home.write_rattler({HOST: oauth(token_server, 1)})
    renewed = rattler.authorization(HOST)  # and so makes the item
    home.write_rattler({})
    docker(frozen, "store", LOGIN)
    docker(frozen, "store", LOGIN)
    names = [item.names["username"] for item in secret_service.items()]
    assert sorted(names) == [f"docker://{HOST}", HOST]
    assert rattler.authorization(HOST) == renewed != LOGIN_HEADER
    assert json.loads(docker(frozen, "get", HOST)) == LOGIN


def test_list_gives_back_what_docker_stored_and_nothing_of_rattlers_own(
    frozen: Program, token_server: TokenServer, place: Place
) -> None:
    place.write(
        {
            "*.wild.example": {"BasicHTTP": {"username": "u", "password": "p"}},
            "token.example": {"BearerToken": "t"},
            "oauth.example": oauth(token_server, 1),
        }
    )
    keys = ["https://index.docker.io/v1/", "registry.example:5000", "[::1]:5000"]
    for key in keys:
        docker(frozen, "store", {**LOGIN, "ServerURL": key})
    assert json.loads(docker(frozen, "list", "unused")) == dict.fromkeys(keys, LOGIN["Username"])
    assert token_server.requests == []


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
