"""From a row of ``fleet.toml`` to the engine that it means, logged in to as the caller may."""

from __future__ import annotations

import time
from hashlib import sha256

from credlatch.fleet import environment, schema, settings, shown
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.credential import Secret
    from credlatch.fleet.access import Access, Given, Login
    from credlatch.fleet.cluster import Cluster
    from credlatch.fleet.engine import Engine
    from credlatch.fleet.server import Server
    from credlatch.fleet.settings import Row

_PATIENCE = 5.0  # seconds in which a CI is to give its identity token


class Target:
    """A row, and where its engine is for one caller.

    Attributes:
        row: which.
        addresses: where the engine answers.
        cluster: of Kubernetes, and who the caller is there; None: it is another engine.
        namespace: the engine's; empty: none.
        shows: what the caller shows the engine; None in Kubernetes, where that is the engine's.
        tls: what the caller's variables say of TLS.
        path: what this machine reads: the access token's, or with one path the login's.
        login_key: what a login to the engine depends on; no secret.
        place_key: where the login is, for names of files.
        key: what an answer depends on, that login among it; no secret.
    """

    def __init__(self, row: Row, caller: Caller) -> None:
        said = row.said
        self.row = row
        self.cluster: Cluster | None = None
        if said.engine == schema.KUBERNETES:
            from credlatch.fleet import cluster

            self.cluster = cluster.found(caller)
            self.addresses = [self.cluster.shown]
        else:
            self.addresses = settings.addresses(row, caller)
        self.namespace = settings.namespace(row, caller)
        self.shows = shown.of(row, caller)
        self.tls = None
        if self.cluster is None:
            authorities = said.authorities and settings.file_at(said.authorities, row, caller)
            self.tls = environment.tls(caller, authorities)
        self.path = str(said.login if said.one_path else said.access)
        who = "" if self.shows is None else self.shows.key
        if self.cluster is not None:
            who = self.cluster.key
            self.namespace = self.namespace or self.cluster.namespace
        auth = msgspec.json.encode(said.auth).decode()
        trust = "" if self.tls is None else "\0".join(map(str, tuple(self.tls)))
        parts = (said.engine, *self.addresses, self.namespace, auth, who, trust)
        self.login_key = _digest(*parts)
        self.place_key = _digest(
            said.engine, *sorted(self.addresses), self.namespace, said.mount, str(said.login)
        )[:32]
        self.key = _digest(self.login_key, said.mount, self.path)

    @property
    def server(self) -> str:
        """The URL of the engine; of several the first."""
        return self.addresses[0]

    @property
    def place(self) -> str:
        """Where what this machine reads is, in words."""
        if self.cluster is not None:
            return f"the Secret {self.namespace}/{self.row.name} of {self.server}"
        return f"{self.row.name} of {self.server}"


def opened(meant: Target, path: str, caller: Caller) -> Engine:
    """The engine's path; logged in to when it is first asked.

    Args:
        meant: the engine.
        path: of what is to be read or written there.
        caller: whose process keeps the login.

    Raises:
        StoreError: that is no address, or no path.
    """
    said = meant.row.said
    if meant.cluster is not None:
        from credlatch.fleet.kubernetes import KubernetesEngine

        return KubernetesEngine(meant.cluster, path, meant.namespace)
    from credlatch.fleet.kv import KvEngine

    server, access = logged_in(meant, caller)
    return KvEngine(server, access, said.mount, path)


def is_kv(meant: Target) -> bool:
    """Whether the engine is OpenBao or Vault."""
    return meant.cluster is None


def logged_in(meant: Target, caller: Caller) -> tuple[Server, Access]:
    """OpenBao or Vault, as this process is logged in there; or will be, once it is asked.

    Raises:
        StoreError: an address is none.
    """
    return caller.tokens.engine(meant.login_key, lambda: _logged_in(meant))


def _logged_in(meant: Target) -> tuple[Server, Access]:
    from credlatch.fleet.access import Access
    from credlatch.fleet.server import Server

    server = Server(tuple(meant.addresses), meant.namespace or None, meant.tls)
    return server, Access(server, _method(meant))


def _method(meant: Target) -> Login | Given | None:
    from credlatch.fleet.access import Given, Login, approle

    shows, auth = meant.shows, meant.row.said.auth
    if shows is None:
        return None
    place = shows.place

    def read() -> Secret:
        return shows.secret(time.monotonic() + _PATIENCE)

    if auth.method == schema.TOKEN:
        return Given(place, read)
    if auth.method == schema.APPROLE:
        return approle(str(auth.role), read, place, auth.mount or auth.method)
    return Login(auth.mount or auth.method, str(auth.role), read, place)


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
