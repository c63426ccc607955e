"""A program of the user's, asked for what a flow needs: found on PATH, and killed in time."""

from __future__ import annotations

import os
import sys
import time

from credlatch.errors import ProgramError, RenewalError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import CommandRequest, HttpResponse
    from credlatch.system.programs import Surroundings

_SPARE = 0.5  # seconds of a call's time that are left for what comes after the answer
_LEAST = 0.3  # seconds: with less than that, no program is started
_MOST = 256 * 1024  # bytes of an answer
_LONGEST_WORD = 40  # characters of what is passed on: a longer word may be a secret


def ask(asked: CommandRequest, caller: Surroundings | None, deadline: float) -> HttpResponse:
    """What it says on standard output, with status 200.

    Args:
        asked: the program, and what it is told.
        caller: whose PATH, environment and folder count.
        deadline: on the clock of ``time.monotonic``, when this must have ended.

    Raises:
        StoreError: it is not there.
        RenewalError: it fails, or takes too long.
    """
    from credlatch.auth import HttpResponse
    from credlatch.system import programs

    name = asked.words[0]
    path = name if os.path.isabs(name) else None
    if caller is not None and path is None:
        path = programs.found(name, caller.environ)
    if caller is None or path is None:
        raise StoreError(f"{name} is not on PATH: {asked.remedy}")
    if programs.is_same(path, sys.executable):
        raise StoreError(f"{path} is credlatch itself: {asked.remedy}")
    seconds = min(asked.seconds, deadline - time.monotonic() - _SPARE)
    if seconds < _LEAST:
        raise RenewalError(f"no time was left to ask {path}: try again")
    try:
        done = programs.ask([path, *asked.words[1:]], b"", caller, seconds, **asked.variables)
    except ProgramError as error:
        raise RenewalError(f"{error}: {asked.remedy}") from None
    if done.status:
        said = " ".join(
            word if len(word) <= _LONGEST_WORD else "****" for word in done.said.split()
        )
        why = f" ({said})" if said else ""
        raise RenewalError(f"{path} ended with {done.status}{why}: {asked.remedy}")
    if len(done.out) > _MOST:
        raise RenewalError(f"{path} answers with {len(done.out)} bytes: {asked.remedy}")
    return HttpResponse(200, {}, done.out, time.time())
