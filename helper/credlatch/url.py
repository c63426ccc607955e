"""URLs, parsed at the edge into what credentials are matched by.

Stricter than a browser: where programs disagree about what a host is (percent signs, backslashes,
``127.1``), the answer is an error, because a disagreement here sends a credential elsewhere.
"""

from __future__ import annotations

from credlatch.errors import RequestError

DEFAULT_PORTS = {"https": 443, "http": 80, "s3": 0}
MAX_LENGTH = 65_536  # characters; no server takes a longer URL
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_SHOWN = 200  # characters
_NOT_IN_PATHS = frozenset(' "<>`{}')  # WHATWG URL, 1.3, and what is no ASCII: sent in percent signs
_MAX_PORT = 65_535
_OCTETS = 4
_MAX_OCTET = 255


class Url:
    """One URL.

    Attributes:
        scheme: ``https``, ``http`` or ``s3``.
        host: lower case, in ASCII (IDNA), IPv6 without brackets. A trailing dot is dropped, but
            for a name of one label, to which it means another host: without it, a resolver appends
            its search domains. It may begin with ``*.``: Siso asks for such a host literally.
        port: the port that is meant, the scheme's own when none was given.
        path: at least ``/``, with dot segments resolved and percent-encoded, as it is sent.
        username: the user name before ``@``, or None. A password there is dropped.
        text: the URL again, without user information.
    """

    def __init__(
        self, scheme: str, host: str, port: int, path: str, query: str, username: str | None
    ) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = _encoded(_without_dots(path or "/"))
        self.username = username
        self.text = f"{scheme}://{self.netloc}{path or '/'}{query}"

    @property
    def default_port(self) -> bool:
        """Whether the port is the scheme's own."""
        return self.port == DEFAULT_PORTS[self.scheme]

    @property
    def netloc(self) -> str:
        """``host[:port]`` as a URL has it: IPv6 in brackets, the scheme's own port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.default_port else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query as they were written: a client sends them so that changes nothing."""
        return self.text[len(self.scheme) + len("://") + len(self.netloc) :]

    @property
    def shown(self) -> str:
        """What a message shows: no query, which may hold a secret, and not all of a long path."""
        path = self.path if len(self.path) <= _SHOWN else self.path[:_SHOWN] + "…"
        return f"{self.scheme}://{self.netloc}{path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454): two URLs with the same one speak to the same server."""
        return self.scheme, self.host, self.port

    @property
    def is_ip(self) -> bool:
        """Whether the host is an address and no name."""
        return ":" in self.host or self.host.rpartition(".")[2].isdecimal()

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by definition (RFC 6761, RFC 5735, RFC 4291)."""
        host = self.host
        return host in {"localhost", "::1"} or (self.is_ip and host.startswith("127."))

    @property
    def may_be_loopback(self) -> bool:
        """Whether it is, or is a name that is only meant to be: ``localhost.``, ``*.localhost``.

        Not every resolver knows RFC 6761, 6.3: some ask a DNS server, which may answer anything.
        """
        host = self.host.removesuffix(".")
        return self.is_loopback or host == "localhost" or host.endswith(".localhost")

    @property
    def may_carry_credentials(self) -> bool:
        """Whether a credential may travel there: never in the clear, except within this machine.

        Where only the resolver knows whether it is this machine, ``Caller.may_send`` asks it.
        """
        return self.scheme != "http" or self.is_loopback

    def covers(self, other: Url) -> bool:
        """Whether ``other`` has the same origin and a path at or below this one.

        By segments, and a slash at the end counts: ``/a/`` is below ``/a``, and not the reverse.
        """
        if self.origin != other.origin:
            return False
        prefix = self.path if self.path.endswith("/") else self.path + "/"
        return other.path == self.path or other.path.startswith(prefix)

    def __repr__(self) -> str:
        return f"Url({self.text!r})"


def parse(text: str) -> Url:
    """Parse a URL that a client asks about.

    A bare ``host[:port]`` means https (bazel-contrib/rules_img sends one).

    Raises:
        RequestError: not a URL, or not one whose host is beyond doubt. The message does not repeat
            the URL, which may hold a password.
    """
    if len(text) > MAX_LENGTH:
        raise RequestError(f"the URL has {len(text)} characters; {MAX_LENGTH} is the most")
    if not text:
        raise RequestError("the URL is empty")
    if not text.isprintable() or " " in text or "\\" in text:
        raise RequestError("the URL contains a space, a backslash or a control character")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator:
        scheme, rest = "https", _bare(text)
    elif scheme not in DEFAULT_PORTS:
        raise RequestError(
            f"the URL's scheme is {scheme[:20]!r}; credlatch answers https:, "
            "http: on this machine, and s3:"
        )
    end = authority_end(rest)
    authority, tail = rest[:end], rest[end:].partition("#")[0]
    path, mark, query = tail.partition("?")
    userinfo, _, hostport = authority.rpartition("@")
    username = _unquote(userinfo.partition(":")[0]) or None
    host, port = _host_and_port(hostport, scheme)
    return Url(scheme, host, port, path, mark + query, username)


def authority_end(rest: str) -> int:
    """Where the authority ends in what follows a URL's ``://`` (RFC 3986, 3.2)."""
    return min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))


def absolute(text: str) -> Url:
    """Parse a URL that a store or a setting names: with its scheme, as their own tools want it.

    Raises:
        RequestError: as ``parse``; or it has none.
    """
    if "://" not in text:
        raise RequestError("the URL is not absolute: it must begin with https://")
    return parse(text)


def _without_dots(path: str) -> str:
    """The path without ``.`` and ``..`` (RFC 3986, 5.2.4; encoded ones too: WHATWG URL, 4.4)."""
    if "/." not in path and "%2e" not in path.lower():
        return path
    kept: list[str] = []
    parts = path.split("/")
    for part in parts:
        plain = part.lower().replace("%2e", ".")
        if plain == "..":
            kept = kept[: max(1, len(kept) - 1)]
        elif plain != ".":
            kept.append(part)
    if parts[-1].lower().replace("%2e", ".") in {".", ".."}:
        kept.append("")
    return "/".join(kept) or "/"


def _encoded(path: str) -> str:
    if path.isascii() and _NOT_IN_PATHS.isdisjoint(path):
        return path
    return "".join(
        c if c.isascii() and c not in _NOT_IN_PATHS else "".join(f"%{b:02X}" for b in c.encode())
        for c in path
    )


def _bare(text: str) -> str:
    """A bare host is taken for one; anything else without a scheme is relative and is refused."""
    host = text.partition(":")[0]
    names_host = "." in host.strip(".") or host == "localhost" or text.startswith("[")
    if "/" in text or "@" in text or "?" in text or not names_host:
        raise RequestError(
            "the URL is not absolute: it must begin with https:// or be a host's name"
        )
    return text


def _unquote(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def _host_and_port(hostport: str, scheme: str) -> tuple[str, int]:
    if hostport.startswith("["):
        inside, bracket, after = hostport[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise RequestError("the URL's IPv6 address is not closed by a bracket")
        return ipv6(inside), _port(after[1:], scheme)
    host, _, port = hostport.partition(":")
    return host_name(host, bucket=scheme == "s3"), _port(port, scheme)


def _port(text: str, scheme: str) -> int:
    if not text:
        return DEFAULT_PORTS[scheme]
    # Longer than any port is refused before int() reads it, isdecimal() alone takes other scripts.
    if not (text.isascii() and text.isdecimal() and len(text.lstrip("0")) <= len(str(_MAX_PORT))):
        raise RequestError("the URL's port is not a number")
    number = int(text)
    if not 0 < number <= _MAX_PORT:
        raise RequestError(f"the URL's port is not between 1 and {_MAX_PORT}")
    return number


def ipv6(text: str) -> str:
    """An IPv6 address in its shortest form, and all of it in hexadecimal (WHATWG URL, 3.5).

    Raises:
        RequestError: it is none, or has a zone.
    """
    from ipaddress import AddressValueError, IPv6Address

    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise RequestError("the URL's IPv6 address is not one") from None
    if address.scope_id:
        raise RequestError("the URL's IPv6 address has a zone, which means another host elsewhere")
    if address.ipv4_mapped is None:
        return str(address)
    # Python 3.13 and newer write 127.0.0.1 at its end.
    return f"::ffff:{int(address) >> 16 & 0xFFFF:x}:{int(address) & 0xFFFF:x}"


def host_name(text: str, *, bucket: bool) -> str:
    """A host's name, or that of an S3 bucket, in the one form that is compared.

    Raises:
        RequestError: it is no host's name, or one that programs read in different ways.
    """
    host = text.lower()
    if not host.isascii():
        host = _idna(host)
        # A program without IDNA asks a name service for what others take for this machine.
        if host.removesuffix(".").rpartition(".")[2] == "localhost" or _is_number(host):
            raise RequestError("the URL's host is an address, or localhost, in other letters")
    name = host.removeprefix("*.").removesuffix(".")
    labels = name.split(".")
    if "" in labels or not _HOST_CHARACTERS.issuperset(name):
        raise RequestError("the URL has no host, or one with characters that no host has")
    # A name whose last label is a number is an IPv4 address (WHATWG URL, 3.5), which may be written
    # in many ways; only the canonical one is read alike by everybody.
    if not bucket and _is_number(name):
        canonical = len(labels) == _OCTETS and all(map(_is_octet, labels))
        if not canonical or host.endswith("."):
            raise RequestError("the URL's host is a number, but not an IPv4 address like 127.0.0.1")
    return undotted(host)


def _is_number(name: str) -> bool:
    last = name.removesuffix(".").rpartition(".")[2]
    return last.isdecimal() or last.startswith("0x")


def undotted(name: str) -> str:
    """A host's name without the dot at its end, which a name of one label keeps: see ``Url``."""
    without = name.removesuffix(".")
    return without if "." in without else name


def _is_octet(text: str) -> bool:
    return text.isdecimal() and int(text[:4]) <= _MAX_OCTET and str(int(text[:4])) == text


def _idna(host: str) -> str:
    # The rules of IDNA 2008 with UTS 46, as browsers and Rust's url have them: the codec of the
    # standard library follows IDNA 2003, by which some names are those of other hosts.
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise RequestError("the URL's host is not a valid internationalised name") from None
