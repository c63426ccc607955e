"""Hosts, ports, paths, users and whole URLs, few enough that stores and questions often meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_HOSTS = (
    "a.example", "b.a.example", "c.b.a.example", "aa.example", "example", "a.example.org",
    "a-b.example", "a_b.example", "xn--bcher-kva.example", "1a.example", "localhost", "x.localhost",
    "127.0.0.1", "10.1.2.3", "[::1]", "[2001:db8::1]",
)  # fmt: skip
_ODD_HOSTS = (
    "bücher.example", "BÜCHER.example", "a.example.", "localhost.", "a..example", "127.1", "0x7f.1",
    "a%2eexample", "a.example%00", "*.a.example", "straße.example", "[::1%25eth0]", "[0:0::1]",
    "[::ffff:127.0.0.1]", "faß.de", "a。example", "-a.example", "2130706433", "a.example.1",
)  # fmt: skip
_PORTS = ("", "", "", "", ":443", ":80", ":8443", ":5000", ":0443", ":", ":65536", ":0")
_PATHS = ("", "", "/", "/a", "/a/", "/a/b", "/ab", "/a/b/c.txt", "//a", "/A", "/v2/", "/v1/")
_ODD_PATHS = (
    "/a/../b", "/a/./b", "/%61", "/a%2fb", "/a%2Fb", "/é", "/%C3%A9", "/%c3%a9", "/a/%2e%2e/b",
    "/a b", "/a%20b", "/a;b", "/a/..", "/a/b/..", "/.", "/a|b", "/a\"b", "/a'b", "/[a]", "/a^b",
    "/a`b", "/a{b}", "/a~b", "/a%7Eb", "/a%", "/a%zz", "/a//b", "/a\\b", "/a?b", "/a?b/../c",
    "/a#b",
)  # fmt: skip
USERS = ("u", "v", "U", "u.v", "u@v", "ü", "u%40v", "u+v", "__token__", "")


class Words:
    """The names of one case: a handful of each, again and again.

    Args:
        random: where they come from.
        odd: how many in a hundred are odd.
    """

    def __init__(self, random: Random, odd: int = 10) -> None:
        self.random = random
        self._odd = odd
        count = random.randint(1, 4)
        self._hosts = [self._new_host() for _ in range(count)]

    def chance(self, in_a_hundred: float) -> bool:
        """True so often."""
        return self.random.random() * 100 < in_a_hundred

    def odd(self) -> bool:
        """Whether this one is odd."""
        return self.chance(self._odd)

    def one(self, *of: str) -> str:
        """One of these."""
        return self.random.choice(of)

    def _new_host(self) -> str:
        return self.one(*_ODD_HOSTS) if self.odd() else self.one(*_HOSTS)

    def host(self) -> str:
        """A host's name, as a person might write it."""
        host = self.random.choice(self._hosts)
        if self.chance(5):
            host = self._new_host()
        if self.odd():
            host = self.one(host.upper(), host.title(), host + ".", f"x.{host}", f"x{host}", host)
        return host

    def port(self) -> str:
        """A port behind its colon, or nothing."""
        return self.one(*_PORTS) if self.odd() else self.one("", "", "", ":443", ":8443", ":5000")

    def path(self) -> str:
        """A path, a query with it now and then."""
        return self.one(*_ODD_PATHS) if self.odd() else self.one(*_PATHS)

    def user(self) -> str:
        """A user's name, as a store has it."""
        return self.one(*USERS) if self.odd() else self.one("u", "v", "w")

    def userinfo(self) -> str:
        """What stands before the host in a URL; mostly nothing."""
        if not self.chance(15):
            return ""
        return self.one("u@", "v@", "w@", "u%40v@", "%75@", "%C3%BC@", "U@", "@")

    def scheme(self, http: int = 10) -> str:
        """A URL's scheme: http so often in a hundred."""
        scheme = "http" if self.chance(http) else "https"
        return scheme.upper() if self.chance(1) else scheme

    def url(self, http: int = 10) -> str:
        """A whole URL."""
        return f"{self.scheme(http)}://{self.userinfo()}{self.host()}{self.port()}{self.path()}"

    def urls(self) -> tuple[str, ...]:
        """What a store is asked: of every ten of these, one is odd, whatever the store is."""
        self._odd = 10
        return tuple(self.url(http=4) for _ in range(40))

    def secret(self, number: int) -> str:
        """A password that tells where it stood."""
        return f"{self.one('p', 'p', 'p', 'p:', 'pä', 'p p', 'p#', 'p%')}{number}"
