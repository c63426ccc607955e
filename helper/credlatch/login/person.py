"""A login that waits for a person: sent to a page with a code, and asked after in a fair pace."""

from __future__ import annotations

import time

from credlatch.errors import LoginError
from credlatch.login.device import SLOWER, Pending
from credlatch.renew import exchange
from credlatch.renew.http import NotSentError, UnansweredError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from typing import Protocol, TypeVar

    from credlatch.auth import Auth, HttpRequest, HttpResponse
    from credlatch.login.device import Device
    from credlatch.login.loopback import Pasted

    T = TypeVar("T")

    class Person(Protocol):
        """Who logs in."""

        def at(self, url: str, code: str) -> None:
            """Send them to a URL, with a code to type there; empty: there is none."""

        def wait(self, seconds: float) -> None:
            """Let so much time pass."""

        def finishing(self) -> AbstractContextManager[None]:
            """What is begun in this is finished before they can end it."""

        def pasted(self) -> AbstractContextManager[Pasted | None]:
            """What they type while a browser is waited for; None: they are not heard."""

        def is_gone(self) -> bool:
            """Whether they have given it up in another way than by Ctrl-C."""


PATIENCE = 30.0  # seconds for one request, and its retry


def done_elsewhere(
    grant: Auth,
    beginning: Generator[HttpRequest, HttpResponse, Device],
    polling: Callable[[Device], Generator[HttpRequest, HttpResponse, T | Pending]],
    person: Person,
    got: Callable[[T], None] = lambda _: None,
) -> T:
    """What a person is given who types a code in a browser, wherever that is.

    Args:
        grant: whose flows they are.
        beginning: asks for the code.
        polling: makes a flow that asks whether it is done.
        person: who logs in.
        got: told what they are given, before they can end it.

    Raises:
        RenewalError: the server refuses, or the code expires first.
    """
    device = exchange.run(beginning, grant, time.monotonic() + PATIENCE)
    end = time.monotonic() + device.seconds
    person.at(device.complete, device.user_code)
    interval = device.interval
    while time.monotonic() + interval < end and not person.is_gone():
        person.wait(interval)
        try:
            with person.finishing():
                said = exchange.run(polling(device), grant, time.monotonic() + PATIENCE)
                if not isinstance(said, Pending):
                    got(said)
        except (NotSentError, UnansweredError):
            interval += SLOWER  # RFC 8628, 3.5: a network that fails now may be back by then
            continue
        if not isinstance(said, Pending):
            return said
        interval += SLOWER if said.slower else 0.0
    raise LoginError(f"{grant.shown}: the code has expired before the login was done")
