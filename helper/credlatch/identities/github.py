"""GitHub, GitHub with data residency, and the enterprise servers that gh or Actions name.

Variables are gh's: ``GH_TOKEN`` and ``GITHUB_TOKEN`` for the first two, ``GH_ENTERPRISE_TOKEN`` and
``GITHUB_ENTERPRISE_TOKEN`` for a server; Actions' own ``GITHUB_TOKEN`` is of the host that it runs
on. Then comes gh's login.
"""

from __future__ import annotations

from credlatch.identities.gh import (
    GITHUB,
    LABELS,
    Hosts,
    is_enterprise,
    is_tenant,
    part_of,
    served,
    variable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.url import Url

_GITHUB_S = ("github.com", "githubusercontent.com", "ghcr.io", "ghe.com")


def claims(url: Url) -> bool:
    """Whether it is GitHub's, or may be that of a tenant."""
    return bool(part_of(url))


def anonymous(url: Url) -> bool:  # noqa: ARG001 - everywhere
    """Public repositories and packages are for all."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """A token of the host that the URL is of, from a variable or gh's login."""
    if url.scheme != "https" or not url.default_port:
        return None
    hosts = Hosts(caller)
    host = part_of(url) or _server(url, hosts)
    # Which server else is one, a rule says.
    ruled = request.rule.names("github") and not _is_github_s(url)
    host = host or (url.host if ruled else "")
    if not host or not (host == GITHUB or ruled or host in hosts.known):
        return None
    entry = None
    account = request.rule.account
    if account is None:  # a variable's is nobody's in particular
        entry = variable(_variables(host, hosts, ruled=ruled), caller)
    # gh's login mostly has no right to packages, and GHCR refuses it for public images as well: who
    # asks with a bearer token goes on without one, and Docker's clients cannot.
    is_meant = account is not None or request.rule.names("github")
    if entry is None and (is_meant or not request.registry):
        wanted = request.username if account is None else account
        entry = hosts.login(host, wanted, required=account is not None)
    return served(entry, request, url, host)


def _server(url: Url, hosts: Hosts) -> str:
    """The enterprise server that a URL is of; empty: of none that is known."""
    if _is_github_s(url):
        return ""
    label, _, rest = url.host.partition(".")
    candidates = (url.host, rest) if label in LABELS else (url.host,)
    return next((each for each in candidates if each in hosts.known and is_enterprise(each)), "")


def _is_github_s(url: Url) -> bool:
    """Whether it is at a host of GitHub's own, which is no enterprise server."""
    return any(url.host == each or url.host.endswith(f".{each}") for each in _GITHUB_S)


def _variables(host: str, hosts: Hosts, *, ruled: bool) -> list[str]:
    """The variables whose token is for a host, which a rule may have named."""
    if is_enterprise(host):
        mine = hosts.enterprise() in ({host, ""} if ruled else {host})
        names = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"] if mine else []
        return [*names, "GITHUB_TOKEN"] if hosts.actions == host else names
    # gh sends these to both kinds of host; a build asks github.com for much that is public, which
    # refuses the token of a tenant.
    mine = host == (hosts.chosen if is_tenant(hosts.chosen) else GITHUB)
    names = ["GH_TOKEN"] if mine else []
    by_actions = hosts.actions == host if hosts.actions else mine
    return [*names, "GITHUB_TOKEN"] if by_actions else names
