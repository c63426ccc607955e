"""Somebody who asks credlatch, in this process, with AWS's services at their own hosts."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.request import for_url
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from support.found import sure

if TYPE_CHECKING:
    from credlatch.resolve import Resolution
    from support.home import Home


class Client:
    """Somebody, and what an agent keeps for him.

    Attributes:
        environ: the variables.
        warnings: of the last call.
    """

    def __init__(self, home: Home, environ: dict[str, str]) -> None:
        self.environ = {**home.env, **environ}
        self.warnings: list[str] = []
        self._home = home
        self._shared = SharedCache()

    def asks(self, url: str, **said: object) -> Resolution | None:
        request = for_url(urls.parse(url))
        rule = {"url": "/".join(url.split("/")[:3]), **said}
        rows = [f"{name} = {json.dumps(value)}\n" for name, value in rule.items()]
        self._home.write(".config/credlatch/config.toml", "[[rule]]\n" + "".join(rows))
        caller = Caller(self.environ, str(self._home.path), self._shared)
        self.warnings = caller.warnings
        return Resolver(caller).resolve(request)

    def header(self, url: str, **said: object) -> str:
        return sure(self.asks(url, **said)).credential.headers()["Authorization"]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
