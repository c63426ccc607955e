"""Without a path for the access token alone: every machine has the login, and may renew it."""

from __future__ import annotations

import time

from credlatch import clock
from credlatch.errors import LockedError, RenewalError
from credlatch.fleet import renewal
from credlatch.fleet import value as values
from credlatch.fleet.engine import EngineDownError, read_in_time
from credlatch.fleet.part import Part
from credlatch.fleet.worker import off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.fleet.opening import Target

_NEAR = 60.0  # seconds before its end in which a token is renewed by whoever looks at it
_SHARE = 0.1  # and of its life


def token(meant: Target, caller: Caller, deadline: float) -> tuple[str, int | None]:
    """The access token, and when it ends by this machine's clock.

    While it lives it is given, whoever may be renewing it. Only where it has ended is anybody
    waited for: one process of this machine waits for the engine, and the others for that one.

    Args:
        meant: where the login is.
        caller: as whom.
        deadline: on the clock of ``time.monotonic``, when this must have ended.

    Raises:
        StoreError: it cannot be read.
        RenewalError: it has ended, and is not renewed.
    """
    part = Part(meant, caller)
    found = read_in_time(part.login, deadline)
    login = values.login(found.value)
    now = time.time() - off(found.ahead)
    if login is None or not renewal.lives(login, now):
        settled = part.settle(max(0.0, deadline - time.monotonic()), until=deadline)
        return _of(settled.login, settled.ahead)
    if part.is_due(login, now) and login.claim is None and not login.dead:
        try:
            near = renewal.due(_NEAR, _SHARE)(login, now)
            settled = part.settle(0.0, eagerly=near, turn=0.0, until=deadline)
            login = settled.login
        except (LockedError, EngineDownError, RenewalError) as failure:
            if not isinstance(failure, LockedError):
                caller.warn(f"{failure} (the token is still good, and served)")
    return _of(login, found.ahead)


def _of(login: values.Login, ahead: float) -> tuple[str, int | None]:
    oauth = login.entry["OAuth"]
    ends = clock.moment(oauth.get("expires_at"))
    return oauth["access_token"], None if ends is None else ends + off(ahead)
