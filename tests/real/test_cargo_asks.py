"""cargo fetches from a registry that wants a credential, and keeps tokens for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.cargo import CRATE, Cargo, publish
from support.cargo_plugin import asked
from support.guarded import Guarded
from support.jwt import make_jwt
from support.logins import OAuthLogin
from support.matching import basic
from support.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.rattler import Rattler
    from support.token_server import TokenServer

HEADER = basic("bob", "p: ä")
BOB = {"BasicHTTP": {"username": "bob", "password": "p: ä"}}
FILES = 3  # what a fetch asks for: the registry's configuration, the crate's index, the crate
PROVIDERS = ("cargo:token", "credlatch")


@pytest.fixture
def cargo(home: Home) -> Cargo:
    """cargo in the test's home."""
    return Cargo(home)


@pytest.fixture
def server() -> Iterator[Guarded]:
    """A registry that bob may use."""
    with Guarded(HEADER.__eq__) as server:
        yield server


@pytest.fixture
def recorded(frozen: Program, tmp_path: Path) -> Recording:
    """Our program on PATH."""
    return Recording(frozen, "credlatch", tmp_path / "recorded")


def sent(server: Guarded) -> list[str]:
    """What opened the server."""
    return [visit.authorization for visit in server.admitted]


def test_a_crate_comes_with_the_login_of_a_store(
    cargo: Cargo, recorded: Recording, server: Guarded
) -> None:
    cargo.knows(publish(server), *PROVIDERS)
    cargo.home.write_rattler({"127.0.0.1": BOB})
    code, said = cargo.fetch()
    assert (code, len(cargo.fetched())) == (0, 1), said
    assert sent(server) == [HEADER] * FILES
    # Asked once, whatever it fetches; what is configured besides comes with the request.
    assert recorded.calls == [["--cargo-plugin"]]
    assert "credlatch: " not in said


@pytest.mark.parametrize("words", ["credlatch", "credlatch cargo"])
def test_one_registry_s_own_provider(
    cargo: Cargo, recorded: Recording, server: Guarded, words: str
) -> None:
    cargo.knows(publish(server))
    cargo.config.write_text(f'{cargo.config.read_text()}credential-provider = "{words}"\n')
    cargo.home.write_rattler({"127.0.0.1": BOB})
    code, said = cargo.fetch()
    assert (code, sent(server)) == (0, [HEADER] * FILES), said
    assert recorded.calls == [["--cargo-plugin"]]


def test_a_registry_that_wants_the_bare_secret(
    cargo: Cargo, recorded: Recording, server: Guarded
) -> None:
    server.accepts = "only-this".__eq__
    cargo.knows(publish(server))
    cargo.config.write_text(
        f'{cargo.config.read_text()}credential-provider = ["credlatch", "--raw"]\n'
    )
    cargo.home.write_rattler({"127.0.0.1": {"BearerToken": "only-this"}})
    code, said = cargo.fetch()
    assert (code, sent(server)) == (0, ["only-this"] * FILES), said
    assert recorded.calls == [["--cargo-plugin"]]


@pytest.mark.usefixtures("recorded")
def test_an_expired_token_is_renewed_for_cargo(
    cargo: Cargo, server: Guarded, token_server: TokenServer
) -> None:
    login = OAuthLogin(cargo.home, token_server, "127.0.0.1")
    login.write(left=-60)
    server.accepts = lambda header: header == f"Bearer {token_server.current_access_token}"
    cargo.knows(publish(server), *PROVIDERS)
    code, said = cargo.fetch()
    assert (code, len(sent(server))) == (0, FILES), said
    assert len(login.refresh_tokens()) == 1


def test_a_token_near_its_end_is_not_asked_for_with_each_request(
    cargo: Cargo, recorded: Recording, server: Guarded
) -> None:
    token = make_jwt(int(time.time()) + 58)
    server.accepts = f"Bearer {token}".__eq__
    cargo.knows(publish(server), *PROVIDERS)
    cargo.home.write_rattler({"127.0.0.1": {"BearerToken": token}})
    code, said = cargo.fetch()
    assert (code, len(sent(server))) == (0, FILES), said
    assert recorded.calls == [["--cargo-plugin"]]


@pytest.mark.usefixtures("recorded")
def test_why_there_is_no_token_reaches_the_person_and_nobody_else_is_asked(
    cargo: Cargo, server: Guarded, token_server: TokenServer
) -> None:
    OAuthLogin(cargo.home, token_server, "127.0.0.1").write(left=-60)
    token_server.spend("refresh-0")
    cargo.knows(publish(server), *PROVIDERS)
    cargo.home.env["CARGO_REGISTRIES_TEAM_TOKEN"] = HEADER
    code, said = cargo.fetch()
    assert code != 0
    assert "credlatch login 127.0.0.1" in said
    assert server.admitted == []


def test_without_a_login_the_next_provider_is_asked(
    cargo: Cargo, recorded: Recording, server: Guarded
) -> None:
    cargo.knows(publish(server), *PROVIDERS)
    code, said = cargo.fetch()
    assert (code != 0, server.admitted) == (True, [])
    assert "please run `cargo login --registry team`" in said
    assert "credlatch: " not in said
    cargo.home.env["CARGO_REGISTRIES_TEAM_TOKEN"] = HEADER
    code, said = cargo.fetch()
    assert (code, sent(server)) == (0, [HEADER] * FILES), said
    assert recorded.calls == [["--cargo-plugin"]] * 2


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("token", ["only-this", "Bearer t", "token t", "bearer  t", HEADER])
def test_what_cargo_login_is_told_is_what_the_registry_gets_until_cargo_logout(
    cargo: Cargo, server: Guarded, token: str
) -> None:
    server.accepts = token.__eq__
    index = publish(server)
    cargo.knows(index, *PROVIDERS)
    host = server.url.removeprefix("http://")
    others = {"127.0.0.1": {"BearerToken": "pixi's"}, host: BOB, f"{host}/cargo/index": BOB}
    cargo.home.write_rattler(others)
    cargo("login", "--registry", "team", stdin=f"{token}\n")
    assert cargo.home.read_rattler() == {**others, f"cargo:{index}": {"CondaToken": token}}
    assert not (cargo.home.path / ".cargo/credentials.toml").exists()
    code, said = cargo.fetch()
    assert code == 0, said
    assert set(sent(server)) == {token}
    cargo("logout", "--registry", "team")
    assert cargo.home.read_rattler() == others
    assert "not currently logged in" in cargo("logout", "--registry", "team").said


@pytest.mark.usefixtures("recorded")
def test_what_cargo_itself_had_kept_is_still_found_and_forgotten(
    cargo: Cargo, server: Guarded
) -> None:
    cargo.knows(publish(server), *PROVIDERS)
    kept = cargo.home.write(".cargo/credentials.toml", f'[registries.team]\ntoken = "{HEADER}"\n')
    code, said = cargo.fetch()
    assert (code, sent(server)) == (0, [HEADER] * FILES), said
    cargo("logout", "--registry", "team")
    assert HEADER not in kept.read_text()


@pytest.mark.usefixtures("recorded")
def test_a_crate_is_published_and_yanked_with_it(cargo: Cargo, server: Guarded) -> None:
    cargo.knows(publish(server), *PROVIDERS)
    cargo.home.write_rattler({"127.0.0.1": BOB})
    server.files["/cargo/api/v1/crates/demo/1.0.0/yank"] = b'{"ok":true}'
    cargo("yank", "--registry", "team", f"{CRATE}@1.0.0")
    assert set(sent(server)) == {HEADER}


def test_rattler_finds_its_own_beside_what_is_kept_for_cargo(
    frozen: Program, rattler: Rattler
) -> None:
    home = frozen.home
    home.write_rattler({"host.example": {"BearerToken": "pixi's"}})
    assert asked(frozen, "login", "sparse+https://host.example/", token="cargo's") == {
        "Ok": {"kind": "login"}
    }
    assert rattler.authorization("host.example") == "Bearer pixi's"
    assert len(home.read_rattler()) == 2
