"""Posit Package Manager's tokens: ``~/.ppm/tokens.toml``, which posit-keyring and pak share."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.credential import TOKEN_USER, Basic, Secret
from credlatch.errors import RequestError, StoreError
from credlatch.stores import Entry, RenewableStore
from credlatch.stores.toml_tables import Tables, may_mean
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import TokenResponse
    from credlatch.auth.posit import PositIdentity
    from credlatch.caller import Caller
    from credlatch.renew.cache import PendingWrite

_ROOM = 64 * 1024  # bytes: more than any token takes


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
        if address is None:
            return None
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
        tables = self._caller.document(self._path, _tables)
        if tables is None:
            return best
        needle = "" if ":" in url.host else url.host
        damaged = False
        try:
            for table in tables.about(needle):
                named, token = _fields(table)
                if named is None:
                    damaged = damaged or may_mean(table, "address", url)
                elif address is None and (length := _covers(named, url)) > longest:
                    best, longest = (named, token), length
                elif named == address and best[1] is None:
                    best = (named, token)
        except ValueError as error:
            raise self._not_toml(error) from None
        if damaged and best[1] is None:
            raise StoreError(f"{self._path} has a damaged entry: log in again with posit-keyring")
        # posit-keyring, too, takes an empty token for none.
        return best[0], best[1] or None

    def hosts(self) -> list[str]:
        """The addresses in the file, and the one that an identity token is for."""
        address = self._caller.get("PACKAGEMANAGER_ADDRESS")
        has_identity = self._caller.get("PACKAGEMANAGER_IDENTITY_TOKEN_FILE") is not None
        found = [address] if address is not None and has_identity else []
        tables = self._caller.document(self._path, _tables)
        try:
            stored = [] if tables is None else [_fields(table)[0] for table in tables.about("")]
        except ValueError as error:
            raise self._not_toml(error) from None
        return [*found, *(each for each in stored if each and address in {None, each})]

    def _not_toml(self, error: ValueError) -> StoreError:
        return StoreError(
            f"{self._path} is not TOML ({error}): mend it, or move it away and log in again"
        )

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
        from credlatch.system import owners

        return owners.real_path(self._path) + ".lock"

    def prepare(self, entry: Entry) -> PendingWrite:
        """Room for the whole file, with the token of ``entry`` replaced."""
        seen = "" if entry.credential is None else entry.credential.secret.reveal()
        return _PendingFile(self._path, entry.handle, Secret(seen))


def _tables(text: str, _path: str) -> Tables:
    return Tables(text, "connections")


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


class _PendingFile:
    def __init__(self, path: str, address: str, seen: Secret) -> None:
        self._path = path
        self._address = address
        self._seen = seen
        size = len(files.read(path) or "")
        self._write = files.AtomicWrite(path, size + _ROOM)

    def commit(self, fresh: TokenResponse) -> None:
        """Replace the first token and add no field: posit-keyring rejects those it does not know.

        A token that has come meanwhile stays: somebody has logged in.
        """
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            document = tomlkit.parse(files.read(self._path) or "")
            connections = document.setdefault("connections", tomlkit.aot())
            mine = [one for one in connections if one.get("address") == self._address]
            if not mine:
                mine = [tomlkit.table()]
                mine[0]["address"] = self._address
                connections.append(mine[0])
            elif mine[0].get("token", "") != self._seen.reveal():
                return
            mine[0]["token"] = fresh.token.reveal()
            mine[0]["auth_type"] = "sso"
        except (TOMLKitError, AttributeError, TypeError):
            raise StoreError(f"{self._path} is not what posit-keyring writes: mend it") from None
        self._write.commit(tomlkit.dumps(document).encode())

    def abandon(self) -> None:
        """Leave the file."""
        self._write.abandon()
