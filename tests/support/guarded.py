"""A web server on loopback that gives files and git repositories to those with a credential."""

from __future__ import annotations

import base64
import subprocess
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from support.components import need
from support.logins import claims
from support.loopback import Loopback, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.home import Home


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
        url: where it is.
    """

    def __init__(self, accepts: Callable[[str], bool] = unexpired) -> None:
        self.accepts = accepts
        self.closed: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.repositories: Path | None = None
        self.admitted: list[Visit] = []
        self.refused: list[Visit] = []
        super().__init__(_Handler)
        self.url = "http://{}:{}".format(*self.address)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        owner: Guarded = self.server.owner
        authorization = self.headers.get("Authorization", "")
        path, _, query = self.path.partition("?")
        visit = Visit(path, authorization)
        if path in owner.closed or not (authorization and owner.accepts(authorization)):
            owner.refused.append(visit)
            return self._send(401, b"", {"WWW-Authenticate": 'Basic realm="guarded"'})
        owner.admitted.append(visit)
        if owner.repositories is not None and ".git/" in path:
            return self._git(path, query)
        content = owner.files.get(path)
        if content is None:
            return self._send(404, b"")
        kind = "text/html" if path.endswith("/") else "application/octet-stream"
        return self._send(200, content, {"Content-Type": kind})

    def _git(self, path: str, query: str) -> None:
        """By git's own program for web servers (git-http-backend(1)), which speaks CGI."""
        length = self.headers.get("Content-Length", "")
        done = subprocess.run(
            [need("git"), "http-backend"],
            input=self.rfile.read(int(length or 0)),
            capture_output=True,
            env={
                "GIT_PROJECT_ROOT": str(self.server.owner.repositories),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": str(self.command),
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": length,
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
            check=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields: dict[str, Any] = dict(
            line.split(": ", 1) for line in head.decode().split("\r\n") if line
        )
        self._send(int(fields.pop("Status", "200").split()[0]), body, fields)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    """A server of the test's own, which takes tokens that have not ended."""
    with Guarded() as server:
        yield server


@pytest.fixture
def repository(guarded: Guarded, home: Home, tmp_path: Path) -> str:
    """The path on that server of a git repository with a Dockerfile that builds from nothing."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    person = {"NAME": "tests", "EMAIL": "tests@localhost"}
    env = {**home.env, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_{name}": value for name, value in person.items()}
    guarded.repositories = tmp_path / "repositories"
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["commit", "--quiet", "--message=first"],
        ["clone", "--quiet", "--bare", ".", str(guarded.repositories / "app.git")],
    ):
        subprocess.run([need("git"), *words], cwd=work, env=env, check=True)
    return "app.git"
