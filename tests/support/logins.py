"""Logins that can be renewed, as the tools leave them in their stores, and what they become."""

from __future__ import annotations

import base64
import json
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from credlatch.stores.pyx import digest
from support.jwt import make_jwt

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Answer
    from support.raw_server import RawServer
    from support.token_server import TokenServer

MARGIN = 400  # seconds before its end from which a token is renewed, unless it lives shortly
TOLD_EARLY = 30  # seconds before its end that clients are told instead, likewise
ENDED = -60  # seconds left of a token that must be renewed
INSIDE = 120  # seconds left of a token that is to be renewed and still good
FIRST = "refresh-0"  # the refresh token that a login comes with


class Login(ABC):
    """A login in its tool's store.

    Attributes:
        endpoint: where the token server is asked to renew it.
        uri: what a client asks for to get it.
        key: what Docker calls it.
        file: the store.
        server: the token server.
    """

    endpoint: str
    uri: str
    key: str
    file: Path
    server: TokenServer

    @abstractmethod
    def write(self, left: int, refresh: str = FIRST) -> str:
        """Log in; the access token, which has so many seconds left."""

    @abstractmethod
    def kept(self) -> tuple[str, str]:
        """The access token and the refresh token that the store has now."""

    @abstractmethod
    def ends(self) -> int:
        """When the kept access token ends, as a client of the store knows it."""

    @abstractmethod
    def refresh_tokens(self) -> list[str]:
        """What the token server was sent, in order."""

    def asks_again(self) -> str:
        """What a client must be told about a token that has just been renewed."""
        return timestamp(self.ends() - TOLD_EARLY)


class OAuthLogin(Login):
    """Of ``pixi auth login``, in rattler's file."""

    endpoint = "/token"

    def __init__(self, home: Home, server: TokenServer, host: str = "packages.example.com") -> None:
        self._home = home
        self.server = server
        self.key = host
        self.uri = f"https://{host}/noarch/repodata.json"
        self.file = home.path / ".rattler/credentials.json"

    def write(self, left: int, refresh: str = FIRST) -> str:
        value = oauth(self.server, left, refresh)
        entries = self._home.read_rattler() if self.file.exists() else {}
        self._home.write_rattler({**entries, self.key: value})
        return str(value["OAuth"]["access_token"])

    def kept(self) -> tuple[str, str]:
        value = self._value()
        return value["access_token"], value["refresh_token"]

    def ends(self) -> int:
        return int(self._value()["expires_at"])

    def refresh_tokens(self) -> list[str]:
        # A caller that is killed between the head of its request and the body has sent none.
        posts = self.server.posts(self.endpoint)
        return [post.form["refresh_token"] for post in posts if post.form]

    def _value(self) -> dict[str, Any]:
        value: dict[str, Any] = self._home.read_rattler()[self.key]["OAuth"]
        return value


class PyxLogin(Login):
    """Of ``uv auth login pyx.dev``, in pyx's folder."""

    endpoint = "/auth/cli/refresh"

    def __init__(self, home: Home, server: TokenServer) -> None:
        self._home = home
        self.server = server
        self.key = server.url  # a bare host would mean https
        self.uri = f"{server.url}/simple/"
        self._name = f".local/share/pyx/credentials/{digest(f'{server.url}/')}/tokens.json"
        self.file = home.path / self._name
        home.env["PYX_API_URL"] = server.url

    def write(self, left: int, refresh: str = FIRST) -> str:
        token = make_jwt(int(time.time()) + left, iss="mock", n=0)
        pair = {"access_token": token, "refresh_token": refresh}
        self._home.write(self._name, json.dumps(pair, separators=(",", ":")))
        return token

    def kept(self) -> tuple[str, str]:
        pair = json.loads(self.file.read_bytes())
        return pair["access_token"], pair["refresh_token"]

    def ends(self) -> int:
        return int(claims(self.kept()[0])["exp"])

    def refresh_tokens(self) -> list[str]:
        return [post.json["refresh_token"] for post in self.server.posts(self.endpoint)]


def oauth(server: TokenServer | RawServer, left: int, refresh: str = FIRST) -> dict[str, Any]:
    """What rattler writes for an OAuth login."""
    end = int(time.time()) + left
    content = {
        "access_token": make_jwt(end, iss="mock", n=0),
        "refresh_token": refresh,
        "expires_at": end,
        "token_endpoint": f"{server.url}/token",
        "revocation_endpoint": None,
        "client_id": "rattler",
    }
    return {"OAuth": content}


def timestamp(seconds: int) -> str:
    """A moment as Bazel reads it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def age_notes(home: Home, seconds: float) -> None:
    """Let so many seconds pass for what is noted of renewals, in all stores below a home."""
    for notes in home.path.rglob("*.renewals"):
        rows = [row.split(" ", 3) for row in notes.read_text().splitlines()]
        older = [[name, state, str(float(at) - seconds), said] for name, state, at, said in rows]
        notes.write_text("".join(" ".join(row) + "\n" for row in older))


def claims(token: str) -> dict[str, Any]:
    """What a JWT says."""
    body = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return said


def bearer(answer: Answer) -> str:
    """The token of a Bazel answer."""
    scheme, _, token = (answer.authorization or "").partition(" ")
    assert scheme == "Bearer", answer
    return token


def secret(answer: Answer) -> str:
    """The token of a Docker answer."""
    login = answer.json()
    assert login["Username"] == "__token__", answer
    return str(login["Secret"])


def refusal(answer: Answer, code: int = 1) -> str:
    """What a call that failed said to a person, or to Bazel: one clear line."""
    assert answer.out == b"", answer
    return _line(answer, answer.err, code)


def docker_refusal(answer: Answer) -> str:
    """What a call that failed said to Docker: one clear line."""
    assert answer.err == "", answer
    return _line(answer, answer.out.decode())


def warning(answer: Answer) -> str:
    """What a call that succeeded said to a person: one clear line."""
    return _line(answer, answer.err, code=0)


def _line(answer: Answer, said: str, code: int = 1) -> str:
    assert answer.code == code, answer
    assert said.startswith("credlatch: "), answer
    assert said.endswith("\n"), answer
    assert said.count("\n") == 1, answer
    assert "internal error" not in said, answer
    return said
