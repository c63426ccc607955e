"""Credentials in environment variables: pyx's tokens, and a pair for any host, made for CI.

``CREDLATCH_TOKEN_<HOST>`` is sent as ``Authorization: Bearer``; ``CREDLATCH_USERNAME_<HOST>`` and
``CREDLATCH_PASSWORD_<HOST>`` as Basic. In ``<HOST>`` letters are upper case, a dot is ``_``, a
hyphen ``__``, and a port that is not the scheme's own follows as ``_8443``. No two hosts share a
name: a label neither begins nor ends with a hyphen, and no host's last label is a number, unless it
is an IPv4 address, which always has four.
"""

from __future__ import annotations

from credlatch.credential import Basic, Bearer, Secret
from credlatch.errors import StoreError
from credlatch.stores import Entry, Store, readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.stores import Listed
    from credlatch.stores.pyx_realm import PyxRealm
    from credlatch.url import Url

_OCTETS = 4  # of an IPv4 address
_REMEDY = "set a fresh one"
PYX_TOKENS = ("PYX_AUTH_TOKEN", "UV_AUTH_TOKEN")
PYX_KEYS = ("PYX_API_KEY", "UV_API_KEY")  # of which ``pyx`` gets tokens


def suffix(url: Url) -> str | None:
    """``<HOST>`` for a URL; None for a host that has none (IPv6, ``*.``, ``_``, ``intranet.``)."""
    labels = url.host.split(".")
    if url.scheme == "s3" or set(url.host) & set(":*_"):
        return None
    if any(not label or label.startswith("-") or label.endswith("-") for label in labels):
        return None
    name = url.host.replace("-", "__").replace(".", "_").upper()
    return name if url.default_port else f"{name}_{url.port}"


def host_of(suffix: str) -> str:
    """The host, with its port, that a ``<HOST>`` is for: the reverse of ``suffix``."""
    labels = suffix.lower().replace("__", "-").split("_")
    numbers = sum(label.isdecimal() for label in labels)
    port = labels[-1].isdecimal() and not numbers == len(labels) == _OCTETS
    return ".".join(labels[:-1]) + f":{labels[-1]}" if port else ".".join(labels)


class EnvironmentStore(Store):
    """The caller's environment."""

    def find(self, url: Url) -> Entry | None:
        """The host's own variables, else pyx's token where pyx's hosts are asked for."""
        host = suffix(url)
        own = None if host is None else self._for_host(host)
        if own is not None:
            return own
        entry = self._for_pyx()
        return entry if entry is not None and self._realm().owns(url) else None

    def _for_host(self, host: str) -> Entry | None:
        token_name = f"CREDLATCH_TOKEN_{host}"
        token = self._value(token_name)
        username = self._value(f"CREDLATCH_USERNAME_{host}")
        password = self._value(f"CREDLATCH_PASSWORD_{host}")
        if token is not None:
            return Entry(Bearer(Secret(token)), f"the variable {token_name}", remedy=_REMEDY)
        if password is not None:
            if username is None:
                raise StoreError(
                    f"CREDLATCH_PASSWORD_{host} is set without CREDLATCH_USERNAME_{host}: "
                    f"set both, or CREDLATCH_TOKEN_{host}"
                )
            location = f"the variable CREDLATCH_PASSWORD_{host}"
            return Entry(Basic(username, Secret(password)), location)
        return None

    def _for_pyx(self) -> Entry | None:
        for name in PYX_TOKENS:
            token = self._value(name)
            if token is not None:
                return Entry(Bearer(Secret(token)), f"the variable {name}", remedy=_REMEDY)
        return None

    def entries(self) -> Iterator[Listed]:
        """The hosts that variables are named after, and pyx's when there is a token for them."""
        for name in self._caller.environ:
            for prefix in ("CREDLATCH_TOKEN_", "CREDLATCH_PASSWORD_"):
                if name.startswith(prefix) and self._value(name) is not None:
                    host = name.removeprefix(prefix)
                    yield host_of(host), readable(self._for_host, host)
        entry = self._for_pyx()
        if entry is not None:
            yield from ((host, entry) for host in self._realm().hosts())

    def _realm(self) -> PyxRealm:
        from credlatch.stores.pyx_realm import PyxRealm  # for who has such a token

        return PyxRealm(self._caller)

    def _value(self, name: str) -> str | None:
        """A variable without the newline that `echo` and CI's secret forms leave at its end."""
        value = self._caller.get(name)
        return value.strip() or None if value else None
