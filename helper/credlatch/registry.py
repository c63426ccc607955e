"""Docker's keys: the names under which registries' logins are kept, and all their spellings.

A key is ``host[:port]`` for most clients, a URL for some, and for Docker Hub whatever the client's
history brought along. Two spellings are the same key only if they mean the same origin.
"""

from __future__ import annotations

from credlatch import url as urls
from credlatch.errors import RequestError

CARGO = "cargo:"  # before the index of one of cargo's registries; no other tool's name begins so
HUB_KEY = "https://index.docker.io/v1/"
HUB_HOST = "index.docker.io"
_HUB_HOSTS = (HUB_HOST, "docker.io", "registry-1.docker.io")
_API = frozenset(("", "v1", "v2"))  # paths at which a registry's API begins
_ROOTS = ("", "/", "/v1/", "/v2/")  # what follows the host where no more is meant
_NOT_IN_KEYS = frozenset("?#")
_HUB_URLS = tuple(f"https://{host}{root}" for host in _HUB_HOSTS for root in _ROOTS)
_HUB_PORTS = tuple(f"{host}:443" for host in _HUB_HOSTS)
_HUB_KEYS = tuple(dict.fromkeys((HUB_KEY, *_HUB_HOSTS, *_HUB_URLS, *_HUB_PORTS)))


def parse(key: str) -> urls.Url | None:
    """The URL that a key stands for, or None for a key that only equals itself.

    A key is no more than a text to its client: what is no host's name is still stored and found.
    One with a user name, a query or a fragment is none, because programs cut different hosts out of
    ``good.example?@other.example``.
    """
    text = key if "://" in key else f"https://{key}"
    if "@" in text.split("/", 3)[2] or not _NOT_IN_KEYS.isdisjoint(key):
        return None
    try:
        url = urls.parse(text)
    except RequestError:
        return None
    if url.scheme == "s3" or url.host.startswith("*.") or not url.may_carry_credentials:
        return None
    if "://" in key and _is_device_secret(url.host, url.path):
        return None
    return url


def is_hub(url: urls.Url) -> bool:
    """Whether a URL is Docker Hub's, under one of its names."""
    return url.host in _HUB_HOSTS and url.scheme == "https" and url.default_port


def spellings(url: urls.Url) -> tuple[str, ...]:
    """Every key under which a login for a whole registry may be kept, the usual one first."""
    if url.scheme == "s3":
        return ()
    if is_hub(url):
        return _HUB_KEYS
    hosts = [url.netloc]
    if url.default_port:
        hosts.append(f"{url.netloc}:{url.port}")
    roots = [f"{url.scheme}://{host}{root}" for host in hosts for root in _ROOTS]
    # Without a scheme a key means https, and http on this machine, where registries have no TLS.
    bare = [] if url.scheme == "http" and not url.may_be_loopback else hosts
    return (*bare, *roots)


def older(key: str) -> str | None:
    """The registry that a key in an older form of Docker's means; None for a key in today's form.

    ``https://host`` for ``https://host/any/path``, likewise with http, and ``host`` for ``host/``
    and ``host/v2/``: what docker/cli compares (``ConvertToHostname``), the case of the host aside.
    Any other path without a scheme is a namespace.
    """
    scheme, separator, rest = key.partition("://")
    host, slash, path = (rest if separator else key).partition("/")
    host = host.lower()
    if not separator:
        return host if slash and path.strip("/") in _API else None
    if scheme not in {"https", "http"} or _is_device_secret(host, path):
        return None
    return f"{scheme}://{host}"


def _is_device_secret(host: str, path: str) -> bool:
    # Docker's device login keeps more secrets below the Hub's key; each is found by its own name.
    return host in _HUB_HOSTS and path.strip("/") not in _API


def alike(key: str) -> tuple[str, ...]:
    """Every key that means just what this one does, itself first: nothing above or below it."""
    url = parse(key)
    others = () if url is None else below(url)[:1] or spellings(url)
    return tuple(dict.fromkeys((key, *others)))


def below(url: urls.Url) -> tuple[str, ...]:
    """The keys for a part of a registry, the most specific first.

    ``https://host/ns/repo`` is looked for as ``host/ns/repo`` and ``host/ns``; a request to the
    registry's API (``/v2/ns/repo/…``) likewise.
    """
    if url.scheme == "s3":
        return ()
    path = url.path.strip("/")
    if path in {"v1", "v2"}:
        return ()
    parts = path.removeprefix("v2/").removeprefix("v1/").split("/") if path else []
    return tuple(f"{url.netloc}/{'/'.join(parts[:count])}" for count in range(len(parts), 0, -1))
