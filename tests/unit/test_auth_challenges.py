"""Challenges as servers write them, and as they should not (RFC 9110, 11.6.1)."""

from __future__ import annotations

import time

import pytest

from credlatch.auth import challenges

READ = {
    "": [],
    ",  ,": [],
    "Basic": [("basic", {}, "")],
    'Bearer realm="https://r/token",service="r",scope="repository:a/b:pull,push"': [
        ("bearer", {"realm": "https://r/token", "service": "r",
                    "scope": "repository:a/b:pull,push"}, ""),
    ],
    # Any case, any blanks, in any order.
    'bEaReR \t REALM = "x" ,\tService\t=\ty': [("bearer", {"realm": "x", "service": "y"}, "")],
    "Bearer realm=https://r/token,service=r": [
        ("bearer", {"realm": "https://r/token", "service": "r"}, "")
    ],
    # Several, in one header or in many that were joined.
    'Basic realm="a, Bearer realm=b", Bearer realm="c"': [
        ("basic", {"realm": "a, Bearer realm=b"}, ""), ("bearer", {"realm": "c"}, ""),
    ],
    'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"': [
        ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}, ""),
        ("basic", {"realm": "simple"}, ""),
    ],
    'Negotiate, NTLM, Basic realm="x"': [
        ("negotiate", {}, ""), ("ntlm", {}, ""), ("basic", {"realm": "x"}, ""),
    ],
    'Negotiate a87421000492aa874209af8bc028==, Bearer realm="x"': [
        ("negotiate", {}, "a87421000492aa874209af8bc028=="), ("bearer", {"realm": "x"}, ""),
    ],
    ', Basic realm="x",, charset="UTF-8",': [("basic", {"realm": "x", "charset": "UTF-8"}, "")],
    'Bearer realm="a\\\\b\\,c"': [("bearer", {"realm": "a\\b,c"}, "")],
    'Bearer realm=""': [("bearer", {"realm": ""}, "")],
}  # fmt: skip
DAMAGED = [
    'Bearer realm="x', 'Bearer realm="x\\"', 'Bearer realm="x"y', 'Bearer realm=x"y"',
    'Bearer realm="x",realm="y"', 'Bearer realm="x",REALM="y"', 'Bearer realm="x" service="y"',
    'Bearer realm=x y', 'Bearer ="x"', 'Bearer realm="x",="y"', 'Bearer realm="x",service=',
    'Bearer re alm="x"', 'Bearer abc, realm="x"', "Bearer realm='a b'", 'realm="x"', '"Bearer"',
    'Be@rer realm="x"', 'Bearer:realm="x"', "Bearer realm=\\x",
]  # fmt: skip


def read(text: str) -> list[tuple[str, dict[str, str], str]]:
    return [(each.scheme, each.parameters, each.token68) for each in challenges.parse(text)]


@pytest.mark.parametrize(("text", "said"), READ.items())
def test_challenges_are_read(text: str, said: list[tuple[str, dict[str, str], str]]) -> None:
    assert read(text) == said


@pytest.mark.parametrize("text", DAMAGED)
def test_what_two_programs_would_read_differently_is_left_out(text: str) -> None:
    assert [each for each in read(text) if each[1].get("realm")] == []


def test_what_is_damaged_does_not_spoil_the_others() -> None:
    text = 'Digest realm="a",realm="b", Bearer realm="c", Basic realm="d" e="f"'
    assert read(text) == [("bearer", {"realm": "c"}, "")]


@pytest.mark.parametrize("unit", [",", 'a="', "a ", '"\\', 'Bearer realm="x",', "a=b,"])
def test_a_header_of_any_length_is_read_in_no_time(unit: str) -> None:
    begin = time.process_time()
    assert challenges.parse(unit * 1_000_000) == []
    challenges.parse((unit * challenges.MAX_LENGTH)[: challenges.MAX_LENGTH])
    assert time.process_time() - begin < 5
