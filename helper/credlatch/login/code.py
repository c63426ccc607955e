"""A login in a browser on this machine, which comes back with a code (RFC 6749, 4.1; RFC 8252).

The code is good for nobody else: a verifier goes with it whose hash the provider has (RFC 7636).
"""

from __future__ import annotations

from binascii import b2a_base64

from credlatch import url as urls
from credlatch.auth import HttpRequest, responses
from credlatch.errors import LoginError
from credlatch.login.provider import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from credlatch.auth import HttpResponse
    from credlatch.login.provider import Granted, Metadata

    Exchanging = Generator[HttpRequest, HttpResponse, Granted]

_ENTROPY = 32  # bytes, of which text of 43 characters is made (RFC 7636, 4.1)


class CodeGrant(Client):
    """The authorization code grant.

    Args:
        provider: as of ``Client``, and so are ``client_id``, ``scope`` and ``audience``.
        redirect: the URL on this machine that the browser is to come back to.

    Attributes:
        state: what the browser has to bring back, which nobody else knows.
    """

    def __init__(
        self,
        provider: Metadata,
        client_id: str,
        scope: str,
        audience: str | None = None,
        *,
        redirect: str,
    ) -> None:
        import secrets

        super().__init__(provider, client_id, scope, audience)
        self._redirect = redirect
        self._verifier = secrets.token_urlsafe(_ENTROPY)
        self.state = secrets.token_urlsafe(_ENTROPY)

    @property
    def url(self) -> str:
        """Where the browser begins."""
        from urllib.parse import urlencode

        fields = self.form(
            response_type="code",
            redirect_uri=self._redirect,
            scope=self.scope,
            state=self.state,
            code_challenge=challenge(self._verifier),
            code_challenge_method="S256",
        )
        if "offline_access" in self.scope.split():
            fields["prompt"] = "consent"  # OpenID Connect Core, 11: else it may be ignored
        place = urls.absolute(self.provider.authorization_endpoint or "").text
        return f"{place}{'&' if '?' in place else '?'}{urlencode(fields)}"

    def exchanging(self, returned: Mapping[str, str]) -> Exchanging:
        """Have the tokens for what the browser has brought back, which has the right state.

        Raises:
            RenewalError: the login was refused, or the answer is another provider's.
            ValueError: the provider answers something else.
        """
        issuer = returned.get("iss")
        announced = self.provider.authorization_response_iss_parameter_supported
        if (issuer is None and announced) or issuer not in {None, self.provider.issuer}:
            raise LoginError(  # RFC 9207, 2.4
                f"{self.shown} was asked, and the browser came back from somebody else: "
                "nothing was sent to either"
            )
        if "error" in returned or not returned.get("code"):
            raise self.denied(returned.get("error", ""))
        form = self.form(
            grant_type="authorization_code",
            code=returned["code"],
            redirect_uri=self._redirect,
            code_verifier=self._verifier,
        )
        form.pop("audience", None)  # it was said when the login began
        response = yield HttpRequest("POST", self.provider.token_endpoint, form=form)
        return self.tokens(response)

    def denied(self, error: str) -> LoginError:
        """Why a browser came back without a code."""
        said = f" ({error})" if responses.is_code(error) else ""
        what = "the login was denied" if error == "access_denied" else "the login did not succeed"
        return LoginError(f"{self.shown}: {what}{said}")


def challenge(verifier: str) -> str:
    """What a provider is told of a verifier (RFC 7636, 4.2)."""
    import hashlib

    digest = b2a_base64(hashlib.sha256(verifier.encode()).digest(), newline=False).decode()
    return digest.rstrip("=").translate({ord("+"): "-", ord("/"): "_"})
