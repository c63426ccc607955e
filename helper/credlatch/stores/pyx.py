"""pyx's token store, as uv up to 0.12.6 keeps it: shared with uv, its locks included.

Below a root there is a folder for each API, named by a digest of its URL, and in it ``tokens.json``
for a login and ``<digest of the key>.json`` for an API key: the latter holds the bare token.
"""

from __future__ import annotations

import os

from credlatch import quick_json
from credlatch.credential import Bearer, Secret
from credlatch.errors import StoreError
from credlatch.stores import Entry, RenewableStore, uv
from credlatch.stores.pyx_digest import digest
from credlatch.stores.pyx_realm import API_KEYS, PyxRealm
from credlatch.system import files, locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import TokenResponse
    from credlatch.caller import Caller
    from credlatch.renew.cache import PendingWrite
    from credlatch.url import Url

_ROOM = 64 * 1024  # bytes: more than any token takes


def token_folder(caller: Caller, api: Url) -> str:
    """The folder of one API's tokens."""
    name = digest(canonical(api))
    chosen = caller.path("PYX_CREDENTIALS_DIR")
    if chosen:
        return f"{chosen}/{name}"
    legacy = f"{uv.folder(caller)}/{name}"
    if os.path.isdir(legacy):
        return legacy
    return f"{caller.data('pyx', 'credentials')}/{name}"


def canonical(api: Url) -> str:
    """The API's URL as uv hashes it: a slash at the end only where there is no path."""
    before, mark, query = api.text.partition("?")
    root = f"{api.scheme}://{api.netloc}/"
    return (before if before == root else before.rstrip("/")) + mark + query


class _Tokens(RenewableStore):
    """What a login and an API key have in common.

    A store of its own for each, because an API key is asked for with the environment, and a login
    after other tools' stores.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def lock_path(self, entry: Entry) -> str:
        """Uv's own lock, so that it and we never renew at once."""
        return entry.handle.removesuffix(".json") + ".lock"

    def prepare(self, entry: Entry) -> PendingWrite:
        """Room beside the file."""
        return _PendingToken(entry, self._caller)


class _PendingToken:
    def __init__(self, entry: Entry, caller: Caller) -> None:
        self._caller = caller
        self._grant = entry.grant
        self._path = entry.handle
        self._write = files.AtomicWrite(entry.handle, _ROOM)

    def commit(self, fresh: TokenResponse) -> None:
        """Write what uv would have written, unless somebody has logged in or out meanwhile."""
        from credlatch.auth.pyx import PyxRefresh

        if not isinstance(self._grant, PyxRefresh):
            self._write.commit(fresh.token.reveal().encode())
            return
        text = self._caller.read(self._path)
        if text is None or _parse(text, self._path)[1] != self._grant.secret.reveal():
            return
        quote = quick_json.quote
        refresh = fresh.refresh_token or self._grant.secret
        tokens = (quote(fresh.token.reveal()), quote(refresh.reveal()))
        self._write.commit('{{"access_token":{},"refresh_token":{}}}'.format(*tokens).encode())

    def abandon(self) -> None:
        """Leave the file."""
        self._write.abandon()


class PyxKeyStore(_Tokens):
    """An API key from the environment, and the tokens it was exchanged for."""

    def find(self, url: Url) -> Entry | None:
        """The key's token where pyx's hosts are asked for, exchanged when there is none yet."""
        name = next((name for name in API_KEYS if self._caller.get(name)), None)
        if name is None:
            return None
        realm = PyxRealm(self._caller)
        if not realm.owns(url):
            return None
        from credlatch.auth.pyx import PyxApiKey

        key = Secret((self._caller.get(name) or "").strip())
        path = f"{token_folder(self._caller, realm.api)}/{digest(key.reveal())}.json"
        token = (self._caller.read(path) or "").strip()
        return Entry(
            Bearer(Secret(token)) if token else None,
            path,
            grant=PyxApiKey(key, realm.api.text, f"make a new key and set {name}"),
            renew_unknown=True,
            handle=path,
        )

    def hosts(self) -> list[str]:
        """All that are pyx's: this store is there only with a key."""
        return PyxRealm(self._caller).hosts()


class PyxStore(_Tokens):
    """A login that ``uv auth login pyx.dev`` left."""

    def find(self, url: Url) -> Entry | None:
        """The login's token where pyx's hosts are asked for."""
        realm = PyxRealm(self._caller)
        if not realm.owns(url):
            return None
        path = f"{token_folder(self._caller, realm.api)}/tokens.json"
        text = self._caller.read(path)
        if text is not None and not text.endswith("}"):
            # uv truncates and writes in place, under its lock.
            locks.settle(path.removesuffix(".json") + ".lock", self._caller.left(locks.SETTLE))
            text = self._caller.read(path)
        if text is None:
            return None
        from credlatch.auth.pyx import PyxRefresh

        access, refresh = _parse(text, path)
        remedy = "log in again: uv auth login pyx.dev (uv 0.12.6 or older)"
        return Entry(
            Bearer(Secret(access)),
            path,
            grant=PyxRefresh(Secret(refresh), realm.api.text, remedy) if refresh else None,
            renew_unknown=True,
            handle=path,
        )

    def hosts(self) -> list[str]:
        """All that are pyx's, when somebody has logged in."""
        realm = PyxRealm(self._caller)
        path = f"{token_folder(self._caller, realm.api)}/tokens.json"
        return realm.hosts() if os.path.exists(path) else []


def _parse(text: str, path: str) -> tuple[str, str]:
    try:
        tokens = quick_json.loads(text)
    except ValueError as error:
        raise StoreError(f"{path} is not JSON ({error}): log in again") from None
    if isinstance(tokens, dict):
        access, refresh = tokens.get("access_token"), tokens.get("refresh_token")
        if isinstance(access, str) and isinstance(refresh, str | None):
            return access, refresh or ""
    raise StoreError(f"{path} holds no tokens: log in again")
