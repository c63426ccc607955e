"""A credential that is minted: AWS CodeArtifact's tokens, fetched with a key that lasts.

The token counts for all repositories of a domain, as the password of ``aws``, and no store has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from credlatch.auth import Auth, HttpRequest, TokenResponse, responses
from credlatch.credential import Basic, Secret
from credlatch.stores import Entry, Store

if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url


class _Answer(msgspec.Struct):
    authorizationToken: str  # noqa: N815 - the name is the API's
    expiration: float


class CodeArtifact(Auth):
    """GetAuthorizationToken.

    Attributes:
        domain: of the repositories, and the account that owns it.
    """

    __slots__ = ("domain",)
    single_use = False
    repeatable = True

    def __init__(self, secret: Secret, server: str, domain: tuple[str, str]) -> None:
        super().__init__(secret, server, "set CODEARTIFACT_KEY to a new key")
        self.domain = domain

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - the URL has chosen the domain
        return "/".join(self.domain)

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        query = urlencode(dict(zip(("domain", "domain-owner"), self.domain, strict=True)))
        key = {"Authorization": f"Key {self.secret.reveal()}"}
        url = f"{self.server}/v1/authorization-token?{query}"
        response = yield HttpRequest("POST", url, headers=key)
        said = responses.read(self, response, _Answer)
        token = Secret(said.authorizationToken)
        return TokenResponse(token, expires=int(said.expiration), credential=Basic("aws", token))


class CodeArtifactStore(Store):
    """The key that the environment has."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, url: Url) -> Entry | None:
        name, marker, region = url.host.partition(".d.codeartifact.")
        key = self._caller.get("CODEARTIFACT_KEY")
        if not marker or not region.endswith(".amazonaws.com") or key is None:
            return None
        domain, _, owner = name.rpartition("-")
        api = self._caller.get("CODEARTIFACT_API") or f"https://codeartifact.{region}"
        grant = CodeArtifact(Secret(key), api, (domain, owner))
        return Entry(None, "CODEARTIFACT_KEY", grant=grant, remedy=grant.remedy)
