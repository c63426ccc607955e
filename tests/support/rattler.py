"""py-rattler itself, run in an isolated home, and what it really sends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.program import TIMEOUT
from support.token_server import TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home

# os._exit: py-rattler's threads still run when Python ends, and sometimes crash it then.
_FETCH = """
import asyncio, json, os, sys
from rattler import Config
from rattler.networking import AuthenticationMiddleware, Client
from rattler.package_streaming import download_bytes

async def main(urls, config):
    if config is None:
        client = Client([AuthenticationMiddleware()])
    else:
        client = Client.from_config(Config.from_toml(config), max_retries=0)
    for url in urls:
        try:
            await download_bytes(client, url)
        except Exception as error:
            if "404" not in str(error):
                raise

asyncio.run(main(*json.load(sys.stdin)))
os._exit(0)
"""


class RattlerError(Exception):
    """py-rattler raised: its own words."""


@dataclass(frozen=True)
class Sent:
    """One request of py-rattler's, as it arrived."""

    url: str
    authorization: str | None


class Rattler:
    """py-rattler in a home. Every host is reached through one recording proxy on loopback.

    Only ``http`` can be recorded that way; rattler's rules look at the host and at nothing else.
    """

    def __init__(self, home: Home, recorder: TokenServer) -> None:
        self._home = home
        self._recorder = recorder

    def fetch(self, *urls: str, config: str | None = None) -> list[Sent]:
        """Fetch each URL, in one process, and say what was sent; ``config`` is rattler's own."""
        proxy = self._recorder.url
        # A token server on loopback is asked directly.
        proxied = {"HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "127.0.0.1"}
        before = len(self._recorder.requests)
        done = subprocess.run(
            [sys.executable, "-c", _FETCH],
            input=json.dumps([urls, config]),
            capture_output=True,
            text=True,
            env={**self._home.env, **proxied},
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            raise RattlerError(done.stderr)
        requests = self._recorder.requests[before:]
        assert len(requests) == len(urls), [request.target for request in requests]
        return [Sent(r.target, r.headers.get("authorization")) for r in requests]

    def authorization(self, host: str) -> str | None:
        """The Authorization header that py-rattler sends to a host, which may name a port."""
        (sent,) = self.fetch(f"http://{host}/channel/noarch/repodata.json")
        return sent.authorization


def oauth(
    token_server: TokenServer, expires_at: int | None, refresh: str = "r-0", **more: object
) -> dict[str, Any]:
    """An OAuth entry of rattler's store that is renewed at the token server."""
    return {
        "OAuth": {
            "access_token": "stored-access-token",
            "refresh_token": refresh,
            "expires_at": expires_at,
            "token_endpoint": f"{token_server.url}/token",
            "revocation_endpoint": None,
            "client_id": "rattler",
            **more,
        }
    }


@pytest.fixture
def rattler(home: Home) -> Iterator[Rattler]:
    """py-rattler in the test's home."""
    with TokenServer() as recorder:
        yield Rattler(home, recorder)
