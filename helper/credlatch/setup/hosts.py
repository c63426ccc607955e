"""The hosts to wire: those that stores have entries for, or those that a person names."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.errors import RequestError, SetupError, StoreError
from credlatch.stores.order import ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credlatch.caller import Caller
    from credlatch.url import Url

_BUCKETS = "s3"  # the store whose keys are buckets' names, and no hosts
_NONE = (
    "no store has a login yet: log in first (credlatch login, docker login, a netrc …), "
    "or name hosts with --host and --force"
)


def known(caller: Caller) -> list[Url]:
    """The hosts, and ``*.`` patterns, that the stores have entries for; one URL for each origin.

    A store that cannot be read is warned of. Some entries are not found by listing: a keyring's
    items for pip and uv have whatever name somebody has given them.

    Raises:
        SetupError: there are none; or a store that may have one cannot be read, and says why.
    """
    found, failures = _entries(caller)
    for failure in failures if found else failures[1:]:
        caller.warn(failure)
    if not found:
        raise SetupError(failures[0] if failures else _NONE)
    return found


def _entries(caller: Caller) -> tuple[list[Url], list[str]]:
    """The hosts, and why a store could not be read."""
    found: dict[tuple[str, str, int], Url] = {}
    failures: list[str] = []
    for name, open_store in ORDER:
        store = None if name == _BUCKETS else open_store(caller)
        if store is None:
            continue
        try:
            listed = [key for key, _ in store.entries()]
        except StoreError as error:
            failures.append(str(error))
            continue
        for url in _readable(listed):
            found.setdefault(url.origin, url)
    hosts = sorted(found.values(), key=lambda url: (url.host, url.port, url.scheme))
    return hosts, list(dict.fromkeys(failures))


def named(
    texts: Iterable[str], caller: Caller, has_login: Callable[[Url], bool], *, force: bool
) -> list[Url]:
    """The hosts that a person names, each with an entry in some store.

    Args:
        texts: hosts, ``host:port``, ``*.`` patterns or URLs.
        caller: whose stores they are.
        has_login: whether a store has, or may have, a login for a URL.
        force: take also those that no store has an entry for.

    Raises:
        SetupError: one is no host, or has no entry.
    """
    found: list[Url] = []
    listed: list[Url] | None = None
    for text in dict.fromkeys(texts):
        if text == "*":
            raise SetupError("'*' is no host: --all-hosts wires them all")
        try:
            url = _parse(text)
        except RequestError as error:
            raise SetupError(f"{text[:100]!r} is no host: {error}") from None
        if not _gets_credentials(url):
            raise SetupError(f"{url.shown} never gets a credential: name an https host")
        if not force and not has_login(url):
            # A login for a part of the host is one for it, and so is one for a host of the pattern.
            listed = _entries(caller)[0] if listed is None else listed
            if not any(_covers(url, other) for other in listed):
                raise SetupError(
                    f"no store has a login for {url.netloc}: log in first, or wire it with --force"
                )
        found.append(url)
    return found


def _parse(text: str) -> Url:
    return urls.parse(text if "://" in text else f"https://{text}")


def _readable(texts: Iterable[str]) -> Iterable[Url]:
    for text in texts:
        try:
            url = _parse(text)
        except RequestError:
            continue  # a key of Docker's may be any text
        if _gets_credentials(url):
            yield url


def _gets_credentials(url: Url) -> bool:
    return url.scheme != "s3" and (url.may_carry_credentials or url.may_be_loopback)


def _covers(url: Url, other: Url) -> bool:
    if not url.host.startswith("*."):
        return url.origin == other.origin
    return f".{other.host.removeprefix('*.')}".endswith(url.host.removeprefix("*"))
