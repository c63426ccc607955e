"""What a worker does: reads the access token that a renewer has put where workers may read."""

from __future__ import annotations

import json
import time

from credlatch import clock
from credlatch.errors import CredlatchError, RenewalError, StoreError
from credlatch.fleet import opening
from credlatch.fleet.engine import read_in_time
from credlatch.system import threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.fleet.engine import Found
    from credlatch.fleet.opening import Target

_SPARE = 0.5  # seconds of a call's time that are left for the answer
_PATIENCE = 1.0  # seconds for an engine while there is a token that lives
_SOON = 20.0  # seconds that such a token must have left
_ROUNDED = 2.0  # seconds: engines tell the time in whole ones, and an answer takes a moment


class _Last:
    """What this process has read last, for whoever may not be kept waiting."""

    def __init__(self) -> None:
        # A token and its end, in one piece: a thread that came late may be putting others there.
        self.both: tuple[str, int | None] = "", 0

    @property
    def is_good(self) -> bool:
        """Whether it can still be given, and asked about again in time."""
        token, ends = self.both
        return bool(token) and (ends is None or ends > time.time() + _SOON)


def read(meant: Target, caller: Caller, deadline: float) -> bytes:
    """The access token and its end, by this machine's clock, as JSON.

    Where it has ended, whoever renews it is waited for: as long as the call may last. While one
    lives that this process has read before, an engine that is slow is not waited for: what it
    says then counts from the next time on.

    Args:
        meant: where it is.
        caller: as whom it is read.
        deadline: on the clock of ``time.monotonic``, when this must have ended.

    Raises:
        StoreError: it is not there, or may not be read.
        RenewalError: it has ended, and nobody has renewed it.
    """
    last = caller.tokens.engine(f"{meant.key} last", _Last)
    outcome: list[CredlatchError] = []

    def look() -> None:
        try:
            last.both = _read(meant, caller, deadline - _SPARE)
        except CredlatchError as error:
            outcome.append(error)

    if last.is_good:
        try:
            threads.start(look).join(_PATIENCE)
        except OSError:
            outcome.clear()  # no thread can be had now: it is asked about again
    else:
        look()
    if outcome:
        raise outcome[0]
    token, ends = last.both
    return json.dumps({"access_token": token, "expires_at": ends}).encode()


def _read(meant: Target, caller: Caller, end: float) -> tuple[str, int | None]:
    if meant.row.said.one_path:
        from credlatch.fleet import one_path

        return one_path.token(meant, caller, end)
    engine = opening.opened(meant, meant.path, caller)
    while True:
        found = read_in_time(engine, end)
        token, ends = _token(found, meant)
        if ends is None or ends > time.time():
            return token, ends
        left = end - time.monotonic()
        if left <= 0:
            raise RenewalError(
                f"the token in {meant.place} ended at {clock.timestamp(ends)}, and nobody has "
                "renewed it: see the log of `credlatch fleet renew`"
            )
        engine.wait(found.version, left)


def _token(found: Found, meant: Target) -> tuple[str, int | None]:
    """The token, and when it ends by this machine's clock."""
    value = found.value
    if value is None:
        raise StoreError(
            f"nothing is in {meant.place}: a renewer puts it there, after `credlatch login --fleet "
            f"{meant.row.url}`"
        )
    token, ends = value.get("access_token"), value.get("expires_at")
    if not isinstance(token, str) or not token:
        raise StoreError(f"{meant.place} has no access_token: it is to be a renewer's to write")
    moment = clock.moment(ends)
    if ends is not None and moment is None:
        raise StoreError(f"{meant.place} has an expires_at that is no number of seconds")
    return token, None if moment is None else moment + off(found.ahead)


def off(ahead: float) -> int:
    """Whole seconds that this machine's clock is ahead of an engine's, as far as that is sure."""
    return round(ahead) if abs(ahead) > _ROUNDED else 0
