"""Tokens that ``cargo login`` keeps: in rattler's store, each under the index that it is for.

What cargo is told is the whole value of a header, which no other kind of login there means. So it
is kept as it came, under a name that no other tool looks for: pixi's login for the same host, and
Docker's, stay what they are, and a token that one registry wants is sent to no other.
"""

from __future__ import annotations

from contextlib import suppress

from credlatch import registry
from credlatch.credential import Token, check_token
from credlatch.errors import AbsentError, RefusedError, RequestError
from credlatch.stores.rattler import RattlerStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.credential import Secret
    from credlatch.url import Url


def keep(caller: Caller, index: str, url: Url | None, token: Secret) -> None:
    """Keep a token, in the place of an older one.

    Args:
        caller: whose it is.
        index: the registry's index, as cargo has it.
        url: where that is, if it is on a web server.
        token: the whole value of ``Authorization``.

    Raises:
        RequestError: no header can hold it.
        RefusedError: the index comes over plain http, by which anybody could have the token.
        StoreError: it cannot be kept.
    """
    if url is not None and not caller.may_send(url):
        raise RefusedError(f"{url.shown} is plain http, and no token is kept for it: use https")
    try:
        check_token(token)
    except ValueError as error:
        raise RequestError(f"the token is not kept: {error}") from None
    RattlerStore(caller).save(registry.CARGO + index, Token(token))


def forget(caller: Caller, index: str) -> bool:
    """Forget the token that is kept for an index; False if there was none.

    Raises:
        StoreError: a place could not be asked, or not be written.
    """
    return RattlerStore(caller).delete(registry.CARGO + index)


def listed(caller: Caller) -> dict[str, str]:
    """The indexes that a token is kept for, each with the place, in words for a person.

    Raises:
        StoreError: a place could not be asked.
    """
    found: dict[str, str] = {}
    for backend in RattlerStore(caller).backends():
        with suppress(AbsentError):
            found |= {
                key.removeprefix(registry.CARGO): backend.location
                for key in backend.entries()
                if key.startswith(registry.CARGO)
            }
    return found
