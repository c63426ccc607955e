r"""netrc, where every tool has rules of its own: these are ours.

=========================== ====================================================================
which file                  NETRC, else ``~/.netrc`` (Windows: then ``~/_netrc``)
the host                    compared without regard to case, and to a dot at its end where it has
                            another; a port in the URL plays no part
two entries for a host      the URL's user name decides; without one the first counts
``default``                 the first one, for hosts that no entry names; not over plain
                            http to another machine, and never for Docker
keywords                    in any case, as curl has it
quotes                      ``"a b"`` with ``\"``, ``\\``, ``\n``, ``\r`` and ``\t``, as curl has it
comments                    from a ``#`` where a keyword may stand, to the end of the line; a ``#``
                            in a value belongs to the value
``macdef``                  passed over, to the next empty line; it ends the entry before it
``account``                 passed over
an entry without a password no entry
a byte order mark           passed over
a word that means nothing   a warning; what follows it belongs to nobody, up to the next ``machine``
                            or ``default``
a value that is missing     so is one: a keyword on the next line is none, nor one as a machine's
                            name; quotes that are not closed, or that touch a word, are none
a field that comes twice    a warning; what came before it counts if it is a whole login
mode                        a warning when others may read it
=========================== ====================================================================
"""

from __future__ import annotations

import os
import sys

from credlatch.credential import Basic, Secret
from credlatch.errors import RequestError
from credlatch.stores import HOST, IN_THE_CLEAR, NOTHING, OTHER_USER, Entry, Store
from credlatch.url import ipv6, undotted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.stores import Listed
    from credlatch.url import Url

_VALUED = frozenset((b"machine", b"login", b"user", b"password", b"account"))
_KEYWORDS = frozenset((b"default", b"macdef", *_VALUED))
_MOST = 64  # hosts of which is remembered what was found


class NetrcStore(Store):
    """The caller's netrc."""

    def find(self, url: Url) -> Entry | None:
        """The login for the URL's host."""
        if url.scheme == "s3" or url.host.startswith("*."):
            return None
        path = self.path
        file = self._caller.document(path, _Netrc)
        if file is None:
            return None
        found = file.look(url.host, url.username)
        for word in found.odd:
            self._caller.warn(
                f"{path} has a word that is not understood, after {word!r}: what follows it "
                "belongs to nobody, up to the next machine"
            )
        login, names = found.login, HOST
        if login is None and found.others:
            self.pass_over(OTHER_USER, path)
        if login is None and found.default is not None and not found.named:
            login, names = found.default, NOTHING
            if not self._caller.may_send(url):
                self.pass_over(IN_THE_CLEAR, path)
                return None
        if login is None:
            return None
        return Entry(Basic(login[0], Secret(login[1])), path, names=names)

    def entries(self) -> Iterator[Listed]:
        """The machines that have a password; ``default`` is none."""
        return ((name, entry) for name, entry in self._all() if name is not None)

    def for_others(self) -> tuple[Entry, ...]:
        """The first ``default`` that has a password, the only one that counts."""
        return tuple(entry for name, entry in self._all() if name is None)[:1]

    def _all(self) -> Iterator[tuple[str | None, Entry]]:
        file = self._caller.document(self.path, _Netrc)
        for name, login in () if file is None else file.all():
            names = NOTHING if name is None else HOST
            yield name, Entry(Basic(login[0], Secret(login[1])), self.path, names=names)

    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self.path,)

    @property
    def path(self) -> str:
        """Which file."""
        if chosen := self._caller.path("NETRC"):
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
        named: whether it has an entry of its own, be it another user's or cut short by a word that
            is not understood: the default is not for it.
        others: whether there is a login that would be for it, of another user.
        odd: the words that stand before such a one.
    """

    def __init__(self) -> None:
        self.login: tuple[str, str] | None = None
        self.default: tuple[str, str] | None = None
        self.named = False
        self.others = False
        self.odd: list[str] = []


class _Netrc:
    """A netrc's text; what has been looked up is not looked up again."""

    def __init__(self, text: str, _path: str) -> None:
        self._text = text
        self._lowered = text.lower()
        self._found: dict[tuple[str, str | None], _Found] = {}

    def all(self) -> Iterator[tuple[str | None, tuple[str, str]]]:
        """All logins, each with its machine's name; None for a ``default``."""
        for entry in entries(_all_fields(self._text), lambda _: None):
            if entry.login is not None:
                yield entry.name, entry.login

    def look(self, host: str, username: str | None) -> _Found:
        """What it says about a host, for whatever user or for that one."""
        # Most calls end here: no parsing for a host that the file does not name.
        lowered = self._lowered
        plain = "\\" not in lowered or '"' not in lowered  # a name is as it stands
        if plain and ":" not in host and host not in lowered and "default" not in lowered:
            return _Found()
        if (found := self._found.get((host, username))) is None:
            found = self._look(host, username)
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[host, username] = found
        return found

    def _look(self, host: str, username: str | None) -> _Found:
        found = _Found()
        named = None if ":" in host else _plain_fields(self._text, self._lowered, host)
        fields = named or _all_fields(self._text)
        for entry in entries(fields, found.odd.append):
            if entry.name is not None and not is_host(entry.name, host):
                continue
            if entry.doubled:
                found.odd.append(entry.doubled)
            if entry.login is None:
                found.named = found.named or (entry.cut and entry.name is not None)
            elif entry.name is None:
                found.default = found.default or entry.login
            elif username in {None, entry.login[0]}:
                found.login = entry.login
                break
            else:
                found.named = found.others = True
        if found.default is not None and username not in {None, found.default[0]}:
            found.default, found.others = None, True
        return found


def is_host(name: str, host: str) -> bool:
    """Whether a machine of that name is a host's; the host as ``Url.host`` has it."""
    if ":" in host:
        # Whoever writes an address means it, in whatever form: it must not get the default's login.
        inside = name[1:-1] if name[:1] == "[" and name[-1:] == "]" else name
        try:
            return ipv6(inside) == host
        except RequestError:
            return False
    return name.isascii() and undotted(name.lower()) == host


class NetrcEntry:
    """One entry, as far as it is understood.

    Attributes:
        name: the machine's name as it stands; None for the ``default``.
        cut: whether a word that is not understood stands in it.
        doubled: the field that stands in it a second time, or nothing.
        fields: its user name and password, as far as they are there.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.cut = False
        self.doubled = ""
        self.fields: dict[str, str] = {}

    @property
    def login(self) -> tuple[str, str] | None:
        """User name and password, or None: one that was cut short must have had both before."""
        username, password = self.fields.get("login"), self.fields.get("password")
        if password is None or (username is None and self.cut):
            return None
        return username or "", password


def entries(
    fields: Iterator[tuple[str, str | None]], complain: Callable[[str], None]
) -> Iterator[NetrcEntry]:
    """The entries, in their order.

    Nobody knows whose what follows a word is that is not understood: so it is nobody's.

    Args:
        fields: each keyword with its value, as ``netrc_text.fields`` has them.
        complain: told the last word that was understood, where one is not.
    """
    entry: NetrcEntry | None = None
    last, lost = "the beginning", False
    for keyword, value in fields:
        if keyword in {"machine", "default", "macdef"}:
            if entry is not None:
                yield entry
            entry = None
            lost = lost and keyword == "macdef"
            if keyword == "default" or (keyword == "machine" and value is not None):
                entry = NetrcEntry(value)
            elif keyword == "machine":
                complain(keyword)
                lost = True
        elif lost:
            continue
        elif entry is None or value is None:
            complain(last if entry is None else keyword or last)
            lost = True
            if entry is not None:
                entry.cut = True
        elif (field := "login" if keyword == "user" else keyword) in entry.fields:
            entry.doubled, entry.cut, lost = keyword, True, True
        elif field != "account":
            entry.fields[field] = value
        last = keyword
    if entry is not None:
        yield entry


def _all_fields(text: str) -> Iterator[tuple[str, str | None]]:
    from credlatch.stores import netrc_text

    return netrc_text.fields(text)


def _plain_fields(text: str, lowered: str, host: str) -> Iterator[tuple[str, str | None]] | None:
    """One host's entries, found at the speed of C; None for a file that is not plain.

    Plain is a file of keywords in lower case and values in turn, none of which is the other,
    without quotes, comments and macros, and without a ``default``.
    """
    if '"' in text or "#" in text or "\0" in text:
        return None
    # Bytes are split at ASCII's white space only, text at more.
    words = text.encode().split()
    keywords, names = words[::2], words[1::2]
    if text != lowered:
        names = [name.lower() for name in names]
    if (
        len(keywords) != len(names)
        or keywords[:1] != [b"machine"]
        or not _VALUED.issuperset(keywords)
        or not _KEYWORDS.isdisjoint(names)
    ):
        return None
    found: list[tuple[str, str | None]] = []
    name = host.encode()
    dotted = _places(names, name + b".") if b"." in name else ()
    for at in sorted([*_places(names, name), *dotted]):
        if keywords[at] == b"machine":
            end = next(_places(keywords, b"machine", at + 1), len(keywords))
            values = map(bytes.decode, words[2 * at + 1 : 2 * end : 2])
            found += zip(map(bytes.decode, keywords[at:end]), values, strict=True)
    return iter(found)


def _places(items: list[bytes], wanted: bytes, start: int = 0) -> Iterator[int]:
    while True:
        try:
            start = items.index(wanted, start)
        except ValueError:
            return
        yield start
        start += 1
