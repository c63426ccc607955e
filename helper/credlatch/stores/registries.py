"""What registries take from a client that sends headers: a token, for a login or for none."""

from __future__ import annotations

from copy import copy

from credlatch import oci
from credlatch.auth.oci import (
    ANONYMOUS,
    Challenge,
    RegistryChallenge,
    RegistryToken,
    is_identity_token,
)
from credlatch.credential import Basic, Secret
from credlatch.errors import RenewalError
from credlatch.headers import Headers
from credlatch.stores import Entry, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.request import Request
    from credlatch.url import Url


class AnonymousStore(Store):
    """Tokens for those who have no login: public registries give them, and serve nobody without."""

    def look(self, request: Request) -> Entry | None:
        """An entry for anything in a registry's repository; of no user's."""
        url = request.url
        name = None if url is None else oci.repository(url)
        if url is None or name is None or url.username is not None or url.host.startswith("*."):
            return None
        if not self._caller.may_send(url):
            return None
        location = f"{url.netloc}, asked without a login"
        entry = _challenged(url, location, ANONYMOUS)
        entry.then = lambda asked: _anonymous(asked, url, name)
        entry.optional = True
        return entry


def exchanged(login: Entry, request: Request, warn: Callable[[str], None]) -> Entry:
    """An entry whose login becomes what its registry takes; a token, as an identity's, is that.

    Args:
        login: what a store or an identity has, and is served.
        request: what is asked.
        warn: told of a registry that gave no answer.
    """
    url, pair = request.url, login.credential
    name = None if url is None else oci.repository(url)
    if url is None or name is None:
        return login
    as_it_is = copy(login)
    as_it_is.grant = as_it_is.then = None
    if not isinstance(pair, Basic):
        return _accepting(as_it_is, url)
    if not _is_sound(pair):
        return login

    def of(asked: Entry) -> Entry | None:
        challenge, is_identity = _said(asked), is_identity_token(pair)
        if challenge.realm and (is_identity or not challenge.basic):
            endpoint = request.rule.endpoint or login.endpoint
            grant = RegistryToken(url, challenge, pair, oci.scope(name), endpoint)
            return _accepting(Entry(None, login.location, grant=grant, remedy=grant.remedy), url)
        if is_identity and challenge.is_open:
            return None
        if is_identity and challenge.why:
            raise RenewalError(
                f"the identity token from {login.location} is not exchanged: {challenge.why}"
            )
        if challenge.why:
            warn(f"{challenge.why} (the login from {login.location} goes there as it is)")
        return as_it_is if is_identity else _accepting(as_it_is, url)

    asking = _challenged(url, login.location, None)
    asking.then = of
    made = copy(as_it_is)
    made.then = lambda _: asking
    return made


def _anonymous(asked: Entry, url: Url, name: str) -> Entry | None:
    """What a registry gives for its challenge, or what says why it gives nothing."""
    challenge = _said(asked)
    if challenge.why:
        raise RenewalError(challenge.why)
    if not challenge.realm:
        return None
    grant = RegistryToken(url, challenge, None, oci.scope(name))
    return _accepting(Entry(None, asked.location, grant=grant, remedy=grant.remedy), url)


def _challenged(url: Url, location: str, patience: float | None) -> Entry:
    return Entry(None, location, grant=RegistryChallenge(url, patience))


def _said(asked: Entry) -> Challenge:
    if not isinstance(asked.credential, Challenge):
        raise TypeError("no challenge")
    return asked.credential


def _accepting(entry: Entry, url: Url) -> Entry:
    """An entry that also says which manifests are understood, for a manifest.

    Bazel's downloader says none, and many a registry then has no index, or a converted one.
    """
    if oci.is_manifest(url):
        entry.then = _with_types
    return entry


def _with_types(entry: Entry) -> Entry | None:
    made = copy(entry)
    made.then = None
    credential = entry.credential
    if credential is not None:
        accepted = {"Accept": Secret(", ".join(oci.TYPES))}
        made.credential = Headers(accepted, credential, of=credential)
    return made


def _is_sound(pair: Basic) -> bool:
    """Whether it is a login that can be sent."""
    if is_identity_token(pair):
        return pair.secret.fits_a_header
    try:
        return bool(pair.headers())
    except ValueError:
        return False
