"""Whether two processes reach a server by the same way.

httpx, OpenSSL and the C library read their own process's variables when they connect, and cannot be
told a caller's. So a process that serves others renews only for callers who have the same ones.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PROXIES = frozenset(
    # In any mixture of cases, and REQUEST_METHOD switches HTTP_PROXY off (urllib.request).
    {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"}
)
_OPENSSL = "OPENSSL_CONF"
_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR", _OPENSSL, "HOSTALIASES")
_WORDS = ("LOCALDOMAIN", "RES_OPTIONS")  # of the resolver (resolv.conf(5))


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a process must have to be on the same network as ``environ``'s owner."""
    names = {*_FILES, *_WORDS}
    return {
        name: value for name, value in environ.items() if name in names or name.lower() in _PROXIES
    }


def handed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Those that a process for other callers is started with.

    Not OpenSSL's configuration, which names libraries that would be loaded there: whoever has one
    renews in a process of their own.
    """
    given = settings(environ)
    given.pop(_OPENSSL, None)
    return given


def same_network(environ: Mapping[str, str]) -> bool:
    """Whether a caller's network settings are those of this process."""
    if environ is os.environ:
        return True
    theirs = settings(environ)
    # A relative path leads elsewhere from another folder.
    relative = any(theirs.get(name) and not os.path.isabs(theirs[name]) for name in _FILES)
    return not relative and theirs == settings(os.environ)
