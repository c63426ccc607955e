"""A socket for another machine: answers for some hosts, with the logins of this user here.

What the other side says of files and variables counts for nothing: it sends a protocol and a
request, and gets an answer as if the program had been called here, or none.
"""

from __future__ import annotations

import os
import socket
import sys

from credlatch import answers, registry
from credlatch import url as urls
from credlatch.agent import wire
from credlatch.agent.log import UNKNOWN
from credlatch.caller import Caller
from credlatch.errors import RequestError
from credlatch.system import locks

if sys.platform == "win32":
    raise ImportError(f"{__name__} is not for Windows")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.agent.log import Log
    from credlatch.url import Url


_DIGITS = 20  # of a process id, and more
_PATIENCE = 1.0  # seconds


class Hosts:
    """Some hosts, with their ports: ``example.com`` is its scheme's own, as in a URL.

    Args:
        text: ``host``, ``host:port`` or ``host:*`` for any port; the host may be ``*.example.com``
            for what is below it, or ``*`` for all. ``*`` alone is everything.

    Raises:
        RequestError: it is none of these.
    """

    def __init__(self, text: str) -> None:
        name, colon, port = text.rpartition(":")
        self._any_port = text == "*" or (bool(colon) and port == "*")
        name = name if colon and self._any_port else text
        self._host, self._port = "*", 0
        if name == "*":
            return
        of_all = name.startswith("*:")
        name = f"any.invalid{name[1:]}" if of_all else name
        url = urls.parse(name if "://" in name else f"https://{name}")
        if url.path != "/" or url.username is not None or "?" in url.text:
            raise RequestError("a host has no path, and no user")
        self._host = "*" if of_all else url.host
        self._port = 0 if url.default_port else url.port

    def has(self, url: Url) -> bool:
        """Whether a URL's host and port are among them."""
        below = self._host.startswith("*.") and url.host.endswith(self._host[1:])
        if not below and self._host not in {"*", url.host}:
            return False
        return self._any_port or (url.port == self._port if self._port else url.default_port)


def answer(hosts: Sequence[Hosts], log: Log, asks_for: bytes, fields: list[bytes]) -> bytes:
    """A whole answer to a request that comes from elsewhere.

    Args:
        hosts: what may be asked for.
        log: told of the request.
        asks_for: what is asked for (``wire``).
        fields: with which fields.

    Raises:
        ValueError: there is no such request here.
    """
    if asks_for != wire.FORWARDED:
        raise ValueError("not a request that may come from elsewhere")
    protocol, asked = fields
    client = answers.client_named(protocol, asked)
    if client is None:
        log.refused("-", UNKNOWN)
        return wire.DECLINED
    url = answers.url_of(client, asked)
    if url is None or not _is_among(hosts, url):
        what = "what it asks for" if url is None else url.netloc
        log.refused(client.name, f"{what} is not forwarded")
        return wire.DECLINED
    caller = Caller()
    try:
        found = answers.get(client, asked, caller)
    finally:
        caller.close()
    log.answered(found)
    # Without an answer here, the other machine's own logins may have one.
    if found.resolution is None:
        return wire.DECLINED
    return wire.answer(found.status, found.out, found.err)


def _is_among(hosts: Sequence[Hosts], url: Url) -> bool:
    # Docker Hub has several names.
    names = [url, *filter(None, map(registry.parse, registry.spellings(url)))]
    return any(each.has(name) for each in hosts for name in names)


def alone(path: bytes) -> int:
    """The lock that whoever forwards holds as long as it lives.

    Args:
        path: its socket, in a folder that is ours alone; one that a dead process left is none.

    Raises:
        BlockingIOError: somebody forwards; the text says which process.
        OSError: it cannot be had.
    """
    locked = path.removesuffix(b".sock") + b".lock"
    try:
        lock = locks.at_once(locked, os.O_RDWR | os.O_CREAT)
    except BlockingIOError:
        with open(locked, "rb") as file:
            holder = file.read(_DIGITS).decode(errors="replace").strip()
        raise BlockingIOError(f"process {holder}") from None
    try:
        _see_that_nobody_answers(path)
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _see_that_nobody_answers(path: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except TimeoutError:
            pass  # busy: somebody's in any case
    raise BlockingIOError("another process")
