"""Posit Package Manager's tokens: ``~/.ppm/tokens.toml``, which posit-keyring and pak share."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.credential import TOKEN_USER, Basic, Secret
from credlatch.errors import RequestError, StoreError
from credlatch.grant import Fresh, PositIdentity
from credlatch.stores import Entry
from credlatch.stores.toml_tables import tables
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.stores import PendingWrite

_ROOM = 64 * 1024  # bytes: more than any token takes


class PositStore:
    """The tokens, and the identity token of a CI that is exchanged for one."""

    name = "posit"

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
        if address is None and url.is_ip is False and not url.host.strip("*."):
            return None
        address, token = self._stored(url, address)
        if address is None:
            return None
        grant = self._grant(address)
        # The identity token is for a token that has ended; another login is left alone.
        if token is None and grant is None:
            return None
        credential = None if token is None else Basic(TOKEN_USER, Secret(token))
        advice = (
            f"log in to {address} again with posit-keyring, "
            "or name an identity token in PACKAGEMANAGER_IDENTITY_TOKEN_FILE"
        )
        return Entry(credential, self._path, grant=grant, slot=address, advice=advice)

    def _stored(self, url: urls.Url, address: str | None) -> tuple[str | None, str | None]:
        text = files.read(self._path, self._caller.warn) or ""
        best: tuple[str | None, str | None] = (address, None)
        needle = "" if ":" in url.host else url.host
        try:
            for table in tables(text, "connections", needle) if text else ():
                named, token = (
                    (None, None) if table is None else (table.get("address"), table.get("token"))
                )
                if not isinstance(named, str) or not isinstance(token, str):
                    raise StoreError(
                        f"{self._path} has a damaged entry: log in again with posit-keyring"
                    )
                if named == address or (
                    address is None and _covers(named, url) and len(named) > len(best[0] or "")
                ):
                    best = (named, token)
        except ValueError as error:
            raise StoreError(
                f"{self._path} is not TOML ({error}): mend it, or move it away and log in again"
            ) from None
        return best

    def _grant(self, address: str) -> PositIdentity | None:
        path = self._caller.path("PACKAGEMANAGER_IDENTITY_TOKEN_FILE")
        if path is None:
            return None
        token = (files.read(path) or "").strip()
        if not token:
            raise StoreError(
                f"PACKAGEMANAGER_IDENTITY_TOKEN_FILE names {path}, which is empty or missing"
            )
        return PositIdentity(Secret(token), address, f"put a fresh identity token into {path}")

    def lock_path(self, entry: Entry) -> str:  # noqa: ARG002 - one lock for all addresses
        """posit-keyring takes no lock; ours lies beside the file."""
        return self._path + ".lock"

    def prepare(self, entry: Entry) -> PendingWrite:
        """Room for the whole file, with the token of ``entry`` replaced."""
        return _PendingFile(self._path, entry.slot)


def _covers(address: str, url: urls.Url) -> bool:
    try:
        return urls.parse(address).covers(url)
    except RequestError:
        return False


class _PendingFile:
    def __init__(self, path: str, address: str) -> None:
        self._path = path
        self._address = address
        size = len(files.read(path) or "")
        self._write = files.AtomicWrite(path, size + _ROOM)

    def commit(self, fresh: Fresh) -> None:
        """Replace the token and add no field: posit-keyring rejects those it does not know."""
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
            for one in mine:
                one["token"] = fresh.token.reveal()
                one["auth_type"] = "sso"
        except (TOMLKitError, AttributeError, TypeError):
            raise StoreError(f"{self._path} is not what posit-keyring writes: mend it") from None
        self._write.commit(tomlkit.dumps(document).encode())

    def abandon(self) -> None:
        """Leave the file."""
        self._write.abandon()
