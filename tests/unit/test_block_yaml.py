"""The YAML of gh and glab: what is read is what a parser of all of YAML reads, and nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml

from credlatch.errors import StoreError
from credlatch.identities import block_yaml

TEXTS = [
    *("", "gho_abc", "null", "~", "a b", "o'neil: #x", "it''s", "x #y", '"q"', "[a]", "{a}", "*x"),
    *("!t", "#h", "- z", "é", "a:b", ": x", "?x", "@a", "%x", "123e4", "true", "tab\tx", "end "),
    *("\\back", "|", "> ", "a'b\"c", "'", '"', "''", "a''b'", "-", "--", "---", "=", "0x1f", "1:2"),
]
KEYS = ["github.com", "a.example:8443", "k", "user", "oauth_token", "x y", "null", "hosts", "é"]


def made_up(chosen: random.Random, depth: int = 0) -> dict[str, Any]:
    keys = chosen.sample(KEYS, chosen.randint(1, 4))
    return {
        key: made_up(chosen, depth + 1)
        if depth < 3 and chosen.random() < 0.35
        else chosen.choice(TEXTS)
        for key in keys
    }


def test_what_others_write_is_read_as_they_mean_it() -> None:
    chosen = random.Random(11)  # noqa: S311 - the same ones each time
    for _ in range(300):
        document = made_up(chosen)
        text = yaml.safe_dump(
            document,
            allow_unicode=True,
            indent=chosen.choice([2, 4]),
            sort_keys=False,
            width=10**9,
            default_flow_style=False,
        )
        assert block_yaml.parse(text, "p") == document, text


READ: dict[str, Any] = {
    "": {},
    "# only that\n": {},
    "---\na: b\n": {"a": "b"},
    "\ufeffa: b\r\nc: d\r\n": {"a": "b", "c": "d"},
    "a: !!null glpat-x\nb: !!str 7\nc: !!null\n": {"a": "glpat-x", "b": "7", "c": ""},
    'a: "\\u00e9\\"" # quoted\n': {"a": 'é"'},
    "a: 'b' # c\nd: 'e#f'\n": {"a": "b", "d": "e#f"},
    "a: 'b\\'\nc: d\n": {"a": "b\\", "c": "d"},
    'a: "b\\\\"\nc: d\n': {"a": "b\\", "c": "d"},
    "a: \t\nb: \t# c\n": {"a": "", "b": ""},
    "a:\n    b: c\n\n    # said\n    d:\ne: f\n": {"a": {"b": "c", "d": ""}, "e": "f"},
    '"a b": c\n\'d\': e\n': {"a b": "c", "d": "e"},
    # A text whose end is in another line hides what stands before that.
    "a: 'b\nc: d'\ne: f\n": {"a": None, "e": "f"},
    'a: "b\\"\nc: \\\\" # d\ne: f\n': {"a": None, "e": "f"},
    "a: !!str 'b''\n  c: ''\n  d: '\ne: f\n": {"a": None, "e": "f"},
    "a: 'b\nc: d\n": {"a": None},
    "a:\n- 'b\nc: d'\ne: f\n": {"a": None, "e": "f"},
    # What has more lines than one, or another form, is there, and is not read.
    "a:\n  - b\n  - c: d\n    e: f\ng: h\n": {"a": None, "g": "h"},
    "a:\n- b\n- c\ng: h\n": {"a": None, "g": "h"},
    "a: |\n  b: c\n\n  d\ng: h\n": {"a": None, "g": "h"},
    "a: b\n  goes on\ng: h\n": {"a": None, "g": "h"},
    "a: {b: c,\n  d: e}\ng: h\n": {"a": None, "g": "h"},
    "a: *b\nc: &d e\nf: !t g\nh: !!binary aGk=\n": {"a": None, "c": None, "f": None, "h": None},
    "a: \"b\nc: 'd\n": {"a": None},
    'a: "b" c\nd: "\\x41"\n': {"a": None, "d": None},
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.items())
def test_each_form(text: str, expected: object) -> None:
    assert block_yaml.parse(text, "p") == expected


@pytest.mark.parametrize(
    "text",
    ["a\n", "a: b\na: c\n", "a:\n\tb: c\n", "  a: b\nc: d\n", "a:\n    b: c\n  d: e\n",
     "- a\n", "? a\n: b\n", ": a\n", "{a: b}\n", "...\n", '"a\\n": b\n', "a:b\n"],
)  # fmt: skip
def test_what_is_no_such_mapping_is_said_with_its_line(text: str) -> None:
    with pytest.raises(
        StoreError, match=r"^p is not what its own tool writes \(line \d\): mend it"
    ):
        block_yaml.parse(text, "p")


def test_what_is_no_text_is_an_error_where_a_text_is_wanted() -> None:
    read = block_yaml.parse("a: |\n  b\nc: ' d '\ne:\n  f: g\n", "p")
    assert block_yaml.text_at(read, "c", "p") == "d"
    assert block_yaml.text_at(read, "x", "p") == ""
    for key in ("a", "e"):
        with pytest.raises(StoreError, match=f"p has a {key} that is no text"):
            block_yaml.text_at(read, key, "p")
    assert block_yaml.below(read, "e") == {"f": "g"}
    assert block_yaml.below(read, "a") == block_yaml.below(read, "x") == {}
