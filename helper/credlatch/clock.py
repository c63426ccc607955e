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


def said(date: str | None) -> float | None:
    """When a server says that it is, in seconds since 1970 UTC; None where it says nothing of use.

    Args:
        date: the ``Date`` of an answer (RFC 9110, 6.6.1).
    """
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        told = parsedate_to_datetime(date or "")
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def ahead(date: str, at: float) -> float:
    """By how many seconds this machine's clock is ahead of a server's; 0 where that is not said.

    Args:
        date: as of ``said``.
        at: when the answer had come, in seconds since 1970 UTC.
    """
    theirs = said(date)
    return 0.0 if theirs is None else at - theirs


def timestamp(seconds: int) -> str:
    """RFC 3339 in whole seconds, UTC, upper-case T and Z: the one form that every client takes."""
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def span(seconds: float) -> str:
    """How long something takes, as a person says it: ``20 s``, ``42 min``, ``3 h``, ``5 days``."""
    for most, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < most:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86_400)} days"
