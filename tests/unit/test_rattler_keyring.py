"""rattler's items in the keyring, and what happens where the keyring fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import TokenResponse
from credlatch.credential import Basic, Secret
from credlatch.errors import AbsentError, AmbiguousError, LockedError, StoreError
from credlatch.stores.rattler import RattlerStore
from credlatch.system import locks
from support.callers import FakeKeyring, InKeyring, WithKeyring
from support.found import sure
from support.stores_contract import HOST, SECRET, StoreContract

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home

LOCKED = StoreError("the keyring is locked")
LOGIN = Basic("bob", Secret("pw"))
STORED = {"BasicHTTP": {"username": "bob", "password": "pw"}}
OAUTH = {
    "access_token": "old",
    "refresh_token": "refresh-1",
    "expires_at": 1,
    "token_endpoint": "https://auth.example/token",
    "revocation_endpoint": None,
    "client_id": "cid",
}


class TestContract(InKeyring, StoreContract):
    HEADER = ("Authorization", f"Bearer {SECRET}")

    ITEM = ("rattler", HOST, json.dumps({"BearerToken": SECRET}))

    def store(self, caller: Caller) -> RattlerStore:
        return RattlerStore(caller)


def items(keyring: FakeKeyring) -> dict[str, object]:
    return {name: json.loads(secret) for _, name, secret in keyring.items}


def test_where_the_keyring_is_not_there_a_login_goes_to_the_file_and_out_of_it(home: Home) -> None:
    store = RattlerStore(WithKeyring(home, FakeKeyring(failure=AbsentError("no service"))))
    store.save("a.example", LOGIN)
    assert home.read_rattler() == {"a.example": STORED}
    assert store.delete("a.example")
    assert home.read_rattler() == {}


def test_a_damaged_item_is_an_error_for_its_own_host_alone(home: Home) -> None:
    keyring = FakeKeyring(
        ("rattler", "a.example", SECRET), ("rattler", "b.example", '{"BearerToken":"t"}')
    )
    store = RattlerStore(WithKeyring(home, keyring))
    assert store.find(urls.parse("https://b.example/")) is not None
    with pytest.raises(StoreError, match=r"a\.example.*damaged") as raised:
        store.find(urls.parse("https://a.example/"))
    assert SECRET not in str(raised.value)


def test_only_a_key_that_is_listed_is_asked_for(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One list costs a round trip; asking for each of a dozen keys would cost a dozen.
    keyring = FakeKeyring(("rattler", "*.example", '{"BearerToken":"t"}'))
    asked: list[str] = []
    real = keyring.get

    def noted(service: str, username: str) -> Secret | None:
        asked.append(username)
        return real(service, username)

    monkeypatch.setattr(keyring, "get", noted)
    store = RattlerStore(WithKeyring(home, keyring))
    assert store.find(urls.parse("https://a.b.c.example/")) is not None
    assert asked == ["*.example"]


def test_the_list_joins_both_places_and_the_keyring_s_name_counts(home: Home) -> None:
    def login(name: str) -> dict[str, object]:
        return {"BasicHTTP": {"username": name, "password": "p"}}

    keyring = FakeKeyring(
        ("rattler", "a.example", json.dumps(login("keyring"))),
        ("rattler", "odd.example", "not JSON"),
        ("uv:b.example", "b", "someone else's"),
    )
    home.write_rattler({"a.example": login("file"), "b.example": login("file")})
    store = RattlerStore(WithKeyring(home, keyring))
    assert store.logins() == {"a.example": "keyring", "b.example": "file"}


def test_what_is_erased_is_gone_from_both_places(home: Home) -> None:
    keyring = FakeKeyring(("rattler", "a.example", json.dumps(STORED)))
    home.write_rattler({"a.example": STORED})
    assert RattlerStore(WithKeyring(home, keyring)).delete("a.example")
    assert items(keyring) == {}
    assert home.read_rattler() == {}


def test_where_the_keyring_is_locked_nothing_is_stored_in_the_clear_instead_or_called_erased(
    home: Home,
) -> None:
    store = RattlerStore(WithKeyring(home, FakeKeyring(failure=LOCKED)))
    with pytest.raises(StoreError, match="locked"):
        store.save("a.example", LOGIN)
    assert not (home.path / ".rattler/credentials.json").exists()
    home.write_rattler({"a.example": STORED})
    with pytest.raises(StoreError, match="locked"):
        store.delete("a.example")
    assert home.read_rattler() == {}


def test_a_locked_keyring_does_not_hide_the_file(home: Home) -> None:
    home.write_rattler({"a.example": STORED})
    caller = WithKeyring(home, FakeKeyring(failure=LOCKED))
    store = RattlerStore(caller)
    assert store.find(urls.parse("https://a.example/")) is not None
    with pytest.raises(StoreError, match="locked"):
        store.find(urls.parse("https://other.example/"))
    caller.warnings.clear()
    assert RattlerStore(caller).logins() == {"a.example": "bob"}
    assert caller.warnings == ["the keyring is locked"]
    (home.path / ".rattler/credentials.json").unlink()
    with pytest.raises(StoreError, match="locked"):
        RattlerStore(caller).logins()


def test_two_items_for_one_key_are_mended_by_erasing_it(home: Home) -> None:
    other = {"BasicHTTP": {"username": "bob", "password": "other"}}
    keyring = FakeKeyring(
        ("rattler", "a.example", json.dumps(STORED)), ("rattler", "a.example", json.dumps(other))
    )
    with pytest.raises(AmbiguousError):
        RattlerStore(WithKeyring(home, keyring)).find(urls.parse("https://a.example/"))
    assert RattlerStore(WithKeyring(home, keyring)).delete("a.example")
    assert items(keyring) == {}


def test_a_renewal_is_written_back_to_the_keyring_and_nowhere_else(home: Home) -> None:
    keyring = FakeKeyring(("rattler", HOST, json.dumps({"OAuth": OAUTH})))
    path = home.write_rattler({HOST: {"OAuth": OAUTH}})
    before = path.read_bytes()
    store = RattlerStore(WithKeyring(home, keyring))
    entry = sure(store.find(urls.parse(f"https://{HOST}/")))
    store.prepare(entry).commit(TokenResponse(Secret("new"), Secret("refresh-2"), 4_000_000_000))
    renewed = {
        **OAUTH, "access_token": "new", "refresh_token": "refresh-2", "expires_at": 4_000_000_000
    }  # fmt: skip
    assert items(keyring) == {HOST: {"OAuth": renewed}}
    assert path.read_bytes() == before


def test_the_keyring_has_one_lock_whatever_the_caller_s_cache_folder_is(home: Home) -> None:
    keyring = FakeKeyring(("rattler", HOST, json.dumps({"OAuth": OAUTH})))
    for folder in ("one", "other"):
        home.env["XDG_CACHE_HOME"] = str(home.path / folder)
        store = RattlerStore(WithKeyring(home, keyring))
        entry = sure(store.find(urls.parse(f"https://{HOST}/")))
        assert store.lock_path(entry) == str(home.path / ".rattler/keyring.lock")


def test_who_writes_an_item_holds_its_lock_or_leaves_it_as_it_was(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = FakeKeyring(("rattler", "a.example", json.dumps(STORED)))
    lock = str(home.path / ".rattler/keyring.lock")
    held: list[bool] = []

    def noted(method: str) -> None:
        real = getattr(keyring, method)

        def write(*args: object) -> object:
            held.append(is_locked(lock))
            return real(*args)

        monkeypatch.setattr(keyring, method, write)

    noted("put")
    noted("delete")
    store = RattlerStore(WithKeyring(home, keyring))
    blocked = home.write(".rattler", "a file")
    with pytest.raises(StoreError, match=r"keyring\.lock"):
        store.save("b.example", LOGIN)
    assert (items(keyring), held) == ({"a.example": STORED}, [])
    blocked.unlink()
    store.save("a.example", LOGIN)
    assert store.delete("a.example")
    assert held
    assert all(held)
    assert not is_locked(lock)


def is_locked(path: str) -> bool:
    try:
        with locks.Exclusive(path, 0):
            return False
    except LockedError:
        return True
