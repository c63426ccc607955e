"""What may be shown of a secret: never enough to use it, nor to guess the rest."""

from __future__ import annotations

from credlatch.credential import Basic, Token
from credlatch.explain.model import Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Credential

HIDDEN = "****"
_LONG = 32  # characters of a token of which its first and last ones are shown
_FIRST, _LAST = 4, 3


def token(text: str) -> str:
    """A token, as far as it tells one from another."""
    if len(text) < _LONG:
        return HIDDEN
    return f"{text[:_FIRST]}{HIDDEN}{text[-_LAST:]} ({len(text)} characters)"


def headers(credential: Credential) -> list[Header]:
    """The headers that a credential makes; raises ValueError as ``Credential.headers``.

    Of what a person has chosen, as a password, nothing is shown.
    """
    secret = credential.secret.reveal()
    shown = []
    for name, value in credential.headers().items():
        scheme, blank, rest = value.rpartition(" ")
        is_token = isinstance(credential, Token) or not isinstance(credential, Basic)
        if is_token and secret and rest == secret and name.lower() == "authorization":
            shown.append(Header(name, f"{scheme}{blank}{token(secret)}"))
        elif is_token and secret and value == secret:
            shown.append(Header(name, token(secret)))
        else:
            first = value.partition(" ")[0] if blank and value.partition(" ")[0].isalpha() else ""
            shown.append(Header(name, f"{first} {HIDDEN}".strip()))
    return shown
