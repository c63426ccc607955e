"""Posit Package Manager's tokens, shared with posit-keyring and pak."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import TokenResponse
from credlatch.auth.posit import PositIdentity
from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.stores.posit import PositStore
from support.callers import caller_of
from support.found import secret, sure
from support.jwt import make_jwt
from support.matching import basic
from support.stores_contract import (
    HOST,
    SECRET,
    OriginContract,
    RenewableContract,
    StructuredContract,
)

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.caller import Caller
    from credlatch.stores import Entry
    from support.home import Home

FILE = ".ppm/tokens.toml"

# As posit-keyring 0.3.2 wrote it.
WRITTEN = """[[connections]]
address = "http://127.0.0.1:18767"
token = "ppmtok-1"
auth_type = "sso"
"""


def connection(address: str, token: str = "t") -> str:
    return f'[[connections]]\naddress = "{address}"\ntoken = "{token}"\nauth_type = "sso"\n'


class TestContract(StructuredContract, OriginContract, RenewableContract):
    FILE = FILE
    LOCK = f"{FILE}.lock"
    HEADER = ("Authorization", basic("__token__", SECRET))

    def store(self, caller: Caller) -> PositStore:
        return PositStore(caller)

    renewable = store

    def write(self, home: Home) -> None:
        home.write(FILE, connection(f"https://{HOST}", SECRET))

    def write_renewable(self, home: Home) -> Path:
        identity(home, f"https://{HOST}")
        self.write(home)
        return home.path / FILE

    def spoil(self, home: Home) -> None:
        path = home.path / FILE
        later = 'address = "https://later.example"\nauth_type = "passkey"\n'
        path.write_text(f"{path.read_text()}[[connections]]\n{later}")


def find(home: Home, url: str) -> Entry | None:
    return PositStore(caller_of(home)).find(urls.parse(url))


def token(home: Home, url: str) -> str | None:
    return secret(find(home, url))


def identity(home: Home, address: str = "https://a.example", content: str = "id-token") -> None:
    """An identity token, and for whom."""
    home.env["PACKAGEMANAGER_ADDRESS"] = address
    home.env["PACKAGEMANAGER_IDENTITY_TOKEN_FILE"] = str(home.write("identity", content))


def test_what_posit_keyring_wrote(home: Home) -> None:
    home.write(FILE, WRITTEN)
    entry = sure(find(home, "http://127.0.0.1:18767/cran/latest"))
    assert sure(entry.credential).headers() == {"Authorization": basic("__token__", "ppmtok-1")}
    assert entry.expires is None
    assert entry.grant is None
    assert find(home, "http://127.0.0.1:18768/") is None


def test_a_jwt_ends_when_it_says(home: Home) -> None:
    home.write(FILE, connection("https://a.example", make_jwt(1_795_223_476)))
    entry = sure(find(home, "https://a.example/"))
    assert entry.expires == 1_795_223_476


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://a.example", "t"),
        ("https://a.example/", None),
        ("https://A.example", None),
        ("https://b.example", None),
    ],
)
def test_with_the_variable_its_address_counts_byte_for_byte(
    home: Home, address: str, found: str | None
) -> None:
    home.write(FILE, connection("https://a.example") + connection("https://b.example", "b"))
    home.env["PACKAGEMANAGER_ADDRESS"] = address
    assert token(home, "https://a.example/x") == found
    assert token(home, "https://c.example/x") is None


@pytest.mark.parametrize("variable", ["", "https://a.example"])
def test_of_two_connections_with_one_address_the_first_counts(home: Home, variable: str) -> None:
    home.env["PACKAGEMANAGER_ADDRESS"] = variable
    path = home.write(FILE, "".join(connection("https://a.example", t) for t in ("1", "2", "3")))
    assert token(home, "https://a.example/x") == "1"
    renew(home, "https://a.example/x", "new")
    assert token(home, "https://a.example/x") == "new"
    tokens = [one["token"] for one in tomllib.loads(path.read_text())["connections"]]
    assert tokens == ["new", "2", "3"]


def test_without_the_variable_the_address_with_the_longest_path_that_covers_the_url_counts(
    home: Home,
) -> None:
    addresses = ["https://A.EXAMPLE.:443/", "https://a.example/team", "https://a.example:8443"]
    addresses.append("https://a.example")
    home.write(FILE, "".join(connection(address, address) for address in addresses))
    assert token(home, "https://a.example/x") == "https://A.EXAMPLE.:443/"
    assert token(home, "https://a.example/team/x") == "https://a.example/team"
    assert token(home, "https://a.example/teams") == "https://A.EXAMPLE.:443/"
    assert token(home, "https://a.example:8443/team/x") == "https://a.example:8443"
    assert token(home, "https://b.example/") is None


def test_an_empty_token_is_none(home: Home) -> None:
    home.write(FILE, connection("https://a.example", ""))
    assert find(home, "https://a.example/x") is None
    identity(home)
    entry = sure(find(home, "https://a.example/x"))
    assert entry.credential is None
    renew(home, "https://a.example/x", "new")
    assert token(home, "https://a.example/x") == "new"


@pytest.mark.parametrize("more", ["", 'auth_type = "later"\n', "of_the_future = [1, 2]\n"])
def test_what_an_entry_has_besides_plays_no_part_nor_a_user_name(home: Home, more: str) -> None:
    home.write(FILE, f'[[connections]]\naddress = "https://a.example"\ntoken = "t"\n{more}')
    assert token(home, "https://somebody@a.example/x") == "t"


@pytest.mark.parametrize("damaged_first", [False, True])
def test_a_damaged_entry_is_no_reason_to_pass_over_a_good_one(
    home: Home, *, damaged_first: bool
) -> None:
    bad, good = '[[connections]]\naddress = "https://a.example"\n', connection("https://a.example")
    home.write(FILE, bad + good if damaged_first else good + bad)
    assert token(home, "https://a.example/") == "t"


@pytest.mark.parametrize("address", ["not a url", "ftp://a.example", "", "a.example"])
def test_an_address_that_covers_nothing_is_no_entry(home: Home, address: str) -> None:
    home.write(FILE, connection("https://a.example") + connection(address or "x", "other"))
    home.env["PACKAGEMANAGER_ADDRESS"] = "https://b.example"
    assert token(home, "https://a.example/x") is None
    home.env["PACKAGEMANAGER_ADDRESS"] = ""
    assert token(home, "https://a.example/x") == "t"


def test_an_identity_token_alone_is_an_entry_where_the_variable_says_whose(home: Home) -> None:
    identity(home, content=" id-token\n")
    entry = sure(find(home, "https://a.example/x"))
    assert entry.credential is None
    assert isinstance(entry.grant, PositIdentity)
    assert entry.grant.secret == Secret("id-token")
    assert entry.grant.server == "https://a.example"
    assert find(home, "https://b.example/x") is None


def test_an_identity_token_goes_only_where_the_environment_says(home: Home) -> None:
    identity(home, "")
    assert find(home, "https://ppm.example/cran") is None
    home.write(FILE, connection("https://ppm.example", SECRET))
    assert sure(find(home, "https://ppm.example/cran")).grant is None
    identity(home, "https://ppm.example")
    assert sure(find(home, "https://ppm.example/cran")).grant is not None


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_without_an_identity_token_in_its_file_there_is_none(
    home: Home, content: str | None
) -> None:
    identity(home, content=content or "")
    if content is None:
        (home.path / "identity").unlink()
    with pytest.raises(StoreError, match=r"PACKAGEMANAGER_IDENTITY_TOKEN_FILE.*empty or missing"):
        find(home, "https://a.example/x")


def test_a_token_that_is_still_good_is_served_without_the_identity_token(home: Home) -> None:
    home.write(FILE, connection("https://a.example", make_jwt(4_000_000_000)))
    home.env["PACKAGEMANAGER_IDENTITY_TOKEN_FILE"] = str(home.path / "missing")
    assert find(home, "https://a.example/x") is not None


@pytest.mark.parametrize(
    ("damage", "ending", "other"),
    [
        ("token = 1", "\n", "https://[::1]/"),
        ("", "\n", "https://[::1]/"),
        ("???", "\n", "https://c.example/"),
        ("token = 1", "\r\n", "https://[::1]/"),
        ('note = "https://c.example"', "\r\n", "https://c.example/"),
        ("token = 1 # written by hand: ]] [[ connections ]]", "\n", "https://c.example/"),
    ],
)
def test_a_damaged_entry_is_an_error_for_its_own_server_alone(
    home: Home, damage: str, ending: str, other: str
) -> None:
    head = "[[ connections ]]" if "hand" in damage else "[[connections]]"
    bad = f'{head}\naddress = "https://a.example"\n{damage}\n'
    home.write(FILE, (bad + connection("https://b.example")).replace("\n", ending).encode())
    assert token(home, "https://b.example/") == "t"
    assert find(home, other) is None
    with pytest.raises(StoreError, match="damaged"):
        find(home, "https://a.example/")


def renew(home: Home, url: str, fresh: str) -> None:
    store = PositStore(caller_of(home))
    entry = sure(store.find(urls.parse(url)))
    store.prepare(entry).commit(TokenResponse(Secret(fresh)))


def test_a_renewed_token_takes_the_old_one_s_place_and_no_field_is_added(home: Home) -> None:
    comment = "# my servers\n"
    other = connection("https://b.example", "other")
    path = home.write(FILE, comment + connection("https://a.example", "old") + other)
    renew(home, "https://a.example/", "new")
    assert path.read_text() == comment + connection("https://a.example", "new") + other


def test_the_first_token_makes_a_private_file_that_posit_keyring_reads(home: Home) -> None:
    identity(home)
    renew(home, "https://a.example/", 'n"ew\\')
    path = home.path / FILE
    assert tomllib.loads(path.read_text()) == {
        "connections": [{"address": "https://a.example", "token": 'n"ew\\', "auth_type": "sso"}]
    }
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", ["connections = 1\n", "[connections]\nx = 1\n", "???"])
def test_what_posit_keyring_does_not_write_is_not_written_over(home: Home, content: str) -> None:
    identity(home)
    path = home.write(FILE, content)
    with pytest.raises(StoreError, match=r"tokens\.toml"):
        renew(home, "https://a.example/", "new")
    assert path.read_text() == content


def test_a_login_that_was_made_meanwhile_is_not_written_over(home: Home) -> None:
    home.env["PACKAGEMANAGER_ADDRESS"] = "https://a.example"
    path = home.write(FILE, connection("https://a.example", "old"))
    store = PositStore(caller_of(home))
    entry = sure(store.find(urls.parse("https://a.example/x")))
    pending = store.prepare(entry)
    path.write_text(theirs := connection("https://a.example", "theirs"))
    pending.commit(TokenResponse(Secret("ours")))
    pending.abandon()
    assert path.read_text() == theirs
