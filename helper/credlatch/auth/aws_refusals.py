"""What a service of AWS's refuses, and what a person does about it.

Of what it says, its code alone is repeated, and its clock.
"""

from __future__ import annotations

from credlatch import clock
from credlatch.errors import LoginError, RenewalError
from credlatch.structs import decoded, msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import HttpResponse
    from credlatch.auth.aws_service import ServiceCall

SKEW = 240.0  # seconds: AWS takes a signature for five minutes
_REFUSED = 400  # the first status of refusals
_BUSY = 429
_LONGEST = 64  # characters of a code
# Parts of codes: docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
_SIGNATURE = ("InvalidSignature", "SignatureDoesNotMatch", "RequestExpired", "IncompleteSignature")
_UNKNOWN = ("UnrecognizedClient", "ExpiredToken", "InvalidClientTokenId", "InvalidToken")
_DENIED = ("AccessDenied", "NotAuthorized", "OptInRequired", "UnauthorizedOperation")
_THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown")
_ABSENT = ("ResourceNotFound", "RepositoryNotFound")


class _Said(msgspec.Struct):
    code: str = msgspec.field(default="", name="__type")


def refusal(auth: ServiceCall, response: HttpResponse) -> RenewalError | None:
    """Why a service refuses; None where it does not."""
    if response.status < _REFUSED:
        return None
    code = _code(response)
    said = f"HTTP {response.status}" + (f", {code}" if code else "")

    def is_one(parts: tuple[str, ...]) -> bool:
        return any(part in code for part in parts)

    if is_one(_SIGNATURE):
        off = clock.ahead(response.headers.get("date", ""), response.at)
        if abs(off) > SKEW:
            way = "ahead of" if off > 0 else "behind"
            return RenewalError(
                f"this machine's clock is {abs(off) / 60:.0f} minutes {way} AWS's, which takes no "
                f"such signature ({said} from {auth.shown}): set the clock"
            )
        return LoginError(
            f"{auth.shown} does not take the signature of the keys from {auth.source} ({said}): "
            f"check the secret key, and that the region is {auth.region}; {auth.remedy}"
        )
    if is_one(_UNKNOWN):
        return LoginError(
            f"{auth.shown} does not take the keys from {auth.source} ({said}): {auth.remedy}"
        )
    if is_one(_DENIED):
        return LoginError(
            f"the identity from {auth.source} may not get a token of {auth.shown} ({said}): it "
            f"needs {auth.permission}; {auth.remedy}"
        )
    if is_one(_ABSENT):
        return LoginError(
            f"{auth.shown} does not have what the host names ({said}): check its domain, account "
            "and region"
        )
    if is_one(_THROTTLED) or response.status == _BUSY:
        return RenewalError(f"{auth.shown} is asked too often ({said}): try again in a moment")
    return RenewalError(f"{auth.shown} gave no token ({said}): try again")


def _code(response: HttpResponse) -> str:
    """A service's code: of a header, or of the body; after a ``#`` and before a colon."""
    code = response.headers.get("x-amzn-errortype", "")
    if not code:
        try:
            code = decoded(response.body, _Said).code
        except (msgspec.MsgspecError, RecursionError):
            return ""
    code = code.partition(":")[0].rpartition("#")[2]
    return code if code.isascii() and code.isalpha() and len(code) <= _LONGEST else ""
