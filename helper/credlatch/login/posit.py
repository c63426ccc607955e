"""Posit Package Manager's login: a device flow with PKCE, whose identity token is exchanged there.

As posit-keyring does it. What comes is no refresh token: when it has ended, a person logs in again.
"""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, responses
from credlatch.auth.posit import exchanging
from credlatch.credential import TOKEN_USER, Basic, Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.login.code import challenge
from credlatch.login.device import Device, Said, pending
from credlatch.login.given import POSIT, Given
from credlatch.login.person import done_elsewhere
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import HttpResponse
    from credlatch.login.device import Pending
    from credlatch.login.person import Person

_ENTROPY = 32  # bytes, of which text of 43 characters is made
_SUCCESS = range(200, 300)


class _IdToken(msgspec.Struct):
    id_token: str


class PositLogin(Auth):
    """A person's login at a Package Manager.

    Args:
        address: its URL, as PACKAGEMANAGER_ADDRESS has it.
    """

    anonymous = True  # what is sent begins with nothing that is kept
    single_use = False

    def __init__(self, address: str) -> None:
        import secrets

        super().__init__(Secret(""), address, "log in again")
        self._verifier = secrets.token_urlsafe(_ENTROPY)
        self._root = f"{address.rstrip('/')}/__api__"

    def beginning(self) -> Generator[HttpRequest, HttpResponse, Device]:
        """Ask for a code; raises RenewalError where the server refuses."""
        form = {
            "code_challenge_method": "S256",
            "code_challenge": challenge(self._verifier),
        }
        response = yield HttpRequest("POST", f"{self._root}/device", form=form)
        if response.status not in _SUCCESS:
            raise self._refusal(response)
        return Device(responses.decoded(response.body, Said), self.shown)

    def polling(self, device: Device) -> Generator[HttpRequest, HttpResponse, Secret | Pending]:
        """Ask whether it is done; when it is, for the server's own token.

        Raises:
            RenewalError: the server refuses.
            ValueError: it answers something else.
        """
        form = {"device_code": device.code, "code_verifier": self._verifier}
        response = yield HttpRequest("POST", f"{self._root}/device_access", form=form)
        if (later := pending(response)) is not None:
            return later
        if response.status not in _SUCCESS:
            raise self._refusal(response)
        identity = responses.decoded(response.body, _IdToken).id_token
        response = yield exchanging(self.server, Secret(identity))
        if response.status not in _SUCCESS:
            raise self._refusal(response)
        token = Secret(responses.decoded(response.body, responses.Token).access_token)
        if not token.fits_a_header:
            raise LoginError(f"{self.shown} answered with a token that no header can carry")
        return token

    def _refusal(self, response: HttpResponse) -> RenewalError:
        error = responses.error_code(response.body)
        said = f"HTTP {response.status}" + (f", {error}" if error else "")
        what = {
            "access_denied": "the login was denied",
            "expired_token": "the code has expired before the login was done",
        }.get(error, "it has no such login, or it did not succeed")
        return LoginError(f"{self.shown}: {what} ({said})")


def by_device(address: str, person: Person) -> Given:
    """The token of a person who types a code elsewhere.

    Raises:
        RenewalError: the server refuses, or the code expires first.
    """
    login = PositLogin(address)
    token = done_elsewhere(login, login.beginning(), login.polling, person)
    return Given(POSIT, (Basic(TOKEN_USER, token),), {"address": address})
