"""Microsoft Entra's access tokens for what Azure's SDK finds: certificates, metadata, ``az``."""

from __future__ import annotations

from credlatch.auth import Auth, ProgramRequest, TokenResponse, responses
from credlatch.credential import Secret
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request


class _Token(msgspec.Struct):
    token: str
    expires: int


class AzureIdentity(Auth):
    """What Azure's SDK makes of a caller's environment, files and programs.

    Args:
        scope: what the token is for.
        surroundings: all that the SDK's answer depends on, as one text.
        remedy: what a person does when there is no identity.
        certificate: whether the environment's certificate is meant, and nothing else.
        tenant: whose token is wanted; None: that of the identity's own.
    """

    single_use = False
    anonymous = True

    def __init__(
        self,
        scope: str,
        surroundings: str,
        remedy: str,
        *,
        certificate: bool = False,
        tenant: str | None = None,
    ) -> None:
        super().__init__(Secret(""), "", remedy)
        self._scope = scope
        self._surroundings = surroundings
        self._certificate = certificate
        self._tenant = tenant

    @property
    def shown(self) -> str:
        """Entra, whichever of its servers answers."""
        return "Microsoft Entra"

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one token for all requests
        """What the token is for, and the surroundings."""
        return f"{self._scope}\n{self._certificate}\n{self._tenant}\n{self._surroundings}"

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """Ask the SDK."""
        asked: dict[str, object] = {
            "scope": self._scope,
            "tenant": self._tenant,
            "certificate": self._certificate,
        }
        response = yield ProgramRequest("azure", asked)
        said = responses.read(self, response, _Token)
        return TokenResponse(Secret(said.token), expires=said.expires)
