"""The access token of a login that machines share: read where whoever renews it has put it."""

from __future__ import annotations

from credlatch.auth import Auth, EngineRequest, TokenResponse
from credlatch.credential import Secret
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.auth import Flow
    from credlatch.request import Request


class Access(msgspec.Struct):
    """What is read.

    Attributes:
        access_token: the token.
        expires_at: when it ends by this machine's clock, in seconds since 1970 UTC; None: nobody
            knows.
    """

    access_token: str
    expires_at: int | None = None


class FleetToken(Auth):
    """Where an access token is read, any number of times.

    Attributes:
        place: that, in words.
        key: what it depends on: the engine, the path, and as whom it is read.
        ask: reads it, as of ``EngineRequest``.
    """

    single_use = False
    anonymous = True  # what its engine is shown is the engine's, and no header of a request's

    def __init__(
        self, place: str, server: str, key: str, ask: Callable[[float], bytes], remedy: str
    ) -> None:
        super().__init__(Secret(""), server, remedy)
        self.place = place
        self.key = key
        self.ask = ask

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one token for all
        """As above."""
        return self.key

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """Reads it."""
        from credlatch.auth import responses

        response = yield EngineRequest(self.place, self.ask)
        said = responses.decoded(response.body, Access)
        return TokenResponse(Secret(said.access_token), expires=said.expires_at)
