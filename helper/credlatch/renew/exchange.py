"""From a grant to a fresh token."""

from __future__ import annotations

import time

import msgspec

from credlatch import jwt
from credlatch import url as urls
from credlatch.errors import LoginError, RenewalError, RequestError
from credlatch.grant import OAuthRefresh, PositIdentity, PyxApiKey, PyxRefresh
from credlatch.renew import oauth, posit, pyx
from credlatch.renew.http import CONNECT, LONGEST, NotSentError, UnansweredError, send
from credlatch.renew.post import Post, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from credlatch.grant import Fresh, Grant

_SUCCESS = range(200, 300)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_WAYS: dict[type[Grant], ModuleType] = {
    OAuthRefresh: oauth,
    PyxRefresh: pyx,
    PyxApiKey: pyx,
    PositIdentity: posit,
}
"""For each grant the module that knows it: ``post(grant)`` and ``answer(grant, body, now)``."""


def exchange(grant: Grant, deadline: float) -> Fresh:
    """Ask the grant's server for a fresh token.

    One retry, and only of what is safe to repeat: a request that never left, or a grant that is
    good for any number of uses.

    Args:
        grant: what is sent.
        deadline: on the clock of ``time.monotonic``, when all this must have ended.

    Raises:
        LoginError: the server refused the grant.
        UnansweredError: no answer came, and the server may have acted.
        RenewalError: anything else.
    """
    if not grant.secret.fits_a_header:
        raise LoginError(f"the login kept for {grant.shown} is damaged: {grant.advice}")
    way = _WAYS[type(grant)]
    post: Post = way.post(grant)
    server = _server(post.url, deadline)
    again = grant.repeatable
    last = min(deadline, time.monotonic() + LONGEST)
    try:
        status, body = send(post, server, deadline, on_kept=again)
    except RenewalError as failure:
        safe = isinstance(failure, NotSentError) or (again and isinstance(failure, UnansweredError))
        if not safe or time.monotonic() + CONNECT > last:
            raise
        status, body = send(post, server, deadline)
    if status not in _SUCCESS:
        raise refusal(grant, status, _error_code(body))
    try:
        fresh: Fresh = way.answer(grant, body, time.time())
    except _UNREADABLE:
        raise UnansweredError(
            f"{server.shown} did not answer with a token but with something else "
            f"({len(body)} bytes; is it the right server, or a proxy's login page?)"
        ) from None
    if fresh.expires is None:
        fresh.expires = jwt.expiry(fresh.token.reveal())
    return fresh


def _server(text: str, deadline: float) -> urls.Url:
    try:
        server = urls.parse(text)
    except RequestError as error:
        raise RenewalError(f"the token server's address cannot be used: {error}") from None
    if server.scheme == "s3" or not (server.may_carry_credentials or _is_here(server, deadline)):
        raise RenewalError(
            f"{server.shown} would get the login in the clear: a token server needs https"
        )
    return server


def _is_here(server: urls.Url, deadline: float) -> bool:
    if not server.may_be_loopback:
        return False
    from credlatch.system import addresses

    left = max(0.0, deadline - time.monotonic())
    return addresses.is_loopback(server.host, min(addresses.PATIENCE, left))


def _error_code(body: bytes) -> str:
    try:
        said = msgspec.json.decode(body)
    except _UNREADABLE:
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) else ""
