"""Calls of AWS's services, signed: tokens for registries that AWS keys are exchanged for."""

from __future__ import annotations

from binascii import a2b_base64

from credlatch import clock
from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest, TokenResponse, responses, sigv4
from credlatch.auth.aws_refusals import refusal
from credlatch.auth.sha256 import sha256
from credlatch.credential import Basic, Secret
from credlatch.errors import RenewalError
from credlatch.headers import Headers
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import TypeVar

    from credlatch.auth import Flow, HttpResponse
    from credlatch.credential import AccessKey
    from credlatch.request import Request

    T = TypeVar("T")

_JSON = "application/x-amz-json-1.1"
_PRIVATE = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
_PUBLIC = "SpencerFrontendService.GetAuthorizationToken"


class Place:
    """Where a call goes.

    Attributes:
        server: the URL of the service, without a slash at its end.
        region: of its endpoint.
        authorities: a file of certificate authorities that count there, too (AWS_CA_BUNDLE).
    """

    def __init__(self, server: str, region: str, authorities: str | None = None) -> None:
        self.server = server
        self.region = region
        self.authorities = authorities


class ServiceCall(Auth):
    """AWS keys, for a token of one service.

    Args:
        key: what signs.
        place: where it goes.
        source: where the keys are from, in words for a person.
        remedy: what a person does when the keys are no longer taken.

    Attributes:
        service: as a signature names it.
        permission: what the identity must be allowed, as AWS's policies name it.
    """

    single_use = False
    repeatable = True
    service = ""
    permission = ""

    def __init__(self, key: AccessKey, place: Place, source: str, remedy: str) -> None:
        super().__init__(key.secret, place.server, remedy)
        self.key = key
        self.region = place.region
        self.source = source
        self._authorities = place.authorities

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one token for all requests
        """Whose it is."""
        return f"{self.key.id}\n{self.region}\n{self._authorities}"

    def signed(self, path: str, headers: Mapping[str, str], body: bytes, now: float) -> HttpRequest:
        """A POST, signed with its body and headers."""
        url = f"{self.server}{path}"
        made = sigv4.signed(
            urls.parse(url),
            self.key,
            self.region,
            now=now,
            method="POST",
            service=self.service,
            payload=sha256(body).hexdigest(),
            headers=headers,
        )
        sent = {**headers, **{name: value.reveal() for name, value in made.items()}}
        return HttpRequest("POST", url, headers=sent, content=body, authorities=self._authorities)

    def answer(self, asked: HttpRequest) -> Generator[HttpRequest, HttpResponse, HttpResponse]:
        """What came back; where nothing did, the region may be a wrong one, which has no server."""
        try:
            return (yield asked)
        except RenewalError as failure:
            why = f"{failure} (and see that {self.region} is the region)"
            raise type(failure)(why) from None

    def said(self, response: HttpResponse, kind: type[T]) -> T:
        """What the service answered; raises what its refusal means, or ValueError."""
        why = refusal(self, response)
        if why is not None:
            raise why
        return responses.read(self, response, kind)


class _Data(msgspec.Struct):
    authorizationToken: str  # noqa: N815 - the names are the API's
    expiresAt: float | None = None  # noqa: N815 - likewise


class _Answer(msgspec.Struct):
    authorizationData: list[_Data]  # noqa: N815 - likewise


class _PublicAnswer(msgspec.Struct):
    authorizationData: _Data  # noqa: N815 - likewise


class EcrToken(ServiceCall):
    """Amazon ECR's password, for all of a region's registries that the identity may pull from.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """

    service = "ecr"
    permission = "ecr:GetAuthorizationToken"

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - the same for all
        """One call."""
        response = yield from self.answer(self._asked(_PRIVATE, now))
        data = self.said(response, _Answer).authorizationData
        if not data:
            raise ValueError("it has no token")
        login, ends = _registry_login(data[0])
        # The registry takes it in a header, and need not be asked what it takes.
        headers = {name: Secret(value) for name, value in login.headers().items()}
        return TokenResponse(login.secret, expires=ends, credential=Headers(headers, login))

    def _asked(self, target: str, now: float) -> HttpRequest:
        headers = {"Content-Type": _JSON, "X-Amz-Target": target}
        return self.signed("/", headers, b"{}", now)


class EcrPublicToken(EcrToken):
    """Likewise of the public registry, which is in one region alone."""

    service = "ecr-public"
    permission = "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """One call."""
        response = yield from self.answer(self._asked(_PUBLIC, now))
        login, ends = _registry_login(self.said(response, _PublicAnswer).authorizationData)
        return TokenResponse(login.secret, expires=ends, credential=login)


def _registry_login(data: _Data) -> tuple[Basic, int | None]:
    """The user name and password in a token, and its end: a Basic header says the same of them."""
    user, mark, password = a2b_base64(data.authorizationToken).decode().partition(":")
    if not mark:
        raise ValueError("it is no user name and password")
    return Basic(user, Secret(password)), clock.moment(data.expiresAt)


class _DomainToken(msgspec.Struct):
    authorizationToken: str  # noqa: N815 - likewise
    expiration: float | None = None


class CodeArtifactToken(ServiceCall):
    """AWS CodeArtifact's token, for all repositories of a domain.

    https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetAuthorizationToken.html

    Attributes:
        domain: its name, and the account that owns it.
        duration: seconds for which the token is asked; None: as AWS has it, 12 hours.
        bearer: whether it is sent as a Bearer token: npm's and cargo's repositories take no login.
    """

    service = "codeartifact"
    permission = "codeartifact:GetAuthorizationToken and sts:GetServiceBearerToken"
    domain = ("", "")
    duration: int | None = None
    bearer = False

    def cache_key(self, request: Request) -> str:
        """Whose it is, and of which domain."""
        asked = f"{self.domain}\n{self.duration}\n{self.bearer}"
        return f"{super().cache_key(request)}\n{asked}"

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """One call."""
        domain, owner = self.domain
        path = f"/v1/authorization-token?domain={domain}&domain-owner={owner}"
        if self.duration is not None:
            path += f"&duration={self.duration}"
        response = yield from self.answer(self.signed(path, {}, b"", now))
        said = self.said(response, _DomainToken)
        token = Secret(said.authorizationToken)
        login = Basic("aws", token)
        headers = Headers({"Authorization": Secret(f"Bearer {token.reveal()}")}, login)
        return TokenResponse(
            token,
            expires=clock.moment(said.expiration),
            credential=headers if self.bearer else login,
        )
