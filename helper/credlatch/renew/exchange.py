"""Runs a flow: what it yields is sent, and what came back is sent to it."""

from __future__ import annotations

import time

from credlatch import jwt
from credlatch import url as urls
from credlatch.errors import LoginError, RenewalError, RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeVar

    from credlatch.auth import Asked, Auth, HttpRequest, HttpResponse, TokenResponse
    from credlatch.request import Request
    from credlatch.system.programs import Surroundings

    T = TypeVar("T")


def exchange(
    auth: Auth, request: Request, deadline: float, caller: Surroundings | None = None
) -> TokenResponse:
    """What a flow makes.

    Args:
        auth: begins the flow.
        request: what the client asks for.
        deadline: on the clock of ``time.monotonic``, when all this must have ended.
        caller: whose environment and folder count for an SDK or a program; None: none is asked.

    Raises:
        LoginError: a server refused what was sent.
        UnansweredError: no answer came, and the server may have acted.
        RenewalError: anything else.
    """
    if not (auth.anonymous or auth.secret.fits_a_header):
        raise _damaged(auth)
    if auth.patience is not None:
        import credlatch.renew.http  # noqa: F401 - which takes a busy machine most of that time

        deadline = min(deadline, time.monotonic() + auth.patience)
    fresh = run(auth.flow(request, time.time()), auth, deadline, caller)
    if fresh.expires is None:
        fresh.expires = jwt.expiry(fresh.token.reveal())
    return fresh


def run(
    flow: Generator[Asked, HttpResponse, T],
    auth: Auth,
    deadline: float,
    caller: Surroundings | None = None,
) -> T:
    """What a flow returns, whatever that is; the arguments, and what it raises, as of ``exchange``.

    Args:
        flow: yields what is to be asked.
        auth: says which servers may be, and how they are called in a message.
        deadline: as of ``exchange``.
        caller: likewise.
    """
    try:
        try:
            asked = next(flow)
        except ValueError:  # of what it begins with
            raise _damaged(auth) from None
        while True:
            try:
                response, server = _response(asked, auth, deadline, caller)
            except RenewalError as failure:
                from credlatch.renew.http import TooLateError

                if isinstance(failure, TooLateError):  # it says nothing of the server
                    raise
                asked = flow.throw(failure)
                continue
            try:
                asked = flow.send(response)
            except (ValueError, RecursionError):
                from credlatch.renew.http import UnansweredError

                raise UnansweredError(
                    f"{server} did not answer with {auth.gives} but with something else "
                    f"({len(response.body)} bytes{_perhaps(asked)})"
                ) from None
    except StopIteration as end:
        made: T = end.value
        return made


def _response(
    asked: Asked, auth: Auth, deadline: float, caller: Surroundings | None
) -> tuple[HttpResponse, str]:
    """The answer to what a flow has yielded, and who has given it, as a message shows that."""
    from credlatch.auth import CommandRequest, EngineRequest, HttpResponse, ProgramRequest

    if isinstance(asked, EngineRequest):
        return HttpResponse(200, {}, asked.ask(deadline), time.time()), asked.place
    if isinstance(asked, CommandRequest):
        from credlatch.renew import user_program

        return user_program.ask(asked, caller, deadline), asked.words[0]
    if isinstance(asked, ProgramRequest):
        from credlatch.renew import sdk_child

        return sdk_child.ask(asked, caller, deadline), f"credlatch sdk {asked.name}"
    server = _server(asked, auth, deadline)
    return _answered(asked, server, auth, deadline), server.shown


def _damaged(auth: Auth) -> LoginError:
    return LoginError(f"the login kept for {auth.shown} is damaged: {auth.remedy}")


def _perhaps(asked: Asked) -> str:
    from credlatch.auth import HttpRequest

    if isinstance(asked, HttpRequest):
        return "; is it the right server, or a proxy's login page?"
    return ""


def _answered(asked: HttpRequest, server: urls.Url, auth: Auth, deadline: float) -> HttpResponse:
    """The answer to one request.

    One retry, and only of what is safe to repeat: a request that never left, or a secret that is
    good for any number of uses.
    """
    # Imported for who sends something: a signature is made without.
    from credlatch.renew.http import CONNECT, LONGEST, NotSentError, UnansweredError, send

    if asked.metadata is not None:
        try:
            return send(asked, server, min(deadline, time.monotonic() + asked.metadata))
        except RenewalError:
            raise LoginError(
                f"{server.shown} does not answer: this machine has no such metadata service"
            ) from None
    if auth.patience is not None:
        import credlatch.renew.http  # noqa: F401 - which takes a busy machine most of that time

        deadline = min(deadline, time.monotonic() + auth.patience)
    again = auth.repeatable
    last = min(deadline, time.monotonic() + LONGEST)
    try:
        return send(asked, server, deadline, on_kept=again)
    except RenewalError as failure:
        safe = isinstance(failure, NotSentError) or (again and isinstance(failure, UnansweredError))
        if not safe or time.monotonic() + CONNECT > last:
            raise
        return send(asked, server, deadline)


def _server(asked: HttpRequest, auth: Auth, deadline: float) -> urls.Url:
    try:
        server = urls.parse(asked.url)
        is_trusted = auth.trusts(server)
    except RequestError as error:
        raise RenewalError(f"the token server's address cannot be used: {error}") from None
    is_safe = server.may_carry_credentials or asked.metadata is not None
    if server.scheme == "s3" or not (is_safe or _is_here(server, deadline)):
        raise RenewalError(
            f"{server.shown} would get the login in the clear: a token server needs https"
        )
    if not is_trusted:
        raise RenewalError(f"{server.shown} would get a login that is for {auth.shown} alone")
    return server


def _is_here(server: urls.Url, deadline: float) -> bool:
    if not server.may_be_loopback:
        return False
    from credlatch.system import addresses

    left = max(0.0, deadline - time.monotonic())
    return addresses.is_loopback(server.host, min(addresses.PATIENCE, left))
