"""netrc: one test for each row of the table at the head of ``stores/netrc.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.stores import netrc
from credlatch.stores.netrc import NetrcStore
from support.callers import caller_of
from support.matching import basic
from support.netrc_texts import made_up
from support.stores_contract import HOST, SECRET, FileContract
from support.users import open_place

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
    entry = NetrcStore(caller_of(home)).find(urls.parse(url))
    if entry is None:
        return None
    assert entry.credential is not None
    username, password = entry.credential.login("")
    return username, password.reveal()


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


@pytest.mark.parametrize(
    "name",
    ["a.example:443", "https://a.example", "*.example", "example", "b.a.example", "a.exampl"],
)
def test_what_is_another_host(home: Home, name: str) -> None:
    home.write(".netrc", f"machine {name} login u password p")
    assert ask(home) is None


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


@pytest.mark.parametrize("url", ["https://[::1]/", "https://[0:0::1]:8443/"])
@pytest.mark.parametrize("name", ["::1", "[::1]", "0:0:0:0:0:0:0:1", "[0::0001]"])
def test_an_ipv6_address_in_whatever_form(home: Home, name: str, url: str) -> None:
    home.write(".netrc", f"machine {name} login u password p\ndefault login d password q\n")
    assert ask(home, url) == ("u", "p")
    assert ask(home, "https://[::2]/") == ("d", "q")


@pytest.mark.parametrize("name", ["::ffff:127.0.0.1", "[::FFFF:7F00:1]", "::ffff:7f00:1"])
def test_an_ipv4_address_mapped_into_ipv6(home: Home, name: str) -> None:
    home.write(".netrc", f"machine {name} login u password p\ndefault login d password q\n")
    assert ask(home, "https://[::ffff:127.0.0.1]:8443/") == ("u", "p")
    assert ask(home, "https://[::ffff:7f00:1]/") == ("u", "p")


@pytest.mark.parametrize("name", ["::1%eth0", "[::1", "::g", "1:2"])
def test_what_is_no_address_is_no_machine_s(home: Home, name: str) -> None:
    home.write(".netrc", f"machine {name} login u password p\n")
    assert ask(home, "https://[::1]/") is None


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
    assert ask(home, "https://u@b.example/") is None
    assert ask(home, "https://d@a.example/") is None  # a.example has an entry of its own
    assert ask(home, "http://b.example/") is None
    assert ask(home, "s3://b/") is None
    assert ask(home, "https://*.b.example/") is None


def test_the_first_default_counts(home: Home) -> None:
    home.write(".netrc", "default login d password 1\ndefault login e password 2\n")
    assert ask(home) == ("d", "1")
    assert ask(home, "https://d@a.example/") == ("d", "1")
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


def test_a_byte_order_mark(home: Home) -> None:
    home.write(".netrc", "\ufeffmachine a.example login u password p\n")
    assert ask(home) == ("u", "p")


@pytest.mark.parametrize(
    "text",
    [
        "nonsense machine a.example login u password p",
        "machine b.example port 21 login u password q\nmachine a.example login u password p",
        "machine a.example login u password p protocol https",
        "machine b.example login u password two words\nmachine a.example login u password p",
        "machine a.example protocol https login v password q\nMachine a.example user u password p",
        "machine b.example login\nmachine a.example login u password p",
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


def test_the_next_entry_is_read_again(home: Home) -> None:
    for text in LOST:
        home.write(".netrc", f"{text}\nmachine c.example login u password p\n")
        assert ask(home, "https://c.example/") == ("u", "p")
        home.write(".netrc", f"machine c.example login u password p\n{text}")
        assert ask(home, "https://c.example/") == ("u", "p")


def test_an_entry_that_is_cut_short_is_no_reason_for_the_default(home: Home) -> None:
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


def test_what_every_user_may_change_is_not_believed(home: Home) -> None:
    with open_place() as place:
        path = place / ".netrc"
        path.write_text("machine a.example login u password p\n")
        path.chmod(0o666)
        home.env["HOME"] = str(place)
        with pytest.raises(StoreError, match=f"{path} can be changed by every user"):
            ask(home)


def test_a_quote_that_is_never_closed_loses_no_other_entry(home: Home) -> None:
    home.write(
        ".netrc",
        'machine b.example login u password "half\nmachine a.example login u password p\n',
    )
    assert ask(home) == ("u", "p")


@pytest.mark.parametrize(
    "text", ["", "\n", "machine", "machine a.example", "machine a.example password", "login u", '"']
)
def test_what_is_cut_off_is_no_entry(home: Home, text: str) -> None:
    home.write(".netrc", text)
    assert ask(home) is None


def test_words_may_stand_on_lines_of_their_own(home: Home) -> None:
    home.write(".netrc", "\n\tmachine\n\ta.example\r\n\r\nlogin\tu\fpassword\v\np")
    assert ask(home) == ("u", "p")


def test_a_login_is_optional_and_user_is_another_word_for_it(home: Home) -> None:
    home.write(".netrc", "machine a.example password p\nmachine b.example user u password q\n")
    assert ask(home) == ("", "p")
    assert ask(home, "https://b.example/") == ("u", "q")
