"""A person's login at a provider, from the first question to the tokens."""

from __future__ import annotations

import time

from credlatch import url as urls
from credlatch.errors import LoginError, RequestError, UsageError
from credlatch.login.code import CodeGrant
from credlatch.login.device import DeviceGrant
from credlatch.login.given import by_oauth
from credlatch.login.loopback import Listener
from credlatch.login.person import PATIENCE, done_elsewhere
from credlatch.login.provider import CLIENT, Discovery
from credlatch.renew import exchange
from credlatch.stores import rattler_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.login.given import Given
    from credlatch.login.person import Person
    from credlatch.login.provider import Granted, Metadata

BROWSER = 300.0  # seconds for which a browser is waited for


class Options:
    """How a person logs in at a provider.

    Attributes:
        client_id: as of ``Client``.
        scopes: those that are wanted; none: the usual ones.
        audience: for whom the tokens are to be, or None.
        redirect: the URL that the browser is to come back to, where the provider knows one; None:
            any on this machine.
        is_said: whether any of these is not what nobody has to say.
    """

    def __init__(
        self,
        client_id: str | None = None,
        scopes: tuple[str, ...] = (),
        audience: str | None = None,
        redirect: str | None = None,
    ) -> None:
        self.client_id = client_id or CLIENT
        self.scopes = scopes
        self.audience = audience
        self.redirect = redirect
        self.is_said = any((client_id, scopes, audience, redirect))


def discovered(issuer: str, caller: Caller) -> Metadata | None:
    """What a provider says of itself; None: there is none at that URL.

    Raises:
        UsageError: it is no URL at which one may be.
        RenewalError: it cannot be asked, or says what must not be believed.
    """
    try:
        url = urls.parse(issuer)
    except RequestError as error:
        raise UsageError(f"the issuer's URL cannot be used: {error}") from None
    if url.scheme == "s3" or not caller.may_send(url):
        raise UsageError(f"{url.shown} cannot be an issuer: its URL begins with https://")
    caller.put_off(PATIENCE)
    discovery = Discovery(url)
    return exchange.run(discovery.finding(), discovery, time.monotonic() + PATIENCE)


def by_device(
    provider: Metadata,
    options: Options,
    person: Person,
    got: Callable[[Granted], None] = lambda _: None,
) -> Granted:
    """The tokens of a person who types a code elsewhere.

    Args:
        provider: who gives them.
        options: which are wanted.
        person: whose they are.
        got: told of them as soon as they are there, before the person can end it.

    Raises:
        RenewalError: the provider refuses, or the code expires first.
    """
    scope = provider.scope(options.scopes)
    grant = DeviceGrant(provider, options.client_id, scope, options.audience)
    return done_elsewhere(grant, grant.beginning(), grant.polling, person, got)


def by_browser(
    provider: Metadata,
    options: Options,
    person: Person,
    got: Callable[[Granted], None] = lambda _: None,
) -> Granted:
    """The tokens of a person who logs in in a browser on this machine, or brings its last URL.

    The arguments are those of ``by_device``.

    Raises:
        RenewalError: the provider refuses, or no browser comes back in time.
        UsageError: it could not come back to the URL that is wanted.
    """
    with Listener(options.redirect) if options.redirect else Listener() as listener:
        grant = CodeGrant(
            provider,
            options.client_id,
            provider.scope(options.scopes),
            options.audience,
            redirect=listener.redirect,
        )
        person.at(grant.url, "")
        with person.pasted() as pasted:
            returned = listener.returned(grant.state, BROWSER, person.is_gone, pasted)
    if returned is None:
        raise LoginError(
            f"{grant.shown}: no browser came back within {BROWSER / 60:.0f} minutes; "
            "--device is for a browser on another machine"
        )
    with person.finishing():
        granted = exchange.run(grant.exchanging(returned), grant, time.monotonic() + PATIENCE)
        got(granted)
    return granted


def given(granted: Granted, provider: Metadata, options: Options) -> Given:
    """What is to be kept, so that it is renewed."""
    value = rattler_format.oauth(
        granted.fresh,
        provider.token_endpoint,
        provider.revocation_endpoint,
        options.client_id,
        options.audience,
    )
    return by_oauth(granted.fresh.token, value)
