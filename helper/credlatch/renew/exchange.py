"""The one place that sends a grant over the network."""

from __future__ import annotations

import ssl
import time

import httpx
import msgspec
import truststore

from credlatch import __version__, jwt
from credlatch import url as urls
from credlatch.errors import RenewalError, RequestError
from credlatch.grant import OAuthRefresh, PositIdentity, PyxApiKey, PyxRefresh
from credlatch.renew import oauth, posit, pyx
from credlatch.renew.post import Post, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from credlatch.grant import Fresh, Grant

CONNECT = 3.0  # seconds
SILENCE = 5.0  # seconds without a byte
MAX_BODY = 256 * 1024  # bytes of an answer that takes some hundred
_TOKEN_TOO_LATE = 0.5  # seconds: with less than that left, nothing new is begun
_HTTP_OK = 200
_WAYS = {OAuthRefresh: oauth, PyxRefresh: pyx, PyxApiKey: pyx, PositIdentity: posit}


class UnansweredError(RenewalError):
    """The request was sent, and whether the server acted on it is not known."""


def exchange(grant: Grant, deadline: float) -> Fresh:
    """Ask the grant's server for a fresh token.

    The system's trust store and proxies count; redirects are not followed, since the grant belongs
    to this server alone. One retry, and only of what is safe to repeat: a request that never left,
    or a grant that is good for more than one use.

    Args:
        grant: what is sent.
        deadline: on the clock of ``time.monotonic``, when all this must have ended.

    Raises:
        LoginError: the server refused the grant.
        UnansweredError: no answer came, and the server may have acted.
        RenewalError: anything else.
    """
    module = _way(grant)
    post: Post = module.post(grant)
    server = _server(post.url)
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    agent = {"User-Agent": f"credlatch/{__version__}", "Accept": "application/json"}
    # A proxy would carry to the network what is meant for this machine.
    with httpx.Client(verify=context, trust_env=not server.is_loopback, headers=agent) as client:
        try:
            status, body = _send(client, post, deadline)
        except (RenewalError, _NotSentError) as failure:
            repeatable = isinstance(failure, _NotSentError) or not grant.single_use
            if not repeatable or deadline - time.monotonic() < _TOKEN_TOO_LATE + CONNECT:
                raise _as_renewal_error(failure, server) from None
            try:
                status, body = _send(client, post, deadline)
            except (RenewalError, _NotSentError) as again:
                raise _as_renewal_error(again, server) from None
    if status != _HTTP_OK:
        raise refusal(grant, status, _error_code(body))
    try:
        fresh: Fresh = module.answer(grant, body, time.time())
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UnansweredError(
            f"{server.text} did not answer with a token but with something else "
            f"({len(body)} bytes): is it the right server, or a proxy's login page?"
        ) from None
    if fresh.expires is None:
        fresh.expires = jwt.expiry(fresh.token.reveal())
    return fresh


def _way(grant: Grant) -> ModuleType:
    """The module that knows the grant: its ``post(grant)`` and ``answer(grant, body, now)``."""
    return _WAYS[type(grant)]


def _server(text: str) -> urls.Url:
    try:
        server = urls.parse(text)
    except RequestError as error:
        raise RenewalError(f"the token server's address cannot be used: {error}") from None
    if server.scheme == "s3" or not server.may_carry_credentials:
        raise RenewalError(
            f"{server.text} would get the login in the clear: a token server needs https"
        )
    return server


class _NotSentError(Exception):
    """No connection was made, so nothing left this machine."""


def _as_renewal_error(failure: Exception, server: urls.Url) -> RenewalError:
    if isinstance(failure, RenewalError):
        return failure
    return RenewalError(f"{server.text} cannot be reached ({failure}): check the network")


def _send(client: httpx.Client, post: Post, deadline: float) -> tuple[int, bytes]:
    left = deadline - time.monotonic()
    if left < _TOKEN_TOO_LATE:
        raise RenewalError("no time was left to renew the token: try again")
    timeout = httpx.Timeout(min(SILENCE, left), connect=min(CONNECT, left))
    try:
        with client.stream(
            "POST",
            post.url,
            data=post.form,
            json=post.json,
            headers=post.headers,
            timeout=timeout,
            follow_redirects=False,
        ) as response:
            if response.is_redirect:
                raise RenewalError(
                    f"{post.url} redirects elsewhere, and a login is not sent along: "
                    "log in again with the server's new address"
                )
            return response.status_code, _body(response, deadline, post.url)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as error:
        raise _NotSentError(_reason(error)) from None
    except httpx.HTTPError as error:
        raise UnansweredError(
            f"{post.url} gave no answer ({_reason(error)}): try again, or log in again"
        ) from None
    except httpx.InvalidURL:
        raise RenewalError("the token server's address is not a URL: log in again") from None


def _body(response: httpx.Response, deadline: float, url: str) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            raise UnansweredError(
                f"{url} answered with more than {MAX_BODY} bytes: not a token server"
            )
        if time.monotonic() > deadline:
            raise UnansweredError(f"{url} answered too slowly: try again")
    return body


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] if text else type(error).__name__


def _error_code(body: bytes) -> str:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) else ""
