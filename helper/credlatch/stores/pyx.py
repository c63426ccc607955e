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
from credlatch.stores.environment import PYX_KEYS
from credlatch.stores.pyx_realm import PyxRealm
from credlatch.system import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Auth, TokenResponse
    from credlatch.caller import Caller
    from credlatch.renew.cache import PendingWrite
    from credlatch.stores import Listed
    from credlatch.url import Url

_MASK = (1 << 64) - 1  # of SeaHash
_PRIME = 0x6EED0E9DA4D94A4F
_SEED = (0x16F11FE89B0D677C, 0xB480A793D8E6C86C, 0x6FE2E5AAF078EBC9, 0x14F994A4C5259381)
_WORD = 8  # bytes


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


def digest(text: str) -> str:
    """The 16 hexadecimal digits by which uv names the files for a text: SeaHash 4.1.

    Reference: docs.rs/seahash, ``reference`` module. uv hashes the text followed by a byte 0xFF and
    writes the 64 bits as little-endian bytes in hexadecimal.
    """
    # A variable may hold bytes that are no text, which Python keeps as surrogates.
    data = text.encode(errors="surrogateescape") + b"\xff"
    a, b, c, d = _SEED
    for at in range(0, len(data), _WORD):
        word = int.from_bytes(data[at : at + _WORD], "little")  # the last one counts as zero-padded
        a, b, c, d = b, c, d, _diffuse(a ^ word)
    return _diffuse(a ^ b ^ c ^ d ^ len(data)).to_bytes(_WORD, "little").hex()


def _diffuse(x: int) -> int:
    x = x * _PRIME & _MASK
    x ^= (x >> 32) >> (x >> 60)
    return x * _PRIME & _MASK


class _Tokens(RenewableStore):
    """What a login and an API key have in common.

    A store of its own for each, because an API key is asked for with the environment, and a login
    after other tools' stores.
    """

    def find(self, url: Url) -> Entry | None:
        """The token where pyx's hosts are asked for."""
        realm = PyxRealm(self._caller)
        return self._entry(realm) if realm.owns(url) else None

    def entries(self) -> list[Listed]:
        """All hosts that are pyx's, where there is a token, or something to get one with."""
        realm = PyxRealm(self._caller)
        try:
            entry = self._entry(realm)
        except StoreError:
            return [(host, None) for host in realm.hosts()]
        return [] if entry is None else [(host, entry) for host in realm.hosts()]

    def _entry(self, realm: PyxRealm) -> Entry | None:
        raise NotImplementedError

    def lock_path(self, entry: Entry) -> str:
        """Uv's own lock, so that it and we never renew at once."""
        return entry.handle.removesuffix(".json") + ".lock"

    def prepare(self, entry: Entry) -> PendingWrite:
        """Room beside the file, for what uv would have written."""
        from credlatch.auth.pyx import PyxRefresh
        from credlatch.renew.cache import PendingFile

        grant, path = entry.grant, entry.handle

        def content(fresh: TokenResponse) -> bytes | None:
            if not isinstance(grant, PyxRefresh):
                return fresh.token.reveal().encode()
            text = self._caller.read(path)
            if text is None or _parse(text, path)[1] != grant.secret.reveal():
                return None
            pair = fresh.token, fresh.refresh_token or grant.secret
            tokens = (quick_json.quote(each.reveal()) for each in pair)
            return '{{"access_token":{},"refresh_token":{}}}'.format(*tokens).encode()

        return PendingFile(path, content)


class PyxKeyStore(_Tokens):
    """An API key from the environment, and the tokens it was exchanged for."""

    def files(self) -> tuple[str, ...]:
        """The one file of the key that there is."""
        name, key = self._key()
        return (self._path(PyxRealm(self._caller), key),) if name else ()

    def _key(self) -> tuple[str, Secret]:
        """The variable with the key, or nothing; and the key."""
        name = next((name for name in PYX_KEYS if self._caller.get(name)), "")
        return name, Secret((self._caller.get(name) or "").strip())

    def _path(self, realm: PyxRealm, key: Secret) -> str:
        return f"{token_folder(self._caller, realm.api)}/{digest(key.reveal())}.json"

    def _entry(self, realm: PyxRealm) -> Entry | None:
        name, key = self._key()
        if not name:
            return None
        from credlatch.auth.pyx import PyxApiKey

        path = self._path(realm, key)
        token = (self._caller.read(path) or "").strip()
        grant = PyxApiKey(key, realm.api.text, f"make a new key and set {name}")
        return _of_grant(Bearer(Secret(token)) if token else None, path, grant)


class PyxStore(_Tokens):
    """A login that ``uv auth login pyx.dev`` left."""

    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self._path(PyxRealm(self._caller)),)

    def _path(self, realm: PyxRealm) -> str:
        return f"{token_folder(self._caller, realm.api)}/tokens.json"

    def _entry(self, realm: PyxRealm) -> Entry | None:
        path = self._path(realm)
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
        grant = PyxRefresh(Secret(refresh), realm.api.text, remedy) if refresh else None
        return _of_grant(Bearer(Secret(access)), path, grant)


def _of_grant(credential: Bearer | None, path: str, grant: Auth | None) -> Entry:
    return Entry(credential, path, grant=grant, renew_unknown=True, handle=path)


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
