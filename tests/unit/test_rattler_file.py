"""rattler's file: read as rattler reads it, and written so that nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import TokenResponse
from credlatch.credential import Basic, Secret
from credlatch.errors import LockedError, StoreError
from credlatch.stores import rattler_format
from credlatch.stores.rattler import RattlerStore
from credlatch.system import locks
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.found import sure
from support.stores_contract import HOST, SECRET, RenewableContract, StructuredContract

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.caller import Caller
    from support.home import Home

FILE = ".rattler/credentials.json"
KEPT = {
    "future.example": {"Passkey": {"key": [1, 2.5, None]}},
    "odd.example": "not an object",
    "naïve.example": {"BearerToken": "ü\u2028"},
    "s3://bucket": {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}},
}
LOGIN = Basic("jürgen", Secret('p"w\\é'))
STORED = {"BasicHTTP": {"username": "jürgen", "password": 'p"w\\é'}}


class TestContract(StructuredContract, RenewableContract):
    FILE = FILE
    LOCK = f"{FILE}.lock"
    HEADER = ("Authorization", f"Bearer {SECRET}")

    def store(self, caller: Caller) -> RattlerStore:
        return RattlerStore(caller)

    renewable = store

    def write(self, home: Home) -> None:
        home.write_rattler({HOST: {"BearerToken": SECRET}})

    def write_renewable(self, home: Home) -> Path:
        login = {
            "access_token": SECRET,
            "refresh_token": "refresh-1",
            "expires_at": 1,
            "token_endpoint": "https://auth.example/token",
            "client_id": "rattler",
        }
        return home.write_rattler({**KEPT, HOST: {"OAuth": login}})

    def spoil(self, home: Home) -> None:
        home.write_rattler({**KEPT, **home.read_rattler()})

    def test_a_renewal_keeps_the_other_entries(self, home: Home) -> None:
        self.write_renewable(home)
        store = self.store(caller_of(home))
        entry = sure(store.find(urls.parse(self.URL)))
        store.prepare(entry).commit(TokenResponse(Secret("new"), None, 4_000_000_000))
        after = home.read_rattler()
        login = after.pop(HOST)["OAuth"]
        assert after == KEPT
        assert (login["access_token"], login["refresh_token"]) == ("new", "refresh-1")


def store(home: Home) -> RattlerStore:
    return RattlerStore(caller_of(home))


@pytest.mark.parametrize("content", ["", " \n", "{}", "\ufeff{}"])
def test_an_empty_file_is_an_empty_store(home: Home, content: str) -> None:
    home.write(FILE, content)
    assert store(home).find(urls.parse("https://a.example/")) is None
    store(home).save("a.example", LOGIN)
    assert home.read_rattler() == {"a.example": STORED}


@pytest.mark.parametrize("content", ["[]", '"text"', "1", "null", "{", "x", '{"a":1}}'])
def test_a_file_that_is_no_object_is_broken_and_never_overwritten(home: Home, content: str) -> None:
    path = home.write(FILE, content)
    for use in (
        lambda: store(home).find(urls.parse("https://a.example/")),
        lambda: store(home).save("a.example", LOGIN),
        lambda: store(home).delete("a.example"),
        lambda: store(home).logins(),
    ):
        with pytest.raises(StoreError, match="mend it"):
            use()
    assert path.read_text() == content


def test_a_damaged_entry_is_an_error_for_its_own_host_alone(home: Home) -> None:
    home.write_rattler({"a.example": {"BasicHTTP": {}}, "*.b.example": {"BearerToken": "t"}})
    # A user's name in the URL plays no part.
    assert store(home).find(urls.parse("https://somebody@x.b.example/")) is not None
    with pytest.raises(StoreError, match=r"a\.example"):
        store(home).find(urls.parse("https://somebody@a.example/"))


def test_storing_keeps_what_is_there_to_the_letter(home: Home) -> None:
    home.write_rattler(KEPT)
    for key in ("https://index.docker.io/v1/", "r.example:5000", "r.example/ns", "*.w.example"):
        store(home).save(key, LOGIN)
        assert home.read_rattler()[key] == STORED
    assert {key: home.read_rattler()[key] for key in KEPT} == KEPT
    assert (home.path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", ["1e400", "-1e400", r'"\ud800"', "1" * 5000, "0.1e-400"])
def test_what_storing_cannot_write_back_is_refused_or_kept_as_json(home: Home, value: str) -> None:
    path = home.write(FILE, f'{{"later.example":{{"Passkey":{value}}}}}')
    before = path.read_text()
    try:
        store(home).save("a.example", LOGIN)
    except StoreError:
        assert path.read_text() == before
    else:
        assert "Infinity" not in path.read_text()
        assert "later.example" in home.read_rattler()


def test_the_first_login_makes_a_private_folder_and_a_second_replaces_it(home: Home) -> None:
    store(home).save("a.example", Basic("old", Secret("old")))
    assert (home.path / ".rattler").stat().st_mode & 0o777 == 0o700
    names = {path.name for path in (home.path / ".rattler").iterdir()}
    assert names == {"credentials.json", "credentials.json.lock"}
    store(home).save("a.example", LOGIN)
    assert home.read_rattler() == {"a.example": STORED}


def test_what_cannot_be_written_as_json_leaves_nothing_beside_the_store(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = home.write_rattler({HOST: {"BearerToken": SECRET}})
    before = store.read_bytes()

    def not_loaded(_: object) -> bytes:
        raise ImportError("json")

    monkeypatch.setattr(rattler_format, "dumped", not_loaded)
    with pytest.raises(ImportError):
        RattlerStore(caller_of(home)).save("new.example", Basic("u", Secret("p")))
    assert store.read_bytes() == before
    assert {path.name for path in store.parent.iterdir()} <= {store.name, f"{store.name}.lock"}


def test_storing_through_a_symbolic_link_keeps_the_link(home: Home) -> None:
    kept = home.write("dotfiles/rattler.json", json.dumps(KEPT))
    link = home.path / FILE
    link.parent.mkdir()
    link.symlink_to(kept)
    store(home).save("a.example", LOGIN)
    assert link.is_symlink()
    assert json.loads(kept.read_text()) == {**KEPT, "a.example": STORED}


def test_what_is_erased_is_gone_and_the_rest_stays_to_the_letter(home: Home) -> None:
    home.write_rattler({**KEPT, "a.example": STORED})
    assert store(home).delete("a.example")
    text = json.dumps(KEPT, ensure_ascii=False, separators=(",", ":"))  # as rattler writes it
    assert (home.path / FILE).read_bytes() == text.encode()


@pytest.mark.parametrize("key", [*KEPT, "token.example", "absent.example"])
def test_erasing_ends_no_login_but_docker_s_own_and_else_writes_nothing(
    home: Home, key: str
) -> None:
    assert not store(home).delete(key)
    assert not (home.path / ".rattler").exists()
    path = home.write_rattler({**KEPT, "token.example": {"BearerToken": "pixi's"}})
    before = path.read_bytes()
    assert not store(home).delete(key)
    assert path.read_bytes() == before


def test_the_list_is_of_logins_under_docker_s_keys(home: Home) -> None:
    home.write_rattler(
        {
            **KEPT,
            "https://index.docker.io/v1/": STORED,
            "r.example:5000": {"BasicHTTP": {"username": "<token>", "password": "identity"}},
            "*.w.example": STORED,
            "*": STORED,
            "s3://b": STORED,
            "broken.example": {"BasicHTTP": {"username": 1}},
        }
    )
    assert store(home).logins() == {
        "https://index.docker.io/v1/": "jürgen",
        "r.example:5000": "<token>",
    }


def test_a_key_is_found_as_it_was_sent_and_the_first_of_several_counts(home: Home) -> None:
    home.write_rattler({"b": STORED, "a": {"BasicHTTP": {"username": "a", "password": "a"}}})
    entry = sure(store(home).find_key(("none", "a", "b")))
    assert sure(entry.credential).secret == Secret("a")
    assert store(home).find_key(("none",)) is None


def test_the_environment_s_file_is_written_and_no_other(home: Home) -> None:
    home.env["RATTLER_AUTH_FILE"] = str(home.path / "new" / "auth.json")
    store(home).save("a.example", LOGIN)
    assert json.loads((home.path / "new/auth.json").read_text()) == {"a.example": STORED}
    assert not (home.path / ".rattler").exists()
    assert store(home).delete("a.example")
    assert json.loads((home.path / "new/auth.json").read_text()) == {}


def test_an_s3_key_under_a_host_s_name_sends_nothing_there(home: Home) -> None:
    keys = {"access_key_id": "A", "secret_access_key": SECRET}
    home.write_rattler({"a.example": {"S3Credentials": keys}})
    assert store(home).find(urls.parse("https://a.example/")) is None
    assert store(home).find(urls.parse("s3://a.example/")) is not None


def test_a_store_that_waits_in_vain_names_the_lock_and_changes_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credlatch.stores.rattler_backends.LOCK_PATIENCE", 0.1)
    path = home.write_rattler({})
    with locks.Exclusive(f"{path}.lock", 1), pytest.raises(LockedError, match=f"{path}.lock has"):
        RattlerStore(caller_of(home)).save("r.example", Basic("u", Secret("p")))
    assert home.read_rattler() == {}


@pytest.mark.parametrize("place", ["file", "keyring"])
@pytest.mark.parametrize("action", ["save", "delete"])
def test_who_stores_or_erases_waits_for_longer_than_a_call_may_take_and_not_for_ever(
    home: Home, monkeypatch: pytest.MonkeyPatch, action: str, place: str
) -> None:
    caller = caller_of(home)
    if place == "file":
        home.write_rattler({"a.example": STORED})
    else:
        item = ("rattler", "a.example", json.dumps(STORED))
        caller = WithKeyring(home, FakeKeyring(item))
    waits = []
    real = locks.Exclusive

    def waiting(path: str, seconds: float) -> locks.Exclusive:
        waits.append(seconds)
        return real(path, seconds)

    monkeypatch.setattr(locks, "Exclusive", waiting)
    if action == "save":
        RattlerStore(caller).save("a.example", LOGIN)
    else:
        RattlerStore(caller).delete("a.example")
    (seconds,) = waits
    assert 60 < seconds < 600
