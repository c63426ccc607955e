"""The quick JSON reader reads and refuses what the standard library's does."""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import credlatch
from credlatch import quick_json

HELPER = Path(credlatch.__file__).parent.parent

# Gson writes = and & as \u003d and \u0026.
GOOD = [
    "{}", "[]", " \t\r\n{} \t\r\n", "0", "-0", "-0.0", "1e3", "1E+3", "1.5e-3", "1e999",
    "123456789012345678901234567890", "true", "false", "null", '""', '"a"', r'"\"\\\/\b\f\n\r\t"',
    r'"\u003d\u0026"', r'"\ud83d\ude00"', r'"\ud800"', '"😀é\u2028\x7f"', '{"a":1,"a":2}',
    '{"a":{"b":[1,2,{"c":null}]}}', '{"":""}', "[" * 500 + "]" * 500,
]  # fmt: skip

BAD = [
    "", " ", "{", "[", '"', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "[1,]", "[,1]",
    "{1:2}", "{'a':1}", '{"a" 1}', "{} {}", "{}x", "\ufeff{}", "\x00{}", "\xa0{}", "{}\xa0",
    "\x0c{}", "nul", "True", "01", "+1", ".5", "1.", "1e", "0x1", "--1", '"a\nb"', '"a\tb"',
    '"\x00"', r'"\x41"', r'"\u12"', r'"\u12g4"', r'"\u-123"', "'a'", "// comment\n{}",
    "{}// comment", "9" * 5000,
]  # fmt: skip


def same(ours: object, theirs: object) -> bool:
    return repr(ours) == repr(theirs)


@pytest.mark.parametrize("text", GOOD)
def test_it_reads_what_json_reads(text: str) -> None:
    assert same(quick_json.loads(text), json.loads(text))


@pytest.mark.parametrize("text", BAD)
def test_it_refuses_what_json_refuses(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own texts
        json.loads(text)
    with pytest.raises(ValueError):  # noqa: PT011 - whichever text
        quick_json.loads(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((it, "not JSON") for it in ("NaN", "Infinity", "-Infinity", '{"a":NaN}', "[-Infinity]")),
        *((it, "deep") for it in ("[" * 200_000, '{"a":' * 200_000)),
    ],
    ids=range(7),
)
def test_it_refuses_what_only_python_calls_json_and_deep_nesting(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        quick_json.loads(text)


@pytest.mark.parametrize("text", [*BAD, "NaN", "[" * 200_000])
def test_a_refusal_is_one_line_without_what_was_sent(text: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - any of them
        quick_json.loads(text)
    assert "\n" not in str(raised.value)
    assert 0 < len(str(raised.value)) < 200


def test_the_scanner_of_every_python_finds_what_it_reads() -> None:
    # Modules/_json.c: up to 3.14 without array_hook.
    hooks = ("object_hook", "object_pairs_hook", "array_hook")
    read = ("strict", *hooks, "parse_float", "parse_int", "parse_constant")
    assert [name for name in read if not hasattr(quick_json._Context, name)] == []
    own = {name for name in vars(json.JSONDecoder()) if not name.startswith(("parse_", "memo"))}
    assert own - {"scan_once"} <= set(read)


def _value(dice: random.Random, depth: int) -> Any:
    kind = dice.randrange(8 if depth else 6)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.randint(-(10 ** dice.randrange(1, 25)), 10 ** dice.randrange(1, 25))
    if kind == 2:
        return dice.uniform(-1, 1) * 10 ** dice.randrange(-300, 300)
    if kind < 6:
        letters = string.printable + '"\\/\x00\x1f\x7fé漢😀\u2028\ud800'
        return "".join(dice.choice(letters) for _ in range(dice.randrange(12)))
    items = [_value(dice, depth - 1) for _ in range(dice.randrange(5))]
    return items if kind == 6 else {str(_value(dice, 0)): item for item in items}


@pytest.mark.parametrize("seed", range(50))
def test_it_agrees_with_json_on_what_chance_writes_and_breaks(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same cases each time
    for _ in range(40):
        spaces = dice.choice([None, 1, "\t"])
        text = json.dumps(_value(dice, 4), ensure_ascii=dice.random() < 0.5, indent=spaces)
        assert same(quick_json.loads(text), json.loads(text))
        at = dice.randrange(len(text))
        for broken in (text[:at], text[:at] + dice.choice('{}[]",:\\0 \n') + text[at:]):
            try:
                theirs = json.loads(broken)
            except ValueError:
                with pytest.raises(ValueError):  # noqa: PT011 - whichever text
                    quick_json.loads(broken)
            else:
                assert same(quick_json.loads(broken), theirs)


@pytest.mark.parametrize("text", ["", "a", '"\\', "\x00\x1f\x7f", "é漢😀\u2028", "\ud800", "</a>"])
def test_a_quoted_string_is_ascii_and_reads_back(text: str) -> None:
    quoted = quick_json.quote(text)
    assert quoted == json.dumps(text)
    assert quoted.isascii()
    assert quick_json.loads(quoted) == text


def test_a_refusal_is_the_same_where_json_was_never_imported() -> None:
    # The scanner of Python 3.11 needs json to be there to raise its own exception.
    script = (
        "import sys\n"
        "from credlatch import quick_json\n"
        "for text in ['{', '{\"a\" 1}', '\"', '[1,', 'x', '']:\n"
        "    assert 'json' not in sys.modules or text != '{'\n"
        "    try:\n"
        "        quick_json.loads(text)\n"
        "    except ValueError:\n"
        "        continue\n"
        "    raise AssertionError(text)\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path[:0] = [{str(HELPER)!r}]\n{script}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
