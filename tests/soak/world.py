"""Who is asked in a soak, and which answers are right."""

from __future__ import annotations

import fcntl
import json
import time
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.jwt import make_jwt
from support.logins import claims
from support.token_server import Fault, TokenServer

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from support.home import Home
    from support.program import Answer

LIFETIME = 20  # seconds of a token: each ends many times
STATIC = 20  # hosts with a token that changes only when somebody logs in again
RENEWED = 4  # hosts with an OAuth login, each with a token server of its own
LOGINS = 4  # hosts with a login in netrc
# What a server does before it has acted: a login survives it whatever its kind.
HARMLESS = (Fault.STATUS_500, Fault.REDIRECT)
# After these a refresh token that is good for one use is spent: only servers that take it again.
LYING = (Fault.CLOSE, Fault.GARBAGE_JSON, Fault.HTML, Fault.NO_TOKEN, Fault.EXPIRED)
SLOW = 1.5  # seconds
_KEPT = 20.0  # seconds in which whatever came is kept, on the busiest machine


class Server(TokenServer):
    """A token server whose tokens are its own, and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.lifetime = LIFETIME
        self.issued: set[str] = set()
        self.last = ""
        self.drops = False

    def issue(self, fault: Fault | None) -> dict[str, Any]:
        """A token that no other server gives."""
        answer = super().issue(fault)
        token = make_jwt(int(time.time()) + LIFETIME, iss=self.url, n=len(self.issued) + 1)
        if fault is None:
            answer["access_token"] = token
            self.issued.add(token)
            self.last = token
        return answer

    def spend(self, refresh_token: str) -> bool:
        """Use it up, unless who has sent it is gone."""
        if self.drops:
            raise ConnectionResetError("who has asked is gone")
        return super().spend(refresh_token)

    def takes(self, refresh_token: str) -> bool:
        """Whether a refresh token may still be exchanged."""
        return refresh_token not in self._spent


@dataclass
class Asked:
    """One question.

    Attributes:
        words: of the command line.
        stdin: what is written to it.
        host: whose credential is wanted.
    """

    words: tuple[str, ...]
    stdin: bytes
    host: str


class World:
    """Hosts, and what they have been given.

    Args:
        home: where the logins are.
        servers: token servers; every second one takes a refresh token again and again.

    Attributes:
        home: likewise.
        servers: likewise.
        clock_is_wrong: whether who answers cannot know what has ended.
    """

    def __init__(self, home: Home, servers: list[Server]) -> None:
        self.home = home
        self.servers = servers
        self.clock_is_wrong = False
        self._static = [f"s{number}.example" for number in range(STATIC)]
        self._logins = [f"l{number}.example" for number in range(LOGINS)]
        self._values = {host: [f"{host}-0"] for host in (*self._static, *self._logins)}
        self._there = dict.fromkeys(self._values, 0)
        for number, server in enumerate(servers):
            server.rotate = number % 2 == 0
        end = int(time.time())
        # What was logged in with is right as long as the clock of who answers says so.
        first = {server: make_jwt(end, iss=server.url, n=0) for server in servers}
        for server, token in first.items():
            server.issued.add(token)
        renewed = {
            f"o{number}.example": {
                "OAuth": {
                    "access_token": first[server],
                    "refresh_token": "refresh-0",
                    "expires_at": end,
                    "token_endpoint": f"{server.url}/token",
                    "revocation_endpoint": None,
                    "client_id": "rattler",
                }
            }
            for number, server in enumerate(servers)
        }
        self._oauth = dict(zip(renewed, servers, strict=True))
        static = {host: {"BearerToken": self._values[host][0]} for host in self._static}
        home.write_rattler({**static, **renewed})
        lines = [f"machine {h} login ada password {self._values[h][0]}\n" for h in self._logins]
        home.write(".netrc", "".join(lines))

    def question(self, dice: random.Random) -> Asked:
        """One of a client's."""
        kind = dice.random()
        if kind < 0.03:
            host = f"nobody-{dice.randrange(1000)}.example"
        elif kind < 0.18:
            host = dice.choice([*self._oauth])
        elif kind < 0.3:
            host = dice.choice(self._logins)
        else:
            host = dice.choice(self._static)
        if dice.random() < 0.2 and not host.startswith("nobody"):
            return Asked(("docker", "get"), host.encode(), host)
        uri = f"https://{host}/a/{dice.randrange(10**6)}"
        return Asked(("get",), json.dumps({"uri": uri}).encode(), host)

    def kind(self, host: str) -> str:
        """What there is for a host: for people."""
        if host in self._oauth:
            return "renewed"
        return "netrc" if host in self._logins else "kept" if host in self._values else "nobody"

    def known(self, host: str) -> int:
        """Which value of a host's is there by now: what is asked next gets that or a later one."""
        return self._there.get(host, 0)

    def wrong(self, asked: Asked, known: int, began: float, answer: Answer) -> str:
        """What is wrong with an answer; nothing: it is right.

        Args:
            asked: the question.
            known: what ``known`` said before it was asked.
            began: when it was asked.
            answer: what came.
        """
        if answer.code not in (0, 1):
            return f"exit status {answer.code}"
        lines = answer.err.splitlines()
        if any(not line.startswith("credlatch: ") for line in lines) or "internal" in answer.said:
            return "what it says"
        if answer.code == 1:
            # Only what has to be renewed may fail, and then says why.
            is_told = len(answer.said.splitlines()) == 1 and "credlatch: " in answer.said
            return "" if asked.host in self._oauth and is_told else "it fails"
        said = json.loads(answer.out)
        if asked.words[0] == "docker":
            value = said["Secret"]
        else:
            headers = said["headers"]
            if not headers:
                return "" if asked.host.startswith("nobody") else "nothing was found"
            value = headers["Authorization"][0].partition(" ")[2]
        return self._judged(asked, known, began, value)

    def _judged(self, asked: Asked, known: int, began: float, value: str) -> str:
        host = asked.host
        if host in self._oauth:
            if value not in self._oauth[host].issued:
                return "a token that its server has not given"
            return (
                "" if claims(value)["exp"] >= began - 1 or self.clock_is_wrong else "it has ended"
            )
        right = self._values.get(host, [])[known:]
        if host in self._logins:
            right = [*right, *(b64encode(f"ada:{each}".encode()).decode() for each in right)]
        return "" if value in right else "another's credential, or an older one"

    def log_in_again(self, dice: random.Random) -> None:
        """Have some hosts another token, as other tools do: under the lock, the file replaced."""
        path = self.home.path / ".rattler/credentials.json"
        with open(f"{path}.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh = self._next(dice, self._static)
            entries = {host: {"BearerToken": value} for host, value in fresh.items()}
            aside = path.with_name("of-another-tool")
            aside.touch(0o600)
            aside.write_text(json.dumps({**self.home.read_rattler(), **entries}))
            aside.replace(path)
        self._settle(fresh)
        self._next(dice, self._logins)
        lines = [f"machine {h} login ada password {self._values[h][-1]}\n" for h in self._logins]
        aside = self.home.write(".netrc-of-an-editor", "".join(lines))
        aside.replace(self.home.path / ".netrc")
        self._settle(self._logins)

    def _next(self, dice: random.Random, hosts: list[str]) -> dict[str, str]:
        """New values for some; until they are settled, either is right."""
        fresh = {}
        for host in dice.sample(hosts, 3):
            fresh[host] = f"{host}-{len(self._values[host])}"
            self._values[host].append(fresh[host])
        return fresh

    def _settle(self, hosts: Iterable[str]) -> None:
        for host in hosts:
            self._there[host] = len(self._values[host]) - 1

    @contextmanager
    def nothing_under_way(self) -> Iterator[None]:
        """A moment at which somebody may be killed, and no login be lost by that.

        What a server has given for a refresh token that is good for one use, and was not kept when
        we are killed, nobody can have again.
        """
        once = {host: server for host, server in self._oauth.items() if server.rotate}
        with ExitStack() as stack:
            for server in once.values():
                stack.enter_context(server.paused())
            deadline = time.monotonic() + _KEPT
            while time.monotonic() < deadline:
                store = self.home.read_rattler()
                kept = {host: store[host]["OAuth"]["access_token"] for host in once}
                if all(server.last in ("", kept[host]) for host, server in once.items()):
                    break
                time.sleep(0.02)
            yield
            for server in once.values():
                server.drops = True
        time.sleep(0.2)  # until those who wait there are sent away
        for server in once.values():
            server.drops = False

    def lost(self) -> list[str]:
        """The logins that nobody can renew any more, by what is in the store."""
        found = []
        for host, server in self._oauth.items():
            refresh = self.home.read_rattler()[host]["OAuth"]["refresh_token"]
            if server.rotate and not server.takes(refresh):
                found.append(f"{host}: {refresh} has been used up")
        return found
