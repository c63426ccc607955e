"""Posit's token store, shared with posit-keyring."""

from __future__ import annotations

import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from support.matching import basic
from support.python_keyring import keyring, set_password
from support.token_server import Fault, make_jwt

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.secret_service import SecretService
    from support.token_server import TokenServer

STORE = ".ppm/tokens.toml"
EXCHANGE = "/__api__/token"


POSIT = "posit_keyring.backends.PackageManagerKeyring"


@pytest.fixture
def manager(home: Home, token_server: TokenServer) -> TokenServer:
    """A Package Manager that the environment names, and an identity token to enter it with."""
    home.env["PACKAGEMANAGER_ADDRESS"] = token_server.url
    identity = home.write("identity-token", "identity-1\n")
    home.env["PACKAGEMANAGER_IDENTITY_TOKEN_FILE"] = str(identity)
    return token_server


def posit_keyring(home: Home, manager: TokenServer) -> str:
    """The token that posit-keyring gives pip."""
    answer = keyring(home, "get", manager.url, "__token__", backend=None)
    assert answer.code == 0, answer
    return answer.out.decode().strip()


def connections(home: Home) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads((home.path / STORE).read_text())["connections"]
    return found


def write(home: Home, **tokens: str) -> Path:
    blocks = (
        f'[[connections]]\naddress = "{address}"\ntoken = "{token}"\nauth_type = "sso"\n'
        for address, token in tokens.items()
    )
    return home.write(STORE, "\n".join(blocks))


def test_we_read_what_posit_keyring_wrote(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    token = posit_keyring(home, manager)
    assert token == manager.current_access_token
    answer = frozen.bazel(f"{manager.url}/cran/latest/src")
    assert answer.authorization == basic("__token__", token)
    assert len(manager.posts(EXCHANGE)) == 1


def test_of_two_connections_with_one_address_the_first_counts_for_both(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    posit_keyring(home, manager)
    (first,) = connections(home)
    path = home.path / STORE
    second = path.read_text().replace(first["token"], "second")
    path.write_text(path.read_text() + second)
    assert posit_keyring(home, manager) == first["token"]
    answer = frozen.bazel(f"{manager.url}/cran/latest/src")
    assert answer.authorization == basic("__token__", first["token"])


def test_posit_keyring_reads_what_we_exchanged(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    answer = frozen.bazel(f"{manager.url}/cran/latest/src")
    token = manager.current_access_token
    assert token is not None
    assert answer.authorization == basic("__token__", token)
    (post,) = manager.posts(EXCHANGE)
    assert post.form == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "identity-1",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    assert connections(home) == [{"address": manager.url, "token": token, "auth_type": "sso"}]
    assert stat.S_IMODE((home.path / STORE).stat().st_mode) == 0o600
    assert stat.S_IMODE((home.path / ".ppm").stat().st_mode) == 0o700
    assert posit_keyring(home, manager) == token
    assert len(manager.posts(EXCHANGE)) == 1


def test_posit_keyring_forgets_a_file_with_a_key_that_it_does_not_know(
    home: Home, manager: TokenServer
) -> None:
    # Why we add no field of our own to a connection.
    path = write(home, **{"https://other.example": "other"})
    path.write_text(f"{path.read_text()}of_ours = 1\n")
    posit_keyring(home, manager)
    assert [entry["address"] for entry in connections(home)] == [manager.url]


def test_an_address_is_another_one_with_a_slash_at_its_end(
    home: Home, manager: TokenServer
) -> None:
    # Why we write PACKAGEMANAGER_ADDRESS into the file byte for byte.
    write(home, **{f"{manager.url}/": "other"})
    assert posit_keyring(home, manager) == manager.current_access_token
    assert [entry["address"] for entry in connections(home)] == [f"{manager.url}/", manager.url]


def test_the_address_is_written_as_the_environment_has_it(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    home.env["PACKAGEMANAGER_ADDRESS"] = f"{manager.url}/"
    assert frozen.bazel(f"{manager.url}/cran/x").code == 0
    assert [entry["address"] for entry in connections(home)] == [f"{manager.url}/"]
    assert len(manager.posts(EXCHANGE)) == 1


def test_an_expired_token_is_exchanged_and_the_other_connections_stay(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    write(home, **{"https://other.example": "other", manager.url: make_jwt(1)})
    answer = frozen.bazel(f"{manager.url}/x")
    token = manager.current_access_token
    assert token is not None
    assert answer.authorization == basic("__token__", token)
    assert posit_keyring(home, manager) == token
    assert connections(home) == [
        {"address": "https://other.example", "token": "other", "auth_type": "sso"},
        {"address": manager.url, "token": token, "auth_type": "sso"},
    ]


def test_an_expired_token_without_an_identity_starts_no_login_and_says_what_to_do(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    del home.env["PACKAGEMANAGER_IDENTITY_TOKEN_FILE"]
    write(home, **{manager.url: make_jwt(1)})
    answer = frozen.bazel(f"{manager.url}/x")
    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.startswith("credlatch: ")
    assert answer.err.count("\n") == 1
    assert manager.url in answer.err
    assert manager.requests == []


def test_what_a_failed_exchange_leaves_is_what_was_there(
    home: Home, frozen: Program, manager: TokenServer
) -> None:
    path = write(home, **{manager.url: make_jwt(1)})
    before = path.read_bytes()
    manager.fault = Fault.STATUS_401
    answer = frozen.bazel(f"{manager.url}/x")
    assert (answer.code, answer.out) == (1, b"")
    assert path.read_bytes() == before


def test_posit_keyring_never_stands_between_us_and_the_keyring(
    home: Home, frozen: Program, manager: TokenServer, secret_service: SecretService
) -> None:
    del home.env["PACKAGEMANAGER_IDENTITY_TOKEN_FILE"]
    assert "posit_keyring" in keyring(home, "--list-backends").out.decode()
    taken_over = keyring(home, "set", "pypi.example", "bob", backend=POSIT, password="pw")
    assert taken_over.code != 0  # python's keyring is its: it can neither write …
    set_password(home, "pypi.example", "bob", "pw")
    assert keyring(home, "get", "pypi.example", "bob", backend=POSIT).code == 1  # … nor read
    assert len(secret_service.items()) == 1
    assert frozen.bazel("https://pypi.example/").authorization == basic("bob", "pw")
    assert manager.requests == []
