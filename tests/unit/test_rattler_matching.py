"""Which of rattler's keys count for a URL, and in which order its places are asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.stores.rattler import RattlerStore, candidates
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.found import header, secret
from support.matching import RATTLER_ROWS, RATTLER_STORE

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("https://a.b.example/x", ["a.b.example", "*.a.b.example", "*.b.example", "*.example"]),
        ("https://localhost:5000/", ["localhost", "*.localhost"]),
        ("http://A.Example:80/", ["a.example", "*.a.example", "*.example"]),
        ("https://bücher.example/",
         ["xn--bcher-kva.example", "*.xn--bcher-kva.example", "*.example"]),
        ("https://node.dc1/", ["node.dc1", "*.node.dc1", "*.dc1"]),
        ("https://10.1.2.3:8443/", ["10.1.2.3"]),
        ("https://[::1]:8443/", ["[::1]"]),
        ("s3://bucket/", ["bucket", "s3://bucket"]),
        ("s3://bucket", ["bucket", "s3://bucket"]),
        ("s3://bucket/x/y", ["bucket", "s3://bucket/x/y", "s3://bucket/x", "s3://bucket"]),
        ("s3://bucket/x/", ["bucket", "s3://bucket/x", "s3://bucket"]),
    ],
)  # fmt: skip
def test_the_keys_in_rattler_s_order(url: str, keys: list[str]) -> None:
    assert candidates(urls.parse(url)) == keys


@pytest.mark.parametrize("key", ["*", "*.", "HOST.example", "host.example:443", "host.example."])
def test_a_key_that_rattler_does_not_look_for_matches_no_url(home: Home, key: str) -> None:
    home.write_rattler({key: {"BearerToken": "t"}})
    assert RattlerStore(caller_of(home)).find(urls.parse("https://host.example/")) is None


@pytest.mark.parametrize(("host", "sent"), RATTLER_ROWS)
def test_each_host_gets_the_header_that_rattler_sends_there(
    home: Home, host: str, sent: str | None
) -> None:
    home.write_rattler(RATTLER_STORE)
    entry = RattlerStore(caller_of(home)).find(urls.parse(f"https://{host}/channel/x"))
    assert header(entry) == sent


def bearer(token: str) -> dict[str, str]:
    return {"BearerToken": token}


def with_places(home: Home, keyring: dict[str, str], file: dict[str, str]) -> Caller:
    """A caller with entries in the keyring and in the file: key and token."""
    home.write_rattler({key: bearer(token) for key, token in file.items()})
    items = [("rattler", key, json.dumps(bearer(token))) for key, token in keyring.items()]
    return WithKeyring(home, FakeKeyring(*items))


def found(caller: Caller, url: str) -> str | None:
    return secret(RattlerStore(caller).find(urls.parse(url)))


def test_the_keyring_is_asked_before_the_file(home: Home) -> None:
    caller = with_places(home, {"a.example": "keyring"}, {"a.example": "file", "b.example": "file"})
    assert found(caller, "https://a.example/") == "keyring"
    assert found(caller, "https://b.example/") == "file"


def test_the_host_itself_in_any_place_comes_before_a_wildcard_in_any_other(home: Home) -> None:
    # rattler asks all its places for one key, then all of them for the next.
    caller = with_places(home, {"*.example": "wild"}, {"a.example": "exact", "*.b.example": "deep"})
    assert found(caller, "https://a.example/") == "exact"
    assert found(caller, "https://b.example/") == "deep"
    assert found(caller, "https://c.example/") == "wild"


def test_pixi_s_configured_file_comes_before_the_keyring(home: Home) -> None:
    override = home.write("pixi-auth.json", json.dumps({"a.example": bearer("configured")}))
    home.write(".pixi/config.toml", f"authentication-override-file = '{override}'\n")
    caller = with_places(home, {"a.example": "keyring", "b.example": "keyring"}, {})
    assert found(caller, "https://a.example/") == "configured"
    assert found(caller, "https://b.example/") == "keyring"


def test_the_environment_s_file_is_the_only_place(home: Home) -> None:
    chosen = home.write("auth.json", json.dumps({"a.example": bearer("chosen")}))
    override = home.write("pixi-auth.json", json.dumps({"b.example": bearer("configured")}))
    home.write(".pixi/config.toml", f"authentication-override-file = '{override}'\n")
    home.env["RATTLER_AUTH_FILE"] = str(chosen)
    places = {"b.example": "elsewhere"}
    caller = with_places(home, places, places)
    assert found(caller, "https://a.example/") == "chosen"
    assert found(caller, "https://b.example/") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere.json", None),
        ("nowhere/auth.json", None),
        ("/dev/null", None),
        ("sub/auth.json", "t"),  # a relative path starts where the caller is
        ("", "file"),
    ],
)
def test_an_environment_s_file_that_is_not_there_is_an_empty_place(
    home: Home, name: str, expected: str | None
) -> None:
    home.write("sub/auth.json", json.dumps({"a.example": bearer("t")}))
    home.env["RATTLER_AUTH_FILE"] = name
    caller = with_places(home, {}, {"a.example": "file"})
    assert found(caller, "https://a.example/") == expected
    assert caller.warnings == []


S3 = {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}}


@pytest.mark.parametrize("key", ["a.b.example", "*.a.b.example", "*.b.example"])
@pytest.mark.parametrize("in_keyring", [True, False])
def test_a_bucket_s_key_under_a_host_s_name_ends_the_search(
    home: Home, key: str, *, in_keyring: bool
) -> None:
    caller = with_places(home, {"*.example": "keyring's"}, {"*.example": "file's"})
    if in_keyring:
        caller = WithKeyring(home, FakeKeyring(("rattler", key, json.dumps(S3))))
    else:
        home.write_rattler({key: S3, "*.example": bearer("file's")})
    assert found(caller, "https://a.b.example/") is None
    assert found(caller, "https://c.example/") == ("file's" if in_keyring else "keyring's")


def test_a_more_specific_login_comes_before_a_bucket_s_key_and_ends_the_bucket_s_search(
    home: Home,
) -> None:
    home.write_rattler(
        {"a.example": bearer("exact"), "*.example": S3, "bucket": bearer("t"), "s3://bucket": S3}
    )
    assert found(caller_of(home), "https://a.example/") == "exact"
    assert found(caller_of(home), "s3://bucket/x") is None


def test_a_bucket_s_key_does_not_hide_what_a_broken_place_may_hold(home: Home) -> None:
    home.write_rattler({"a.example": S3})
    caller = WithKeyring(home, FakeKeyring(failure=StoreError("the keyring is locked")))
    with pytest.raises(StoreError, match="locked"):
        found(caller, "https://a.example/")


def test_a_registry_s_login_has_a_spelling_that_no_bucket_s_key_hides(home: Home) -> None:
    login = {"BasicHTTP": {"username": "u", "password": "p"}}
    home.write_rattler({"a.example": S3, "https://a.example/v1/": login})
    assert (
        RattlerStore(caller_of(home)).find_key(("a.example", "https://a.example/v1/")) is not None
    )
