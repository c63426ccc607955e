"""The doctor on stores: files that are not read, and entries that are no use."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.doctor import doubles, stores
from credlatch.doctor.finding import FAIL, OK, WARN
from credlatch.request import for_url
from credlatch.resolve import Resolver
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.diagnosis import mended, only_problem, pasted, problems
from support.every_store import STORES
from support.home import Home
from support.jwt import make_jwt
from support.users import ADA, as_root, become, open_place, owned

if TYPE_CHECKING:
    from support.every_store import Kept

LOGIN = {"BasicHTTP": {"username": "u", "password": "s3cret"}}
TOKEN = {"BearerToken": "s3cret"}
SAME = json.dumps(TOKEN)
UV = ".local/share/uv/credentials/credentials.toml"
UV_LOGIN = '[[credential]]\nservice = "https://a.example/"\nusername = "u"\npassword = "s3cret"\n'
# A file that its store cannot read, the same mended, and a word of what is said.
BROKEN = [
    (".rattler/credentials.json", '{"a.example": {"BearerToken": "s3cret"', "not JSON",
     json.dumps({"a.example": TOKEN})),
    (UV, f'{UV_LOGIN}\n[[credential]]\nservice = "https://b.example/\n', "is damaged", UV_LOGIN),
    (UV, UV_LOGIN.replace("https://", ""), "a damaged entry for a.example", UV_LOGIN),
    (".ppm/tokens.toml", "connections = = s3cret\n", "not TOML", ""),
    (".docker/config.json", '{"auths": {"a.example": {"auth": "s3cret"}}}', "is damaged", "{}"),
    (".config/containers/auth.json", '{"auths": ["s3cret"]}', "no JSON object", "{}"),
    (".config/credlatch/chain.json", '{"docker": {"*": "gone"}}', "which is not there", "{}"),
    (".config/credlatch/chain.json", '["s3cret"]', "not made of hosts", "{}"),
]  # fmt: skip


def answers(home: Home, url: str) -> bool:
    """Whether there is a credential for a URL."""
    request = for_url(urls.parse(url))
    return Resolver(caller_of(home), renews=False).resolve(request) is not None


@pytest.mark.parametrize(("name", "text", "said", "mended_text"), BROKEN)
def test_a_file_that_cannot_be_read_is_named_and_opened_at_the_place(
    home: Home, name: str, text: str, said: str, mended_text: str
) -> None:
    path = home.write(name, text)
    found = mended(
        stores.check, home, mends=f"import sys; open(sys.argv[1], 'w').write({mended_text!r})"
    )
    assert found.severity == FAIL
    assert said in found.what
    assert str(path) in found.what
    assert "s3cret" not in repr(found)
    assert "a.example" not in mended_text or answers(home, "https://a.example/")


@pytest.mark.parametrize("kept", STORES.values(), ids=list(STORES))
def test_a_healthy_store_is_no_problem(home: Home, kept: Kept) -> None:
    kept.write(home)
    assert problems(stores.check, home) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
@pytest.mark.parametrize(("mode", "severity"), [(0o644, WARN), (0o646, FAIL)])
def test_a_file_that_is_open_to_others_is_closed(mode: int, severity: str) -> None:
    with open_place() as place:  # pytest's own folder is out of others' reach
        home = Home(place / "home")
        path = home.write_rattler({"a.example": TOKEN})
        path.parent.chmod(0o755)
        path.chmod(mode)
        found = mended(stores.check, home)
        assert found.severity == severity
        assert found.fix == f"chmod 600 {path}"
        assert found.repair is not None
        path.chmod(mode)
        assert found.repair() == found.fix
        assert problems(stores.check, home) == []


@as_root
def test_a_file_of_root_s_in_a_home_is_given_back_by_its_command_alone() -> None:
    with open_place() as place:
        home = Home(place / "home")
        path = home.write_rattler({"a.example": TOKEN})
        for each in (home.path, path.parent):
            owned(each, ADA)

        def look() -> str:
            (found,) = [each for each in stores.check(Caller(home.env, "/")) if each.fix]
            assert found.repair is None
            return f"{found.severity} {found.fix}"

        assert become(ADA, look) == f'fail sudo chown "$(id -un)" {path}'


@as_root
def test_a_file_of_root_s_that_others_may_read_is_given_back_before_it_is_closed() -> None:
    with open_place() as place:
        home = Home(place / "home")
        path = home.write(".netrc", "machine a.example login u password p\n", 0o644)
        owned(home.path, ADA)

        def look() -> str:
            (found,) = [each for each in stores.check(Caller(home.env, "/")) if each.fix]
            assert found.repair is None
            return found.fix

        assert become(ADA, look) == f'sudo chown "$(id -un)" {path} && chmod 600 {path}'


def test_what_is_no_file_is_put_aside(home: Home) -> None:
    (home.path / ".netrc").mkdir()
    assert mended(stores.check, home).fix == f"mv {home.path}/.netrc {home.path}/.netrc.aside"


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("https://a.example/", TOKEN, "a.example"),
        ("A.Example", TOKEN, "a.example"),
        ("a.example:8443", TOKEN, "a.example"),
        ("https://a.example/channel", LOGIN, "a.example"),
    ],
)
def test_a_key_that_nothing_looks_for_is_made_one_that_it_does(
    home: Home, key: str, value: object, right: str
) -> None:
    home.write_rattler({key: value, "b.example": TOKEN})
    found = mended(stores.check, home)
    assert f"{key!r} in {home.path}/.rattler/credentials.json never matches" in found.what
    assert home.read_rattler() == {right: value, "b.example": TOKEN}
    assert answers(home, f"https://{right}/channel/x")


@pytest.mark.parametrize(
    "key",
    ["a.example", "*.example", "127.0.0.1", "[::1]", "localhost", "s3://b/x", "cargo:sparse+x",
     "docker://a.example:5000", "a.example:5000", "https://index.docker.io/v1/", "a.example/team"],
)  # fmt: skip
def test_a_login_that_somebody_looks_for_is_no_problem(home: Home, key: str) -> None:
    value = {"CondaToken": "x"} if key.startswith("cargo") else LOGIN
    home.write_rattler({key: value})
    assert problems(stores.check, home) == []


def test_a_login_that_has_ended_names_the_command_that_logs_in_again(home: Home) -> None:
    home.write_rattler({"a.example": {"BearerToken": make_jwt(1_700_000_000)}})
    found = only_problem(stores.check, home)
    assert found.severity == WARN
    assert "the login for 'a.example' ended" in found.what
    assert found.fix == "credlatch login a.example"


def test_one_that_has_ended_and_another_store_s_is_served_is_to_be_removed(home: Home) -> None:
    home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = make_jwt(1_700_000_000)
    home.write(".netrc", "machine a.example login u password p\n")
    found = only_problem(doubles.check, home)
    assert found.what.startswith("a.example: this login has ended, and netrc has another one")
    pasted(found.fix, home)
    assert problems(doubles.check, home) == []
    assert answers(home, "https://a.example/")


def test_a_login_in_the_keyring_and_an_older_one_in_the_file(home: Home) -> None:
    home.write_rattler({"a.example": TOKEN, "b.example": TOKEN})
    items = ("rattler", "a.example", '{"BearerToken":"newer"}'), ("rattler", "b.example", SAME)
    (found,) = [
        each
        for each in doubles.check(WithKeyring(home, FakeKeyring(*items)))
        if each.severity == WARN
    ]
    assert "a.example: the keyring (service rattler) has a login, and" in found.what
    assert found.fix == f"${{EDITOR:-vi}} +1 {home.path}/.rattler/credentials.json"
    assert "newer" not in repr(found)


@pytest.mark.parametrize("name", [".netrc", ".rattler/credentials.json", ".docker/config.json"])
def test_what_would_hang_whoever_opens_it_is_put_aside(home: Home, name: str) -> None:
    path = home.path / name
    path.parent.mkdir(exist_ok=True, mode=0o700)
    os.mkfifo(path, 0o600)
    assert mended(stores.check, home).fix == f"mv {path} {path}.aside"


def test_a_store_that_is_as_it_should_be_says_what_it_has(home: Home) -> None:
    home.write(".netrc", "machine a.example login u password p\n")
    (found,) = stores.check(caller_of(home))
    assert (found.severity, found.subject) == (OK, "netrc")
    assert found.what == f"{home.path}/.netrc: 1 login"


def test_without_any_store_there_is_nothing_to_say(home: Home) -> None:
    before = sorted(home.path.rglob("*"))
    assert list(stores.check(caller_of(home))) == []
    assert sorted(home.path.rglob("*")) == before
