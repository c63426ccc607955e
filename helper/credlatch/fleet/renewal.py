"""Has a token server renew a login as rattler keeps it."""

from __future__ import annotations

import time

from credlatch import jwt
from credlatch.errors import RenewalError, StoreError
from credlatch.fleet.engine import EngineError
from credlatch.fleet.steps import Refreshed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.fleet.steps import Refresh
    from credlatch.fleet.value import Login
    from credlatch.request import Request
    from credlatch.system.programs import Surroundings

EARLY, SHARE = 400.0, 0.5  # seconds before its end, and part of its life: the smaller counts


def lives(login: Login, now: float) -> bool:
    """Whether the access token can be served."""
    end = login.entry["OAuth"].get("expires_at")
    return not isinstance(end, int | float) or end > now


def due(early: float = EARLY, share: float = SHARE) -> Callable[[Login, float], bool]:
    """Whether a login is to be renewed, before its access token ends.

    Args:
        early: so many seconds before, at most.
        share: and for no more of its life than that, so that one that lives shortly is not renewed
            by all who look at it.
    """

    def is_due(login: Login, now: float) -> bool:
        most = early if login.life is None else min(early, login.life * share)
        return not lives(login, now + most)

    return is_due


def sender(
    request: Request, remedy: str, caller: Surroundings | None = None
) -> Callable[[Refresh], Refreshed]:
    """What sends an entry's refresh token, once.

    Args:
        request: of a client; of no matter for such a login.
        remedy: what a person does when the login is no longer taken.
        caller: whose network settings count.
    """

    def send(step: Refresh) -> Refreshed:
        from credlatch.auth.responses import checked
        from credlatch.credential import Secret
        from credlatch.renew.exchange import exchange
        from credlatch.stores import rattler_format

        entry = step.entry
        try:
            read = rattler_format.read(entry, "fleet", "the fleet's login", "")
        except StoreError as error:
            raise EngineError(str(error)) from None
        grant = read.grant
        if grant is None or read.credential is None:
            raise EngineError("the fleet's login has no refresh token: log in again")
        grant.remedy = remedy
        fresh = exchange(grant, request, time.monotonic() + step.seconds, caller)
        useless = checked(grant, fresh, time.time())
        if useless is not None:
            if fresh.refresh_token is None:
                raise RenewalError(str(useless))
            from credlatch.auth import TokenResponse

            old = read.credential
            fresh = TokenResponse(old.secret, fresh.refresh_token, read.expires, old)
        life = None if fresh.expires is None else fresh.expires - time.time()
        by_us = fresh.expires != jwt.expiry(fresh.token.reveal())
        if useless is None and fresh.expires is not None and by_us:
            fresh.expires -= int(step.ahead)  # it was reckoned from this machine's clock
        sent = Secret(entry["OAuth"]["refresh_token"])
        renewed = rattler_format.renewed(entry, sent, fresh)
        if renewed is None:
            raise EngineError("the fleet's login has no refresh token: log in again")
        return Refreshed(renewed, "" if useless is None else str(useless), life)

    return send
