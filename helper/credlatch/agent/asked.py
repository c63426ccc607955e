"""What the launcher (build/loader) has learnt of the agent, when a call goes on in the program."""

from __future__ import annotations

import os
import time

ASKED = "_CREDLATCH_ASKED"  # a variable: when somebody was asked, a blank, and why in vain
_DIGITS = 4  # of an error's number, and more
_OLD = 660.0  # seconds after which that is another call's: none may take as long


def take() -> tuple[float | None, str | None]:
    """When somebody was asked, and why what CREDLATCH_AGENT names has not answered.

    The time is one of ``time.monotonic``; None: nobody was. The launcher tells it by the clock of
    ``time.perf_counter``, of which each system has one for all programs. What that has cost is
    not given again to what comes after. A start that takes long, on a busy machine, does not count:
    who has no time for a late answer has ended us, and others take it. What this process starts is
    another call.
    """
    told = os.environ.pop(ASKED, None)
    if told is None:
        return None, None
    when, _, why = told.partition(" ")
    return _moment(when), warning(why) if why else None


def warning(why: str) -> str:
    """What a person is told of an agent that has not answered.

    Args:
        why: in words, or the operating system's number.
    """
    path = os.environ.get("CREDLATCH_AGENT", "").encode("utf-8", "surrogateescape")
    shown = path.decode("utf-8", "backslashreplace")
    is_number = why.isdecimal() and len(why) <= _DIGITS
    words = os.strerror(int(why)) if is_number else why
    return f"no answer from CREDLATCH_AGENT={shown} ({words}): this machine's logins count"


def _moment(text: str) -> float | None:
    try:
        before = float(text)
    except ValueError:
        return None
    ago = time.perf_counter() - before
    return time.monotonic() - ago if 0.0 <= ago < _OLD else None
