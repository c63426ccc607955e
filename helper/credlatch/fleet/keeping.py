"""Having kept what came: by the engine, whatever stands there, and on the access path."""

from __future__ import annotations

from credlatch.fleet import value as values
from credlatch.fleet.engine import Conflict, EngineDownError, EngineError
from credlatch.fleet.steps import ACCESS, LOGIN, Forget, Read, Recall, Sleep, Write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from credlatch.errors import LoginError
    from credlatch.fleet.engine import Found
    from credlatch.fleet.protocol import Protocol
    from credlatch.fleet.steps import Record, Step

PAUSE = 0.25  # seconds between two tries


def keep(
    protocol: Protocol, record: Record, fence: str, login: values.Login
) -> Generator[Step, Any, bool]:
    """Write what came over any version that still holds what was spent for it.

    Gives whether the engine has it, or what somebody else has put in its place; else it is still
    in the journal.

    Args:
        protocol: says for how long that is tried.
        record: what came.
        fence: the version that is there, as far as we know.
        login: what that holds.
    """
    end = protocol.clock.steady() + protocol.timing.keeping
    while True:
        pause = PAUSE
        try:
            value = login.renewed(*record.fresh)
            if isinstance((yield Write(LOGIN, value, fence)), str):
                break
            found: Found = yield Read(LOGIN)
            now = values.login(found.value)
            if now is None:
                return False  # what is deleted, or overwritten, may come back: so may what is spent
            if not _still(now, record):
                break
            login, fence = now, found.version
        except EngineError as error:
            pause = max(pause, error.after if isinstance(error, EngineDownError) else 0.0)
        if protocol.clock.steady() > end:
            return False
        # However long the engine wants to be left alone: others take over by then.
        pause = min(pause, protocol.timing.grace / 3)
        yield Sleep(pause * protocol.dice.uniform(0.5, 1.5))
    yield Forget()
    return True


def write_back(protocol: Protocol) -> Generator[Step, Any, None]:
    """Have kept what an earlier process of this machine could only leave in the journal.

    Raises:
        EngineError: it is still there alone, and nothing may be renewed before it is kept.
    """
    record: Record | None = yield Recall()
    if record is None:
        return
    found: Found = yield Read(LOGIN)
    now = values.login(found.value)
    if now is None:
        return  # as above
    if not _still(now, record):
        yield Forget()
    elif not (yield from keep(protocol, record, found.version, now)):
        raise EngineDownError(
            f"a fresh token for the login at {protocol.place} is in this machine's journal, and "
            "cannot be written back: try again"
        )


def publish(protocol: Protocol, login: values.Login) -> Generator[Step, Any, None]:
    """Put the access token on the access path; never an older one over a newer that lives.

    What goes wrong is left to the next who looks: he finds the older one, and needs no request.

    Raises:
        EngineError: the engine does not take it.
    """
    end = protocol.clock.steady() + protocol.timing.keeping
    while True:
        down: EngineDownError | None = None
        try:
            found: Found = yield Read(ACCESS)
            moment = protocol.clock.wall() - found.ahead
            is_over = values.has_ended(found.value, moment)
            # What has ended is no newer, whatever it says: the login may be another one's backup.
            is_over = is_over and not values.has_ended(login.entry["OAuth"], moment)
            if values.gen_of(found.value) >= login.gen and not is_over:
                return
            result = yield Write(ACCESS, values.access(login), found.version)
            if isinstance(result, str):
                return
        except EngineDownError as error:
            down = error
        if protocol.clock.steady() > end:
            raise down or EngineDownError(f"the access path of {protocol.place} is not written")
        wanted = 0.0 if down is None else down.after
        yield Sleep(max(wanted, PAUSE * protocol.dice.uniform(0.5, 1.5)))


def bury(protocol: Protocol, login: values.Login, error: LoginError) -> Generator[Step, Any, None]:
    """Bury the login that a token server refuses for good, if it is still the one we sent."""
    nonce = login.claim.nonce if login.claim is not None else ""
    end = protocol.clock.steady() + protocol.timing.keeping
    while True:
        try:
            found: Found = yield Read(LOGIN)
            now = values.login(found.value)
            claim = None if now is None else now.claim
            if now is None or now.dead or not now.is_same(login):
                return
            if claim is None or claim.nonce != nonce:
                return  # somebody else's now, who will see
            if isinstance((yield Write(LOGIN, now.buried(str(error)), found.version)), str):
                return
        except EngineDownError:
            if protocol.clock.steady() > end:
                raise error from None
        yield Sleep(PAUSE * protocol.dice.uniform(0.5, 1.5))


def let_go(value: dict[str, Any], fence: str) -> Generator[Step, Any, bool]:
    """Give a claim of ours back; where that fails, it grows old.

    Gives whether somebody else has written meanwhile: then it is not ours, and there may be news.
    """
    try:
        return isinstance((yield Write(LOGIN, value, fence)), Conflict)
    except EngineError:
        return False


def _still(now: values.Login, record: Record) -> bool:
    """Whether what was spent is still there, so that what came for it is the newer one."""
    return now.refresh_token == record.spent.reveal() and now.gen == record.gen
