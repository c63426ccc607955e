"""Token servers: whether they are reached and trusted as a renewal would, and on whose clock."""

from __future__ import annotations

import sys
import time

from credlatch import clock
from credlatch import url as urls
from credlatch.auth import HttpRequest
from credlatch.doctor import logins
from credlatch.doctor.finding import FAIL, OFF, OK, WARN, Finding
from credlatch.errors import RenewalError, RequestError
from credlatch.fixes import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.auth import HttpResponse
    from credlatch.caller import Caller
    from credlatch.url import Url

SUBJECT, CLOCK = "token server", "clock"
_PATIENCE = 4.0  # seconds for all of them, which are asked at once
_MOST = 8  # servers
_OFF, _FAR_OFF = 60.0, 300.0  # seconds: a token may be taken for one that has not ended, or begun
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")  # the first one counts
# Where other programs have a company's authorities named.
_AUTHORITIES = (
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
)  # fmt: skip


def check(caller: Caller) -> Iterator[Finding]:
    """Each server that a renewable login is renewed at, asked for nothing and sent nothing."""
    servers = _servers(caller)
    if not servers:
        yield Finding(OFF, CLOCK, "no token server is known to compare it with")
        return
    ahead: list[tuple[float, str]] = []
    for server, came in _asked(servers):
        if isinstance(came, RenewalError):
            yield Finding(FAIL, SUBJECT, str(came), _fix(str(came), caller))
            continue
        yield Finding(OK, SUBJECT, f"{_root(server)} is reached, and trusted")
        if clock.said(came.headers.get("date")) is not None:
            ahead.append((clock.ahead(came.headers["date"], came.at), server.host))
    yield from clock_of(ahead)


def _servers(caller: Caller) -> list[Url]:
    found: dict[tuple[str, str, int], Url] = {}
    for login in logins.logins(caller):
        grant = None if login.entry is None else login.entry.grant
        if grant is None or grant.anonymous:
            continue
        try:
            url = urls.parse(grant.server)
        except RequestError:
            continue
        if url.scheme == "https" or url.is_loopback:
            found.setdefault(url.origin, url)
    return list(found.values())[:_MOST]


def _root(server: Url) -> str:
    return f"{server.scheme}://{server.netloc}"


def _asked(servers: list[Url]) -> Iterator[tuple[Url, HttpResponse | RenewalError]]:
    """What each of them answers, or why none came; in the order of the servers."""
    # An HTTP client, which only a login that is renewed needs.
    from concurrent.futures import ThreadPoolExecutor

    from credlatch.renew import http

    deadline = time.monotonic() + _PATIENCE  # whatever time a client gives

    def ask(server: Url) -> HttpResponse | RenewalError:
        try:
            asked = HttpRequest("HEAD", f"{_root(server)}/")
            return http.send(asked, server, deadline)
        except RenewalError as error:
            return error

    with ThreadPoolExecutor(len(servers)) as pool:
        yield from zip(servers, pool.map(ask, servers), strict=True)


def _fix(why: str, caller: Caller) -> str:
    if "SSL_CERT_FILE is to name it" in why:
        known = next((name for name in _AUTHORITIES if caller.path(name)), "")
        return shell.export("SSL_CERT_FILE", f'"${known}"' if known else "/path/to/company-ca.pem")
    if "proxy" in why:
        return shell.unset(*[name for name in _PROXIES if caller.get(name)][:1])
    return ""


def clock_of(ahead: list[tuple[float, str]]) -> Iterator[Finding]:
    """What the servers say of this machine's clock; the least of it, as an answer takes time."""
    if not ahead:
        return
    seconds, host = min(ahead, key=lambda each: abs(each[0]))
    if abs(seconds) < _OFF:
        yield Finding(OK, CLOCK, f"as {host}'s")
        return
    how = f"{clock.span(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'}"
    severity = FAIL if abs(seconds) >= _FAR_OFF else WARN
    yield Finding(severity, CLOCK, f"it is {how} {host}'s", _set_clock())


def _set_clock() -> str:
    if sys.platform == "win32":
        return "w32tm /resync"
    return (
        "sudo sntp -sS time.apple.com"
        if sys.platform == "darwin"
        else "sudo timedatectl set-ntp true"
    )
