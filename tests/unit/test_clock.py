"""Moments as clients read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from credlatch import clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_795_223_476, "2026-11-21T01:11:16Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
    ],
)
def test_whole_seconds_in_utc_with_an_upper_case_t_and_z(seconds: int, text: str) -> None:
    assert clock.timestamp(seconds) == text
    assert datetime.fromisoformat(text) == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (0, 0),
        (1_795_223_476, 1_795_223_476),
        (1_795_223_476.9, 1_795_223_476),
        (-1, 0),
        (-(10**30), 0),
        (-0.5, 0),
        (float("-inf"), 0),
        (clock.LATEST + 1, None),
        (10**30, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ("1795223476", None),
    ],
)
def test_only_a_number_of_seconds_is_a_moment_and_one_before_1970_is_long_ago(
    value: object, moment: int | None
) -> None:
    assert clock.moment(value) == moment
