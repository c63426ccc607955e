"""An identity token for a server's own token: OAuth 2.0 Token Exchange (RFC 8693), and its likes.

What is sent, where, and what the answer looks like is a rule's to say: ``rules/exchange.py``.
"""

from __future__ import annotations

from credlatch import clock, jwt
from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Basic, Bearer, Secret
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow, HttpResponse
    from credlatch.auth.ci_tokens import IdentityToken
    from credlatch.credential import Credential
    from credlatch.request import Request
    from credlatch.rules.exchange import Exchange
    from credlatch.url import Url

UNKNOWN = 60  # seconds for which a token counts whose end nobody tells
_NONE = msgspec.Raw(b"null")
_TYPES = {"bearer", "n_a"}  # RFC 8693, 2.2.1: the latter is of tokens that are no access tokens


class _Answer(msgspec.Struct):
    """What is said beside the token.

    ``expires_in`` counts seconds (RFC 6749), ``expires`` is a moment (PyPI).
    """

    token_type: object = None
    expires_in: msgspec.Raw = _NONE
    expires: object = None
    username: object = None


class TokenExchange(Auth):
    """An identity, and what a rule says of its exchange.

    Attributes:
        identity: gives the identity token.
        exchange: what the rule says.
    """

    single_use = False
    refused = "does not take this job's identity"
    refusals = frozenset({400, 401, 403, 404, 422})

    def __init__(self, identity: IdentityToken, exchange: Exchange, where: str) -> None:
        remedy = f"compare its policy with the job's claims, and with {where}"
        super().__init__(identity.secret, exchange.url, remedy)
        self.identity = identity
        self.exchange = exchange

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one token for all of a rule
        """The identity, and all that is sent with it."""
        said = msgspec.json.encode(self.exchange, order="deterministic").decode()
        return f"{self.identity.key}\n{said}"

    def trusts(self, server: Url) -> bool:
        """The CI's server may be asked as well: it is sent what the CI gave for that alone."""
        from credlatch import url as urls

        asked = self.identity.server
        return super().trusts(server) or (
            asked is not None and server.origin == urls.parse(asked).origin
        )

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """Asks the CI for a fresh identity token, where it is not there, and sends it."""
        from credlatch.auth import responses

        self.repeatable = True
        identity = yield from self.identity.token(now)
        # Many a server takes an identity token once (PyPI's): another call gets a fresh one.
        self.repeatable = False
        said = self.exchange
        body = {**said.constant, said.subject_field: identity.reveal()}
        response = yield HttpRequest(
            "POST",
            said.url,
            json=body if said.sends_json else None,
            form=None if said.sends_json else body,
        )
        named = responses.read(self, response, dict[str, object]).get(said.answer_field)
        if not isinstance(named, str):
            raise ValueError("there is no token in it")  # noqa: TRY004 - of a server's answer
        rest = responses.read(self, response, _Answer)
        is_bearer = not isinstance(rest.token_type, str) or rest.token_type.lower() in _TYPES
        token = Secret(named.strip() if is_bearer else "")
        return TokenResponse(
            token, expires=_end(rest, token, response), credential=self._credential(token, rest)
        )

    def _credential(self, token: Secret, said: _Answer) -> Credential:
        preset = self.exchange.preset
        if preset.basic:
            return Basic(preset.basic, token)
        if self.exchange.kind != "artifactory":
            return Bearer(token)
        from credlatch.auth import artifactory

        return artifactory.credential(
            token, said.username if isinstance(said.username, str) else ""
        )


def _end(said: _Answer, token: Secret, response: HttpResponse) -> int:
    from credlatch.auth import responses

    for end in (
        responses.end(said.expires_in, response.at),
        clock.moment(said.expires),
        jwt.expiry(token.reveal()),
    ):
        if end is not None:
            return end
    return int(response.at) + UNKNOWN
