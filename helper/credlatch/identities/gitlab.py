"""GitLab: a job's token and a deploy token in its CI, ``GITLAB_TOKEN``, and glab's login.

Each is of the servers that the same environment or file names: the one that a job runs on, the one
that ``GITLAB_HOST`` means, or those of one host in glab's file; else of gitlab.com.
"""

from __future__ import annotations

from credlatch.credential import Basic, Secret
from credlatch.headers import Headers
from credlatch.identities.glab import Glab
from credlatch.identities.servers import is_at, root, value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.request import Request
    from credlatch.url import Url

_GITLAB, _REGISTRY = "gitlab.com", "registry.gitlab.com"
_TOKENS = ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN")
_NAMED_BY = ("GITLAB_HOST", "GITLAB_URI", "GL_HOST")
_JOB_USER = "gitlab-ci-token"
_OAUTH_USER = "oauth2"  # GitLab takes an OAuth token with this name alone, and others with any
# Headers for each kind of token (GitLab's lib/gitlab/auth/auth_finders.rb); OAuth's is a Bearer.
_JOB, _ACCESS, _DEPLOY, _OAUTH = "JOB-TOKEN", "PRIVATE-TOKEN", "Deploy-Token", ""
_JOB_PREFIX = "glcbt-"
_OAUTH_LENGTH = 64  # hexadecimal digits, and no prefix
_HEX = frozenset("0123456789abcdef")
_API, _TOKEN_SERVER = "/api/v4", "/jwt/auth"
# Packages whose registries take a login and no header (GitLab's lib/api, ``http_basic_auth``).
_BASIC_PACKAGES = frozenset(
    ("composer", "conan", "debian", "debian_distributions", "go", "helm", "nuget", "pypi", "rpm")
)
_GIT = ("/info/refs", "/git-upload-pack", "/git-receive-pack")
_REMEDY = "set a fresh one"


class _Identity:
    """A token, and whose.

    Attributes:
        kind: the header that it goes in.
        username: with which it is a login; empty: with any.
        secret: the token.
        location: where it was read, in words for a person.
        root: below which URL it counts; None: at a registry's host.
        server: the server whose registry that is; None where that is not known.
        expires: when it ends, in seconds since 1970 UTC; None where that is not known.
        remedy: what a person does then.
    """

    def __init__(
        self, kind: str, username: str, secret: Secret, location: str, root: Url | None
    ) -> None:
        self.kind = kind
        self.username = username
        self.secret = secret
        self.location = location
        self.root = root
        self.server: Url | None = None
        self.expires: int | None = None
        self.remedy = _REMEDY

    def at_registry(self, server: Url | None) -> _Identity:
        """The same as the login of a server's registry."""
        login = _Identity(self.kind, self.username, self.secret, self.location, None)
        login.server = server
        return login

    def entry(self, request: Request, url: Url) -> Entry:
        """What is served for a URL."""
        credential = self._credential(request, url)
        entry = Entry(credential, self.location, expires=self.expires, remedy=self.remedy)
        if self.server is not None:
            entry.endpoint = f"{self.server.text.rstrip('/')}{_TOKEN_SERVER}"
        return entry

    def _credential(self, request: Request, url: Url) -> Credential:
        login = Basic(self.username or request.username or _OAUTH_USER, self.secret)
        if self.root is None or _wants_login(url.path.removeprefix(self.root.path.rstrip("/"))):
            return login
        if self.kind == _OAUTH:
            bearer = Secret(f"Bearer {self.secret.reveal()}")
            return Headers({"Authorization": bearer}, login)
        return Headers({self.kind: self.secret}, login)


def claims(url: Url) -> bool:
    """Whether it is one of gitlab.com, or of its registry."""
    return url.scheme == "https" and url.default_port and url.host in {_GITLAB, _REGISTRY}


def anonymous(url: Url) -> bool:  # noqa: ARG001 - everywhere
    """Public projects are for all."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The first token that is for the URL, and for the user who is meant."""
    if url.scheme != "https":
        return None
    account = request.rule.account
    wanted = request.username if account is None else account
    others = None
    for each in _identities(request, url, caller):
        if wanted is None or each.username in {"", wanted}:
            return each.entry(request, url)
        others = others or each
    # A user name in a URL is often none that GitLab knows: headers have no use for it.
    return others.entry(request, url) if others is not None and account is None else None


def _identities(request: Request, url: Url, caller: Caller) -> Iterator[_Identity]:
    is_ci, server = _ci_server(caller)
    job = _job(caller, server)
    deploy = _login(caller, "CI_DEPLOY", _DEPLOY, server)
    # Images are below /v2/, also at a server's own host, where its dependency proxy is.
    images = request.registry or url.path.startswith("/v2/")
    at_server = server is not None and server.covers(url)
    places = {
        "CI_REGISTRY": caller.get("CI_REGISTRY") if images or not at_server else None,
        "CI_DEPENDENCY_PROXY": caller.get("CI_DEPENDENCY_PROXY_SERVER") if images else None,
    }
    for name, place in places.items():
        if is_at(url, place):
            own = _login(caller, name, _JOB, None)
            known = (each for each in (own, job, deploy) if each is not None)
            yield from (each.at_registry(server) for each in known)
    glab = Glab(caller)
    token, name = value(caller, *_TOKENS)
    if name:
        elsewhere = f"https://{url.netloc}" if request.rule.names("gitlab") else ""
        meant = server if is_ci else root(elsewhere or glab.host or _GITLAB)
        named, _ = value(caller, *_NAMED_BY)
        if named:
            meant = root(named)
        if meant is not None:
            registry = caller.get("CI_REGISTRY") if meant is server else None
            if meant.host == _GITLAB and meant.default_port:
                registry = registry or _REGISTRY
            if is_at(url, registry) and not at_server:
                yield _access(token, f"the variable {name}", None).at_registry(meant)
            elif meant.covers(url):
                yield _access(token, f"the variable {name}", meant)
    if at_server:
        yield from (each for each in (job, deploy) if each is not None)
    yield from _of_glab(glab, url)


def _of_glab(glab: Glab, url: Url) -> Iterator[_Identity]:
    """The login of the host in glab's file that the URL is of."""
    for each in glab.logins():
        below = each.text("subfolder").strip("/")
        roots = [root(f"{server}/{below}") for server in each.servers()]
        own = next((one for one in roots if one is not None and one.covers(url)), None)
        if own is None and not any(is_at(url, one) for one in each.registries()):
            continue
        token, location = glab.token(each)
        if token is not None:
            found = _access(token.reveal(), location, own)
            found.server = None if own is not None else next(iter(filter(None, roots)), None)
            found.remedy = f"glab auth login --hostname {each.host}"
            if each.is_oauth:
                found.kind, found.username = _OAUTH, _OAUTH_USER
                found.expires = each.expires()
                found.remedy = f"glab auth status --hostname {each.host}, which renews it"
            yield found


def _access(token: str, location: str, root: Url | None) -> _Identity:
    """A token of which nobody says what it is: a personal, project's or group's one, or another."""
    if token.startswith(_JOB_PREFIX):
        return _Identity(_JOB, _JOB_USER, Secret(token), location, root)
    if len(token) == _OAUTH_LENGTH and _HEX.issuperset(token):
        return _Identity(_OAUTH, _OAUTH_USER, Secret(token), location, root)
    return _Identity(_ACCESS, "", Secret(token), location, root)


def _job(caller: Caller, root: Url | None) -> _Identity | None:
    token, _ = value(caller, "CI_JOB_TOKEN")
    if not token:
        return None
    return _Identity(_JOB, _JOB_USER, Secret(token), "the variable CI_JOB_TOKEN", root)


def _login(caller: Caller, prefix: str, kind: str, root: Url | None) -> _Identity | None:
    (username, _), (password, _) = (value(caller, f"{prefix}_{x}") for x in ("USER", "PASSWORD"))
    if not (username and password):
        return None
    location = f"the variable {prefix}_PASSWORD"
    return _Identity(kind, username, Secret(password), location, root)


def _ci_server(caller: Caller) -> tuple[bool, Url | None]:
    """Whether a job's variables name its server; and which, where it is one of https."""
    api, address = caller.get("CI_API_V4_URL"), caller.get("CI_SERVER_URL")
    host = caller.get("CI_SERVER_HOST")
    if api is not None:
        return True, root(api.rstrip("/").removesuffix(_API))
    if address is not None or host is None:
        return address is not None, None if address is None else root(address)
    scheme = caller.get("CI_SERVER_PROTOCOL") or "https"
    port = caller.get("CI_SERVER_PORT") or ""
    return True, root(f"{scheme}://{host}:{port}")


def _wants_login(path: str) -> bool:
    """Whether what is at a path takes a login, and no header of GitLab's own."""
    if not path.startswith(f"{_API}/"):
        return path.endswith(_GIT) or ".git/" in path or path.startswith(("/v2/", _TOKEN_SERVER))
    parts = path.split("/")
    return "packages" in parts[:-1] and parts[parts.index("packages") + 1] in _BASIC_PACKAGES
