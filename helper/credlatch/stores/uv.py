"""uv's store: ``credentials.toml``, and its items in the system's keyring (``native-auth``)."""

from __future__ import annotations

import os
import sys

from credlatch import url as urls
from credlatch.credential import Basic, Bearer, Credential, Secret
from credlatch.errors import AmbiguousError, RequestError, StoreError
from credlatch.stores import Entry
from credlatch.stores.toml_tables import Tables
from credlatch.system import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


def folder(caller: Caller) -> str:
    """Uv's credentials folder: its variable, a legacy folder that exists, else the state folder."""
    chosen = caller.path("UV_CREDENTIALS_DIR")
    if chosen:
        return chosen
    if sys.platform == "darwin":
        legacy = caller.in_home("Library", "Application Support", "uv")
        if os.path.isdir(legacy):
            return f"{legacy}/credentials"
    if sys.platform == "win32":
        legacy = caller.data("uv", "data")
        return f"{legacy if os.path.isdir(legacy) else caller.data('uv')}/credentials"
    return caller.data("uv", "credentials")


class UvStore:
    """uv's two places: the file first, as uv has it without its preview feature."""

    name = "uv"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

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

    def hosts(self) -> list[str]:
        """The services in the file; the keyring's cannot be listed."""
        path = f"{folder(self._caller)}/credentials.toml"
        tables = self._caller.document(path, _tables) if os.path.lexists(path) else None
        try:
            found = [] if tables is None else tables.about("")
        except ValueError as error:
            raise _not_toml(path, error) from None
        services = [None if table is None else table.get("service") for table in found]
        return [service for service in services if isinstance(service, str)]

    def _in_file(self, url: urls.Url) -> Entry | None:
        path = f"{folder(self._caller)}/credentials.toml"
        if not os.path.lexists(path):
            return None
        locks.settle(f"{path}.lock")
        tables = self._caller.document(path, _tables)
        if tables is None:
            return None
        needle = "" if ":" in url.host or "*" in url.host else url.host
        best: list[tuple[int, Credential]] = []
        damaged = False
        try:
            for table in tables.about(needle):
                try:
                    match = _match(table, url)
                except _DamagedError:
                    damaged = True
                else:
                    best += [match] if match is not None else []
        except ValueError as error:
            raise _not_toml(path, error) from None
        if not best:
            if damaged:
                raise StoreError(
                    f"{path} has a damaged entry for {url.host}: log in again with uv auth login"
                )
            return None
        longest = max(length for length, _ in best)
        found = [credential for length, credential in best if length == longest]
        if len(found) > 1:
            users = [one.username if isinstance(one, Basic) else "a token" for one in found]
            raise AmbiguousError(_several(path, url.netloc, users))
        return Entry(found[0], path, advice=f"log in again: uv auth login {url.netloc}")

    def _in_keyring(self, url: urls.Url) -> Entry | None:
        if url.host.startswith("*."):
            return None
        keyring = self._caller.keyring()
        if keyring is None:
            return None
        # The items hold no path; uv names the scheme only where it is not https.
        service = f"uv:{url.netloc if url.scheme == 'https' else f'{url.scheme}://{url.netloc}'}"
        where = f"the keyring (service {service})"
        if url.username is not None:
            secret = keyring.get(service, url.username)
            return Entry(Basic(url.username, secret), where) if secret is not None else None
        items = keyring.find(service)
        if len(items) > 1:
            raise AmbiguousError(_several(where, url.netloc, [username for username, _ in items]))
        return Entry(Basic(*items[0]), where) if items else None


def _tables(text: str, _path: str) -> Tables:
    return Tables(text, "credential")


def _not_toml(path: str, error: ValueError) -> StoreError:
    return StoreError(f"{path} is not TOML ({error}): mend it, or move it away and log in again")


def _several(where: str, host: str, users: list[str]) -> str:
    return (
        f"{where} has {len(users)} logins for {host} ({', '.join(sorted(users))}): "
        "put the user name into the URL, or uv auth logout --username"
    )


class _DamagedError(Exception):
    """An entry is not what uv writes."""


def _match(table: dict[str, object] | None, url: urls.Url) -> tuple[int, Credential] | None:
    """How long a path of the URL an entry names, and its credential; None if it is not for it.

    Scheme, host and port are equal, the path is a prefix by segments, and a user name in the URL is
    the entry's.
    """
    service = table.get("service") if table is not None else None
    if table is None or not isinstance(service, str):
        raise _DamagedError
    try:
        named = urls.parse(service)
    except RequestError:
        raise _DamagedError from None
    if not named.covers(url):
        return None
    credential = _credential(table)
    if credential is None:
        raise _DamagedError
    if url.username is not None:
        username = credential.username if isinstance(credential, Basic) else None
        if username != url.username:
            return None
    # uv takes http for this machine only; an entry that a person wrote may say more.
    if not named.may_carry_credentials:
        return None
    return len(named.path), credential


def _credential(table: dict[str, object]) -> Credential | None:
    scheme = table.get("scheme", "basic")
    username, password, token = (table.get(name) for name in ("username", "password", "token"))
    if scheme == "bearer" and isinstance(token, str):
        return Bearer(Secret(token))
    if scheme == "basic" and isinstance(username, str) and isinstance(password, str | None):
        return Basic(username, Secret(password or ""))
    return None
