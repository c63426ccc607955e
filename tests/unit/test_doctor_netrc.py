"""The doctor on a netrc: words that nobody reads, and machines that nobody asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.doctor import netrc as netrc_check
from credlatch.doctor import stores
from credlatch.stores.netrc import NetrcStore
from support.callers import caller_of
from support.diagnosis import mended, only_problem

if TYPE_CHECKING:
    from support.home import Home

GOOD = "machine good.example login u password p\n"


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("a.example:8443", "a.example"),
        ("a.example:443", "a.example"),
        ("localhost:8801", "localhost"),
        ("https://a.example", "a.example"),
        ("https://a.example/simple/", "a.example"),
        ("a.example/simple", "a.example"),
        ("[::1]:8443", "::1"),
        ("münchen.example", "xn--mnchen-3ya.example"),
    ],
)
def test_a_machine_that_is_no_bare_host_is_made_one(home: Home, name: str, host: str) -> None:
    home.write(".netrc", f"{GOOD}machine {name}\n  login u\n  password a&b/c\n")
    found = mended(stores.check, home)
    assert f".netrc line 2: 'machine {name}' never matches" in found.what
    at = f"[{host}]" if ":" in host else host
    assert NetrcStore(caller_of(home)).find(urls.parse(f"https://{at}/")) is not None


@pytest.mark.parametrize("word", ["pasword", "passwd", "Passwrod", "pass"])
def test_a_misspelt_keyword_is_made_right(home: Home, word: str) -> None:
    home.write(".netrc", f"{GOOD}\nmachine a.example login u {word} s3cret\n", mode=0o600)
    found = mended(stores.check, home)
    assert f".netrc line 3: {word!r} is no keyword: is it to be 'password'?" in found.what
    assert "s3cret" not in repr(found)
    assert NetrcStore(caller_of(home)).find(urls.parse("https://a.example/")) is not None
    assert (home.path / ".netrc").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in home.path.glob(".netrc*")] == [".netrc"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("machine a.example login u password my s3cret\n", 1, "a word is not understood"),
        ("machine a.example login u password my password1\n", 1, "a word is not understood"),
        ("machine a.example login u password my Passw0rd x y\n", 1, "a word is not understood"),
        ("machine a.example\n  login\n  password s3cret\n", 2, "'login' has no value"),
        ('machine a.example login u password "s3cret\n', 1, "'password' has no value"),
        ("machine a.example login u password p\nlogin v s3cret x\n", 1, "'login' comes twice"),
        ("machine https://u:s3cret@a.example login u password p\n", 1, "has a user name in it"),
        ("machine *.a.example login u password p\n", 1, "it is no host"),
        ("login u password s3cret\n", 1, "'login' stands before any machine"),
    ],
)
def test_what_a_person_has_to_look_at_is_named_by_its_line_and_without_a_secret(
    home: Home, text: str, line: int, said: str
) -> None:
    home.write(".netrc", text)
    found = only_problem(stores.check, home)
    assert said in found.what
    assert found.fix == f"${{EDITOR:-vi}} +{line} {home.path}/.netrc"
    for part in ("s3cret", "password1", "Passw0rd"):
        assert part not in repr(found)


def test_what_its_readers_take_is_no_problem() -> None:
    text = (
        '# machine x:1\nMACHINE a.example LOGIN u PASSWORD "a b"\nmachine B.Example. login a\n'
        "account c password d\nmachine ::1 user u password p\nmachine [::1] login v password p\n"
        "macdef init\nmachine y:2 nonsense\n\nmachine intranet password p\n"
        "default login x password y"
    )
    assert list(netrc_check.problems(text, "/h/.netrc")) == []


def test_each_line_that_is_wrong_is_named() -> None:
    text = "machine a:1 login u password p\nmachine b login u pasword p\nmachine c:3 password p\n"
    found = list(netrc_check.problems(text, "/h/.netrc"))
    assert [each.what.split(":")[0] for each in found] == [f"/h/.netrc line {n}" for n in (1, 2, 3)]


def test_the_fix_of_a_link_changes_the_file_that_it_leads_to(home: Home) -> None:
    real = home.write("dotfiles/netrc", "machine a.example:1 login u password p\n")
    (home.path / ".netrc").symlink_to(real)
    assert only_problem(stores.check, home).fix.count(str(real)) == 2
    mended(stores.check, home)
    assert (home.path / ".netrc").is_symlink()
