"""netrc: one test for each row of the table at the head of ``stores/netrc.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.stores import netrc
from credlatch.stores.netrc import NetrcStore
from support.callers import caller_of
from support.found import login
from support.matching import basic
from support.netrc_texts import made_up
from support.stores_contract import HOST, SECRET, FileContract

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home


class TestContract(FileContract):
    FILE = ".netrc"
    HEADER = ("Authorization", basic("bob", SECRET))

    def store(self, caller: Caller) -> NetrcStore:
        return NetrcStore(caller)

    def write(self, home: Home) -> None:
        home.write(".netrc", f"machine {HOST} login bob password {SECRET}\n")


def ask(home: Home, url: str = "https://a.example/") -> tuple[str, str] | None:
    """The user name and the password that are found."""
    return login(NetrcStore(caller_of(home)).find(urls.parse(url)))


def warnings(home: Home, url: str = "https://a.example/") -> list[str]:
    caller = caller_of(home)
    NetrcStore(caller).find(urls.parse(url))
    return caller.warnings


def test_every_row_of_the_table_has_a_test_here() -> None:
    rows = {
        "which file": test_which_file,
        "the host": test_the_host,
        "two entries for a host": test_two_entries_for_a_host,
        "``default``": test_default,
        "keywords": test_keywords,
        "quotes": test_quotes,
        "comments": test_comments,
        "``macdef``": test_macdef,
        "``account``": test_account,
        "an entry without a password": test_an_entry_without_a_password,
        "a byte order mark": test_a_byte_order_mark,
        "a word that means nothing": test_a_word_that_means_nothing,
        "a value that is missing": test_a_value_that_is_missing,
        "a field that comes twice": test_a_field_that_comes_twice,
        "mode": test_mode,
    }
    table = str(netrc.__doc__).split("\n===")[1].splitlines()[1:]
    starts = [line[:27].strip() for line in table if line[:1] not in {" ", ""}]
    assert starts == list(rows)


def test_which_file(home: Home) -> None:
    home.write(".netrc", "machine a.example login home password p")
    home.write("_netrc", "machine a.example login windows password p")
    home.write("chosen", "machine b.example login chosen password p")
    assert ask(home) == ("home", "p")
    home.env["NETRC"] = "chosen"
    assert ask(home) is None
    assert ask(home, "https://b.example/") == ("chosen", "p")
    home.env["NETRC"] = ""
    assert ask(home) == ("home", "p")


@pytest.mark.parametrize("path", ["/dev/null", "nowhere", "no/where"])
def test_a_file_that_says_nothing_switches_it_off(home: Home, path: str) -> None:
    home.write(".netrc", "machine a.example login home password p")
    home.env["NETRC"] = path
    assert ask(home) is None
    assert warnings(home) == []


@pytest.mark.parametrize("name", ["a.example", "A.Example", "a.example."])
@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/",
        "https://A.EXAMPLE./x",
        "https://a.example:8443/",
        "https://u@a.example/",
    ],
)
def test_the_host(home: Home, name: str, url: str) -> None:
    home.write(".netrc", f"machine {name} login u password p")
    assert ask(home, url) == ("u", "p")


NAMES = ["a.example:443", "https://a.example", "*.example", "example", "b.a.example", "a.exampl"]
ADDRESSES = ["::1%eth0", "[::1", "::g", "1:2"]


@pytest.mark.parametrize(("host", "names"), [("a.example", NAMES), ("[::1]", ADDRESSES)])
def test_what_is_another_host(home: Home, host: str, names: list[str]) -> None:
    for name in names:
        home.write(".netrc", f"machine {name} login u password p\n")
        assert ask(home, f"https://{host}/") is None, name


def test_a_name_of_one_label_keeps_its_dot(home: Home) -> None:
    home.write(
        ".netrc", "machine intranet. login u password dot\nmachine Intranet login u password none\n"
    )
    assert ask(home, "https://intranet/") == ("u", "none")
    assert ask(home, "https://INTRANET./") == ("u", "dot")
    home.write(".netrc", "machine localhost login u password S # not plain\n")
    assert ask(home, "https://localhost./") is None
    home.write(".netrc", "machine localhost. login u password S\n")
    assert ask(home, "http://localhost/") is None


ONE, MAPPED = ("[::1]", "[0:0::1]:8443"), ("[::ffff:127.0.0.1]:8443", "[::ffff:7f00:1]")


@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        *((name, ONE) for name in ("::1", "[::1]", "0:0:0:0:0:0:0:1", "[0::0001]")),
        *((name, MAPPED) for name in ("::ffff:127.0.0.1", "[::FFFF:7F00:1]", "::ffff:7f00:1")),
    ],
)
def test_an_ipv6_address_in_whatever_form(home: Home, name: str, hosts: tuple[str, ...]) -> None:
    home.write(".netrc", f"machine {name} login u password p\ndefault login d password q\n")
    assert [ask(home, f"https://{host}/") for host in hosts] == [("u", "p")] * 2
    assert ask(home, "https://[::2]/") == ("d", "q")


def test_two_entries_for_a_host(home: Home) -> None:
    home.write(
        ".netrc",
        "machine a.example login bob password 1\nmachine a.example login alice password 2\n",
    )
    assert ask(home) == ("bob", "1")
    assert ask(home, "https://alice@a.example/") == ("alice", "2")
    assert ask(home, "https://bob@a.example/") == ("bob", "1")
    assert ask(home, "https://carol@a.example/") is None


def test_default(home: Home) -> None:
    home.write(".netrc", "default login d password p\nmachine a.example login u password q\n")
    assert ask(home) == ("u", "q")
    assert ask(home, "https://b.example/") == ("d", "p")
    assert ask(home, "https://d@b.example/") == ("d", "p")
    others = ("https://u@b.example/", "http://b.example/", "s3://b/", "https://*.b.example/")
    own = "https://d@a.example/"  # a.example has an entry of its own
    assert [ask(home, url) for url in (*others, own)] == [None] * 5
    home.write(".netrc", "default login d password 1\ndefault login e password 2\n")
    assert ask(home) == ask(home, own) == ("d", "1")
    assert ask(home, "https://e@a.example/") is None


def test_keywords(home: Home) -> None:
    home.write(".netrc", "Machine a.example LOGIN u PassWord p\nDEFAULT Login d password D\n")
    assert ask(home) == ("u", "p")
    assert ask(home, "https://b.example/") == ("d", "D")
    assert warnings(home, "https://b.example/") == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"a b"', "a b"),
        (r'"a\nb\tc\rd"', "a\nb\tc\rd"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ('""', ""),
        ('"machine x"', "machine x"),
        ('"#"', "#"),
        ('a"b"', 'a"b"'),
        ("a\\b", "a\\b"),
        ("'a'", "'a'"),
    ],
)
def test_quotes(home: Home, written: str, meant: str) -> None:
    home.write(".netrc", f"machine a.example login u password {written}\nmachine b.example\n")
    assert ask(home) == ("u", meant)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("# machine a.example login no password no\n", None),
        ("#machine b.example\nmachine a.example login u password p", "p"),
        ("machine a.example # mine\nlogin u # me\npassword p # secret\n", "p"),
        ("machine a.example login u password #p", "#p"),
        ("machine a.example login u password p#q", "p#q"),
        ("machine a.example login # password p", "p"),
        ("machine a.example\n# password no\nlogin u password p", "p"),
        ("machine a.example login u password p # no newline at the end", "p"),
    ],
)
def test_comments(home: Home, text: str, meant: str | None) -> None:
    home.write(".netrc", text)
    found = ask(home)
    assert (None if found is None else found[1]) == meant
    assert warnings(home) == []


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("keyword", ["macdef", "MacDef"])
def test_macdef(home: Home, keyword: str, ending: str) -> None:
    text = (
        f"{keyword} init\ncd /pub\nmachine a.example login no password no\n\n"
        "machine a.example login u password p\n"
        "macdef last\nmachine b.example login no password no\n"
    )
    home.write(".netrc", text.replace("\n", ending).encode())
    assert ask(home) == ("u", "p")
    assert ask(home, "https://b.example/") is None
    assert warnings(home) == []


def test_what_follows_a_macro_in_an_entry_is_not_its_own(home: Home) -> None:
    home.write(".netrc", "machine a.example login u\nmacdef init\ncd /\n\npassword S\n")
    assert ask(home) is None
    assert "after 'macdef'" in warnings(home)[0]


def test_a_password_may_be_a_keyword(home: Home) -> None:
    for word in ("macdef", "machine", "default", "login", "password", "account"):
        home.write(".netrc", f"machine a.example login {word} password {word}\n")
        assert ask(home) == (word, word)


def test_account(home: Home) -> None:
    home.write(".netrc", "machine a.example login u account # password p\n")
    assert ask(home) == ("u", "p")
    assert warnings(home) == []


def test_an_entry_without_a_password(home: Home) -> None:
    home.write(".netrc", "machine a.example login u\nmachine a.example login v password p\n")
    assert ask(home) == ("v", "p")
    assert ask(home, "https://u@a.example/") is None


PLAIN = "\nmachine a.example login u password p"


@pytest.mark.parametrize(
    "text",
    [
        f"nonsense {PLAIN}",
        f"machine b.example port 21 login u password q{PLAIN}",
        "machine a.example login u password p protocol https",
        f"machine b.example login u password two words{PLAIN}",
        f'machine b.example login u password "half{PLAIN}',
        "machine a.example protocol https login v password q\nMachine a.example user u password p",
        f"machine b.example login{PLAIN}",
    ],
)
def test_a_word_that_means_nothing(home: Home, text: str) -> None:
    home.write(".netrc", text)
    assert ask(home) == ("u", "p")
    (warning,) = warnings(home)
    assert f"{home.path}/.netrc" in warning


LOST = [
    # The keyword is missing, misspelt, or hidden behind what looks like white space.
    "machine a.example\nb.example login u password S",
    "machine a.example login u\nb.example password S",
    "machine a.example login u\nmachne b.example login v password S",
    "machine a.example login u\nmachine\u00a0b.example login v password S",
    "machine a.example login u\n\ufeffmachine b.example login v password S",
    "machine a.example pasword p login u password S",
    "machine a.example protocol https login u password S",
    "machine a.example password S\nb.example login u",
    "machine a.example login u password:S password S",
    # A template's value is empty.
    "machine a.example login\nmachine b.example password S",
    "machine a.example login\n  password S",
    "machine a.example login password S",
    "machine a.example login\n# nobody\npassword S",
    "machine a.example\nmachine\nlogin u password S",
    "machine machine a.example login u password S",
    "machine\tlogin u password S\nlogin a.example password S",
    # Quotes, and what no line holds.
    'machine a.example login u password "S',
    'machine a.example login u password "S"S',
    'machine a.example login "u password S\nmachine b.example password S',
    'machine "a.example login u password S\nlogin u password S',
    "machine a.example login u\0v password S",
    "machine a.example login u password S\0",
    # Nobody knows which of them.
    "machine a.example login u login v password S",
    "machine a.example user u login v password S",
    "machine a.example password S password T login u",
    # Nobody's from the beginning.
    "login u password S\nmachine a.example\n",
    "machine b.example login v password T\n\nmacdef m\n\nlogin u password S",
]


@pytest.mark.parametrize("text", LOST)
def test_nothing_after_it_belongs_to_anybody(home: Home, text: str) -> None:
    """Neither to the entry before, nor to a host with a keyword's name."""
    home.write(".netrc", text)
    for host in ("a.example", "login", "machine", "password"):
        found = ask(home, f"https://{host}/")
        assert found is None or "S" not in found[1]
    assert ask(home) is None
    if "a.example" in text.partition("password")[0]:
        assert len(warnings(home)) == 1


def test_the_next_entry_is_read_again_and_no_default_takes_its_place(home: Home) -> None:
    for text in LOST:
        home.write(".netrc", f"{text}\nmachine c.example login u password p\n")
        assert ask(home, "https://c.example/") == ("u", "p")
        home.write(".netrc", f"machine c.example login u password p\n{text}")
        assert ask(home, "https://c.example/") == ("u", "p")
    home.write(".netrc", "machine a.example odd login u password S\ndefault login d password D\n")
    assert ask(home) is None
    assert ask(home, "https://b.example/") == ("d", "D")


def test_a_value_that_is_missing(home: Home) -> None:
    home.write(
        ".netrc", "machine a.example login u password\nmachine b.example user v password q\n"
    )
    assert ask(home) is None
    assert ask(home, "https://b.example/") == ("v", "q")
    assert "after 'password'" in warnings(home)[0]
    home.write(".netrc", "machine\ndefault login d password D\n")
    assert ask(home) == ("d", "D")
    assert "after 'machine'" in warnings(home)[0]
    home.write(".netrc", 'machine "login" login ""\npassword "password"\n')
    assert ask(home, "https://login/") == ("", "password")


def test_a_field_that_comes_twice(home: Home) -> None:
    home.write(".netrc", "machine a.example login u password p\nlogin v password S\n")
    assert ask(home) == ("u", "p")
    assert "after 'login'" in warnings(home)[0]
    assert ask(home, "https://v@a.example/") is None
    home.write(".netrc", "machine a.example login u account x account y password p\n")
    assert ask(home) == ("u", "p")


def test_a_plain_file_is_read_quickly_as_it_is_read_word_by_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The quick way gives the answers and the warnings of the other, or none."""
    plain = 0
    for seed in range(2000):
        text = made_up(seed)
        for username in (None, "u"):
            for host in ("a.example", "b.example", "u"):
                quick = netrc._Netrc(text, "")._look(host, username)
                plain += netrc._plain_fields(text, text.lower(), host) is not None
                with monkeypatch.context() as patched:
                    patched.setattr(netrc, "_plain_fields", lambda *_: None)
                    slow = netrc._Netrc(text, "")._look(host, username)
                assert vars(quick) == vars(slow), (seed, text)
                assert netrc._Netrc(text, "").look(host, username).login == slow.login
    assert plain > 500


def test_a_warning_does_not_show_what_may_be_half_a_password(home: Home) -> None:
    home.write(".netrc", "machine a.example login u password hunter 2hunter\n")
    assert ask(home) == ("u", "hunter")
    (warning,) = warnings(home)
    assert "hunter" not in warning
    assert "after 'password'" in warning


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o664, 0o755])
def test_mode(home: Home, mode: int) -> None:
    path = home.write(".netrc", "machine a.example login u password p\n", mode)
    assert warnings(home) == [f"{path} can be read by other users: chmod 600 {path}"]
    assert ask(home) == ("u", "p")
    path.chmod(0o400)
    assert warnings(home) == []


@pytest.mark.parametrize(
    "text", ["", "\n", "machine", "machine a.example", "machine a.example password", "login u", '"']
)
def test_what_is_cut_off_is_no_entry(home: Home, text: str) -> None:
    home.write(".netrc", text)
    assert ask(home) is None


@pytest.mark.parametrize("before", ["", "\ufeff", "\n\t"])
def test_a_byte_order_mark(home: Home, before: str) -> None:
    home.write(".netrc", f"{before}machine\n\ta.example\r\n\r\nlogin\tu\fpassword\v\np")
    assert ask(home) == ("u", "p")


def test_a_login_is_optional_and_user_is_another_word_for_it(home: Home) -> None:
    home.write(".netrc", "machine a.example password p\nmachine b.example user u password q\n")
    assert ask(home) == ("", "p")
    assert ask(home, "https://b.example/") == ("u", "q")
