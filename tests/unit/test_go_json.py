"""JSON as Go reads it into a struct."""

from __future__ import annotations

import pytest

from credlatch import go_json


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("{}", {}),
        ('{"auth":"a","other":"b"}', {"auth": "a"}),
        ('{"Auth":"a"}', {"auth": "a"}),
        ('{"AUTH":"a","auth":"b"}', {"auth": "b"}),
        ('{"auth":"a","AUTH":"b"}', {"auth": "b"}),
        ('{"auth":"a","AUTH":"b","auth":"c"}', {"auth": "c"}),
        ('{"auth":"a","auth":null}', {"auth": "a"}),
        ('{"auth":null}', {}),
        ('{"\u212aey":"k","auth\u017f":"s"}', {"key": "k", "auths": "s"}),
        ('{"\\u0061uth":"a"}', {"auth": "a"}),
        ('{"a\u00dfuth":"x","assuth":"y"}', {}),
    ],
)
def test_names_count_in_any_case_and_the_last_value_of_several(
    text: str, fields: dict[str, str]
) -> None:
    assert go_json.fields(go_json.loads(text), "auth", "auths", "key") == fields


@pytest.mark.parametrize("text", ["[]", '"auth"', "1", "null", '[["auth","a"]]'])
def test_what_is_no_object_has_no_fields(text: str) -> None:
    assert go_json.fields(go_json.loads(text), "auth") is None


@pytest.mark.parametrize("text", ["", "{", '{"a":1}}', '{"a":NaN}', '{"a":"\n"}', "[" * 100_000])
def test_what_is_not_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        go_json.loads(text)
