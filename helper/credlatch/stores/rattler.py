"""The store of rattler, which pixi, rattler-build and py-rattler share, and which we write too.

In order: the file that RATTLER_AUTH_FILE names, and then nothing else, as pixi documents; pixi's
``authentication-override-file`` (the user's: for a project's see ``pixi_project``); the keyring;
``~/.rattler/credentials.json``.
"""

from __future__ import annotations

from credlatch import registry
from credlatch.credential import Basic
from credlatch.errors import AbsentError, StoreError
from credlatch.stores import (
    HOST,
    Entry,
    KeyedStore,
    RenewableStore,
    gathered,
    rattler_format,
    readable,
)
from credlatch.stores.pixi_config import override_file
from credlatch.stores.rattler_backends import LOCK_PATIENCE, FileBackend, KeyringBackend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.renew.cache import PendingWrite
    from credlatch.stores import Listed
    from credlatch.url import Url

    Backend = FileBackend | KeyringBackend


ASIDE = "docker://"  # before a login's key that is taken; what rattler looks for never begins so
NO_KEYS = ("*", "s3://", registry.CARGO)  # what begins so is rattler's or cargo's, no registry


def candidates(url: Url) -> list[str]:
    """The keys that rattler looks for, in its order; port and scheme play no part.

    The host itself, then a wildcard for it and for each of its parents: ``*.example.com`` is also
    for ``example.com``. An address has no wildcards. For a bucket (``s3://b/x``), its name, then
    the URL and each of its parents.
    """
    if url.scheme == "s3":
        whole = f"s3://{url.host}{url.path}".rstrip("/")
        parents = [whole]
        while (parent := parents[-1].rpartition("/")[0]) != "s3:/":
            parents.append(parent)
        return [url.host, *parents]
    if url.is_ip:
        return [f"[{url.host}]" if ":" in url.host else url.host]
    labels = url.host.split(".")
    return [url.host, *("*." + ".".join(labels[at:]) for at in range(len(labels)) if labels[at])]


class RattlerStore(KeyedStore, RenewableStore):
    """All of rattler's backends that count for the caller.

    Args:
        caller: whose they are.
        backends: these instead.
    """

    def __init__(self, caller: Caller, backends: list[Backend] | None = None) -> None:
        self._caller = caller
        self._backends = backends

    def backends(self) -> list[Backend]:
        """Where rattler looks, in its order, which is also the order it writes in."""
        if self._backends is None:
            caller = self._caller
            only = caller.path("RATTLER_AUTH_FILE")
            if only:
                self._backends = [FileBackend(only, caller)]
            else:
                override, by = override_file(caller)
                self._backends = [
                    *([FileBackend(override, caller, by)] if override else []),
                    KeyringBackend(caller),
                    FileBackend(caller.in_home(".rattler", "credentials.json"), caller),
                ]
        return self._backends

    def find(self, url: Url) -> Entry | None:
        """The entry for a URL, by rattler's rule, which heeds no port."""
        entry = self._first(candidates(url), url)
        if entry is not None:
            entry.names = HOST
        return entry

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The entry under one of Docker's keys: a login, and where there is none a token."""
        return self._first([name for key in keys for name in (ASIDE + key, key)], logins=True)

    def at(self, key: str) -> Entry | None:
        """The entry under a key, to the letter."""
        return self._first([key])

    def _first(
        self, keys: list[str], url: Url | None = None, *, logins: bool = False
    ) -> Entry | None:
        # Rattler's order: an exact key in the last place comes before a wildcard in the first.
        host, bucket = ("", False) if url is None else (url.host, url.scheme == "s3")
        failures: dict[str, StoreError] = {}
        found: Entry | None = None
        for key in keys:
            for backend in self.backends():
                if backend.id in failures:
                    continue
                try:
                    value = backend.get(key)
                    # An S3 key is for a bucket, and nothing else is; a host may have the same name.
                    fits = value is not None and rattler_format.is_s3(value) == bucket
                    entry = _entry(backend, key, value, host) if fits else None
                except StoreError as error:
                    failures[backend.id] = error
                    continue
                if entry is not None:
                    found = found or entry
                    if not logins or isinstance(entry.credential, Basic):
                        return self._despite(failures, entry)
                elif url is not None and value is not None:
                    # Rattler has found it, and has nothing to send.
                    return self._despite(failures, None)
        return self._despite(failures, found)

    def _despite(self, failures: dict[str, StoreError], found: Entry | None) -> Entry | None:
        """What was found although some backends failed; where that is nothing, their failure."""
        for failure in failures.values():
            if found is None:
                raise failure
            self._caller.warn(str(failure))
        return found

    def lock_path(self, entry: Entry) -> str:
        """Rattler itself takes no lock; ours lies beside the file."""
        return self._backend(entry)[0].lock_path

    def prepare(self, entry: Entry) -> PendingWrite:
        """Room for the renewed entry where it was read: a file, or the keyring's item."""
        backend, key = self._backend(entry)
        if entry.grant is None:
            raise ValueError("an entry without a grant is not renewed")
        return backend.prepare(key, entry.grant.secret)

    def _backend(self, entry: Entry) -> tuple[Backend, str]:
        wanted, _, key = entry.handle.partition("\n")
        return next(backend for backend in self.backends() if backend.id == wanted), key

    def save(self, key: str, credential: Credential) -> None:
        """Keep a login or a token under ``key``; raises as ``keep``."""
        self.keep(key, rattler_format.stored(credential))

    def keep(self, key: str, value: dict[str, Any]) -> str:
        """Keep what rattler writes for a host, in the first backend that takes it; where that is.

        Raises:
            StoreError: none does; nothing has been changed.
        """
        return self._in_the_first(lambda backend: backend.put(key, value))

    def see_room(self) -> None:
        """See that a login could be kept, before there is one; raises as ``keep``."""
        self._in_the_first(lambda backend: backend.see_room())

    def _in_the_first(self, do: Callable[[Backend], None]) -> str:
        self._caller.put_off(LOCK_PATIENCE)
        for backend in self.backends():
            try:
                do(backend)
            except AbsentError:
                continue
            return backend.location
        raise StoreError("there is no place to keep the credential")

    def place_of(self, key: str) -> str:
        """Where a login is kept that Docker's clients call ``key``: there, or aside.

        Aside where the name holds what is no login, and where a login under a host's own name would
        hide from rattler what it finds for the domain.
        """
        if self.kept(ASIDE + key):
            return ASIDE + key
        values = self.kept(key)
        if not values:
            url = registry.parse(key)
            names = [] if url is None or url.scheme == "s3" else candidates(url)
            hidden = names[1:] if names[:1] == [key] else []
            return ASIDE + key if any(map(self.kept, hidden)) else key
        # What is no object is damaged, and of no use to anybody.
        others = [each for each in values if each and isinstance(each, dict)]
        return key if all(map(rattler_format.is_login, others)) else ASIDE + key

    def kept(self, key: str) -> list[object]:
        """What is under a key, in all the backends that can be asked."""
        found: list[object] = []
        for backend in self.backends():
            try:
                found += backend.every(key)
            except StoreError:
                continue  # if a login is to be kept there, it says so itself
        return found

    def delete(self, *keys: str) -> bool:
        """Forget the logins under ``keys`` in every backend; False if none had any.

        A token under that name is not touched: pixi's login is not Docker's to end.

        Raises:
            StoreError: one of them could not be asked; the others have been.
        """
        self._caller.put_off(LOCK_PATIENCE)
        failure: StoreError | None = None
        deleted = False
        for backend, key in [(backend, key) for backend in self.backends() for key in keys]:
            try:
                if _is_login(backend, key):
                    deleted = backend.delete(key) or deleted
            except AbsentError:
                continue
            except StoreError as error:
                failure = error
        if failure is not None:
            raise failure
        return deleted

    def entries(self) -> list[Listed]:
        """All keys but buckets'."""
        return gathered(self._caller, self.backends(), _listed)

    def buckets(self) -> list[Listed]:
        """The keys of buckets."""
        return gathered(self._caller, self.backends(), _buckets)

    def files(self) -> list[str]:
        """Those of the backends."""
        return [each.location for each in self.backends() if isinstance(each, FileBackend)]

    def logins(self) -> dict[str, str]:
        """Keys that a registry's login may have, with their user names.

        Wildcards, buckets and tokens are no registry's login. Docker's classic builder fetches
        everything that is listed and hands it to the daemon, so nothing else belongs here.

        Raises:
            StoreError: a backend could not be asked, and none of the others had a login.
        """
        return dict(reversed(gathered(self._caller, self.backends(), _logins)))


def _listed(backend: Backend) -> Iterator[Listed]:
    for key, value in backend.entries().items():
        if not rattler_format.is_s3(value):
            host = key.removeprefix("*.")
            yield key.removeprefix(ASIDE), readable(_entry, backend, key, value, host)


def _buckets(backend: Backend) -> Iterator[Listed]:
    for key, value in backend.entries().items():
        if rattler_format.is_s3(value):
            yield key, readable(_entry, backend, key, value, key)


def _logins(backend: Backend) -> Iterator[tuple[str, str]]:
    for key, value in backend.entries().items():
        username = _username(key, value)
        if username is not None:
            yield key, username


def _entry(backend: Backend, key: str, value: object, host: str) -> Entry:
    entry = rattler_format.read(value, key, backend.location, host)
    entry.handle = f"{backend.id}\n{key}"
    return entry


def _is_login(backend: Backend, key: str) -> bool:
    if key.startswith(registry.CARGO):
        return bool(backend.every(key))  # whatever it is, only cargo has had it kept
    values = [] if key.startswith(NO_KEYS) else backend.every(key)
    return bool(values) and all(map(rattler_format.is_login, values))


def _username(key: str, value: object) -> str | None:
    if key.startswith(NO_KEYS) or not isinstance(value, dict):
        return None
    basic = value.get("BasicHTTP")
    username = basic.get("username") if isinstance(basic, dict) else None
    return username if isinstance(username, str) else None
