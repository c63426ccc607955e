"""One request to a token server, bounded in time and size."""

from __future__ import annotations

import contextlib
import http.cookiejar
import ssl
import threading
import time
import urllib.request

import httpx

from credlatch import __version__
from credlatch import url as urls
from credlatch.auth import HttpResponse
from credlatch.errors import RenewalError
from credlatch.renew.gate import Gate, NotSentError, TooLateError, UnansweredError
from credlatch.system import files, threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.auth import HttpRequest
    from credlatch.auth.tls import Tls

    Until = Callable[[bytes], bool]

__all__ = ["NotSentError", "TooLateError", "UnansweredError", "close", "send"]

CONNECT = 3.0  # seconds
SILENCE = 5.0  # seconds without a byte
LONGEST = 6.0  # seconds for an answer: others wait for the lock meanwhile, and Bazel for them
_SHARE = 0.85  # of the time that is left, for all that comes before sending
_PAUSED = 0.5  # seconds by which no wait is too long, but for a process that was suspended
_TOO_LATE = 0.5  # seconds: with less than that left, nothing is begun
MAX_BODY = 256 * 1024  # bytes of an answer that takes some hundred
IDLE = 30.0  # seconds for which a connection that was kept may be used again
_HUNG_UP = "Server disconnected without sending a response."  # httpcore's words
_MOST = 8  # servers with such connections

# Clients with open connections, by origin and by whom is trusted and who we are, and when each was
# used, by `monotonic`.
_kept: dict[tuple[tuple[str, str, int], str | None, Tls | None], tuple[httpx.Client, float]] = {}
_keeping = threading.Lock()


def send(
    asked: HttpRequest,
    server: urls.Url,
    deadline: float,
    *,
    on_kept: bool = False,
    until: Until | None = None,
) -> HttpResponse:
    """Send a request.

    The system's trust store and proxies count; redirects are not followed.

    Args:
        asked: the request.
        server: where it goes.
        deadline: on the clock of ``time.monotonic``, when this must have ended, whatever happens:
            the request runs in a thread, because looking a name up and an answer that comes byte by
            byte have no other limit.
        on_kept: whether a connection may serve that an earlier request has left open: for what may
            be sent twice, because the server may be closing it at that moment.
        until: for an answer that tells what happens as it does: given all that has come each time
            that there is more, it says whether that is enough. Such an answer may be silent, and
            take until the deadline.

    Raises:
        TooLateError: there was no time for it.
        NotSentError: it never left.
        UnansweredError: no answer came, or none that a token server gives.
        RenewalError: it was redirected.
    """
    if deadline - time.monotonic() < _TOO_LATE:
        raise TooLateError("no time was left to renew the token: try again")
    latest = time.monotonic() + _SHARE * (deadline - time.monotonic())
    gate = Gate(latest)
    outcome: list[HttpResponse | Exception] = []

    def run() -> None:
        try:
            outcome.append(_send(asked, server, deadline, gate, on_kept=on_kept, until=until))
        except Exception as error:  # noqa: BLE001 - raised again below, in the caller's thread
            outcome.append(error)
        with contextlib.suppress(NotSentError):  # nobody waits any more
            gate.open()

    try:
        thread = threads.start(run)
    except OSError as error:
        raise TooLateError(
            f"{server.shown} was not asked, as no thread can be started ({files.reason(error)}): "
            "try again"
        ) from None
    if not gate.wait(latest - time.monotonic()):
        # A name that is looked up, or a machine that is busy.
        raise NotSentError(f"{server.shown} was not reached in time: try again")
    left = max(0.0, deadline - time.monotonic())
    left = left if until is not None else min(left, LONGEST)
    end = time.monotonic() + left
    thread.join(left)
    if not outcome and time.monotonic() - end > _PAUSED:
        thread.join(_PAUSED)  # we were suspended, and it may have come long ago
    if not outcome:
        raise UnansweredError(f"{server.shown} answered too slowly")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def close() -> None:
    """Close the connections that are kept."""
    with _keeping:
        for client, _ in _kept.values():
            client.close()
        _kept.clear()


@contextlib.contextmanager
def _client_for(
    server: urls.Url, asked: HttpRequest, *, on_kept: bool, is_direct: bool
) -> Iterator[httpx.Client]:
    """A client of the server's own: truststore's contexts let one handshake in at a time."""
    if not on_kept:
        with _client(is_direct, asked) as client:
            yield client
        return
    with _keeping:
        now = time.monotonic()
        # Nobody has these any more: a request ends much sooner. What is read of the system's trust
        # store goes with them, so that it is not trusted for longer than the system does.
        for old in [old for old, (_, used) in _kept.items() if now - used > IDLE]:
            _kept.pop(old)[0].close()
        key = server.origin, asked.authorities, asked.tls
        there = _kept.get(key)
        client = _client(is_direct, asked) if there is None else there[0]
        is_kept = there is not None or len(_kept) < _MOST
        if is_kept:
            _kept[key] = client, now
    try:
        yield client
    finally:
        if not is_kept:
            client.close()


def _client(is_direct: bool, asked: HttpRequest) -> httpx.Client:
    from credlatch.renew import trust

    try:
        context = trust.context(asked.authorities, asked.tls)
    except trust.TlsError as error:
        raise NotSentError(str(error)) from None
    headers = {
        "User-Agent": f"credlatch/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",  # a compressed answer could be of any size
    }
    try:
        return httpx.Client(
            verify=context,
            headers=headers,
            # What one login's answer sets must not travel with another's request.
            cookies=http.cookiejar.CookieJar(
                http.cookiejar.DefaultCookiePolicy(allowed_domains=())
            ),
            limits=httpx.Limits(keepalive_expiry=IDLE),
            # A proxy would carry to the network what is meant for this machine.
            trust_env=not is_direct,
            proxy=None if asked.tls is None else asked.tls.proxy or None,
        )
    # What httpx raises for settings that it cannot use has no common root. The text may hold the
    # proxy's password.
    except Exception as error:  # noqa: BLE001
        if files.is_short(error):
            raise TooLateError("no token server can be asked: no descriptor is left") from None
        why = "SOCKS is not known here" if isinstance(error, ImportError) else type(error).__name__
        raise NotSentError(
            f"the proxy or TLS settings of the environment cannot be used ({why}): "
            "see HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE"
        ) from None


def _send(
    asked: HttpRequest,
    server: urls.Url,
    deadline: float,
    gate: Gate,
    *,
    on_kept: bool,
    until: Until | None,
) -> HttpResponse:
    left = max(_TOO_LATE, deadline - time.monotonic())
    silence = SILENCE if until is None else left
    timeout = httpx.Timeout(min(silence, left), connect=min(CONNECT, left))
    url, headers = _on_this_machine(asked, server)
    is_direct = server.may_be_loopback or asked.metadata is not None
    if asked.tls is not None and asked.tls.proxy == "":
        is_direct = True
    extensions: dict[str, object] = {"trace": gate.trace}
    if asked.tls is not None and asked.tls.name is not None:
        extensions["sni_hostname"] = asked.tls.name  # it is what the certificate is to be for, too
    try:
        with (
            _client_for(server, asked, on_kept=on_kept, is_direct=is_direct) as client,
            client.stream(
                asked.method,
                url,
                content=asked.content,
                data=asked.form,
                json=asked.json,
                headers=headers,
                timeout=timeout,
                follow_redirects=False,
                extensions=extensions,
            ) as response,
        ):
            if response.is_redirect and not (asked.redirects or asked.method == "HEAD"):
                raise RenewalError(
                    f"{server.shown} redirects elsewhere, and a login is not sent along: "
                    "log in again with the server's new address"
                )
            body = b"" if asked.unread else _body(response, server, until)
            return HttpResponse(response.status_code, dict(response.headers), body, time.time())
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as error:
        if files.is_short(error):
            raise TooLateError(f"{server.shown} was not asked ({_reason(error)})") from None
        raise NotSentError(
            f"{server.shown} cannot be reached ({_reason(error)}): {_remedy(error, server)}"
        ) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        raise NotSentError(f"{server.shown} cannot be asked for a token: log in again") from None
    except httpx.HTTPError as error:
        raise UnansweredError(f"{server.shown} gave no answer ({_reason(error)})") from None


def _remedy(error: httpx.TransportError, server: urls.Url) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "if a company's own CA has signed that, SSL_CERT_FILE is to name it"
        cause = cause.__cause__ or cause.__context__  # httpcore leaves the former out
    proxies = {} if server.may_be_loopback else urllib.request.getproxies()
    if {"https", "all"} & set(proxies) and not urllib.request.proxy_bypass(server.host):
        return "check the network, and the proxy that HTTPS_PROXY or ALL_PROXY names"
    return "check the network"


def _on_this_machine(asked: HttpRequest, server: urls.Url) -> tuple[str, dict[str, str]]:
    """The URL and the headers, with ``localhost`` for a name that is only meant to be this machine.

    Looked up a second time, it may be another machine, which would get the login in the clear.
    """
    if server.scheme != "http" or server.is_loopback or not server.may_be_loopback:
        return asked.url, asked.headers
    here = server.text.replace(f"//{server.netloc}/", f"//localhost:{server.port}/", 1)
    return here, {**asked.headers, "Host": server.netloc}


def _body(response: httpx.Response, server: urls.Url, until: Until | None) -> bytes:
    body = b""
    for chunk in response.iter_raw():
        body += chunk
        if until is not None and until(body):
            break
        if len(body) > MAX_BODY:
            raise UnansweredError(
                f"{server.shown} answered with more than {MAX_BODY} bytes, as no token server does"
            )
    return body


def _reason(error: httpx.HTTPError) -> str:
    """What went wrong, in the system's words or in ours.

    What a server or a proxy has sent is in some errors' texts, and may repeat what it was sent.
    """
    text = " ".join(str(error).split())
    if isinstance(error, httpx.ProxyError):
        return f"its proxy says {text[:3]}" if text[:3].isdecimal() else "its proxy refuses"
    if isinstance(error, httpx.TimeoutException | httpx.NetworkError) or text == _HUNG_UP:
        return text[:200] if text else type(error).__name__
    return "it does not speak HTTP"
