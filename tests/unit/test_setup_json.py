"""JSON edited in place: one setting changes, and every other byte stays."""

from __future__ import annotations

import json

import pytest

from credlatch.setup.changes import splices, without
from credlatch.setup.formats.json_text import JsonText

HOST = ("credHelpers", "r.example")
STORE = ("credsStore",)
JSON = JsonText()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n\t"credHelpers": {\n\t\t"r.example": "credlatch"\n\t}\n}\n'),
        ("{}", '{\n\t"credHelpers": {\n\t\t"r.example": "credlatch"\n\t}\n}'),
        ('{"a":1}', '{"a":1,"credHelpers":{"r.example":"credlatch"}}'),
        ('{"a": 1}\n', '{"a": 1, "credHelpers": {"r.example": "credlatch"}}\n'),
        ('{\n    "a": 1\n}',
         '{\n    "a": 1,\n    "credHelpers": {\n        "r.example": "credlatch"\n    }\n}'),
        ('{\r\n\t"a": 1\r\n}\r\n',
         '{\r\n\t"a": 1,\r\n\t"credHelpers": {\r\n\t\t"r.example": "credlatch"\r\n\t}\r\n}\r\n'),
        ('{\n  "credHelpers": {}\n}',
         '{\n  "credHelpers": {\n    "r.example": "credlatch"\n  }\n}'),
        ('{"credHelpers": null}', '{"credHelpers": {"r.example": "credlatch"}}'),
        ('{\n "credHelpers": {\n  "o.example": "pass"\n }\n}',
         '{\n "credHelpers": {\n  "o.example": "pass",\n  "r.example": "credlatch"\n }\n}'),
        ('{"credHelpers": {"r.example": "pass", "x": "y"}}',
         '{"credHelpers": {"r.example": "credlatch", "x": "y"}}'),
    ],
)  # fmt: skip
def test_a_setting_is_put_where_it_belongs_in_the_file_s_own_style(before: str, after: str) -> None:
    assert JSON.put(before, HOST, "credlatch") == after
    assert JSON.get(after, HOST) == "credlatch"


def test_what_else_is_there_stays_as_it_was_written() -> None:
    odd = (
        '{ "z" : 1.50E+3,\n\n   "a":"\\u003ctoken\\u003e", "é":[ ],"auths":{"h":{"auth":"x"}} }\n\n'
    )
    after = JSON.put(odd, STORE, "credlatch")
    assert after.startswith(odd.rstrip()[:-2])
    assert without(after, splices(odd, after)) == odd


@pytest.mark.parametrize(
    "before",
    [
        '{"a":1}',
        '{\n\t"a": 1\n}\n',
        '{"credHelpers": {"o.example": "pass"}}',
        '{\n  "credHelpers": {\n    "o.example": "pass"\n  }\n}',
        '{"credsStore": "pass", "credHelpers": {"r.example": "ecr-login"}}',
    ],
)
@pytest.mark.parametrize("key", [HOST, STORE])
def test_what_was_there_is_put_back(before: str, key: tuple[str, ...]) -> None:
    after = JSON.put(before, key, "credlatch")
    assert JSON.put_back(after, key, JSON.get(before, key)) == before


def test_what_was_made_for_a_setting_goes_with_it_and_nothing_else() -> None:
    text = JSON.put("{}", HOST, "credlatch")
    assert json.loads(JSON.put_back(text, HOST, None)) == {}
    two = JSON.put(text, ("credHelpers", "o.example"), "pass")
    assert json.loads(JSON.put_back(two, HOST, None)) == {"credHelpers": {"o.example": "pass"}}


def test_a_list_of_texts_is_a_value_too() -> None:
    text = JSON.put('{"a": 1}', ("b",), ("x", "ü"))
    assert text == '{"a": 1, "b": ["x", "ü"]}'
    assert JSON.get(text, ("b",)) == ("x", "ü")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[]", "not an object"),
        ('"x"', "not an object"),
        ('{"a": 1,}', "Expecting|Illegal"),
        ("// c\n{}", "Expecting"),
        ('{"credHelpers": []}', "credHelpers is not an object"),
        ('{"credHelpers": {"r.example": 1}}', "neither a text"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_docker_does_not_read_is_not_changed(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        JSON.put(text, HOST, "credlatch")


def test_a_name_that_is_there_twice_is_changed_where_it_counts() -> None:
    text = '{"credHelpers": {"r.example": "a"}, "credHelpers": {"r.example": "b"}}'
    assert JSON.get(text, HOST) == "b"
    after = JSON.put(text, HOST, "credlatch")
    assert after == text.replace('"b"', '"credlatch"')


def test_a_change_is_kept_without_what_stands_on_the_same_line() -> None:
    before = '{"auths":{"r.example":{"auth":"c2VjcmV0"}},"credHelpers":{"o":"pass"},"x":1}'
    after = JSON.put(before, HOST, "credlatch")
    changed = splices(before, after)
    assert "c2VjcmV0" not in str(changed)
    assert without(after, changed) == before
