"""Moments as stores and protocols write them: whole seconds since 1970, UTC."""

from __future__ import annotations

import time

LATEST = 7_258_118_400  # 2200-01-01T00:00:00Z: Bazel counts in nanoseconds and overflows later


def moment(value: object) -> int | None:
    """A number of seconds since 1970 as stores and servers write it; None for anything else.

    A moment beyond LATEST is as good as none, and one before 1970 is long ago: 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if value < 0:
        return 0
    return int(value) if value <= LATEST else None


def timestamp(seconds: int) -> str:
    """RFC 3339 in whole seconds, UTC, upper-case T and Z: the one form that every client takes."""
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
