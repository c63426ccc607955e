"""When a token is renewed, when it is still served, and when Bazel asks again."""

from __future__ import annotations

import pytest

from credlatch.credential import Bearer, Secret
from credlatch.renew import margin
from credlatch.stores import Entry

NOW = 1_795_223_476.5


def entry(left: int | None, *, credential: bool = True, renew_unknown: bool = False) -> Entry:
    """An entry that ends so many seconds after this one."""
    return Entry(
        Bearer(Secret("t")) if credential else None,
        "a test",
        expires=None if left is None else int(NOW) + left,
        renew_unknown=renew_unknown,
    )


@pytest.mark.parametrize(
    ("left", "valid", "due"),
    [
        (3600, True, False),
        (302, True, False),
        (300, True, True),
        (299, True, True),
        (1, True, True),
        (0, False, True),
        (-1, False, True),
        (-(10**9), False, True),
    ],
)
def test_renewed_from_300_seconds_before_its_end_and_good_to_its_end(
    left: int, *, valid: bool, due: bool
) -> None:
    assert margin.is_valid(entry(left), NOW) is valid
    assert margin.is_due(entry(left), NOW) is due


def test_the_margin_is_that_of_rattler_and_uv() -> None:
    assert margin.MARGIN == 300


def test_an_unknown_end_is_good_and_renewed_only_where_the_store_s_tool_does() -> None:
    assert margin.is_valid(entry(None), NOW)
    assert not margin.is_due(entry(None), NOW)
    assert margin.is_due(entry(None, renew_unknown=True), NOW)
    assert margin.ask_again(entry(None), NOW) is None


def test_what_is_not_there_yet_is_due_and_not_good() -> None:
    assert margin.is_due(entry(None, credential=False), NOW)
    assert margin.is_due(entry(3600, credential=False), NOW)
    assert not margin.is_valid(entry(3600, credential=False), NOW)


@pytest.mark.parametrize(
    ("left", "again"),
    [
        (3600, 3300),  # in time for the renewal
        (302, 2),
        (300, 30),  # it should have been renewed, and was not: soon
        (100, 30),
        (31, 30),
        (30, 30),
        (10, 10),  # never later than its end
        (1, 1),
    ],
)
def test_bazel_is_told_to_ask_again_in_time(left: int, again: int) -> None:
    assert margin.ask_again(entry(left), NOW) == int(NOW) + again
