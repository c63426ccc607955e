"""TOML edited by tomlkit: comments, order and spacing stay, or nothing is done."""

from __future__ import annotations

import tomllib

import pytest

from credlatch.setup.changes import splices, without
from credlatch.setup.formats.toml_text import TomlText

TOP = ("keyring-provider",)
UV = ("tool", "uv", "keyring-provider")
PIXI = ("pypi-config", "keyring-provider")
TOML = TomlText()
PROJECT = """\
# the project
[project]
name = "x"   # its name
dependencies = [
    "a",  # one
]

[tool.uv]
# indexes
index = [{ name = "i", url = "https://u@h/simple" }]

[tool.ruff]
line-length = 100
"""


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("", TOP, 'keyring-provider = "subprocess"\n'),
        ("# c\na = 1\n", TOP, '# c\na = 1\nkeyring-provider = "subprocess"\n'),
        ("a = 1\r\n\r\n[b]\r\nc = 2\r\n", TOP,
         'a = 1\r\nkeyring-provider = "subprocess"\r\n\r\n[b]\r\nc = 2\r\n'),
        ("a.b = 1", TOP, 'a.b = 1\nkeyring-provider = "subprocess"\n'),
        ("", PIXI, '[pypi-config]\nkeyring-provider = "subprocess"\n'),
        ('[pypi-config]\nindex-url = "u"\n\n[x]\n', PIXI,
         '[pypi-config]\nindex-url = "u"\nkeyring-provider = "subprocess"\n\n[x]\n'),
        (
            'keyring-provider = "disabled"  # why\n',
            TOP,
            'keyring-provider = "subprocess"  # why\n',
        ),
    ],
)  # fmt: skip
def test_a_setting_is_put_where_it_belongs(before: str, key: tuple[str, ...], after: str) -> None:
    assert TOML.put(before, key, "subprocess") == after
    assert TOML.get(after, key) == "subprocess"


def test_a_project_keeps_its_comments_and_its_order() -> None:
    after = TOML.put(PROJECT, UV, "subprocess")
    line = 'keyring-provider = "subprocess"\n'
    assert after.replace(line, "") == PROJECT
    assert tomllib.loads(after)["tool"]["uv"]["keyring-provider"] == "subprocess"
    assert without(after, splices(PROJECT, after)) == PROJECT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1\r\n", "a = 1\r\n{}\r\n"),
        ("a = 1\r\nb = 2\n", "a = 1\r\nb = 2\n{}\r\n"),
        ("a = 1\r\nb = 2\n\r\n[t]\nc = 3\r\n", "a = 1\r\nb = 2\n{}\r\n\r\n[t]\nc = 3\r\n"),
        ("a = 1", "a = 1\n{}\n"),
        ("a = 1\r\nb = 2", "a = 1\r\nb = 2\r\n{}\r\n"),
    ],
)
def test_lines_that_were_there_keep_their_ends(before: str, after: str) -> None:
    put = TOML.put(before, TOP, "subprocess")
    assert put == after.format('keyring-provider = "subprocess"')
    assert without(put, splices(before, put)) == before


INTERLEAVED = "# mine\n[[index]]\nname = 'a'\n\n[pip]\nstrict = true\n\n[[index]]\nname = 'b'\n"


@pytest.mark.parametrize("old", ["", 'keyring-provider = "disabled"\n', "[a]\nb = 1\n"])
def test_what_was_there_is_put_back(old: str) -> None:
    text = TOML.put(old, TOP, "subprocess")
    text = f"# by hand\n{text}"
    back = TOML.put_back(text, TOP, TOML.get(old, TOP))
    assert tomllib.loads(back) == tomllib.loads(old)
    assert back.startswith("# by hand\n")


def test_a_table_in_a_table_gets_one_header_and_goes_with_its_setting() -> None:
    text = TOML.put("a = 1\n", UV, "subprocess")
    assert text.endswith('\n[tool.uv]\nkeyring-provider = "subprocess"\n')
    assert TOML.put_back(text, UV, None).strip() == "a = 1"
    assert TOML.put_back("a = 1\n", UV, None) == "a = 1\n"


def test_a_list_of_texts_is_a_value_too() -> None:
    key = ("credential-helpers",)
    text = TOML.put("", key, ("containers-auth.json", "credlatch"))
    assert text == 'credential-helpers = ["containers-auth.json", "credlatch"]\n'
    assert TOML.get(text, key) == ("containers-auth.json", "credlatch")


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("a = ", TOP, "Invalid value"),
        ("[a\n", TOP, "Expected"),
        ("keyring-provider = 1\n", TOP, "neither a text nor"),
        ("tool = 1\n", UV, "tool is not a table"),
        ("a = " + "[" * 100_000, TOP, "nested too deeply|Invalid"),
        ("tool.y.z = 3\nb = {a = 1}\n", UV, "in one place"),
        (INTERLEAVED, TOP, "in one place"),
        (f'keyring-provider = "disabled"\n{INTERLEAVED}', TOP, "in one place"),
    ],
)
def test_what_cannot_be_read_or_changed_in_one_place_is_not_changed(
    text: str, key: tuple[str, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        TOML.put(text, key, "subprocess")
