"""Does what the protocol wants done: asks the engines, the token server and the journal."""

from __future__ import annotations

import time

from credlatch.errors import RenewalError
from credlatch.fleet import value as values
from credlatch.fleet.engine import Conflict, EngineDownError, Unknown
from credlatch.fleet.steps import (
    ACCESS,
    LOGIN,
    Forget,
    Read,
    Recall,
    Refresh,
    Remember,
    Reserve,
    Sleep,
    Wait,
    Write,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    from credlatch.fleet.engine import Engine
    from credlatch.fleet.journal import Journal
    from credlatch.fleet.steps import Refreshed, Step

    T = TypeVar("T")
    Send = Callable[[Refresh], Refreshed]

_TRIES = 20  # of a login that others keep changing while it is written


class Runner:
    """What the steps of one login are done with.

    Args:
        login: the login path's engine.
        access: the access path's; None: there is none, and every machine may renew.
        send: does a ``Refresh``.
        journal: this machine's; None: it has no place for one, and what is not kept is lost with
            the process.
    """

    def __init__(
        self, login: Engine, access: Engine | None, send: Send, journal: Journal | None
    ) -> None:
        self._engines = {LOGIN: login} if access is None else {LOGIN: login, ACCESS: access}
        self._send = send
        self._journal = journal

    def run(self, flow: Generator[Step, Any, T]) -> T:
        """What a flow returns; raises what it does."""
        try:
            done: Any = None
            failure: Exception | None = None
            while True:
                step = flow.send(done) if failure is None else flow.throw(failure)
                done = failure = None
                try:
                    done = self._done(step)
                except Exception as error:  # noqa: BLE001 - the flow's to handle
                    failure = error
        except StopIteration as end:
            made: T = end.value
            return made
        finally:
            if self._journal is not None:
                self._journal.close()

    def _done(self, step: Step) -> Any:
        match step:
            case Read(path):
                return self._engines[path].read()
            case Write(path, value, expected):
                return self._engines[path].write(value, expected)
            case Wait(version, seconds):
                return self._engines[LOGIN].wait(version, seconds)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Refresh():
                return self._send(step)
        return self._journaled(step)

    def _journaled(self, step: Step) -> Any:
        journal = self._journal
        if journal is None:
            return None
        match step:
            case Recall():
                return journal.recall()
            case Remember(record):
                return journal.remember(record)
            case Forget():
                return journal.forget()
            case Reserve():
                try:
                    return journal.reserve()
                except OSError as error:
                    from credlatch.system import files

                    raise RenewalError(
                        f"nothing is renewed, because {journal.folder} could not keep what comes "
                        f"({files.reason(error)}): make room, or make it writable"
                    ) from None
        raise TypeError(step)


def put(login: Engine, entry: dict[str, Any], access: Engine | None = None) -> int:
    """Put a new login in the place of whatever is there: a person's word counts.

    Gives its ``gen``. Whoever was renewing the old one finds that, and leaves it.

    Args:
        login: the login path's engine.
        entry: rattler's, of an OAuth login.
        access: the access path's engine, where there is one.

    Raises:
        EngineError: it does not take it.
    """
    given = -1 if access is None else values.gen_of(access.read().value)
    for _ in range(_TRIES):
        found = login.read()
        value = values.fresh(entry, values.login(found.value), given)
        result = login.write(value, found.version)
        if isinstance(result, Unknown):
            now = values.login(login.read().value)
            if now is not None and now.entry == entry:
                return now.gen
        elif not isinstance(result, Conflict):
            gen: int = value["gen"]
            return gen
        time.sleep(0.1)
    raise EngineDownError(f"others keep changing {login.place}: try again")
