"""Whom a server of one's own is trusted by, and who we are to it."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Secret


class Tls(NamedTuple):
    """What is said of TLS, and of the way there, for one server, as `bao` and `kubectl` are told.

    Attributes:
        authorities: a file of certificate authorities, or a folder of them; no others count then.
        pem: likewise, as they are.
        certificate: a file with our own certificate, and those that lead to it.
        key: a file with its key; None: that is in the same file.
        chain: our certificate and its key, as they are, where they are in no file.
        name: whom the server's certificate is to be for; None: the host of its URL.
        proxy: the way there; empty: none leads there; None: as for any other server.
    """

    authorities: str | None = None
    pem: str | None = None
    certificate: str | None = None
    key: str | None = None
    chain: Secret | None = None
    name: str | None = None
    proxy: str | None = None

    def __repr__(self) -> str:
        """Without the proxy, whose URL may hold a password."""
        return f"Tls({self.authorities!r}, {self.certificate!r}, {self.name!r})"
