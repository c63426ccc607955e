"""Azure Artifacts: the token that the environment has, or an Entra identity's.

Variables: those of Azure Pipelines, of the az command's azure-devops extension, and of
github.com/microsoft/artifacts-credprovider. Each token counts for its own endpoint alone.
"""

from __future__ import annotations

from copy import copy

from credlatch.credential import Basic, Secret
from credlatch.errors import RequestError, StoreError
from credlatch.headers import Headers
from credlatch.identities import entra
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.auth.azure_challenge import Answered
    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.request import Request
    from credlatch.url import Url

SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"  # Azure DevOps, by its application's ID
USER = "VssSessionToken"  # with any token as the password; so Microsoft's own keyring has it
_SHARED = "pkgs.dev.azure.com"  # where the organisation is in the path; elsewhere it is in the host
_DOMAINS = (_SHARED, "pkgs.visualstudio.com", "pkgs.codedev.ms", "pkgs.vsts.me")
_ENDPOINTS = "VSS_NUGET_EXTERNAL_FEED_ENDPOINTS"


def claims(url: Url) -> bool:
    """A host of packages, or one below it."""
    return url.scheme == "https" and url.default_port and _domain(url) is not None


def anonymous(url: Url) -> bool:
    """A feed of a public project may be public; one of the organisation's own never is."""
    organisations = 1 if url.host in _DOMAINS else 0  # that are in the path
    return _segments(url)[organisations : organisations + 1] != ["_packaging"]


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """What the environment has for the feed, else an Entra identity's access token."""
    ready = _ready(url, caller)
    if ready is not None:
        return ready
    scope = entra.scope(request.rule.audience, SCOPE)
    chain = request.rule.names("azure_artifacts")
    entry = entra.identity(caller, scope, chain=chain)
    if entry is None or _organisation(url) is None:
        return None
    if entry.location != entra.SDK:
        entra.served(entry, _headers)
        return entra.unless_open(entry, _index(url), _feed(url)) if anonymous(url) else entry
    return entra.challenged(
        entry, _index(url), _feed(url), lambda said: _of_sdk(said, url, scope, caller)
    )


def _of_sdk(said: Answered, url: Url, scope: str, caller: Caller) -> Entry | None:
    """A token of the tenant that the feed names; of a user's, what it is exchanged for.

    Raises:
        RenewalError: the feed names servers that are none of Microsoft's.
    """
    from credlatch.auth import azure_challenge

    tenant = azure_challenge.tenant(said, url.shown)
    sessions = azure_challenge.sessions(said, url.shown)
    entry = entra.identity(caller, scope, chain=True, tenant=tenant)

    def exchanged(fresh: Entry) -> Entry:
        from credlatch.auth.azure_devops import SessionExchange, is_user

        token = entra.token(fresh)
        if not (sessions and is_user(token)):
            made = copy(fresh)
            made.credential, made.grant, made.then = _headers(token), None, None
            return made
        grant = SessionExchange(token, sessions, USER, fresh.expires)
        return Entry(None, fresh.location, grant=grant, remedy=grant.remedy)

    if entry is not None:
        entry.then = exchanged
    return entry


def _headers(token: Secret) -> Credential:
    """A token as it is sent, and the login that pip and uv send it by."""
    return Headers({"Authorization": Secret(f"Bearer {token.reveal()}")}, Basic(USER, token))


def _ready(url: Url, caller: Caller) -> Entry | None:
    """The first token that the environment has for a URL: the one that says most exactly for what.

    Raises:
        StoreError: what it names is damaged.
    """
    text = caller.get(_ENDPOINTS)
    login = None if text is None else _of_endpoint(text, url)
    if login is not None:
        return Entry(_sent(login), _ENDPOINTS, remedy=f"set {_ENDPOINTS} to fresh tokens")
    named = (
        ("VSS_NUGET_ACCESSTOKEN", _of_prefixes),
        ("SYSTEM_ACCESSTOKEN", _of_collection),
        ("AZURE_DEVOPS_EXT_PAT", _of_all),
    )
    for name, is_for in named:
        token = caller.get(name)
        if token is not None and is_for(url, caller):
            login = Basic(USER, Secret(token.strip()))
            return Entry(_sent(login), name, remedy=f"set {name} to a new one")
    return None


def _sent(login: Basic) -> Credential:
    """A token with a user's name, which is anybody's: the server takes every one."""
    return Headers({}, login, of=login)


def _of_all(_url: Url, _caller: Caller) -> bool:
    """A personal access token: which organisation it is for, it alone knows."""
    return True


def _of_prefixes(url: Url, caller: Caller) -> bool:
    """One that its tool sends to what begins as told; half a name begins nothing."""
    prefixes = (caller.get("VSS_NUGET_URI_PREFIXES") or "").split(";")
    places = map(_place, prefixes)
    return any(place is not None and _below(place, place.path, url) for place in places)


def _of_collection(url: Url, caller: Caller) -> bool:
    """A job's: for the organisation that the job is of."""
    text = caller.get("SYSTEM_COLLECTIONURI") or caller.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
    collection = _place(text or "")
    if collection is None or collection.scheme != "https" or not collection.default_port:
        return False
    organisation, _, domain = collection.host.partition(".")
    if collection.host == "dev.azure.com":
        organisation = "".join(_segments(collection)[:1]).lower()
    elif domain != "visualstudio.com":
        return False
    return bool(organisation) and organisation == _organisation(url)


def _of_endpoint(text: str, url: Url) -> Basic | None:
    """The login of the endpoint that a URL is below, or else of its whole organisation's only one.

    An endpoint's own index names feeds by their IDs.
    """
    longest, best = 0, None
    others: list[Basic] = []
    for endpoint, login in _endpoints(text):
        place = _place(endpoint)
        if place is None or _organisation(place) != _organisation(url):
            continue
        feed = _feed(place)
        if _below(place, feed, url) and len(feed) > longest:
            longest, best = len(feed), login
        if place.origin == url.origin:
            others.append(login)
    if best is None and len({(each.username, each.secret) for each in others}) == 1:
        return others[0]
    return best


def _endpoints(text: str) -> list[tuple[str, Basic]]:
    from credlatch import quick_json

    try:
        said: Any = quick_json.loads(text)
        rows = [
            [row.get(name) or "" for name in ("endpoint", "username", "password")]
            for row in said["endpointCredentials"]
        ]
        "".join(part for row in rows for part in row)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError(
            f"{_ENDPOINTS} is not JSON as its tools write it: "
            '{"endpointCredentials": [{"endpoint": …, "username": …, "password": …}]}'
        ) from None
    return [(place, Basic(user or USER, Secret(password))) for place, user, password in rows]


def _place(text: str) -> Url | None:
    from credlatch import url as urls

    try:
        return urls.absolute(text.strip())
    except RequestError:
        return None


def _below(place: Url, path: str, url: Url) -> bool:
    """Whether a URL is at a path of a place or below it; Azure takes letters of either case."""
    prefix = path.lower().rstrip("/") + "/"
    return place.origin == url.origin and (url.path.lower() + "/").startswith(prefix)


def _feed(endpoint: Url) -> str:
    """The path of the feed that an endpoint is of; the endpoint's own if it names none."""
    before, marker, after = endpoint.path.partition("/_packaging/")
    feed = after.partition("/")[0].partition("@")[0]
    return f"{before}{marker}{feed}" if feed else endpoint.path


def _index(url: Url) -> Url:
    """What every feed has: a package leads elsewhere, and may not be there."""
    feed = _feed(url)
    if feed == url.path:
        return url
    from credlatch import url as urls

    return urls.parse(f"https://{url.netloc}{feed}/nuget/v3/index.json")


def _domain(url: Url) -> str | None:
    for domain in () if url.host.startswith("*.") else _DOMAINS:
        if url.host == domain or url.host.endswith(f".{domain}"):
            return domain
    return None


def _organisation(url: Url) -> str | None:
    """The organisation that a URL is of, in small letters; None where there is none."""
    domain = _domain(url)
    if domain is None:
        return None
    if url.host == domain:
        return "".join(_segments(url)[:1]).lower() or None
    return url.host.removesuffix(f".{domain}")


def _segments(url: Url) -> list[str]:
    return [each for each in url.path.split("/") if each]
