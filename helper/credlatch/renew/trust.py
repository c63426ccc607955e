"""Whom to trust, and who we are: what TLS is told for one request."""

from __future__ import annotations

import contextlib
import errno
import os
import ssl
import sys
import tempfile

import truststore

from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.auth.tls import Tls


class TlsError(Exception):
    """A file has not what it was named for; a line for a person."""


class _Socket(ssl.SSLSocket):
    """One that is closed where its server has hung up before a word was said.

    Python's own is forgotten then, and only closed as garbage.
    """

    def getpeername(self) -> object:
        """Who is at the other end; raises OSError where nobody is any more."""
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None


def context(authorities: str | None, tls: Tls | None) -> ssl.SSLContext:
    """What TLS is told: by default to trust as the system does.

    Args:
        authorities: a file of authorities that count beside the system's.
        tls: what is said for this server; whose own authorities count alone.

    Raises:
        TlsError: a file that is named cannot be used.
    """
    if tls is None or not (tls.authorities or tls.pem):
        trust: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.sslsocket_class = _Socket
        authorities = tls.authorities
        if tls.pem:
            try:
                trust.load_verify_locations(cadata=tls.pem)
            except (OSError, ValueError):
                raise TlsError("the certificate authorities that are given are none") from None
    if authorities is not None:
        try:
            _load(trust, authorities)
        except OSError as error:  # ssl.SSLError is one
            raise TlsError(
                f"{authorities} has no certificate authorities ({files.reason(error)}): "
                "name another file, or none"
            ) from None
    if tls is not None and tls.chain is not None:
        try:
            with _as_file(tls.chain.reveal()) as path:
                trust.load_cert_chain(path, password=lambda: "")
        except (OSError, ValueError):
            raise TlsError(
                "the client certificate and key that are given cannot be used: they are to be PEM, "
                "and without a password"
            ) from None
    if tls is not None and tls.certificate is not None:
        try:
            # Without a password of its own, OpenSSL would ask for one on the terminal.
            trust.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
        except OSError as error:
            raise TlsError(
                f"{tls.certificate} and its key cannot be used ({files.reason(error)}): "
                "name a certificate and its key, as PEM and without a password"
            ) from None
    return trust


@contextlib.contextmanager
def _as_file(text: str) -> Iterator[str]:
    """A path that leads to a text while the block runs: Python's `ssl` takes a key no other way.

    On Linux it is in memory alone.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("key")
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory() as folder:  # the user's alone
            path = os.path.join(folder, "key")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text.encode())
            yield path


def _load(trust: ssl.SSLContext, authorities: str) -> None:
    """Trust those in a file; or in each file of a folder, as Go's programs do."""
    if not os.path.isdir(authorities):
        trust.load_verify_locations(authorities)
        return
    for name in sorted(os.listdir(authorities)):
        with contextlib.suppress(OSError):
            trust.load_verify_locations(os.path.join(authorities, name))
    if not trust.cert_store_stats()["x509_ca"]:
        raise FileNotFoundError(errno.ENOENT, "none of its files is one")
