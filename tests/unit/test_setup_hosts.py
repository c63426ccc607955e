"""The hosts that the stores have entries for, and those that a person names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from credlatch.commands.setup import has_login
from credlatch.errors import AbsentError, SetupError, StoreError
from credlatch.setup import hosts
from credlatch.stores.environment import host_of, suffix
from credlatch.stores.netrc import NetrcStore
from credlatch.url import parse
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.found import sure

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home

BASIC = {"BasicHTTP": {"username": "u", "password": "p"}}
UV = '[[credential]]\nservice = "{}"\nusername = "u"\npassword = "p"\n'


def known(home: Home) -> list[str]:
    return [f"{url.scheme}://{url.netloc}" for url in hosts.known(caller_of(home))]


def test_every_store_tells_its_hosts(home: Home) -> None:
    home.write_rattler({"*.rattler.example": {"BearerToken": "t"}, "bucket": {"S3Credentials": {}}})
    home.write(".local/share/uv/credentials/credentials.toml", UV.format("https://uv.example:81/x"))
    home.write(
        ".ppm/tokens.toml",
        '[[connections]]\naddress = "https://posit.example"\ntoken = "t"\nauth_type = "sso"\n',
    )
    netrc = "machine netrc.example login u password p\nmachine none login u\n"
    home.write(".netrc", f"{netrc}default login a password b\n")
    home.write(
        ".docker/config.json",
        json.dumps({"auths": {"docker.example": {"auth": "dTpw"}, "gone.example": {}}}),
    )
    home.env["CREDLATCH_TOKEN_ENV_EXAMPLE_8443"] = "t"
    home.env["CREDLATCH_USERNAME_X_EXAMPLE"] = "u"
    # Patterns first: what they are for need not be named.
    assert known(home) == [
        "https://*.rattler.example",
        "https://docker.example",
        "https://env.example:8443",
        "https://netrc.example",
        "https://posit.example",
        "https://uv.example:81",
    ]


@pytest.mark.parametrize(
    ("keys", "host"),
    [
        (("docker://r.example:5000", "docker://*"), "https://r.example:5000"),
        (("a.example", "https://a.example/v1/", "A.example:443"), "https://a.example"),
        (("a.example", "u@a.example", "a.example/ns/repo", "any text"), "https://a.example"),
    ],
)
def test_one_host_is_named_once_however_it_is_kept(
    home: Home, keys: tuple[str, ...], host: str
) -> None:
    home.write_rattler(dict.fromkeys(keys, BASIC))
    assert known(home) == [host]


@pytest.mark.parametrize("way", ["PYX_AUTH_TOKEN", "PYX_API_KEY", "login"])
def test_pyx_s_hosts_come_with_its_token(home: Home, way: str) -> None:
    if way == "login":
        home.write(".local/share/pyx/credentials/3859a629b26fda96/tokens.json", "{}")
    else:
        home.env[way] = "t"
    assert set(known(home)) >= {"https://api.pyx.dev", "https://*.astralhosted.com"}
    home.env["PYX_API_URL"] = "https://pyx.example"
    if way != "login":
        assert known(home) == ["https://pyx.example"]


def test_the_address_in_the_environment_is_posit_s_only_one(home: Home) -> None:
    table = '[[connections]]\naddress = "https://{}.example"\ntoken = "t"\nauth_type = "sso"\n'
    home.write(".ppm/tokens.toml", "".join(map(table.format, "ab")))
    assert known(home) == ["https://a.example", "https://b.example"]
    home.env["PACKAGEMANAGER_ADDRESS"] = "https://b.example"
    assert known(home) == ["https://b.example"]
    home.env["PACKAGEMANAGER_ADDRESS"] = "https://c.example"
    home.env["PACKAGEMANAGER_IDENTITY_TOKEN_FILE"] = "token"
    assert known(home) == ["https://c.example"]


def test_the_keyring_s_rattler_entries_are_listed(home: Home) -> None:
    keyring = FakeKeyring(("rattler", "k.example", json.dumps(BASIC)))
    assert [url.netloc for url in hosts.known(WithKeyring(home, keyring))] == ["k.example"]


@pytest.mark.parametrize("failure", [None, AbsentError("there is no keyring")])
def test_without_any_the_answer_says_what_to_do(home: Home, failure: Exception | None) -> None:
    with pytest.raises(SetupError, match=r"no store has a login yet: log in first .* --host"):
        hosts.known(WithKeyring(home, FakeKeyring(failure=failure)))


def test_plain_http_is_for_this_machine_only(home: Home) -> None:
    entries = [UV.format(f"http://{host}/") for host in ("a.example", "127.0.0.1:81")]
    home.write(".local/share/uv/credentials/credentials.toml", "".join(entries))
    assert known(home) == ["http://127.0.0.1:81"]


def test_a_broken_store_is_warned_of_and_the_others_count(home: Home) -> None:
    home.write_rattler({"a.example": BASIC})
    home.write(".docker/config.json", '{"auths": ')
    home.write(".local/share/uv/credentials/credentials.toml", "x = ")
    caller = caller_of(home)
    assert [url.netloc for url in hosts.known(caller)] == ["a.example"]
    assert [("config.json" in line, "toml" in line) for line in caller.warnings] == [
        (False, True),
        (True, False),
    ]


BROKEN = {
    ".rattler/credentials.json": "{",
    ".local/share/uv/credentials/credentials.toml": "x = ",
    ".ppm/tokens.toml": "x = ",
    ".docker/config.json": '{"auths": ',
    ".config/containers/auth.json": '{"auths": ',
}


@pytest.mark.parametrize("path", BROKEN)
def test_where_the_only_store_is_broken_its_failure_is_the_answer(home: Home, path: str) -> None:
    """And not that nobody has logged in."""
    file = home.write(path, BROKEN[path])
    caller = caller_of(home)
    with pytest.raises(SetupError, match=rf"^{re.escape(str(file))} is not "):
        hosts.known(caller)
    assert caller.warnings == []


def of(caller: Caller, *texts: str, force: bool = False) -> list[str]:
    found = hosts.named(texts, caller, lambda url: has_login(url, caller), force=force)
    return [f"{url.scheme}://{url.netloc}" for url in found]


def named(home: Home, *texts: str, force: bool = False) -> list[str]:
    return of(caller_of(home), *texts, force=force)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("a.example", "https://a.example"),
        ("A.example.", "https://a.example"),
        ("https://a.example/simple/?q", "https://a.example"),
        ("*.w.example", "https://*.w.example"),
        ("x.w.example", "https://x.w.example"),
        ("w.example", "https://w.example"),
        ("p.example:5000", "https://p.example:5000"),
        ("http://127.0.0.1:81/", "http://127.0.0.1:81"),
        ("uv.example", "https://uv.example"),
    ],
)
def test_a_host_that_a_store_answers_for_is_known(home: Home, text: str, url: str) -> None:
    entries = dict.fromkeys(("a.example", "*.w.example", "p.example:5000", "127.0.0.1"), BASIC)
    home.write_rattler(entries)
    # For a part of the host only.
    home.write(".local/share/uv/credentials/credentials.toml", UV.format("https://uv.example/team"))
    assert named(home, text) == [url]


@pytest.mark.parametrize(
    "text", ["", "a b", "https://", "s3://b", "http://a.example", "a.example:x", "../x", "127.1"]
)
def test_what_is_no_host_is_refused_whatever_is_forced(home: Home, text: str) -> None:
    with pytest.raises(SetupError):
        named(home, text, force=True)


def test_the_stores_are_listed_once_for_many_hosts(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = iter([[("x.w.example", None)]])
    monkeypatch.setattr(NetrcStore, "entries", lambda _: next(lists))
    assert len(named(home, "*.w.example", "*.example", "*.x.w.example")) == 3


@pytest.mark.parametrize("text", ["b.example", "b.example:81", "*.u.example", "http://127.0.0.1"])
def test_one_that_nobody_answers_for_is_not_unless_a_locked_keyring_may_have_it(
    home: Home, text: str
) -> None:
    home.write_rattler({"a.example": BASIC})
    with pytest.raises(SetupError, match=r"no store has a login for \S+: log in first"):
        named(home, text)
    caller: Caller = WithKeyring(home, FakeKeyring(failure=StoreError("the keyring is locked")))
    assert named(home, text, force=True) == of(caller, text)
    assert caller.warnings == ["the keyring is locked"]


@pytest.mark.parametrize(
    "url",
    [
        "https://a-b.example", "https://a.b-c.example:8443", "https://127.0.0.1",
        "https://127.0.0.1:81", "https://localhost", "https://localhost:81",
        "https://x1.2y.example",
    ],
)  # fmt: skip
def test_a_variable_s_name_says_its_host(url: str) -> None:
    name = sure(suffix(parse(url)))
    assert host_of(name) == parse(url).netloc
