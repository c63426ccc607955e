"""uv's store: ``credentials.toml``, and its items in the system's keyring (``native-auth``)."""

from __future__ import annotations

import os
import sys
import time

from credlatch import clock
from credlatch import url as urls
from credlatch.caller import APPLICATION_SUPPORT
from credlatch.credential import Basic, Bearer, Credential, Secret
from credlatch.errors import AmbiguousError, RequestError, StoreError
from credlatch.stores import OTHER_USER, Entry, Store, readable
from credlatch.stores.toml_tables import Tables, about, may_mean
from credlatch.system import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.stores import Listed


def folder(caller: Caller) -> str:
    """Uv's credentials folder: its variable, a legacy folder that exists, else the state folder."""
    chosen = caller.path("UV_CREDENTIALS_DIR")
    if chosen:
        return chosen
    if sys.platform == "darwin":
        legacy = caller.in_home(APPLICATION_SUPPORT, "uv")
        if os.path.isdir(legacy):
            return f"{legacy}/credentials"
    if sys.platform == "win32":
        legacy = caller.data("uv", "data")
        return f"{legacy if os.path.isdir(legacy) else caller.data('uv')}/credentials"
    return caller.data("uv", "credentials")


class UvStore(Store):
    """uv's two places: the file first, as uv has it without its preview feature."""

    def find(self, url: urls.Url) -> Entry | None:
        """The entry for a URL, by uv's rule."""
        if url.scheme == "s3":
            return None
        try:
            entry = self._in_file(url)
        except StoreError as error:
            entry = self._in_keyring(url)
            if entry is None:
                raise
            self._caller.warn(str(error))
            return entry
        return entry or self._in_keyring(url)

    def entries(self) -> Iterator[Listed]:
        """The services in the file; the keyring's cannot be listed."""
        path = self._path()
        for table in about("", path, _Credentials, self._caller) if os.path.lexists(path) else ():
            service = None if table is None else table.get("service")
            if isinstance(service, str):
                yield service, readable(_entry, table, path)
            else:
                yield "", None

    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self._path(),)

    def _path(self) -> str:
        return f"{folder(self._caller)}/credentials.toml"

    def _in_file(self, url: urls.Url) -> Entry | None:
        path = self._path()
        if not os.path.lexists(path):
            return None
        locks.settle(f"{path}.lock", self._caller.left(locks.SETTLE))
        # By service and user, as uv keeps them: of two such entries the last counts.
        matches: dict[tuple[object, ...], _Match] = {}
        damaged = False
        for table in about(url.host, path, _Credentials, self._caller):
            try:
                match = _match(table, url, path)
            except _DamagedError:
                damaged = damaged or may_mean(table, "service", url)
            else:
                if match is None:
                    continue
                if url.username in {None, match.username}:
                    matches[match.key] = match
                else:
                    self.pass_over(OTHER_USER, path)
        if not matches:
            if damaged:
                raise StoreError(
                    f"{path} has a damaged entry for {url.host}: "
                    f"log in again: uv auth login {url.scheme}://{url.netloc}"
                )
            return None
        highest = max(match.rank for match in matches.values())
        best = [match for match in matches.values() if match.rank == highest]
        if len(best) > 1:
            users = [match.username or "a token" for match in best]
            raise AmbiguousError(_several(path, url.netloc, users))
        return best[0].entry

    def _in_keyring(self, url: urls.Url) -> Entry | None:
        if url.host.startswith("*."):
            return None
        keyring = self._caller.keyring()
        if keyring is None:
            return None
        # The items hold no path; uv names the scheme only where it is not https.
        service = f"uv:{url.netloc if url.scheme == 'https' else f'{url.scheme}://{url.netloc}'}"
        location = f"the keyring (service {service})"
        if url.username is not None:
            secret = keyring.get(service, url.username)
            return Entry(Basic(url.username, secret), location) if secret is not None else None
        items = keyring.find(service)
        if len(items) > 1:
            raise AmbiguousError(
                _several(location, url.netloc, [username for username, _ in items])
            )
        return Entry(Basic(*items[0]), location) if items else None


class _Credentials(Tables):
    array = "credential"


def _several(location: str, host: str, users: list[str]) -> str:
    return (
        f"{location} has {len(users)} logins for {host} ({', '.join(sorted(users))}): "
        "put the user name into the URL, or uv auth logout --username"
    )


class _DamagedError(ValueError):
    """An entry is not what uv writes."""


class _Match:
    """An entry that is for a URL.

    Attributes:
        entry: what it holds.
        username: whose it is; None: a token.
        key: its service and user, by which uv tells entries apart.
        rank: which of several counts: one that has not ended, as it says itself, then one whose
            service is the URL itself, then the one with the longest path.
    """

    def __init__(
        self, service: tuple[object, ...], entry: Entry, ends: int | None, url: urls.Url
    ) -> None:
        self.entry = entry
        login = entry.credential
        self.username = login.username if isinstance(login, Basic) else None
        self.key = (*service, self.username)
        scheme, _, rest = url.text.partition("://")
        whole = f"{scheme}://{url.username}@{rest}" if url.username else url.text
        exact = self.key == (*_service(url, whole), url.username)
        has_ended = ends is not None and ends <= time.time()
        self.rank = (not has_ended, exact, len(str(service[1])))


def _service(named: urls.Url, text: str) -> tuple[object, ...]:
    """What makes a service another: origin, path, user information, query and fragment."""
    rest = text.partition("://")[2]
    end = urls.authority_end(rest)
    tail = min((at for at in map(rest.find, "?#") if at >= 0), default=len(rest))
    return named.origin, named.path, rest[:end].rpartition("@")[0], rest[tail:]


def _match(table: dict[str, object] | None, url: urls.Url, path: str) -> _Match | None:
    """An entry, if it is for a URL, for whatever user.

    Scheme, host and port are equal, and the path is a prefix by segments.
    """
    service, named = _named(table)
    if table is None or not named.covers(url):
        return None
    entry = _entry(table, path, named)
    return _Match(_service(named, service), entry, _end(table.get("expires-at")), url)


def _named(table: dict[str, object] | None) -> tuple[str, urls.Url]:
    """The service that an entry is for, and its URL."""
    service = None if table is None else table.get("service")
    if not isinstance(service, str):
        raise _DamagedError
    # As every reader of URLs does it (WHATWG URL, 4.4); in a host, "%" is refused.
    service = service.strip(" ").replace(" ", "%20")
    try:
        return service, urls.absolute(service)
    except RequestError:
        raise _DamagedError from None


def _entry(table: dict[str, object], path: str, named: urls.Url | None = None) -> Entry:
    """What an entry holds; ``named`` is the URL of its service, where that is known."""
    remedy = f"log in again: uv auth login {(named or _named(table)[1]).netloc}"
    credential = _credential(table)
    if credential is None:
        raise _DamagedError
    return Entry(credential, path, expires=_end(table.get("expires-at")), remedy=remedy)


def _credential(table: dict[str, object]) -> Credential | None:
    scheme = table.get("scheme", "basic")
    username, password, token = (table.get(name) for name in ("username", "password", "token"))
    if scheme == "bearer" and isinstance(token, str) and username is None and password is None:
        return Bearer(Secret(token))
    if scheme == "basic" and isinstance(username, str) and token is None:
        return Basic(username, Secret(password or "")) if isinstance(password, str | None) else None
    return None


def _end(value: object) -> int | None:
    """The ``expires-at`` that uv will have after 0.13.9: a moment, in a form that TOML has."""
    if isinstance(value, str) and value:
        from datetime import datetime

        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    # A datetime, without that this module imports it for all others.
    told = getattr(value, "timestamp", None)
    aware = told is not None and getattr(value, "tzinfo", None) is not None
    return clock.moment(told() if told is not None and aware else value)
