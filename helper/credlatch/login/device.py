"""A login on another device, or in any browser: the person types a code there (RFC 8628)."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.auth import HttpRequest, responses
from credlatch.errors import RenewalError, RequestError
from credlatch.lines import printable
from credlatch.login.provider import Client, has_userinfo
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import HttpResponse
    from credlatch.login.provider import Granted

    Beginning = Generator[HttpRequest, HttpResponse, "Device"]
    Polling = Generator[HttpRequest, HttpResponse, "Granted | Pending"]

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL, SLOWER = 5.0, 5.0  # seconds (RFC 8628, 3.2 and 3.5)
_LONGEST_INTERVAL = 60.0
_LASTS, _LONGEST = 300.0, 1_800.0  # seconds for which a code is good, where it is not said; at most
_SUCCESS = range(200, 300)
_MANY, _BROKEN = 429, 500
_LONGEST_CODE = 64  # characters


class Said(msgspec.Struct):
    """A device authorization response (RFC 8628, 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = None
    expires_in: float = _LASTS
    interval: float = INTERVAL


class Device:
    """A login that has begun.

    Attributes:
        code: what the provider knows it by: a secret.
        user_code: what the person types.
        url: where.
        complete: a URL there that has the code in it, or the same one.
        seconds: for which the code is good.
        interval: seconds between two questions.
    """

    def __init__(self, said: Said, shown: str) -> None:
        self.code = said.device_code
        self.user_code = printable(said.user_code, _LONGEST_CODE)
        self.url = _safe(said.verification_uri, shown)
        self.complete = _safe(said.verification_uri_complete or self.url, shown)
        self.seconds = min(max(said.expires_in, 1.0), _LONGEST)
        self.interval = min(max(said.interval, 1.0), _LONGEST_INTERVAL)


class Pending:
    """Nobody has done it yet.

    Attributes:
        slower: whether the provider is asked too often.
    """

    def __init__(self, *, slower: bool) -> None:
        self.slower = slower


class DeviceGrant(Client):
    """The device authorization grant."""

    def beginning(self) -> Beginning:
        """Ask for a code; raises RenewalError where the provider refuses.

        Raises:
            ValueError: it answers something else.
        """
        endpoint = self.provider.device_authorization_endpoint
        if endpoint is None:
            raise RenewalError(f"{self.shown} has no device grant")
        response = yield HttpRequest("POST", endpoint, form=self.form(scope=self.scope))
        if response.status not in _SUCCESS:
            raise self.refusal(response)
        return Device(responses.decoded(response.body, Said), self.shown)

    def polling(self, device: Device) -> Polling:
        """Ask whether it is done; raises as ``beginning``."""
        form = self.form(grant_type=_GRANT, device_code=device.code)
        form.pop("audience", None)  # it was said when the login began
        response = yield HttpRequest("POST", self.provider.token_endpoint, form=form)
        return pending(response) or self.tokens(response)


def pending(response: HttpResponse) -> Pending | None:
    """Whether a token endpoint says to ask again later, or cannot answer for a moment."""
    if response.status == _MANY or response.status >= _BROKEN:
        return Pending(slower=True)
    error = "" if response.status in _SUCCESS else responses.error_code(response.body)
    if error in {"authorization_pending", "slow_down"}:
        return Pending(slower=error == "slow_down")
    return None


def _safe(text: str, shown: str) -> str:
    """A URL that a browser may be sent to, which a provider names.

    Raises:
        RenewalError: it is none.
    """
    try:
        url = urls.absolute(text)
    except RequestError:
        raise RenewalError(f"{shown} names no URL to log in at") from None
    if url.scheme != "https" and not url.may_be_loopback:
        raise RenewalError(f"{shown} has one log in at {url.shown}, which is no https")
    if has_userinfo(text):
        raise RenewalError(f"{shown} has one log in at {url.shown}, with a user's name before it")
    from urllib.parse import quote

    # Of a page whose parts are told apart in the browser, the fragment says which.
    fragment = quote(text.partition("#")[2], safe="%/?:@!$&'()*+,;=-._~")
    return f"{url.text}#{fragment}" if fragment else url.text
