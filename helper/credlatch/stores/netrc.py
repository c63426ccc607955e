r"""netrc, where every tool has rules of its own: these are ours.

=========================== ====================================================================
which file                  NETRC, else ``~/.netrc`` (Windows: then ``~/_netrc``)
the host                    compared without regard to case; a port in the URL plays no part
two entries for a host      the URL's user name decides; without one the first counts
``default``                 counts when no ``machine`` does, wherever it stands; not over plain
                            http to another machine
quotes                      ``"a b"`` with ``\"`` and ``\\``, as curl has it
comments                    from a ``#`` where a keyword may stand, to the end of the line; a ``#``
                            in a value belongs to the value
``macdef``                  passed over, to the next empty line
``account``                 passed over
an entry without a password no entry
a byte order mark           passed over
a word that means nothing   a warning; reading goes on at the next keyword, nothing is lost
mode                        a warning when others may read it
=========================== ====================================================================
"""

from __future__ import annotations

import os
import sys

from credlatch.credential import Basic, Secret
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.caller import Caller
    from credlatch.url import Url

_FIELDS = ("login", "user", "password", "account")
_FIELD_BYTES = tuple(field.encode() for field in _FIELDS)
_MOST = 64  # hosts of which is remembered what was found
_SPACE = " \t\r\n\v\f"


class NetrcStore:
    """The caller's netrc."""

    name = "netrc"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, url: Url) -> Entry | None:
        """The login for the URL's host."""
        if url.scheme == "s3" or url.host.startswith("*."):
            return None
        path = self._path()
        file = self._caller.document(path, _Netrc)
        if file is None:
            return None
        found = file.look(url.host, url.username)
        for word in found.odd:
            self._caller.warn(f"{path} has a word that is not understood, after {word!r}")
        login = found.login
        if login is None and url.may_carry_credentials:
            login = found.default
        return None if login is None else Entry(Basic(login[0], Secret(login[1])), path)

    def hosts(self) -> list[str]:
        """The machines that have a password."""
        file = self._caller.document(self._path(), _Netrc)
        return [] if file is None else file.hosts()

    def _path(self) -> str:
        chosen = self._caller.path("NETRC")
        if chosen:
            return chosen
        path = self._caller.in_home(".netrc")
        if sys.platform == "win32" and not os.path.exists(path):
            return self._caller.in_home("_netrc")
        return path


class _Found:
    """What a netrc says about a host.

    Attributes:
        login: user name and password of its own entry, or None.
        default: those of the ``default``, or None.
        odd: the words that stand before one that is not understood.
    """

    __slots__ = ("default", "login", "odd")

    def __init__(self) -> None:
        self.login: tuple[str, str] | None = None
        self.default: tuple[str, str] | None = None
        self.odd: list[str] = []


class _Netrc:
    """A netrc's text; what has been looked up is not looked up again."""

    __slots__ = ("_found", "_lowered", "_text")

    def __init__(self, text: str, _path: str) -> None:
        self._text = text
        self._lowered = text.lower()
        self._found: dict[tuple[str, str | None], _Found] = {}

    def hosts(self) -> list[str]:
        """The machines that have a password; ``default`` is none."""
        found = entries(_words(self._text), lambda _: None)
        return [name for name, _, password in found if name is not None and password is not None]

    def look(self, host: str, username: str | None) -> _Found:
        """What it says about a host, for whatever user or for that one."""
        # Most calls end here: no parsing for a host that the file does not name.
        if host not in self._lowered and "default" not in self._text:
            return _Found()
        found = self._found.get((host, username))
        if found is None:
            found = self._look(host, username)
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[host, username] = found
        return found

    def _look(self, host: str, username: str | None) -> _Found:
        found = _Found()
        words = _plain_words(self._text, self._lowered, host) or _words(self._text)
        for name, login, password in entries(words, found.odd.append):
            if password is None or (username is not None and login != username):
                continue
            if name is None:
                found.default = found.default or (login, password)
            elif name.lower().removesuffix(".") == host:
                found.login = (login, password)
                break
        return found


def entries(
    words: Iterator[str], complain: Callable[[str], None]
) -> Iterator[tuple[str | None, str, str | None]]:
    """Host (None for ``default``), login and password of each entry, as they stand.

    Args:
        words: the file's, without comments, macros and quotes.
        complain: told the last word that was understood, where one is not.
    """
    entry: tuple[str | None, dict[str, str]] | None = None
    last = "the beginning"
    for word in words:
        if word in {"machine", "default"}:
            if entry is not None:
                yield _entry(*entry)
            entry = (None if word == "default" else next(words, ""), {})
        elif word in _FIELDS:
            value = next(words, None)
            if value is None:
                complain(word)
            elif entry is not None:
                entry[1].setdefault("login" if word == "user" else word, value)
        elif word != "macdef":
            complain(last)
            continue
        last = word
    if entry is not None:
        yield _entry(*entry)


def _plain_words(text: str, lowered: str, host: str) -> Iterator[str] | None:
    """The words of one host's entries, found at the speed of C; None for a file that is not plain.

    Plain is a file of keywords and values in turn, without quotes, comments and macros, and without
    a ``default``.
    """
    if '"' in text or "#" in text or "default" in text or "macdef" in text:
        return None
    # Bytes are split at ASCII's white space only, text at more.
    words = text.encode().split()
    keywords, values = words[::2], words[1::2]
    if len(keywords) != len(values) or not {b"machine", *_FIELD_BYTES}.issuperset(keywords):
        return None
    if text.count(host) != lowered.count(host):  # some are not in lower case
        values = [value.lower() for value in values]
    found: list[bytes] = []
    name = host.encode()
    for at in sorted([*_places(values, name), *_places(values, name + b".")]):
        if keywords[at] == b"machine":
            end = next(_places(keywords, b"machine", at + 1), len(keywords))
            found += words[2 * at : 2 * end]
    return map(bytes.decode, found)


def _places(items: list[bytes], wanted: bytes, start: int = 0) -> Iterator[int]:
    while True:
        try:
            start = items.index(wanted, start)
        except ValueError:
            return
        yield start
        start += 1


def _entry(host: str | None, fields: dict[str, str]) -> tuple[str | None, str, str | None]:
    return host, fields.get("login", ""), fields.get("password")


def _words(text: str) -> Iterator[str]:
    """The words, without comments, macros and quotes."""
    at, end = 0, len(text)
    value_next = False
    while True:
        while at < end and text[at] in _SPACE:
            at += 1
        if at == end:
            return
        if text[at] == "#" and not value_next:
            at = _line_end(text, at)
            continue
        closed = text[at] == '"' and _quoted(text, at + 1)
        if closed:
            word, at = closed
        else:
            start = at
            while at < end and text[at] not in _SPACE:
                at += 1
            word = text[start:at]
        if word == "macdef" and not value_next:
            # A macro ends at an empty line, or with the file.
            blank = min(
                (n for n in (text.find("\n\n", at), text.find("\n\r\n", at)) if n >= 0), default=end
            )
            at = blank
        value_next = not value_next and (word == "machine" or word in _FIELDS)
        yield word


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _quoted(text: str, at: int) -> tuple[str, int] | None:
    """A quoted word, from behind its first quote; None where the line ends before the second."""
    characters = []
    while at < len(text) and text[at] not in '"\n':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        characters.append(text[at])
        at += 1
    return ("".join(characters), at + 1) if text[at : at + 1] == '"' else None
