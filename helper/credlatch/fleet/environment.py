"""The variables that ``bao`` and ``vault`` read: ``BAO_X``, or else ``VAULT_X``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.auth.tls import Tls
    from credlatch.caller import Caller

_PREFIXES = ("BAO_", "VAULT_")
_TRUE = {"1", "t", "true"}  # as Go's programs read it


def variable(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """What counts of a pair of variables: which one, and its value; both empty where neither does.

    One of ``bao``'s that is set, and empty, has the other not count either, as it is for ``bao``.

    Args:
        name: without what it begins with.
        environ: the caller's variables.
    """
    for prefix in _PREFIXES:
        if prefix + name in environ:
            value = environ[prefix + name].strip()
            return (prefix + name, value) if value else ("", "")
    return "", ""


def address(environ: Mapping[str, str]) -> tuple[str, str]:
    """The variable that says where the engine is, and that; an agent's address comes first."""
    found = variable("AGENT_ADDR", environ)
    return found if found[1] else variable("ADDR", environ)


def tls(caller: Caller, authorities: str | None) -> Tls | None:
    """What is said of TLS and of the way there; None where nothing is.

    That nothing be verified is not heeded: who answers in the engine's place would get the login.

    Args:
        caller: whose variables count.
        authorities: a file of certificate authorities that is named elsewhere.

    Raises:
        ElsewhereError: a path that the caller's own process alone can follow.
    """
    from credlatch.auth.tls import Tls

    def path(name: str) -> str | None:
        value = variable(name, caller.environ)[1]
        return caller.absolute(value) if value else None

    def text(name: str) -> str | None:
        return variable(name, caller.environ)[1] or None

    pem = None if authorities else text("CACERT_BYTES")
    found = Tls(
        authorities=authorities or (None if pem else path("CACERT") or path("CAPATH")),
        pem=pem,
        certificate=path("CLIENT_CERT"),
        key=path("CLIENT_KEY"),
        name=text("TLS_SERVER_NAME"),
        proxy=text("PROXY_ADDR") or text("HTTP_PROXY"),
    )
    return found if any(found) else None


def skips_verification(environ: Mapping[str, str]) -> str:
    """The variable that would have nothing be verified; empty: none does."""
    name, value = variable("SKIP_VERIFY", environ)
    return name if value.lower() in _TRUE else ""
