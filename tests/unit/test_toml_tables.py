"""Cutting a file at its headers gives the tables that a whole TOML parser gives."""

from __future__ import annotations

import random
import tomllib

import pytest

from credlatch.errors import StoreError
from credlatch.stores.toml_tables import Tables

HOSTS = ["a.example", "b.example", "10.0.0.1", "xn--bcher-kva.example"]


class Credentials(Tables):
    array = "credential"


def quick(text: str, host: str = "") -> list[dict[str, object] | None]:
    return Credentials(text, "/file").about(host)


def whole(text: str) -> list[object]:
    found = tomllib.loads(text).get("credential", [])
    assert isinstance(found, list)
    return found


# Valid TOML that a careless cut would read differently.
TRAPS = {
    "a header in a string": '[[credential]]\nservice = "[[credential]]"\n',
    "a header in a literal string": "[[credential]]\nservice = '[[credential]]'\n",
    "a header in a long string": '[[credential]]\npassword = """\n[[credential]]\na = "x"\n"""\n',
    "a header in a long literal": "[[credential]]\npassword = '''\n[[credential]]\na = 1\n'''\n",
    "a header in a comment": '[[credential]]\n# [[credential]]\nservice = "a"\n',
    "a comment behind a header": '[[credential]] # mine\nservice = "a"\n',
    "spaces in a header": '[[ credential ]]\nservice = "a"\n',
    "spaces behind a header": '[[credential]]  \nservice = "a"\n',
    "spaces before a header": '  [[credential]]\nservice = "a"\n',
    "a quoted header": '[["credential"]]\nservice = "a"\n',
    "two ways of writing a header": '[[credential]]\nservice="a"\n[["credential"]]\nservice="b"\n',
    "a table behind": '[[credential]]\nservice = "a"\n\n[other]\nservice = "b"\n',
    "an indented table behind": '[[credential]]\nservice = "a"\n  [other]\ntoken = "b"\n',
    "a table before": '[other]\nservice = "b"\n\n[[credential]]\nservice = "a"\n',
    "a table below": '[[credential]]\nservice = "a"\n[credential.more]\nx = 1\n',
    "an indented table below": '[[credential]]\nservice = "a"\n\t[credential.more]\nx = 1\n',
    "an array below": '[[credential]]\nservice = "a"\n[[credential.more]]\nx = 1\n',
    "another array": '[[other]]\nservice = "b"\n[[credential]]\nservice = "a"\n',
    "only another array": '[[other]]\nservice = "b"\n',
    "keys before": 'version = 1\n[[credential]]\nservice = "a"\n',
    "an inline array": 'credential = [{service = "a"}, {service = "b"}]\n',
    "an array of arrays": '[[credential]]\nservice = "a"\nx = [[1], [2]]\n',
    "an array over lines": '[[credential]]\nx = [\n[1],\n]\nservice = "a"\n',
    "dotted keys": '[[credential]]\nservice = "a"\nmore.x = 1\n',
    "two headers in a row": '[[credential]]\n[[credential]]\nservice = "a"\n',
    "a header at the end": '[[credential]]\nservice = "a"\n[[credential]]',
    "no newline at the end": '[[credential]]\nservice = "a"',
    "lines of Windows": '[[credential]]\r\nservice = "a"\r\n[[credential]]\r\nservice = "b"\r\n',
    "lines of both kinds": '[[credential]]\nservice = "a"\r\n[[credential]]\r\nservice = "b"\n',
    "a comment behind a text": '[[credential]]\nservice = "a" # "b"\n',
    "an escape": '[[credential]]\nservice = "a"\npassword = "\\"\\\\\\t"\n',
    "a tab in a text": '[[credential]]\nservice = "a\tb"\n',
    "an empty text": '[[credential]]\nservice = ""\n',
    "another script in a text": '[[credential]]\npassword = "\u00fc \u00a0\U0001f511"\n',
    "names of digits and dashes": '[[credential]]\n1 = "a"\nexpires-at = "b"\n-x = "c"\n',
    "a quoted name": '[[credential]]\n"service" = "a"\n',
    "a literal text": "[[credential]]\nservice = 'a'\n",
    "more spaces": '[[credential]]\nservice  =  "a"  \npassword="b"\n',
    "an empty line within": '[[credential]]\nservice = "a"\n\n\npassword = "b"\n',
    "nothing": "",
    "comments": "# nothing\n",
}


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS.keys())
def test_a_trap_is_seen(text: str) -> None:
    assert quick(text) == whole(text)


# Not TOML: to be refused, or the tables that are damaged called so; never read as something else.
BROKEN = [
    '[[credential]]\nservice = "a\n[[credential]]\nservice = "b"\n',
    '[[credential]]\nservice = "a"\nservice = "b"\n',
    "[[credential]]\nservice\n",
    '[[credential]\nservice = "a"\n',
    '[[credential]]\nservice = "a\r[[credential]]\nservice = "b"\n',
    "[[credential]]\nservice = 'half",
    '[[credential]]\nservice = "\x01"\n',
    '[[credential]]\nservice = "\x7f"\n',
    '[[credential]]\nservice = "a\\q"\n',
    '[[credential]]\nservice = "a"b"\n',
    '[[credential]]\nservice = "\n',
    '[[credential]]\n\u00e9 = "a"\n',
    '[[credential]]\n = "a"\n',
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_not_toml_is_refused_or_called_damaged(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    try:
        found = quick(text)
    except StoreError:
        return
    assert None in found


def test_a_damaged_table_does_not_spoil_the_others() -> None:
    text = '[[credential]]\nservice = "a"\n[[credential]]\n???\n[[credential]]\nservice = "c"\n'
    assert quick(text) == [{"service": "a"}, None, {"service": "c"}]


def test_what_is_no_table_is_damaged() -> None:
    assert quick('credential = ["x", {service = "a"}]\n') == [None, {"service": "a"}]
    assert quick('credential = "x"\n') == []
    assert quick("[credential]\nservice = 'a'\n") == []


def test_nesting_that_is_too_deep_is_not_toml() -> None:
    for text in (f"x = {'[' * 50_000}", f"[[credential]]\nx = {'[' * 50_000}\n"):
        try:
            assert quick(text) == [None]
        except StoreError:
            continue


def table(dice: random.Random, host: str) -> str:
    service = f"https://{host}/{dice.choice(['', 'team', 'a%20b', 'x?y=[[1]]'])}"
    password = "".join(dice.choice("abc[]#='\\u éß漢 \t") for _ in range(dice.randrange(12)))
    escaped = password.replace("\\", "\\\\").replace("\t", "\\t").replace("é", "\\u00e9")
    lines = [f'service = "{service}"', 'username = "bob"', f'password = "{escaped}"']
    if dice.random() < 0.2:
        lines[0] = f'service = "https://{host.replace("a", chr(92) + "u0061")}/"'
    if dice.random() < 0.1:
        lines.append(dice.choice(["# a comment [x]", "", "x = [1, 2]", "y = { z = 1 }", "n.m = 1"]))
    if dice.random() < 0.3:
        dice.shuffle(lines)
    return "\n".join(["[[credential]]", *lines, ""])


def plain(dice: random.Random) -> str:
    """A file as uv writes it, and as a person may change it."""
    parts = [table(dice, dice.choice(HOSTS)) for _ in range(dice.randrange(8))]
    if dice.random() < 0.3:
        parts.insert(dice.randrange(len(parts) + 1), dice.choice(list(TRAPS.values())))
    text = dice.choice(["", "\n"]).join(parts)
    return text.replace("\n", "\r\n") if dice.random() < 0.1 else text


def is_toml(text: str) -> bool:
    try:
        whole(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


@pytest.mark.parametrize("seed", range(100))
def test_it_agrees_with_the_whole_parser_on_what_chance_writes(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same cases each time
    for text in filter(is_toml, (plain(dice) for _ in range(4))):
        expected = whole(text)
        assert quick(text) == expected
        for host in HOSTS:
            mine = [t for t in expected if isinstance(t, dict) and host in str(t.get("service"))]
            assert [t for t in quick(text, host) if t in mine] == mine


def test_tables_that_cannot_mention_the_host_are_not_parsed() -> None:
    text = '[[credential]]\nservice = "https://a.example/"\n[[credential]]\n??? b.example\n'
    assert quick(text, "a.example") == [{"service": "https://a.example/"}]
    assert quick(text, "B.example".lower()) == [None]


@pytest.mark.parametrize(
    ("service", "host"),
    [
        ("https://A.Example/", "a.example"),
        (r"https://\u0061.example/", "a.example"),
        (r"https://\U00000061.example/", "a.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
    ],
)
def test_however_a_host_is_spelt_its_table_is_parsed(service: str, host: str) -> None:
    assert len(quick(f'[[credential]]\nservice = "{service}"\n', host)) == 1
