"""JFrog Artifactory: the server and token in JFrog's variables, and the servers of its ``jf``."""

from __future__ import annotations

from credlatch import jwt, quick_json
from credlatch.credential import Basic, Secret
from credlatch.errors import StoreError
from credlatch.identities.servers import is_below, root, value
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

    Config = tuple[list["Server"], bool]  # and whether its secrets are encrypted

_CLOUD = "jfrog.io"
_ARTIFACTORY = "/artifactory"
_FILE = "jfrog-cli.conf.v6"


def claims(url: Url) -> bool:
    """Whether it is one of JFrog's own cloud; whose, variables and ``jf`` say."""
    return is_below(url, _CLOUD)


def anonymous(url: Url) -> bool:  # noqa: ARG001 - as each server's owner says
    """Repositories may be open to all."""
    return True


def find(request: Request, url: Url, caller: Caller) -> Entry | None:
    """The token or login of the server that the URL is of."""
    if url.scheme != "https":
        return None
    rule = request.rule
    ruled = rule.names("jfrog")  # and so one of those servers has another name, too
    server, _ = value(caller, "JF_URL", "JFROG_URL")
    entry = None
    if rule.profile is None and (ruled or _covers(server, url)):
        entry = _of_variables(caller)
    return entry or _of_file(url, caller, rule.profile, ruled=ruled)


def _of_variables(caller: Caller) -> Entry | None:
    token, name = value(caller, "JF_ACCESS_TOKEN", "JFROG_ACCESS_TOKEN")
    user, _ = value(caller, "JF_USER")
    if token:
        return _entry(user, token, f"the variable {name}", "set a fresh one")
    password, name = value(caller, "JF_PASSWORD")
    if user and password:
        return Entry(Basic(user, Secret(password)), f"the variable {name}")
    return None


def _of_file(url: Url, caller: Caller, profile: str | None, *, ruled: bool) -> Entry | None:
    """The first server of ``jf`` that the URL is of: the one that is meant, if it is among them."""
    folder = caller.path("JFROG_CLI_HOME_DIR")
    path = f"{folder}/{_FILE}" if folder else caller.in_home(".jfrog", _FILE)
    known, encrypted = caller.document(path, _parse) or ([], False)
    servers = [each for each in known if any(_covers(one, url) for one in each.addresses)]
    servers = servers or (known if ruled else [])
    if profile is not None:
        servers = [each for each in servers if each.name == profile]
    meant = caller.get("JFROG_CLI_SERVER_ID")
    servers.sort(key=lambda each: (each.name != meant, not each.is_default))
    for each in servers:
        if encrypted and (each.token or each.password):
            raise StoreError(f"{path} is encrypted: set JF_URL and JF_ACCESS_TOKEN")
        if each.token:
            remedy = f"jf rt ping --server-id={each.name}, which renews it"
            return _entry(each.user, each.token, path, remedy)
        if each.user and each.password:
            return Entry(Basic(each.user, Secret(each.password)), path)
    return None


def _entry(user: str, token: str, location: str, remedy: str) -> Entry:
    """An access token; as a login it has the user whose it is."""
    from credlatch.auth import artifactory

    credential = artifactory.credential(Secret(token), user)
    return Entry(credential, location, expires=jwt.expiry(token), remedy=remedy)


def _covers(address: str, url: Url) -> bool:
    """Whether a URL is of a server; Docker's paths are beside Artifactory's own."""
    named = root(address.rstrip("/").removesuffix(_ARTIFACTORY)) if address else None
    return named is not None and named.covers(url)


def _parse(text: str, path: str) -> Config:
    """What ``jf`` has written.

    Raises:
        StoreError: it is something else.
    """
    try:
        said = quick_json.loads(text) if text.strip() else {}
    except ValueError:
        said = None
    servers = said.get("servers", []) if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(servers or [], list):
        raise StoreError(f"{path} is not what jf writes: mend it, or jf config add")
    known = [Server(each) for each in servers or [] if isinstance(each, dict)]
    return known, said.get("enc") is True


class Server:
    """One server of ``jf``; each attribute is empty where it is not said."""

    def __init__(self, said: dict[str, object]) -> None:
        def text(name: str) -> str:
            value = said.get(name)
            return value if isinstance(value, str) else ""

        self.name = text("serverId")
        self.addresses = [each for each in map(text, ("url", "artifactoryUrl")) if each]
        self.user = text("user")
        self.password = text("password")
        self.token = text("accessToken")
        self.is_default = said.get("isDefault") is True
