"""Which host a person logs in to, and under which name the login is kept."""

from __future__ import annotations

from credlatch import registry
from credlatch import url as urls
from credlatch.errors import RefusedError, RequestError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.url import Url

_HUB = "https://registry-1.docker.io/v2/"  # the API of Docker Hub's registry
_PREFIX = "prefix.dev"


class Target:
    """One host, or one bucket.

    Attributes:
        url: a URL there, at which a login may be tried; ``s3://…`` for a bucket.
        key: under which name rattler's store has it: the host alone, for every port that is its
            scheme's own; with a port, for that port; a ``*.`` pattern; a bucket's URL.
        username: the user whom the person has named in a URL, or None.
    """

    def __init__(self, url: Url, key: str, username: str | None) -> None:
        self.url = url
        self.key = key
        self.username = username

    @property
    def is_bucket(self) -> bool:
        """Whether S3 keys, and nothing else, are kept for it."""
        return self.url.scheme == "s3"

    @property
    def shown(self) -> str:
        """As a message calls it."""
        return self.key if self.is_bucket or self.key.startswith("*.") else self.url.netloc


def target(text: str, caller: Caller) -> Target:
    """What a person means: a host, ``host:port``, a URL there, ``*.host``, or ``s3://bucket``.

    A bare name of this machine means http, which local servers speak; any other https.

    Raises:
        UsageError: it is none of these.
        RefusedError: a login would travel there in the clear.
    """
    try:
        url = urls.parse(text if "://" in text else f"https://{text}")
        if "://" not in text and url.may_be_loopback:
            url = urls.parse(f"http://{text}")
    except RequestError as error:
        raise UsageError(f"{text[:100]!r} is no host to log in to: {error}") from None
    if url.scheme == "s3":
        path = url.path.rstrip("/")
        return Target(url, f"s3://{url.host}{path}", None)
    username = url.username
    if url.host.startswith("*."):
        if not url.default_port:
            raise UsageError("a pattern is for its hosts at https: leave the port out")
        key, url = url.host, urls.parse(f"https://{url.host.removeprefix('*.')}/")
    else:
        key = url.netloc
    if registry.is_hub(url):
        key, url = registry.HUB_KEY, urls.parse(_HUB)
    if not caller.may_send(url):
        raise RefusedError(f"{url.shown} is plain http, and no login is kept for it: use https")
    return Target(url, key, username)


def token_key(target: Target) -> str:
    """Under which name a token is kept: prefix.dev's channels have hosts of their own below it."""
    return f"*.{_PREFIX}" if target.key == _PREFIX else target.key
