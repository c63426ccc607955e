"""The addresses that a host's name stands for, as the operating system resolves it."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address

from credlatch.system import threads

PATIENCE = 2.0  # seconds: a resolver that knows RFC 6761 answers at once


def is_loopback(host: str, patience: float) -> bool:
    """Whether a name stands for addresses of this machine's loopback, and for no others.

    Args:
        host: the name.
        patience: seconds that the resolver may take; afterwards the answer is no.
    """
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(str(address[0]) for *_, address in answers)

    # Looking a name up has no time limit of its own.
    try:
        asking = threads.start(ask)
    except OSError:
        return False
    asking.join(patience)
    addresses = tuple(found)
    return bool(addresses) and all(map(_is_loopback, addresses))


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
