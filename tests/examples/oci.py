"""A challenge: a registry names its token server, which gives a token for one repository.

The first request carries nothing; the second the login, to the registry's own host.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest, TokenResponse, responses
from credlatch.credential import Basic, Secret
from credlatch.stores import Entry, Store

if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.caller import Caller
    from credlatch.request import Request

LIFETIME = 60  # seconds, where the token server says nothing (distribution's specification)
_PAIR = re.compile(r'(\w+)="([^"]*)"')


class _Answer(msgspec.Struct):
    token: str
    expires_in: int = LIFETIME


class OciBearer(Auth):
    """A registry's login, for the token server that it names.

    Attributes:
        username: whose.
    """

    __slots__ = ("username",)
    single_use = False
    repeatable = True

    def __init__(self, username: str, secret: Secret, server: str) -> None:
        super().__init__(secret, server, f"log in again: docker login {server}")
        self.username = username

    def cache_key(self, request: Request) -> str:
        return f"{self.username}\n{_scope(request)}"

    def trusts(self, server: urls.Url) -> bool:
        """Whichever port the token server has, it is on the registry's own host."""
        return server.host == urls.parse(self.server).host

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - its end is the server's
        challenge = yield HttpRequest("GET", f"{self.server}/v2/")
        named = dict(_PAIR.findall(challenge.headers.get("www-authenticate", "")))
        if challenge.status != 401 or "realm" not in named:
            raise ValueError("it names no token server")
        query = urlencode({"service": named.get("service", ""), "scope": _scope(request)})
        login = Basic(self.username, self.secret).headers()
        response = yield HttpRequest("GET", f"{named['realm']}?{query}", headers=login)
        said = responses.read(self, response, _Answer)
        return TokenResponse(Secret(said.token), expires=int(response.at) + said.expires_in)


def _scope(request: Request) -> str:
    path = "" if request.url is None else request.url.path
    repository = re.match(r"/v2/(.+)/(?:manifests|blobs|tags)/", path)
    return f"repository:{repository[1]}:pull" if repository else ""


class OciStore(Store):
    """The login that the environment has for a registry."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, url: urls.Url) -> Entry | None:
        registry, login = self._caller.get("OCI_REGISTRY"), self._caller.get("OCI_LOGIN")
        if registry is None or login is None or url.origin != urls.parse(registry).origin:
            return None
        username, _, password = login.partition(":")
        return Entry(None, "OCI_LOGIN", grant=OciBearer(username, Secret(password), registry))
