"""What an expired credential is renewed with: the grants that stores keep.

A store reads a grant and does not act on it; ``renew/`` acts on it and does not know the store.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Secret


class Grant:
    """Something that a token server exchanges for a fresh token.

    Attributes:
        secret: what is sent.
        server: the URL that it is sent to, or below which it is sent.
        advice: what a person does when the grant is no longer taken.
    """

    __slots__ = ("advice", "secret", "server")

    # Whether the server takes the secret just once. Then a request that was sent and not answered
    # is never repeated: the token may be spent, and a second use can revoke the whole login.
    single_use = True
    # Whether it may be sent again within one call, after a request that was not answered.
    repeatable = False

    def __init__(self, secret: Secret, server: str, advice: str) -> None:
        self.secret = secret
        self.server = server
        self.advice = advice

    @property
    def shown(self) -> str:
        """The server, as a message shows it."""
        from credlatch import url
        from credlatch.errors import RequestError

        try:
            return url.parse(self.server).shown
        except RequestError:
            return "the token server"


class OAuthRefresh(Grant):
    """An OAuth 2.0 refresh token (RFC 6749, section 6), sent to its token endpoint.

    Attributes:
        client_id: whose the token is.
        audience: whom the fresh token is to be for; None: whomever the server has by default.
    """

    __slots__ = ("audience", "client_id")

    # A server may rotate it or not: nobody says beforehand. So it is sent once in a call, and again
    # by a later one.
    single_use = False

    def __init__(
        self, secret: Secret, server: str, client_id: str, advice: str, audience: str | None = None
    ) -> None:
        super().__init__(secret, server, advice)
        self.client_id = client_id
        self.audience = audience


class PyxRefresh(Grant):
    """A refresh token of pyx, which is taken once."""

    __slots__ = ()


class PyxApiKey(Grant):
    """An API key of pyx, which lasts."""

    __slots__ = ()
    single_use = False
    repeatable = True


class PositIdentity(Grant):
    """An OpenID Connect identity token for Posit Package Manager (RFC 8693)."""

    __slots__ = ()
    single_use = False
    repeatable = True


class Fresh:
    """What a token server answered.

    Attributes:
        token: the new access token.
        refresh_token: the grant for next time, where the server replaced it.
        expires: when the token ends, in seconds since 1970 UTC, where the server said so.
    """

    __slots__ = ("expires", "refresh_token", "token")

    def __init__(
        self, token: Secret, refresh_token: Secret | None = None, expires: int | None = None
    ) -> None:
        self.token = token
        self.refresh_token = refresh_token
        self.expires = expires
