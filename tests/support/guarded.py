"""A web server on loopback that gives files and git repositories to those with a credential."""

from __future__ import annotations

import base64
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from support.components import need
from support.logins import claims
from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Visit:
    """One request.

    Attributes:
        path: what it was for.
        authorization: its header of that name; empty without one.
        at: when it came, in seconds since 1970.
    """

    path: str
    authorization: str
    at: float = field(default_factory=time.time)

    @property
    def secret(self) -> str:
        """The token or password in it."""
        return password_in(self.authorization)


def unexpired(authorization: str) -> bool:
    """Whether a header has a token, as such or as a password, that has not ended."""
    token = password_in(authorization)
    return token.count(".") == 2 and claims(token)["exp"] > time.time()


def password_in(authorization: str) -> str:
    """The token or password of a header."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        return base64.b64decode(value).decode().partition(":")[2]
    return value


class Guarded(Loopback):
    """The server.

    Attributes:
        accepts: says of an Authorization header whether it opens this server.
        closed: paths that no credential opens.
        files: what it has below each path.
        repositories: the folder with bare git repositories, if there is one.
        admitted: who came with what opens it, in order of arrival.
        refused: who did not.
    """

    def __init__(
        self, accepts: Callable[[str], bool] = unexpired, tls: ssl.SSLContext | None = None
    ) -> None:
        self.accepts = accepts
        self.closed: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.repositories: Path | None = None
        self.admitted: list[Visit] = []
        self.refused: list[Visit] = []
        super().__init__(_Handler, tls=tls)


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: Guarded = self.server.owner
        authorization, path = request.authorization, request.path
        visit = Visit(path, authorization)
        if path in owner.closed or not (authorization and owner.accepts(authorization)):
            owner.refused.append(visit)
            return self.send(401, b"", {"WWW-Authenticate": 'Basic realm="guarded"'})
        owner.admitted.append(visit)
        if owner.repositories is not None and ".git/" in path:
            return self._git(request)
        content = owner.files.get(path)
        if content is None:
            return self.send(404)
        kind = "text/html" if path.endswith("/") else "application/octet-stream"
        return self.send(200, content, {"Content-Type": kind})

    def _git(self, request: Recorded) -> None:
        """By git's own program for web servers (git-http-backend(1)), which speaks CGI."""
        done = subprocess.run(
            [need("git"), "http-backend"],
            input=request.body,
            capture_output=True,
            env={
                "GIT_PROJECT_ROOT": str(self.server.owner.repositories),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": request.path,
                "QUERY_STRING": request.target.partition("?")[2],
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(request.body) or ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
            check=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields: dict[str, Any] = dict(
            line.split(": ", 1) for line in head.decode().split("\r\n") if line
        )
        self.send(int(fields.pop("Status", "200").split()[0]), body, fields)


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    """A server of the test's own, which takes tokens that have not ended."""
    with Guarded() as server:
        yield server
