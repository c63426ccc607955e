"""pyx's token folder, as uv 0.12.6 keeps it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import TokenResponse
from credlatch.auth.pyx import PyxApiKey, PyxRefresh
from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.stores.pyx import PyxKeyStore, PyxStore
from support.callers import caller_of
from support.found import sure
from support.jwt import make_jwt
from support.stores_contract import (
    SECRET,
    FileContract,
    OriginContract,
    RenewableContract,
    SettledContract,
    StructuredContract,
)

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.caller import Caller
    from credlatch.stores import Entry
    from support.home import Home

ROOT = ".local/share/pyx/credentials"
OFFICIAL = f"{ROOT}/3859a629b26fda96"  # https://api.pyx.dev/
LOCAL = "f7a7ac4f92bc76db"  # http://127.0.0.1:18765/
KEY = "pyx-sk-test"
KEY_DIGEST = "15ae9040b21bcc16"

# As uv 0.12.6 wrote it.
TOKENS = (
    '{"access_token":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3OTUyMjM0NzYsImlzcyI6Im1vY2si'
    'LCJ1cm46cHl4Om9yZ19uYW1lIjoiYWNtZSIsIm4iOjMwfQ.c2ln","refresh_token":"login-refresh-1"}'
)


class PyxContract(FileContract, OriginContract, RenewableContract):
    URL = "https://api.pyx.dev/simple/acme/main/"
    HEADER = ("Authorization", f"Bearer {SECRET}")
    ELSEWHERE = (
        "https://index.example/",
        "https://evil.pyx.dev/",
        "https://dev/",
        "s3://api.pyx.dev/",
    )


class TestLoginContract(PyxContract, SettledContract, StructuredContract):
    FILE = f"{OFFICIAL}/tokens.json"
    LOCK = f"{OFFICIAL}/tokens.lock"

    def store(self, caller: Caller) -> PyxStore:
        return PyxStore(caller)

    renewable = store

    def write(self, home: Home) -> None:
        self.write_renewable(home)

    def write_renewable(self, home: Home) -> Path:
        tokens = {"access_token": SECRET, "refresh_token": f"r-{SECRET}"}
        return home.write(self.FILE, json.dumps(tokens))

    def spoil(self, home: Home) -> None:
        path = home.path / self.FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))


class TestApiKeyContract(PyxContract):
    FILE = f"{OFFICIAL}/{KEY_DIGEST}.json"
    LOCK = f"{OFFICIAL}/{KEY_DIGEST}.lock"

    def store(self, caller: Caller) -> PyxKeyStore:
        return PyxKeyStore(caller)

    renewable = store

    def write(self, home: Home) -> None:
        self.write_renewable(home)

    def write_renewable(self, home: Home) -> Path:
        home.env["PYX_API_KEY"] = KEY
        return home.write(self.FILE, SECRET)


def login(home: Home, url: str = "https://api.pyx.dev/") -> Entry | None:
    return PyxStore(caller_of(home)).find(urls.parse(url))


def key(home: Home, url: str = "https://api.pyx.dev/") -> Entry | None:
    return PyxKeyStore(caller_of(home)).find(urls.parse(url))


def test_what_uv_wrote(home: Home) -> None:
    home.write(f"{ROOT}/{LOCAL}/tokens.json", TOKENS)
    home.env["PYX_API_URL"] = "http://127.0.0.1:18765"
    entry = sure(login(home, "http://127.0.0.1:18765/simple/"))
    assert entry.expires == 1_795_223_476
    assert isinstance(entry.grant, PyxRefresh)
    assert entry.grant.secret == Secret("login-refresh-1")
    assert entry.grant.server == "http://127.0.0.1:18765/"
    assert entry.renew_unknown
    assert login(home) is None


def test_a_renewed_login_is_what_uv_would_have_written(home: Home) -> None:
    path = home.write(f"{OFFICIAL}/tokens.json", TOKENS)
    store = PyxStore(caller_of(home))
    entry = sure(store.find(urls.parse("https://api.pyx.dev/")))
    store.prepare(entry).commit(TokenResponse(Secret("new"), Secret("next")))
    assert path.read_text() == '{"access_token":"new","refresh_token":"next"}'
    path.write_text(TOKENS)
    store.prepare(entry).commit(TokenResponse(Secret("newer")))
    assert path.read_text() == '{"access_token":"newer","refresh_token":"login-refresh-1"}'


def test_a_renewed_key_s_token_is_the_bare_token(home: Home) -> None:
    home.env["PYX_API_KEY"] = KEY
    store = PyxKeyStore(caller_of(home))
    entry = sure(store.find(urls.parse("https://api.pyx.dev/")))
    token = make_jwt(4_000_000_000)
    store.prepare(entry).commit(TokenResponse(Secret(token), Secret("of no use")))
    assert (home.path / OFFICIAL / f"{KEY_DIGEST}.json").read_text() == token


def test_a_key_that_was_never_exchanged_is_an_entry_without_a_credential(home: Home) -> None:
    home.env["PYX_API_KEY"] = KEY
    entry = sure(key(home))
    assert entry.credential is None
    assert isinstance(entry.grant, PyxApiKey)
    assert entry.grant.secret == Secret(KEY)
    assert key(home, "https://index.example/") is None


@pytest.mark.parametrize(
    ("variables", "secret"),
    [
        ({"UV_API_KEY": "uv"}, "uv"),
        ({"UV_API_KEY": "uv", "PYX_API_KEY": "pyx"}, "pyx"),
        ({"UV_API_KEY": "uv", "PYX_API_KEY": ""}, "uv"),
        ({"PYX_API_KEY": "pyx\n"}, "pyx"),
    ],
)
def test_pyx_s_variable_comes_before_uv_s(
    home: Home, variables: dict[str, str], secret: str
) -> None:
    home.env |= variables
    entry = sure(key(home))
    assert sure(entry.grant).secret == Secret(secret)


@pytest.mark.parametrize("value", ["", " ", "\n", None])
def test_without_a_key_in_the_environment_no_key_s_token_is_used(
    home: Home, value: str | None
) -> None:
    home.write(f"{OFFICIAL}/{KEY_DIGEST}.json", "t")
    home.env |= {} if value is None else {"PYX_API_KEY": value}
    assert key(home) is None


def test_a_login_without_a_refresh_token_is_served_and_not_renewed(home: Home) -> None:
    home.write(f"{OFFICIAL}/tokens.json", '{"access_token":"a","refresh_token":null}')
    entry = sure(login(home))
    assert entry.grant is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"access_token":1}', '"a"', '{"refresh_token":"r"}', "a.b.c"]
)
def test_a_file_without_tokens_is_broken(home: Home, content: str) -> None:
    home.write(f"{OFFICIAL}/tokens.json", content)
    with pytest.raises(StoreError, match=r"tokens\.json.*log in again"):
        login(home)


def test_the_folder_is_pyx_s_own_variable_s_then_uv_s_if_it_is_there_then_pyx_s(home: Home) -> None:
    def tokens(name: str) -> str:
        return json.dumps({"access_token": name, "refresh_token": "r"})

    def found() -> str:
        entry = sure(login(home))
        return sure(entry.credential).secret.reveal()

    digest = "3859a629b26fda96"
    home.write(f"{ROOT}/{digest}/tokens.json", tokens("pyx"))
    assert found() == "pyx"
    home.write(f".local/share/uv/credentials/{digest}/tokens.json", tokens("uv"))
    assert found() == "uv"
    home.env["UV_CREDENTIALS_DIR"] = str(home.path / "mine")
    assert found() == "pyx"
    home.write(f"mine/{digest}/tokens.json", tokens("uv's variable"))
    assert found() == "uv's variable"
    home.write(f"own/{digest}/tokens.json", tokens("pyx's variable"))
    home.env["PYX_CREDENTIALS_DIR"] = "own"
    assert found() == "pyx's variable"
    home.env["PYX_CREDENTIALS_DIR"] = "nowhere"
    assert login(home) is None


def test_a_file_that_uv_is_just_writing_is_read_when_it_is_whole(home: Home) -> None:
    # uv truncates it under its lock; nobody holds the lock here, so what is half stays half.
    path = home.write(f"{OFFICIAL}/tokens.json", TOKENS[:-10])
    home.write(f"{OFFICIAL}/tokens.lock", "")
    with pytest.raises(StoreError, match="not JSON"):
        login(home)
    path.write_text(TOKENS)
    assert login(home) is not None


@pytest.mark.parametrize("theirs", ['{"access_token":"a","refresh_token":"theirs"}', None])
def test_what_became_of_a_login_meanwhile_is_not_written_over(
    home: Home, theirs: str | None
) -> None:
    path = home.write(f"{OFFICIAL}/tokens.json", '{"access_token":"a","refresh_token":"r"}')
    store = PyxStore(caller_of(home))
    entry = sure(store.find(urls.parse("https://api.pyx.dev/")))
    pending = store.prepare(entry)
    if theirs is None:
        path.unlink()
    else:
        path.write_text(theirs)
    pending.commit(TokenResponse(Secret("ours"), Secret("next")))
    pending.abandon()
    assert (path.read_text() if path.exists() else None) == theirs
