"""What GitHub's own command line, gh, has logins in, and how GitHub takes a token.

Which host a token is for is go-gh's rule, made stricter: gh asks one host in a call, which its user
names; here a build names it. So the variables' tokens are for one host each.
"""

from __future__ import annotations

import sys

from credlatch.credential import Basic, Secret
from credlatch.errors import RequestError
from credlatch.headers import Headers
from credlatch.identities import block_yaml
from credlatch.identities.servers import value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.identities.block_yaml import Mapping
    from credlatch.request import Request
    from credlatch.url import Url

GITHUB = "github.com"
_TENANCY = ".ghe.com"
_USER = "x-access-token"  # what GitHub's documents have before a token; it takes any
# Labels below an enterprise's host that are GitHub's, too: the hosts of GitHub with data residency,
# and those of a server with subdomain isolation. Storage with signed URLs is not among them.
BASIC_LABELS = ("containers", "docker", "maven", "nuget", "rubygems")
LABELS = (*BASIC_LABELS, "codeload", "npm", "raw")
# Not objects. nor release-assets.githubusercontent.com, to which redirects lead: signed URLs.
_AT_GITHUB = {
    GITHUB: "",
    "api.github.com": "api",
    "codeload.github.com": "codeload",
    "raw.githubusercontent.com": "raw",
    "ghcr.io": "containers",
    **{f"{each}.pkg.github.com": each for each in ("docker", "maven", "npm", "nuget", "rubygems")},
}
_GIT = ("/info/refs", "/git-upload-pack", "/git-receive-pack", "/info/lfs/objects/batch")
_ASSETS = 6  # segments of repos/OWNER/NAME/releases/assets/ID


class Hosts:
    """The hosts of the caller's gh.

    Attributes:
        path: the file with its logins.
        chosen: the host that a call of gh would mean outside a repository; empty: none is said.
        actions: the host whose Actions run this call; empty: none. Beside a URL that is no such
            server's it is ``-``: a token of theirs is nobody's then.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.path = _path(caller)
        self._logins: Mapping | None = None
        named = caller.get("GH_HOST")
        if named is not None:
            self.chosen = _host(named)
        else:
            known = list(self.logins)
            self.chosen = known[0] if len(known) == 1 else ""
        server = caller.get("GITHUB_SERVER_URL")
        self.actions = "" if server is None else _server(server)

    @property
    def logins(self) -> Mapping:
        """What its file has, by host; raises StoreError."""
        if self._logins is None:
            read = self._caller.document(self.path, block_yaml.parse)
            self._logins = {host.lower(): each for host, each in (read or {}).items()}
        return self._logins

    @property
    def known(self) -> set[str]:
        """All hosts that are named."""
        return {self.chosen, self.actions, *self.logins}

    def enterprise(self) -> str:
        """The one enterprise server that variables are for; empty: none is said, or several."""
        if self._caller.get("GH_HOST") is not None:
            return self.chosen if is_enterprise(self.chosen) else ""
        known = [host for host in self.logins if is_enterprise(host)]
        if not known and is_enterprise(self.actions):
            return self.actions
        return known[0] if len(known) == 1 else ""

    def login(self, host: str, account: str | None, required: bool) -> Entry | None:
        """The login in gh's file, or in the keyring where the file says that there is one.

        Args:
            host: whose.
            account: of which user; None: of the active one.
            required: whether no other's counts in its place.
        """
        mine = block_yaml.below(self.logins, host)
        users = block_yaml.below(mine, "users")
        active = block_yaml.text_at(mine, "user", self.path)
        if account is not None and account not in users and account != active:
            if required:
                return None
            account = None
        own = block_yaml.below(users, account) if account in users and account != active else mine
        remedy = f"gh auth login --hostname {host}"
        token = block_yaml.text_at(own, "oauth_token", self.path)
        if token:
            return Entry(Basic(_USER, Secret(token)), self.path, remedy=remedy)
        if not mine:
            return None
        keyring = self._caller.keyring()
        if keyring is None:
            return None
        from credlatch.system.keyring import go_items

        user = "" if own is mine else account or ""
        secret = go_items.get(keyring, f"gh:{host}", user)
        where = f"the keyring (service gh:{host})"
        return None if secret is None else Entry(Basic(_USER, secret), where, remedy=remedy)


def part_of(url: Url) -> str:
    """Which GitHub a URL is of: ``github.com``, or a tenant; empty: of none."""
    if url.scheme != "https" or not url.default_port:
        return ""
    if url.host in _AT_GITHUB:
        return GITHUB
    label, _, rest = url.host.partition(".")
    if is_tenant(url.host):
        return url.host
    return rest if is_tenant(rest) and label in {*LABELS, "api"} else ""


def is_enterprise(host: str) -> bool:
    """Whether a host is a server of an enterprise's own, and no part of GitHub."""
    return bool(host) and host not in {GITHUB, "-"} and not is_tenant(host)


def is_tenant(host: str) -> bool:
    """Whether it is GitHub with data residency: one label below ``ghe.com``."""
    label = host.removesuffix(_TENANCY)
    return label != host and bool(label) and "." not in label


def variable(names: Iterable[str], caller: Caller) -> Entry | None:
    """The token in the first of these variables that has one."""
    token, name = value(caller, *names)
    if not token:
        return None
    return Entry(Basic(_USER, Secret(token)), f"the variable {name}", remedy="set a fresh one")


def served(entry: Entry | None, request: Request, url: Url, host: str) -> Entry | None:
    """The entry as a place takes it: with the headers that GitHub wants there.

    Args:
        entry: a token, as the password of a login.
        request: what is asked.
        url: the same.
        host: the GitHub that the URL is of.
    """
    if entry is None or entry.credential is None:
        return None
    token = entry.credential.secret
    entry.credential = _credential(request, url, host, token)
    return entry


def _credential(request: Request, url: Url, host: str, token: Secret) -> Credential:
    # Any user name will do: the one of the URL, so that the login counts as that user's.
    login = Basic(request.username or _USER, token)
    label = _AT_GITHUB.get(url.host, url.host.removesuffix(host).rstrip("."))
    if label in BASIC_LABELS or url.path.endswith(_GIT):
        return login
    if label == "raw":
        # As user name alone: a bearer token was not taken there (tweag/credential-helper#79).
        return Headers({}, login, of=Basic(token.reveal(), Secret("")))
    headers = {"Authorization": Secret(f"Bearer {token.reveal()}")}
    if _is_asset(url, label, host):
        headers["Accept"] = Secret("application/octet-stream")  # else it is described in JSON
    return Headers(headers, login)


def _is_asset(url: Url, label: str, host: str) -> bool:
    """Whether a URL is that of a release's asset in the API, and of nothing above or below it."""
    path = url.path
    if is_enterprise(host):
        if not path.startswith("/api/v3/"):
            return False
        path = path.removeprefix("/api/v3")
    elif label != "api":
        return False
    parts = path[1:].split("/")
    if len(parts) != _ASSETS or not all(parts):
        return False
    repos, _, _, releases, assets, number = parts
    return (repos, releases, assets) == ("repos", "releases", "assets") and number.isdecimal()


def _path(caller: Caller) -> str:
    folder = caller.path("GH_CONFIG_DIR")
    if folder is not None:
        return f"{folder}/hosts.yml"
    return caller.config("GitHub CLI" if sys.platform == "win32" else "gh", "hosts.yml")


def _host(text: str) -> str:
    """A host's name as it is compared; ``-`` for what is none."""
    from credlatch import url as urls

    try:
        return urls.host_name(text.strip(), bucket=False)
    except RequestError:
        return "-"


def _server(text: str) -> str:
    from credlatch import url as urls

    try:
        server = urls.absolute(text.strip())
    except RequestError:
        return "-"
    plain = server.scheme == "https" and server.default_port and server.path == "/"
    return server.host if plain else "-"
