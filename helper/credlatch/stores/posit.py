"""Posit Package Manager's tokens: ``~/.ppm/tokens.toml``, which posit-keyring and pak share."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.credential import TOKEN_USER, Basic, Secret
from credlatch.errors import RequestError, StoreError
from credlatch.stores import Entry, RenewableStore, readable
from credlatch.stores.toml_tables import Tables, about, may_mean
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from credlatch.auth import TokenResponse
    from credlatch.auth.posit import PositIdentity
    from credlatch.caller import Caller
    from credlatch.renew.cache import PendingWrite
    from credlatch.stores import Listed

    T = TypeVar("T")

_LOCK_PATIENCE = 120.0  # seconds that a login waits for others: people have no limit of their own


class PositStore(RenewableStore):
    """The tokens, and the identity token of a CI that is exchanged for one."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._path = caller.in_home(".ppm", "tokens.toml")

    def find(self, url: urls.Url) -> Entry | None:
        """The token of the server whose address covers the URL.

        With PACKAGEMANAGER_ADDRESS, that address alone counts, compared byte for byte as
        posit-keyring compares it; else the longest address that covers the URL.
        """
        if url.scheme == "s3":
            return None
        address = self._caller.get("PACKAGEMANAGER_ADDRESS")
        if address is not None and not _covers(address, url):
            return None
        address, token = self._stored(url, address)
        return None if address is None else self._entry(address, token)

    def _entry(self, address: str, token: str | None) -> Entry | None:
        """What there is for an address; posit-keyring, too, takes an empty token for none."""
        token = token or None
        try:
            grant = self._grant(address)
        except StoreError as error:
            if token is None:
                raise
            self._caller.warn(str(error))
            grant = None
        if token is None and grant is None:
            return None
        credential = None if token is None else Basic(TOKEN_USER, Secret(token))
        remedy = (
            f"log in to {address} again with posit-keyring, "
            "or set PACKAGEMANAGER_ADDRESS and PACKAGEMANAGER_IDENTITY_TOKEN_FILE"
        )
        return Entry(credential, self._path, grant=grant, handle=address, remedy=remedy)

    def _stored(self, url: urls.Url, address: str | None) -> tuple[str | None, str | None]:
        """The address that counts, and its token: of two with one address, the first's."""
        best: tuple[str | None, str | None] = (address, None)
        longest = 0
        damaged = False
        for table in about(url.host, self._path, _Connections, self._caller):
            named, token = _fields(table)
            if named is None:
                damaged = damaged or may_mean(table, "address", url)
            elif address is None and (length := _covers(named, url)) > longest:
                best, longest = (named, token), length
            elif named == address and best[1] is None:
                best = (named, token)
        if damaged and best[1] is None:
            raise StoreError(f"{self._path} has a damaged entry: log in again with posit-keyring")
        return best

    def entries(self) -> Iterator[Listed]:
        """The addresses in the file, and the one that an identity token is for."""
        address = self._caller.get("PACKAGEMANAGER_ADDRESS")
        if address is not None and self._caller.get("PACKAGEMANAGER_IDENTITY_TOKEN_FILE"):
            yield address, readable(self._entry, address, None)
        for table in about("", self._path, _Connections, self._caller):
            named, token = _fields(table)
            if named is None:
                yield "", None
            elif named and address in {None, named}:
                yield named, readable(self._entry, named, token)

    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self._path,)

    def _grant(self, address: str) -> PositIdentity | None:
        path = self._caller.path("PACKAGEMANAGER_IDENTITY_TOKEN_FILE")
        # An identity token says who a CI is: it goes to the server that the same environment names,
        # as with posit-keyring, and not to whichever address a file has.
        if path is None or self._caller.get("PACKAGEMANAGER_ADDRESS") != address:
            return None
        token = (files.read(path, named=self._caller.named(path)) or "").strip()
        if not token:
            raise StoreError(
                f"PACKAGEMANAGER_IDENTITY_TOKEN_FILE names {path}, which is empty or missing"
            )
        from credlatch.auth.posit import PositIdentity

        return PositIdentity(Secret(token), address, f"put a fresh identity token into {path}")

    def lock_path(self, entry: Entry) -> str:  # noqa: ARG002 - one lock for all addresses
        """posit-keyring takes no lock; ours lies beside the file that is written."""
        return self._lock

    @property
    def _lock(self) -> str:
        from credlatch.system import owners

        return owners.real_path(self._path) + ".lock"

    def keep(self, address: str, token: Secret) -> str:
        """Keep a token that a person has logged in for, as posit-keyring does; where that is.

        Raises:
            StoreError: it cannot be kept; nothing has been changed.
        """
        self._change(lambda connections: _put(connections, address, token.reveal()))
        return self._path

    def see_room(self) -> None:
        """See that the file can be read, and another put in its place; raises as ``keep``."""
        from credlatch.system import locks
        from credlatch.system.atomic_write import AtomicWrite

        self._caller.put_off(_LOCK_PATIENCE)
        try:
            with locks.Exclusive(self._lock, self._caller.left(_LOCK_PATIENCE)):
                _connections(self._path)
                AtomicWrite(self._path).abandon()
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {files.reason(error)}") from None

    def take(self, address: str) -> bool | None:
        """Forget the tokens for an address; None: there was none. Raises as ``keep``."""
        return self._change(lambda connections: _without(connections, address)) or None

    def _change(self, change: Callable[[Any], bool]) -> bool:
        """Have something changed in the file, under the lock; whether it was."""
        from credlatch.system import locks
        from credlatch.system.atomic_write import AtomicWrite

        self._caller.put_off(_LOCK_PATIENCE)
        try:
            with locks.Exclusive(self._lock, self._caller.left(_LOCK_PATIENCE)):
                document, connections = _connections(self._path)
                is_changed = _sound(lambda: change(connections), self._path)
                if is_changed:
                    import tomlkit

                    AtomicWrite(self._path).commit(tomlkit.dumps(document).encode())
                return is_changed
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {files.reason(error)}") from None

    def prepare(self, entry: Entry) -> PendingWrite:
        """Room for the whole file, with the token of ``entry`` replaced."""
        from credlatch.renew.cache import PendingFile

        seen = "" if entry.credential is None else entry.credential.secret.reveal()
        size = len(files.read(self._path) or "")
        return PendingFile(
            self._path, lambda fresh: _with(fresh, self._path, entry.handle, seen), size
        )


class _Connections(Tables):
    array = "connections"


def _fields(table: dict[str, object] | None) -> tuple[str, str] | tuple[None, None]:
    named, token = (table.get("address"), table.get("token")) if table else (None, None)
    return (named, token) if isinstance(named, str) and isinstance(token, str) else (None, None)


def _covers(address: str, url: urls.Url) -> int:
    """How long a path of the URL an address covers; 0 if it does not."""
    try:
        named = urls.absolute(address)
    except RequestError:
        return 0
    return len(named.path) if named.covers(url) else 0


def _with(fresh: TokenResponse, path: str, address: str, seen: str) -> bytes | None:
    """The file with the first token of an address replaced; None where that is another by now."""
    import tomlkit

    document, connections = _connections(path)

    def put() -> bool:
        mine = [one for one in connections if one.get("address") == address]
        if mine and mine[0].get("token", "") != seen:
            return False
        return _put(connections, address, fresh.token.reveal())

    return tomlkit.dumps(document).encode() if _sound(put, path) else None


def _connections(path: str) -> tuple[Any, Any]:
    """The file as it is, and its connections, to be changed."""
    import tomlkit

    def read() -> tuple[Any, Any]:
        document = tomlkit.parse(files.read(path) or "")
        return document, document.setdefault("connections", tomlkit.aot())

    return _sound(read, path)


def _put(connections: Any, address: str, token: str) -> bool:
    """Give the first connection of an address a token; posit-keyring knows no other fields."""
    import tomlkit

    mine = next((one for one in connections if one.get("address") == address), None)
    if mine is None:
        mine = tomlkit.table()
        mine["address"] = address
        connections.append(mine)
        mine = connections[-1]
    mine["token"] = token
    mine["auth_type"] = "sso"
    return True


def _without(connections: Any, address: str) -> bool:
    mine = [at for at, one in enumerate(connections) if one.get("address") == address]
    for at in reversed(mine):
        del connections[at]
    return bool(mine)


def _sound(work: Callable[[], T], path: str) -> T:
    """What work on the file gives; raises StoreError where the file is something else."""
    from tomlkit.exceptions import TOMLKitError

    try:
        return work()
    except (TOMLKitError, AttributeError, TypeError):
        raise StoreError(f"{path} is not what posit-keyring writes: mend it") from None
