"""What ``./dev try`` shows: the main job, on a file store, with no keyring, D-Bus or network.

A credential goes in by Docker's protocol and comes out by Bazel's; then an expired token is renewed
from a token server on this machine. All of it in a temporary home, with made-up secrets.
"""

# ruff: noqa: T201 - it prints for people

from __future__ import annotations

import base64
import io
import json
import os
import sys
import sysconfig
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

from support.home import Home
from support.program import Answer, Program
from support.token_server import TokenServer, make_jwt

REGISTRY = "registry.example.com"
CHANNEL = "packages.example.com"
LOGIN = {"ServerURL": REGISTRY, "Username": "ada", "Secret": "engine-1843"}
TOLD_EARLY = 30  # seconds by which an answer's end is earlier than the token's


class DiffersError(Exception):
    """Something else came back than should have."""


class Demonstration:
    """Runs the programs, shows what goes in and out, and compares."""

    def __init__(self, scripts: Path, home: Home) -> None:
        self._scripts = scripts
        self._home = home
        self._long: dict[str, str] = {}

    def shorten(self, name: str, token: str) -> None:
        """Show a long token by its name from now on."""
        self._long[token] = name

    def show(self, mark: str, text: str) -> None:
        """Print one line of what went in or came out."""
        for long, short in self._long.items():
            text = text.replace(long, short)
        if text.strip():
            print(textwrap.indent(text.strip(), f"   {mark} "))

    def call(self, name: str, argument: str, stdin: str, cwd: Path | None = None) -> Answer:
        """Call a program as its client does, and show what is said."""
        self.show("$", f"{name} {argument}")
        self.show("→", stdin)
        suffix = ".exe" if os.name == "nt" else ""
        program = Program([str(self._scripts / f"{name}{suffix}")], self._home, self._home.path)
        answer = program(argument, stdin=stdin.encode(), cwd=cwd)
        self.show("!", answer.err)
        if answer.code != 0:
            self.show("←", answer.out.decode())
            raise DiffersError(f"{name} {argument} ended with exit status {answer.code}")
        return answer

    def docker(self, action: str, stdin: str) -> bytes:
        """Call the program as Docker does."""
        answer = self.call("docker-credential-credlatch", action, stdin)
        self.show("←", answer.out.decode())
        return answer.out

    def bazel(self, uri: str) -> dict[str, Any]:
        """Call the program as Bazel does."""
        answer = self.call("credlatch", "get", json.dumps({"uri": uri}))
        got: dict[str, Any] = json.loads(answer.out)
        for value in got["headers"].get("Authorization", []):
            if value.startswith("Bearer "):
                self.shorten("TOKEN-2", value.removeprefix("Bearer "))
        self.show("←", answer.out.decode())
        return got


def same(what: str, got: object, wanted: object) -> None:
    """Go on only if it is as it should be."""
    if got != wanted:
        raise DiffersError(f"{what} should be {wanted!r}, and is {got!r}")


def stored_and_read_back(see: Demonstration) -> None:
    """In by Docker's protocol, out by Bazel's."""
    print("\n1. `docker login` hands over what it was told.")
    see.docker("store", json.dumps(LOGIN))
    print("\n2. Bazel asks what to send to the same registry.")
    got = see.bazel(f"https://{REGISTRY}/files/tools.tar.gz")
    secret = base64.b64encode(b"ada:engine-1843").decode()
    same("the answer", got, {"headers": {"Authorization": [f"Basic {secret}"]}})


def renewed(see: Demonstration, home: Home, server: TokenServer) -> None:
    """An expired token, and what Bazel and Docker get instead."""
    ended = int(time.time()) - 3600
    expired = make_jwt(ended, iss="made up", n=0)
    login = {
        "access_token": expired,
        "refresh_token": "refresh-1",
        "expires_at": ended,
        "token_endpoint": f"{server.url}/token",
        "revocation_endpoint": None,
        "client_id": "rattler",
    }
    see.shorten("TOKEN-1", expired)
    print("\n3. `pixi auth login` left a token that ended an hour ago, and a refresh token.")
    home.write_rattler({**home.read_rattler(), CHANNEL: {"OAuth": login}})
    see.show("·", f"{CHANNEL}: {json.dumps(login)}")

    print("\n4. Bazel asks, and gets a new one from the token server.")
    got = see.bazel(f"https://{CHANNEL}/conda/linux-64/repodata.json")
    for post in server.posts("/token"):
        see.show("·", f"the token server was asked: {post.body.decode()}")
    token = server.current_access_token
    same("the header", got["headers"], {"Authorization": [f"Bearer {token}"]})
    kept = home.read_rattler()[CHANNEL]["OAuth"]
    see.show("·", f"{CHANNEL} is now: {json.dumps(kept)}")
    same("the token in the store", kept["access_token"], token)
    same("the refresh token in the store", kept["refresh_token"], "rotated-1")
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kept["expires_at"] - TOLD_EARLY))
    same("when Bazel shall ask again", got["expires"], end)

    print("\n5. Docker wants the same token: it is still good, and nobody renews it twice.")
    answer = json.loads(see.docker("get", CHANNEL))
    same("Docker's answer", (answer["Username"], answer["Secret"]), ("__token__", token))
    same("the number of renewals", len(server.posts("/token")), 1)


def main(scripts: Path) -> int:
    """Show everything, with the programs in the folder ``scripts``."""
    print("credlatch in a home of its own: → is what a program reads, ← what it answers.")
    print("TOKEN-1 and TOKEN-2 stand for tokens that are too long to show.")
    with tempfile.TemporaryDirectory() as folder, TokenServer() as server:
        home = Home(Path(folder) / "home")
        see = Demonstration(scripts, home)
        try:
            stored_and_read_back(see)
            renewed(see, home, server)
        except (DiffersError, ValueError, KeyError, OSError) as error:
            print(f"\nIt did not work: {error}", file=sys.stderr)
            return 1
    print("\nIt worked: one login for Docker and Bazel, and an expired token renewed once.")
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console may know no arrows
    sys.exit(main(Path(sysconfig.get_path("scripts"))))
