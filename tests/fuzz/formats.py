"""Configurations that ``setup`` edits: what is put in is there, all else as it was."""

from __future__ import annotations

import configparser
import json
import tomllib
from typing import TYPE_CHECKING, Any

from credlatch.setup.changes import splices, without
from credlatch.setup.formats.bazelrc import Bazelrc
from credlatch.setup.formats.go_env import GoEnv
from credlatch.setup.formats.ini_text import IniText
from credlatch.setup.formats.json_text import JsonText
from credlatch.setup.formats.toml_text import TomlText
from fuzz.target import of_text, one_of, target, told

if TYPE_CHECKING:
    from credlatch.setup.formats import Format, Key, Value


def _edited(form: Format, text: str, key: Key, value: Value) -> str | None:
    """The text after an edit, if it can be made; then it can be taken back."""
    try:
        old = form.get(text, key)
        after = form.put(text, key, value)
    except ValueError as error:
        told(error)
        return None
    assert form.get(after, key) == value
    assert without(after, splices(text, after)) == text
    try:
        back = form.put_back(after, key, old)
    except ValueError as error:
        told(error)
        return after
    assert form.get(back, key) == old
    return after


def _without(document: Any, key: Key) -> Any:
    """A document without a setting, and without the tables that were made for it."""
    below = document
    for name in key[:-1]:
        below = below.get(name, {}) if isinstance(below, dict) else {}
    if isinstance(below, dict):
        below.pop(key[-1], None)
    for length in range(len(key) - 1, 0, -1):
        above = document
        for name in key[: length - 1]:
            above = above.get(name, {}) if isinstance(above, dict) else {}
        if isinstance(above, dict) and above.get(key[length - 1]) in ({}, None):
            above.pop(key[length - 1], None)
    return document


@target(
    "format_json",
    '{ } [ ] : , " "credHelpers" "r.example" "credsStore" "x" \\u0072.example null 1 ␣ ␊ '
    "␍␊ \t é \ufeff",
    ['{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"o.example": "pass"\n\t}\n}\n', "{}", ""],
)
@of_text
def _json(text: str) -> None:
    for key in (("credHelpers", "r.example"), ("credsStore",)):
        after = _edited(JsonText(), text, key, "credlatch")
        if after is not None:
            before = json.loads(text) if text.strip(" \t\r\n") else {}
            assert repr(_without(json.loads(after), key)) == repr(_without(before, key))


_TOML: tuple[tuple[Key, Value], ...] = (
    (("registry", "global-credential-providers"), ("cargo:token", "credlatch")),
    (("keyring-provider",), "subprocess"),
)


@target(
    "format_toml",
    '[a] [[a]] [registry] [registry.x] registry credential-provider " = " \' [ ] { } . , # ␣ ␊ '
    "␍␊ 1 "
    'true 2026-11-22 é """ global-credential-providers',
    [
        '# c\n[registry]\ndefault = "x"\n[registries.a]\nindex = "y" # z\n',
        'registry = { default = "x" }\n',
        "",
    ],
)
@of_text
def _toml(text: str) -> None:
    key, value = one_of(_TOML, text.encode())  # one of both: its library takes its time
    after = _edited(TomlText(), text, key, value)
    if after is not None:
        left, was = tomllib.loads(after), tomllib.loads(text)
        assert repr(_without(left, key)) == repr(_without(was, key))


@target(
    "format_ini",
    "[global] [install] [ ] = : keyring-provider keyring_provider --index-url # ; ␣ ␊ ␍␊ ␊␣ \t x",
    ["[global]\nindex-url = https://x\n  y\n[install]\n# c\nkeyring_provider: import\n", ""],
)
@of_text
def _ini(text: str) -> None:
    after = _edited(IniText(), text, ("global", "keyring-provider"), "subprocess")
    if after is None:
        return
    found = []
    for each in (text, after):
        parser = configparser.RawConfigParser()
        parser.read_string(each)
        said = {name: dict(parser.items(name)) for name in parser.sections()}
        whole = said.get("global", {})
        for name in list(whole):
            if name.replace("_", "-").removeprefix("--") == "keyring-provider":
                del whole[name]
        found.append({name: rows for name, rows in said.items() if rows or name != "global"})
    assert found[0] == found[1]


@target(
    "format_bazelrc",
    "common build build:ci --credential_helper --credential_helper= *.example=/x =/y # ' \" \\ "
    "\\␊ ␣ "
    "␊ ␍␊ \t --x=y import é",
    [
        "# c\nbuild --x=y --credential_helper=*.example=/old\n",
        "common --credential_helper /a \\\n  --z\n",
    ],
)
@of_text
def _bazelrc(text: str) -> None:
    for key in (("*.example",), ("",)):
        after = _edited(Bazelrc(), text, key, "/bin/cred latch")
        if after is not None:
            assert "/bin/cred latch" in after


@target(
    "format_go",
    "GOAUTH= GOPROXY= = ; netrc off credlatch␣goauth ␣ ␊ ␍␊ #",
    ["GOPROXY=x\nGOAUTH=netrc; git /x\n", ""],
)
@of_text
def _go(text: str) -> None:
    after = _edited(GoEnv(), text, ("GOAUTH",), ("credlatch goauth", "netrc"))
    if after is not None:
        kept = [row for row in text.split("\n") if row and not row.startswith("GOAUTH=")]
        rows = [row for row in after.split("\n") if row and not row.startswith("GOAUTH=")]
        assert rows == kept
