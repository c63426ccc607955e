"""uv's store by uv's rule: one origin, the longest path, the right user, or a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import AmbiguousError, RefusedError, StoreError
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.stores.uv import UvStore
from support import found
from support.callers import FakeKeyring, InKeyring, WithKeyring, caller_of
from support.found import sure
from support.matching import AMBIGUOUS, UV_ROWS, UV_STORE, basic
from support.stores_contract import (
    HOST,
    SECRET,
    OriginContract,
    SettledContract,
    StructuredContract,
)

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home

FILE = ".local/share/uv/credentials/credentials.toml"

# As uv 0.13.8 wrote it.
WRITTEN = r"""[[credential]]
service = "https://example.com/"
username = "bob"
scheme = "basic"
password = 'p"w\é'

[[credential]]
service = "https://pypi.example/"
username = "bob"
scheme = "basic"
password = "bobs-word"

[[credential]]
service = "https://host.example:8443/path"
username = "__token__"
scheme = "basic"
password = "tok123"

[[credential]]
service = "https://pypi.example/"
username = "alice"
scheme = "basic"
password = "alices-word"

[[credential]]
service = "https://bearer.example/"
scheme = "bearer"
token = "tokB"
"""


class TestContract(StructuredContract, SettledContract, OriginContract):
    FILE = FILE
    LOCK = f"{FILE}.lock"
    HEADER = ("Authorization", f"Bearer {SECRET}")

    def store(self, caller: Caller) -> UvStore:
        return UvStore(caller)

    def write(self, home: Home) -> None:
        entry = f'service = "https://{HOST}/"\nscheme = "bearer"\ntoken = "{SECRET}"\n'
        home.write(FILE, f"[[credential]]\n{entry}\n")

    def spoil(self, home: Home) -> None:
        path = home.path / FILE
        later = 'service = "https://later.example/"\nscheme = "passkey"\nkey = [1]\n'
        path.write_text(f"{path.read_text()}[[credential]]\n{later}")


class TestKeyringContract(InKeyring, OriginContract):
    HEADER = ("Authorization", basic("bob", SECRET))

    ITEM = (f"uv:{HOST}", "bob", SECRET)
    LISTED = False

    def store(self, caller: Caller) -> UvStore:
        return UvStore(caller)


def header(caller: Caller, url: str) -> str | None:
    return found.header(UvStore(caller).find(urls.parse(url)))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", basic("bob", 'p"w\\é')),
        ("https://example.com/simple/x", basic("bob", 'p"w\\é')),
        ("https://EXAMPLE.com:443/", basic("bob", 'p"w\\é')),
        ("https://bob@example.com/", basic("bob", 'p"w\\é')),
        ("https://alice@example.com/", None),
        ("https://alice@pypi.example/", basic("alice", "alices-word")),
        ("https://bob@pypi.example/x", basic("bob", "bobs-word")),
        ("https://carol@pypi.example/", None),
        ("https://host.example:8443/path/x", basic("__token__", "tok123")),
        ("https://host.example:8443/path", basic("__token__", "tok123")),
        ("https://host.example:8443/pathos", None),
        ("https://host.example:8443/", None),
        ("https://host.example/path", None),
        ("https://bearer.example/", "Bearer tokB"),
        ("https://bob@bearer.example/", None),
        ("http://example.com/", None),
        ("s3://example.com/", None),
    ],
)
def test_what_uv_wrote(home: Home, url: str, expected: str | None) -> None:
    home.write(FILE, WRITTEN)
    assert header(caller_of(home), url) == expected


@pytest.mark.parametrize("host", ["pypi.example", "two.example"])
def test_two_logins_that_fit_alike_are_an_error_that_names_them(home: Home, host: str) -> None:
    home.write(FILE, WRITTEN)
    caller = WithKeyring(home, FakeKeyring(*ITEMS))
    with pytest.raises(AmbiguousError, match=r"alice, bob.*user name into the URL") as raised:
        header(caller, f"https://{host}/simple/")
    assert "-word" not in str(raised.value)


def entry(service: str, more: str = 'username = "u"\npassword = "p"') -> str:
    return f'[[credential]]\nservice = "{service}"\n{more}\n'


def test_the_longest_path_wins_wherever_it_stands(home: Home) -> None:
    paths = ["team", "", "team/deep", "other"]
    home.write(FILE, "".join(entry(f"https://a.example/{p}", f'username="{p}"') for p in paths))
    caller = caller_of(home)
    assert header(caller, "https://a.example/team/deep/x") == basic("team/deep", "")
    assert header(caller, "https://a.example/team/x") == basic("team", "")
    assert header(caller, "https://a.example/x") == basic("", "")
    assert header(caller, "https://a.example/team/deep/../x") == basic("team", "")


@pytest.mark.parametrize(
    "more",
    [
        "", 'password = "p"', "username = 1", 'username = "u"\npassword = 1', 'scheme = "bearer"',
        'scheme = "bearer"\ntoken = 1', 'scheme = "passkey"\nkey = "k"', "scheme = 1",
        'username = "u"\nusername = "u"', 'scheme = "bearer"\ntoken = "t"\nusername = "u"',
        'scheme = "bearer"\ntoken = "t"\npassword = "p"', 'username = "u"\ntoken = "t"', "???",
    ],
)  # fmt: skip
def test_a_damaged_entry_is_an_error_for_its_own_place_alone(home: Home, more: str) -> None:
    good = entry("https://b.example/")
    home.write(FILE, entry("https://a.example/", more) + good)
    assert header(caller_of(home), "https://b.example/") == basic("u", "p")
    with pytest.raises(StoreError, match=r"damaged entry for a\.example"):
        header(caller_of(home), "https://a.example/")


def test_a_good_entry_for_the_same_place_counts_in_spite_of_a_damaged_one(home: Home) -> None:
    home.write(FILE, entry("https://a.example/", "???") + entry("https://a.example/"))
    assert header(caller_of(home), "https://a.example/") == basic("u", "p")


def test_an_entry_for_plain_http_elsewhere_is_refused_and_not_passed_over(home: Home) -> None:
    home.write(FILE, entry("http://localhost:9000/") + entry("http://a.example/"))
    assert header(caller_of(home), "http://localhost:9000/x") == basic("u", "p")
    url = urls.parse("http://a.example/")
    with pytest.raises(RefusedError, match="in the clear"):
        Resolver(caller_of(home)).resolve(Request(url, ()))
    kept = WithKeyring(home, FakeKeyring(("uv:http://b.example", "u", "p")))
    with pytest.raises(RefusedError, match="in the clear"):
        Resolver(kept).resolve(Request(urls.parse("http://b.example/"), ()))


@pytest.mark.parametrize(("url", "expected"), UV_ROWS)
def test_each_url_gets_the_header_that_uv_gives_it(
    home: Home, url: str, expected: str | None
) -> None:
    home.write(FILE, UV_STORE)
    if expected == AMBIGUOUS:
        with pytest.raises(AmbiguousError):
            header(caller_of(home), url)
    else:
        assert header(caller_of(home), url) == expected


@pytest.mark.parametrize(
    "service",
    [
        "https://127.1/", "https://[fe80::1%25eth0]/", "https://[::/", "https://b.example:x/",
        "https://bü cher.example/", "b.example", "https://a%62.example/",
        "https://user@b.example@/", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("header_line", ["[[credential]]", "[[ credential ]] # mine"])
def test_a_service_that_is_no_url_concerns_only_urls_that_it_could_mean(
    home: Home, service: str, header_line: str
) -> None:
    more = 'username = "u"\npassword = "pässword of a.example"'
    home.write(FILE, entry(service, more).replace("[[credential]]", header_line))
    for host in (
        "a.example",
        "c.example",
        "sub.b.example",
        "example",
        "10.0.0.1" if "127" not in service else "a.test",
    ):
        assert header(caller_of(home), f"https://{host}/") is None
    if "[" not in service:
        assert header(caller_of(home), "https://[::1]/") is None


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("https://127.1/", "https://127.0.0.1/"),
        ("https://0x7f000001/", "https://127.0.0.1/"),
        ("https://127.0.0.1:x/", "https://127.0.0.1/"),
        ("https://[::1%25lo]/", "https://[::1]/"),
        ("https://[0:0:0:0:0:0:0:1]:x/", "https://[::1]/"),
        ("https://B.example:x/", "https://b.example/"),
        ("https://%62.example/", "https://b.example/"),
        ("https://b\\u00fc cher.example/", "https://xn--bcher-kva.example/"),
        ("https://b.example\\\\x", "https://b.example/"),
        ("https://a b.example/", "https://b.example/"),
        ("ftp://b.example", "https://b.example/"),
        ("b.example", "https://b.example/"),
        ("b.example:443", "https://b.example/"),
        ("b.example/x", "https://b.example/"),
        ("//b.example", "https://b.example/"),
    ],
)
def test_and_for_those_it_is_damaged_and_never_guessed(home: Home, service: str, url: str) -> None:
    home.write(FILE, entry(service, 'username = "ü"'))
    with pytest.raises(StoreError, match="damaged"):
        header(caller_of(home), url)


@pytest.mark.parametrize(
    ("ends", "is_found"),
    [
        ("2000-01-01T00:00:00Z", False),
        ('"2000-01-01T00:00:00Z"', False),
        ("946684800", False),
        ("2190-01-01T00:00:00+02:00", True),
        ('"2190-01-01T00:00:00Z"', True),
        ("2190-01-01T00:00:00", True),
        ("2000-01-01", True),
        ('"soon"', True),
        ("[]", True),
    ],
)
def test_a_token_that_has_ended_counts_when_nothing_else_does(
    home: Home, ends: str, is_found: bool
) -> None:
    """As uv will have it after 0.13.9; what it says in no form of a moment, it does not say."""
    token = f'scheme = "bearer"\ntoken = "t"\nexpires-at = {ends}\noidc = true'
    home.write(FILE, entry("https://a.example/x", token))
    caller = caller_of(home)
    request = Request(urls.parse("https://a.example/x"), ())
    if is_found:
        resolution = sure(Resolver(caller).resolve(request))
        assert (resolution.expires is not None) is (
            "2190" in ends and ends != "2190-01-01T00:00:00"
        )
    else:
        with pytest.raises(StoreError, match=r"expired at 2000-01-01.*uv auth login"):
            Resolver(caller).resolve(request)
    home.write(FILE, entry("https://a.example/x", token) + entry("https://a.example/"))
    expected = "Bearer t" if is_found else basic("u", "p")
    assert header(caller, "https://a.example/x") == expected


def test_the_folder_that_the_environment_names(home: Home) -> None:
    home.write(FILE, entry("https://a.example/"))
    home.write("mine/credentials.toml", entry("https://a.example/", 'username = "mine"'))
    home.env["UV_CREDENTIALS_DIR"] = "mine"
    assert header(caller_of(home), "https://a.example/") == basic("mine", "")
    home.env["UV_CREDENTIALS_DIR"] = ""
    assert header(caller_of(home), "https://a.example/") == basic("u", "p")


# As uv 0.13.8 wrote them: the scheme only where it is not https, the port only where it is not 443.
ITEMS = (
    ("uv:example.com", "bob", "sekret"),
    ("uv:host.example:8443", "__token__", "tok"),
    ("uv:http://localhost:9000", "u", "p"),
    ("uv:two.example", "alice", "1"),
    ("uv:two.example", "bob", "2"),
    ("example.org", "pip", "not uv's"),
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/simple/", basic("bob", "sekret")),
        ("https://bob@example.com/", basic("bob", "sekret")),
        ("https://alice@example.com/", None),
        ("https://example.com:8443/", None),
        ("https://host.example:8443/", basic("__token__", "tok")),
        ("https://host.example/", None),
        ("http://localhost:9000/", basic("u", "p")),
        ("https://localhost:9000/", None),
        ("https://alice@two.example/", basic("alice", "1")),
        ("https://example.org/", None),
        ("https://*.example.com/", None),
    ],
)
def test_what_uv_wrote_into_the_keyring(home: Home, url: str, expected: str | None) -> None:
    assert header(WithKeyring(home, FakeKeyring(*ITEMS)), url) == expected


def test_the_file_comes_before_the_keyring_and_a_broken_one_does_not_hide_it(home: Home) -> None:
    home.write(FILE, WRITTEN)
    caller = WithKeyring(home, FakeKeyring(*ITEMS))
    assert header(caller, "https://example.com/") == basic("bob", 'p"w\\é')
    assert header(caller, "https://host.example:8443/") == basic("__token__", "tok")
    home.write(FILE, "???")
    entry = UvStore(WithKeyring(home, FakeKeyring(*ITEMS))).find(urls.parse("https://example.com/"))
    assert sure(entry).location == "the keyring (service uv:example.com)"
