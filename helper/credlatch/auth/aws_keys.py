"""AWS's chain of identities: a profile, SSO, a role, a process or a metadata service gives keys."""

from __future__ import annotations

from credlatch.auth import Auth, ProgramRequest, TokenResponse, responses
from credlatch.credential import AccessKey, Secret
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.auth import Flow
    from credlatch.request import Request

LASTING = 3600  # seconds for which keys without an end are not looked for again


class _Keys(msgspec.Struct):
    access_key: str
    secret_key: str
    token: str | None = None
    expires: int | None = None


class AwsKeys(Auth):
    """What AWS's SDK makes of a caller's environment and files.

    Args:
        asked: what the SDK is asked (``credlatch.sdk.aws``).
        surroundings: all that its answer depends on, as one text.
        remedy: what a person does when there are none.
    """

    single_use = False
    anonymous = True

    def __init__(self, asked: Mapping[str, object], surroundings: str, remedy: str) -> None:
        super().__init__(Secret(""), "", remedy)
        self._asked = asked
        self._surroundings = surroundings

    @property
    def shown(self) -> str:
        """AWS, whichever of its services answers."""
        return "AWS"

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - the same for all
        """The surroundings."""
        return f"{sorted(self._asked.items())}\n{self._surroundings}"

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """Ask the SDK."""
        response = yield ProgramRequest("aws", dict(self._asked))
        said = responses.read(self, response, _Keys)
        token = Secret(said.token) if said.token else None
        key = AccessKey(said.access_key, Secret(said.secret_key), token)
        expires = int(now) + LASTING if said.expires is None else said.expires
        return TokenResponse(key.secret, expires=expires, credential=key)
