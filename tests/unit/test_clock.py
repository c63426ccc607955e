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
    ("date", "seconds"),
    [
        ("Sat, 21 Nov 2026 01:11:16 GMT", 1_795_223_476.0),
        ("Sat, 21 Nov 2026 01:11:16 -0000", 1_795_223_476.0),  # whatever zone this machine is in
        ("Sat, 21 Nov 2026 02:11:16 +0100", 1_795_223_476.0),
        *((text, None) for text in (None, "", "now", "Sat, 21 Nov 2026", "0", "\x00")),
        ("Sat, 99999999999999999999 Nov 2026 01:11:16 GMT", None),
        ("Sat, 21 Nov 99999999999999999999 01:11:16 GMT", None),
        ("Sat, 21 Nov 2026 01:11:16 +9999999999", None),
    ],
)
def test_a_server_s_clock_says_when_it_is_or_nothing(
    date: str | None, seconds: float | None
) -> None:
    assert clock.said(date) == seconds
    assert clock.ahead(date or "", 1_795_223_486.0) == (0.0 if seconds is None else 10.0)


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
