"""What py-rattler does with its stores: what we read, write and match is built on this."""

from __future__ import annotations

import json
import stat
import sys
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.stores.pixi_config import own_files
from support.callers import caller_of
from support.matching import RATTLER_ROWS, RATTLER_STORE
from support.program import run
from support.python_keyring import set_password
from support.rattler import RattlerError, oauth

if TYPE_CHECKING:
    from support.home import Home
    from support.rattler import Rattler
    from support.secret_service import SecretService
    from support.token_server import TokenServer


def bearer(token: str) -> dict[str, str]:
    return {"BearerToken": token}


_PLACES = """
from rattler import Config
for path, is_shared in Config.config_search_paths("pixi"):
    print(path)
"""


@pytest.mark.parametrize("variables", [(), ("RATTLER_HOME",), ("PIXI_HOME", "XDG_CONFIG_HOME")])
def test_a_configuration_that_rattler_s_programs_share_counts_below_pixi_s_own(
    home: Home, variables: tuple[str, ...]
) -> None:
    home.env |= {name: str(home.path / "set" / name) for name in variables}
    said = run(home, [sys.executable, "-c", _PLACES])
    assert said.out.decode().splitlines()[::-1] == list(own_files(caller_of(home)))


def add(service: SecretService, key: str, entry: object) -> None:
    service.add(
        f"keyring:{key}@rattler", {"service": "rattler", "username": key}, json.dumps(entry)
    )


def test_each_host_gets_the_header_of_the_table(home: Home, rattler: Rattler) -> None:
    home.write_rattler(RATTLER_STORE)
    hosts = [host for host, _ in RATTLER_ROWS]
    sent = rattler.fetch(*(f"http://{host}/channel/x" for host in hosts))
    assert list(zip(hosts, [s.authorization for s in sent], strict=True)) == RATTLER_ROWS


def test_it_finds_no_key_with_a_port_a_scheme_or_a_path(home: Home, rattler: Rattler) -> None:
    keys = ["a.example:8080", "https://b.example", "c.example/channel"]
    home.write_rattler({key: bearer("found") for key in keys})
    urls = ["http://a.example:8080/x", "http://b.example/x", "http://c.example/channel/x"]
    assert [sent.authorization for sent in rattler.fetch(*urls)] == [None] * 3


def test_it_takes_a_host_with_a_dot_at_its_end_for_another_one(
    home: Home, rattler: Rattler
) -> None:
    home.write_rattler({"a.example": bearer("a"), "*.a.example": bearer("wild")})
    sent = rattler.fetch("http://a.example./x", "http://b.a.example./x")
    assert [s.authorization for s in sent] == [None, None]


def test_a_conda_token_goes_into_the_path_and_an_s3_key_goes_nowhere(
    home: Home, rattler: Rattler
) -> None:
    keys = {"access_key_id": "A", "secret_access_key": "S", "session_token": None}
    home.write_rattler({"c.example": {"CondaToken": "ct"}, "s.example": {"S3Credentials": keys}})
    conda, s3 = rattler.fetch("http://c.example/channel/x", "http://s.example/channel/x")
    assert (conda.url, conda.authorization) == ("http://c.example/t/ct/channel/x", None)
    assert (s3.url, s3.authorization) == ("http://s.example/channel/x", None)


def test_it_asks_the_environments_file_then_the_keyring_then_its_own_file(
    home: Home, rattler: Rattler, secret_service: SecretService
) -> None:
    names = ("a", "b", "c")
    home.write_rattler({f"{name}.example": bearer("file") for name in names})
    for name in names[:2]:
        add(secret_service, f"{name}.example", bearer("keyring"))
    path = home.write("env.json", json.dumps({"a.example": bearer("environment")}))
    home.env["RATTLER_AUTH_FILE"] = str(path)
    sent = rattler.fetch(*(f"http://{name}.example/x" for name in names))
    assert [s.authorization for s in sent] == [
        "Bearer environment",
        "Bearer keyring",
        "Bearer file",
    ]


def test_an_exact_key_in_the_file_outranks_a_wildcard_in_the_keyring(
    home: Home, rattler: Rattler, secret_service: SecretService
) -> None:
    home.write_rattler({"a.example": bearer("exact, file")})
    add(secret_service, "*.a.example", bearer("wildcard, keyring"))
    assert rattler.authorization("a.example") == "Bearer exact, file"
    assert rattler.authorization("b.a.example") == "Bearer wildcard, keyring"


@pytest.mark.parametrize(
    "store",
    [
        '{"a.example":{"BearerToken":"t"},"b.example":{"OfTheFuture":{}}}',
        '{"a.example":{"BearerToken":"t"},"b.example":null}',
        "",
        "[]",
        '\ufeff{"a.example":{"BearerToken":"t"}}',
    ],
)
def test_one_entry_that_it_does_not_know_makes_it_refuse_the_whole_file(
    home: Home, rattler: Rattler, store: str
) -> None:
    home.write(".rattler/credentials.json", store)
    with pytest.raises(RattlerError, match="AuthenticationStorageError: failed to parse"):
        rattler.authorization("a.example")


def test_it_renews_in_the_file_when_there_is_no_keyring(
    home: Home, rattler: Rattler, token_server: TokenServer
) -> None:
    path = home.write_rattler({"o.example": oauth(token_server, int(time.time()) + 290)})
    target = path.rename(home.path / "elsewhere.json")
    path.symlink_to(target)
    sent = rattler.authorization("o.example")
    assert sent == f"Bearer {token_server.current_access_token}"
    (post,) = token_server.posts("/token")
    assert post.form == {
        "grant_type": "refresh_token", "refresh_token": "r-0", "client_id": "rattler"
    }  # fmt: skip
    assert home.read_rattler()["o.example"]["OAuth"]["refresh_token"] == "rotated-1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.is_symlink()  # we keep it


@pytest.mark.parametrize("left", [310, None])
def test_it_does_not_renew_what_lasts_longer_than_300_seconds_or_for_ever(
    home: Home, rattler: Rattler, token_server: TokenServer, left: int | None
) -> None:
    end = None if left is None else int(time.time()) + left
    home.write_rattler({"o.example": oauth(token_server, end)})
    assert rattler.authorization("o.example") == "Bearer stored-access-token"
    assert token_server.requests == []


def test_it_moves_a_token_that_it_renews_from_the_file_to_the_keyring(
    home: Home, rattler: Rattler, token_server: TokenServer, secret_service: SecretService
) -> None:
    home.write_rattler({"o.example": oauth(token_server, 1)})
    assert rattler.authorization("o.example") == f"Bearer {token_server.current_access_token}"
    (item,) = secret_service.items()
    assert item.label == "keyring:o.example@rattler"
    assert item.names == {"service": "rattler", "username": "o.example"}
    assert json.loads(item.secret)["OAuth"]["access_token"] == token_server.current_access_token
    assert home.read_rattler()["o.example"]["OAuth"]["refresh_token"] == "r-0"  # a stale copy


def test_pythons_keyring_makes_a_second_item_beside_rattlers_and_rattler_then_sends_nothing(
    home: Home, rattler: Rattler, token_server: TokenServer, secret_service: SecretService
) -> None:
    home.write_rattler({"o.example": oauth(token_server, 1)})
    rattler.authorization("o.example")
    home.write_rattler({})
    assert rattler.authorization("o.example") == f"Bearer {token_server.current_access_token}"
    set_password(home, "rattler", "o.example", json.dumps(bearer("from python")))
    assert len(secret_service.items(service="rattler")) == 2
    assert rattler.authorization("o.example") is None


def test_it_reads_an_item_that_pythons_keyring_made(
    home: Home, rattler: Rattler, secret_service: SecretService
) -> None:
    set_password(home, "rattler", "o.example", json.dumps(bearer("from python")))
    (item,) = secret_service.items()
    assert item.names == {
        "service": "rattler", "username": "o.example", "application": "Python keyring library"
    }  # fmt: skip
    assert rattler.authorization("o.example") == "Bearer from python"


def test_a_locked_or_ambiguous_keyring_makes_it_go_on_to_the_file(
    home: Home, rattler: Rattler, secret_service: SecretService
) -> None:
    home.write_rattler({"a.example": bearer("file")})
    add(secret_service, "a.example", bearer("one"))
    add(secret_service, "a.example", bearer("other"))
    assert rattler.authorization("a.example") == "Bearer file"
    secret_service.lock()
    assert rattler.authorization("a.example") == "Bearer file"


def test_pixis_override_file_replaces_the_other_stores(home: Home, rattler: Rattler) -> None:
    home.write_rattler({"a.example": bearer("file")})
    path = home.write("override.json", json.dumps({"b.example": bearer("override")}))
    config = f"authentication-override-file = '{path}'"
    a, b = rattler.fetch("http://a.example/x", "http://b.example/x", config=config)
    assert (a.authorization, b.authorization) == (None, "Bearer override")
