"""Whether a host takes a credential: it is asked without, and then with it.

Only the host's own origin gets it, and for a registry the token server that ``realms`` lets have
such a login. Where a redirect leads, nothing is sent.
"""

from __future__ import annotations

from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest
from credlatch.auth.oci import wanted
from credlatch.credential import Basic, Secret
from credlatch.errors import RenewalError
from credlatch.oci import API
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import HttpResponse
    from credlatch.auth.oci import Challenge
    from credlatch.credential import Credential
    from credlatch.login.given import Given
    from credlatch.url import Url

    Trying = Generator[HttpRequest, HttpResponse, "Verdict"]

_REFUSED, _FORBIDDEN, _MANY, _BROKEN = 401, 403, 429, 500
_SUCCESS = range(200, 300)
# Where a host whose first page is for everybody mostly tells who asks: registries, indexes.
_TELLING = ("/v2/", "/simple/")


PREFIX = "prefix.dev"
_VIEWER = {"query": "query { viewer { login } }"}  # as pixi asks it


class _Who(msgspec.Struct):
    login: str


class _Data(msgspec.Struct):
    viewer: _Who | None = None


class _Viewer(msgspec.Struct):
    data: _Data


class Verdict:
    """What a trial came to.

    Attributes:
        form: in which form it is kept; None: in no form it was taken.
        taken: whether the host has said so; False: it may be right or wrong.
        said: what the host has said, in words for a person.
    """

    def __init__(self, form: Credential | None, said: str, *, taken: bool = False) -> None:
        self.form = form
        self.said = said
        self.taken = taken


class Trial(Auth):
    """Sends a credential to the host that it is for, at a URL that tells.

    Args:
        place: a URL there, which is asked first.
        given: what is tried.
        only: whether no other URL there is asked.
    """

    anonymous = True  # its first request has nothing; each form has been checked
    repeatable = True
    single_use = False
    gives = "what a web server does"

    def __init__(self, place: Url, given: Given, *, only: bool) -> None:
        super().__init__(Secret(""), place.text, "")
        self._given = given
        root = f"{place.scheme}://{place.netloc}"
        more = () if only or place.path != "/" else tuple(urls.parse(root + at) for at in _TELLING)
        self._places = (place, *more)
        self._realm: Url | None = None

    def trusts(self, server: Url) -> bool:
        """The host itself, and a registry's own token server."""
        if self._realm is not None and server.origin == self._realm.origin:
            return True
        return super().trusts(server)

    def trying(self) -> Trying:
        """The flow; raises RenewalError where the host cannot be asked."""
        if self._places[0].host == PREFIX and len(self._places) > 1:
            return (yield from self._as_viewer(self._given.forms[0]))
        place, without = yield from self._telling()
        refused: list[str] = []
        for form in self._given.forms:
            challenge = wanted(without) if _is_registry(place, without) else None
            by_realm = challenge is not None and challenge.realm and not challenge.basic
            if challenge is not None and by_realm and isinstance(form, Basic):
                verdict = yield from self._at_realm(place, challenge, form)
            else:
                verdict = yield from self._at_place(place, without.status, form)
            if verdict.form is not None:
                return verdict
            refused.append(verdict.said)
        return Verdict(None, refused[0])

    def _as_viewer(self, form: Credential) -> Trying:
        """Prefix.dev's pages and public channels are for everybody: it is asked who one is."""
        from credlatch.auth import responses
        from credlatch.lines import printable

        root = f"https://{PREFIX}"
        response = yield HttpRequest(
            "POST", f"{root}/api/graphql", json=_VIEWER, headers=form.headers()
        )
        if response.status in {_REFUSED, _FORBIDDEN}:
            return Verdict(None, f"{PREFIX} does not take it (HTTP {response.status})")
        if response.status not in _SUCCESS:
            return Verdict(form, f"{PREFIX} does not say whether it takes it ({response.status})")
        viewer = responses.decoded(response.body, _Viewer).data.viewer
        if viewer is None:
            return Verdict(None, f"{PREFIX} does not know whose it is")
        return Verdict(form, f"{PREFIX} takes it: {printable(viewer.login, 100)}", taken=True)

    def _telling(self) -> Generator[HttpRequest, HttpResponse, tuple[Url, HttpResponse]]:
        """The URL that tells who asks, as far as there is one, and its answer to nobody."""
        answers: list[tuple[Url, HttpResponse]] = []
        for place in self._places:
            try:
                answer = yield HttpRequest("GET", place.text, redirects=True, unread=True)
            except RenewalError:
                if not answers:
                    raise
                continue
            answers.append((place, answer))
            if answer.status == _REFUSED:
                return place, answer
        forbidden = (each for each in answers if each[1].status == _FORBIDDEN)
        return next(forbidden, answers[0])

    def _at_place(self, place: Url, without: int, form: Credential) -> Trying:
        asked = HttpRequest("GET", place.text, headers=form.headers(), redirects=True, unread=True)
        status = (yield asked).status
        both = f"HTTP {status}; without: {without}"
        if status == _REFUSED:
            return Verdict(None, f"{place.netloc} does not take it (HTTP {status})")
        if status in {_FORBIDDEN, _MANY} or status >= _BROKEN:
            return Verdict(form, f"{place.shown} does not say whether it takes it ({both})")
        if without == _REFUSED or (status in _SUCCESS and without not in _SUCCESS):
            return Verdict(form, f"{place.shown} takes it ({both})", taken=True)
        who = "answers everybody" if status in _SUCCESS else "says the same to everybody"
        return Verdict(form, f"{place.shown} {who} ({both}), so it could not be tried")

    def _at_realm(self, place: Url, challenge: Challenge, form: Basic) -> Trying:
        """A registry's login is tried at its token server: the registry itself takes a token."""
        from urllib.parse import urlencode

        from credlatch.auth import realms

        try:
            realm = realms.token_server(place, challenge.realm, None, with_login=True)
        except RenewalError as error:
            return Verdict(form, f"it could not be tried: {error}")
        self._realm = realm
        fields = {"service": challenge.service, "account": form.username}
        query = urlencode({name: text for name, text in fields.items() if text})
        url = f"{realm.text}{'&' if '?' in realm.text else '?'}{query}"
        status = (
            yield HttpRequest("GET", url, headers=form.headers(), redirects=True, unread=True)
        ).status
        if status in _SUCCESS:
            return Verdict(form, f"{realm.netloc} takes it (HTTP {status})", taken=True)
        if status in {_REFUSED, _FORBIDDEN}:
            return Verdict(None, f"{realm.netloc} does not take it (HTTP {status})")
        return Verdict(form, f"{realm.netloc} does not say whether it takes it (HTTP {status})")


def _is_registry(place: Url, without: HttpResponse) -> bool:
    """Whether it is a registry's refusal that may name a token server: others have realms, too."""
    return without.status == _REFUSED and place.path.startswith(API)
