"""Which token server a registry may send a login to."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.errors import RenewalError, RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url

_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
# Hosts of token servers that belong to a registry of another name, both of one owner.
PAIRS = {
    **dict.fromkeys(_HUB, "auth.docker.io"),
    "docker.elastic.co": "docker-auth.elastic.co",
}
_GITLAB, _GITLAB_REALM = "registry.", "/jwt/auth"


def token_server(registry: Url, realm: str, endpoint: str | None, *, with_login: bool) -> Url:
    """The server that a registry names, if it may be asked.

    A login goes to the registry's own host, at any port; to a known partner; and to GitLab's own
    server of a registry below it: whoever has ``example.com`` decides about
    ``registry.example.com`` as well. No other relation of names is believed, since what two hosts
    have in common may be a public suffix. The user's settings may name another server. Over plain
    http it goes within this machine only.

    Without a login any https server is asked that has a name, as all clients do: nothing of the
    user's is sent. Addresses are left out, and names of this machine: a registry elsewhere has no
    business there.

    Args:
        registry: a URL there.
        realm: the token server's URL, as the registry says it.
        endpoint: likewise, as the user's settings say it, or None.
        with_login: whether a login would be sent.

    Raises:
        RenewalError: it may not be asked.
    """
    try:
        server = urls.absolute(realm)
    except RequestError as error:
        raise RenewalError(
            f"{registry.netloc} names a token server whose URL cannot be used ({error}): "
            "tell who runs it"
        ) from None
    where = f"{registry.netloc} sends its clients to {server.shown} for a token"
    if "@" in realm.replace("?", "/").replace("#", "/").split("/")[2]:
        raise RenewalError(
            f"{where}, with a user name in the URL: nothing is sent there; tell who runs it"
        )
    is_own = server.host == registry.host
    if server.scheme != "https" and not (
        server.scheme == "http" and is_own and registry.scheme == "http"
    ):
        raise RenewalError(f"{where}, which is no https: nothing is sent there; tell who runs it")
    if is_own or (not with_login and not (server.is_ip or server.may_be_loopback)):
        return server
    if not with_login:
        raise RenewalError(
            f"{where}, which is no name in the network: it is not asked; "
            f"docker login {registry.netloc}"
        )
    if _is_partner(registry, server) or (endpoint is not None and _covers(endpoint, server)):
        return server
    raise RenewalError(
        f"{where}, and a login for {registry.netloc} does not go there: if the two belong "
        f'together, have a rule for {registry.netloc} say endpoint = "https://{server.netloc}"'
    )


def _is_partner(registry: Url, server: Url) -> bool:
    if not (registry.scheme == "https" and registry.default_port and server.default_port):
        return False
    if server.host == PAIRS.get(registry.host):
        return True
    above = registry.host.removeprefix(_GITLAB)
    is_above = above == server.host != registry.host and "." in above
    return is_above and server.path == _GITLAB_REALM


def _covers(endpoint: str, server: Url) -> bool:
    try:
        return urls.absolute(endpoint).covers(server)
    except RequestError:
        return False
