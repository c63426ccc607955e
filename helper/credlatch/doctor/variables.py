"""The environment: variables of ours that nothing reads, and files that variables name in vain."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches

from credlatch import url as urls
from credlatch.doctor.finding import FAIL, OK, WARN, Finding
from credlatch.errors import RequestError
from credlatch.fixes import shell
from credlatch.stores import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

SUBJECT = "environment"
PREFIX = "CREDLATCH_"
KNOWN = ("AGENT", "AGENT_IDLE", "CHAINED", "DEBUG", "FLEET", "SECRETS", "TIMEOUT")
# What the wrappers, jobs and packages that come with it read, and its own build.
BESIDE = (
    *("CANARY", "CODESIGN_IDENTITY", "COMMIT", "LAUNCHER_ELSEWHERE", "SHA", "URL", "WRAPPERS"),
)
TOKEN, USERNAME, PASSWORD = "TOKEN", "USERNAME", "PASSWORD"
_LOGINS = (TOKEN, USERNAME, PASSWORD)
# What people write for these.
_ALSO = {"USER": USERNAME, "LOGIN": USERNAME, "PASS": PASSWORD, "PASSWD": PASSWORD, "PW": PASSWORD}

NAMED = {
    "CREDLATCH_FLEET": "no login that machines share is used",
    "RATTLER_AUTH_FILE": "no login of rattler's or pixi's is used",
    "NETRC": "no netrc is read",
    "REGISTRY_AUTH_FILE": "no login of podman's is read there",
    "DOCKER_CONFIG": "no login of Docker's is read",
    "UV_CREDENTIALS_DIR": "no login of uv's is read",
    "PYX_CREDENTIALS_DIR": "no login of pyx is read",
    "PACKAGEMANAGER_IDENTITY_TOKEN_FILE": "no token of Posit's is got with it",
    "PIXI_HOME": "pixi's configuration is not read",
    "RATTLER_HOME": "the configuration that pixi shares with rattler is not read",
    "SSL_CERT_FILE": "no certificate authority is read from it",
    "SSL_CERT_DIR": "no certificate authority is read from it",
    "GOOGLE_APPLICATION_CREDENTIALS": "Google's hosts get nothing",
    "AWS_SHARED_CREDENTIALS_FILE": "no key of AWS is read from it",
    "AWS_CONFIG_FILE": "no profile of AWS is read from it",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "AWS' hosts get nothing by it",
    "AZURE_FEDERATED_TOKEN_FILE": "Azure's hosts get nothing by it",
    "GH_CONFIG_DIR": "no login of gh is read",
}
"""Variables that name a file or a folder, and what follows where that is not there."""


def check(caller: Caller) -> Iterator[Finding]:
    """What variables say in vain."""
    problems = [*_named(caller), *_relative(caller), *_of_ours(caller)]
    yield from problems
    names = [name for name in caller.environ if name.startswith(PREFIX) and caller.get(name)]
    hosts = [host for name in names if (host := _host_of(name))]
    if hosts and not problems:
        yield Finding(OK, SUBJECT, f"variables for {', '.join(sorted(set(hosts)))}")


def _named(caller: Caller) -> Iterator[Finding]:
    for name, effect in NAMED.items():
        path = caller.path(name)
        # OpenSSL takes several folders.
        several = path.split(os.pathsep) if path is not None and name == "SSL_CERT_DIR" else [path]
        if path is not None and not any(each and os.path.exists(each) for each in several):
            yield Finding(
                WARN,
                SUBJECT,
                f"{name} is {path}, which does not exist: {effect}",
                shell.unset(name),
            )


def _relative(caller: Caller) -> Iterator[Finding]:
    if sys.platform == "win32":  # where nobody reads them
        return
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        value = caller.get(name)
        if value is not None and not value.startswith("/"):
            yield Finding(
                WARN,
                SUBJECT,
                f"{name} is {value!r}, which does not begin with /: it counts as unset",
                shell.unset(name),
            )


def _of_ours(caller: Caller) -> Iterator[Finding]:
    """Variables that begin as ours do, in whatever case."""
    halves: dict[str, set[str]] = {}
    for name in sorted(caller.environ):
        if not name.upper().startswith(PREFIX) or caller.get(name) is None:
            continue
        right, why = _meant(name)
        if right == name:
            kind, _, host = name.removeprefix(PREFIX).partition("_")
            if kind in _LOGINS:
                halves.setdefault(host, set()).add(kind)
        elif not right:
            yield Finding(WARN, SUBJECT, f"{name} {why}", shell.without(name))
        elif caller.get(right) is not None:
            yield Finding(
                WARN, SUBJECT, f"{name} {why}; {right} is set as well", shell.without(name)
            )
        else:
            fix = shell.renamed(name, right)
            yield Finding(WARN, SUBJECT, f"{name} {why}: it is to be {right}", fix)
    for host, kinds in halves.items():
        yield from _half(host, kinds)


def _half(host: str, kinds: set[str]) -> Iterator[Finding]:
    if TOKEN in kinds or kinds == {USERNAME, PASSWORD}:
        return
    (there,), missing = kinds, USERNAME if PASSWORD in kinds else PASSWORD
    name = f"{PREFIX}{missing}_{host}"
    yield Finding(
        # A password alone stops calls for the host: no other store's login is meant.
        FAIL if there == PASSWORD else WARN,
        SUBJECT,
        f"{PREFIX}{there}_{host} is set without {name}: no login for {environment.host_of(host)}",
        shell.asked_for(name, is_secret=missing == PASSWORD),
    )


def _meant(name: str) -> tuple[str, str]:
    """What a variable must be called for anybody to read it, or nothing; and why nobody does."""
    rest = name[len(PREFIX) :]
    if name.startswith(PREFIX) and rest in {*KNOWN, *BESIDE}:
        return name, ""
    kind, _, host = rest.partition("_")
    right = _ALSO.get(kind.upper(), kind.upper())
    if right not in _LOGINS and rest.upper() not in KNOWN:
        # A word may be one letter off, or have the host in it.
        whole = get_close_matches(rest.upper(), KNOWN, 1, 0.8)
        near = get_close_matches(right, _LOGINS, 1, 0.7) if host else []
        if whole:
            return PREFIX + whole[0], "is read by nobody"
        if not near:
            return "", "is read by nobody"
        right = near[0]
    if rest.upper() in KNOWN:
        return PREFIX + rest.upper(), "is not in upper case, and so is read by nobody"
    suffix = _suffix(host)
    if suffix is None:
        return "", f"is for no host: after {PREFIX}{right}_ comes one, as in PYPI_EXAMPLE_COM"
    wanted = f"{PREFIX}{right}_{suffix}"
    case = "is not in upper case" if wanted == name.upper() else "is not what any host is called"
    return wanted, f"{case}, and so is read by nobody"


def _suffix(host: str) -> str | None:
    """What a host is called in a variable, however somebody has written it there."""
    try:
        return environment.suffix(urls.parse(f"https://{environment.host_of(host)}"))
    except RequestError:
        return None


def _host_of(name: str) -> str:
    kind, _, host = name.removeprefix(PREFIX).partition("_")
    return environment.host_of(host) if kind in _LOGINS and _suffix(host) == host else ""
