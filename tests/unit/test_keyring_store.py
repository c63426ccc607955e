"""The system's keyring as pip and uv use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import AmbiguousError, StoreError
from credlatch.stores.keyring import KeyringStore
from credlatch.system.keyring import only
from support import found
from support.callers import FakeKeyring, InKeyring, WithKeyring, caller_of
from support.matching import basic
from support.stores_contract import HOST, SECRET, PortContract

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home


class TestContract(InKeyring, PortContract):
    HEADER = ("Authorization", basic("bob", SECRET))

    ITEM = (HOST, "bob", SECRET)
    LISTED = False

    def store(self, caller: Caller) -> KeyringStore:
        return KeyringStore(caller)


def header(home: Home, url: str, *items: tuple[str, str, str]) -> str | None:
    return found.header(KeyringStore(WithKeyring(home, FakeKeyring(*items))).find(urls.parse(url)))


def test_the_service_is_the_url_or_the_host_or_the_origin_and_the_most_specific_counts(
    home: Home,
) -> None:
    url = "https://a.example/simple/"
    items = [("https://a.example", "origin", "p"), ("a.example", "host", "p"), (url, "url", "p")]
    for count, (_, user, _) in enumerate(items, 1):
        assert header(home, url, items[count - 1]) == basic(user, "p")
        assert header(home, url, *items[:count]) == basic(user, "p")


@pytest.mark.parametrize("service", ["a.example:8443", "https://a.example:8443"])
def test_a_port_is_part_of_the_service(home: Home, service: str) -> None:
    item = (service, "u", "p")
    assert header(home, "https://a.example:8443/x", item) == basic("u", "p")
    assert header(home, "https://a.example/x", item) is None


def test_a_user_name_in_the_url_must_be_the_item_s_and_several_users_are_an_error(
    home: Home,
) -> None:
    items = [("a.example", "bob", "b-word"), ("a.example", "alice", "a-word")]
    assert header(home, "https://alice@a.example/", *items) == basic("alice", "a-word")
    assert header(home, "https://carol@a.example/", *items) is None
    with pytest.raises(AmbiguousError, match=r"alice, bob.*user name into the URL") as raised:
        header(home, "https://a.example/", *items)
    assert "-word" not in str(raised.value)


def test_two_secrets_for_one_user_are_an_error_and_two_equal_ones_are_one(home: Home) -> None:
    same = ("a.example", "bob", "b")
    assert header(home, "https://a.example/", same, same) == basic("bob", "b")
    with pytest.raises(StoreError, match="2 different items") as raised:
        header(home, "https://a.example/", same, ("a.example", "bob", "other-word"))
    assert "other-word" not in str(raised.value)


def test_rattler_s_and_uv_s_own_items_are_not_taken_for_logins(home: Home) -> None:
    items = [("rattler", "a.example", '{"BearerToken":"t"}'), ("uv:a.example", "bob", "p")]
    assert header(home, "https://a.example/", *items) is None
    assert header(home, "https://rattler/", *items) is None


@pytest.mark.parametrize("url", ["s3://bucket/", "https://*.a.example/"])
def test_what_has_no_service_is_not_asked_for(home: Home, url: str) -> None:
    broken = FakeKeyring(failure=AssertionError("it was asked"))
    assert KeyringStore(WithKeyring(home, broken)).find(urls.parse(url)) is None


def test_a_locked_keyring_is_the_store_s_failure(home: Home) -> None:
    locked = FakeKeyring(failure=StoreError("the keyring is locked"))
    with pytest.raises(StoreError, match="locked"):
        KeyringStore(WithKeyring(home, locked)).find(urls.parse("https://a.example/"))


def test_where_there_is_no_keyring_or_no_secret_there_is_no_entry_and_no_warning(
    home: Home,
) -> None:
    caller = caller_of(home)
    assert KeyringStore(caller).find(urls.parse("https://a.example/")) is None
    assert caller.warnings == []
    assert only("service", "user", []) is None
