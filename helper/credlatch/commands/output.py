"""How a call ends that keeps or forgets a login."""

from __future__ import annotations

from credlatch.commands import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller


def answer(caller: Caller, made: Callable[[], bytes | None]) -> int:
    """Write what is made to standard output, and warnings to standard error; the exit status.

    1, and nothing on standard output, when nothing is made.

    Raises:
        CredlatchError: it cannot be made, or not be written.
    """
    try:
        out = made()
    finally:
        for warning in caller.warnings:
            streams.say(warning)
    streams.answer(out or b"")
    return 1 if out is None else 0
