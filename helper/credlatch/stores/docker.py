"""Logins that Docker, podman, skopeo and buildah keep in the clear: ``auths``.

In order: REGISTRY_AUTH_FILE, containers' ``auth.json`` in the runtime folder (without one, in the
system's for this user) and in the configuration folder (containers-auth.json(5)), Docker's
``config.json``; each by the rule of the tool that writes it (docker/cli ``cli/config``,
containers/image ``pkg/docker/config``). What their own credential helpers keep is not read here.
"""

from __future__ import annotations

import os
import sys

from credlatch import registry
from credlatch.errors import StoreError
from credlatch.stores import ORIGIN, PORT, Entry, KeyedStore, gathered, readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.stores import Listed
    from credlatch.stores.docker_auths import Auths
    from credlatch.url import Url


_RUNTIME = "/run/containers"  # of the system, where whoever is root makes each user's folder


def config_file(caller: Caller) -> str:
    """Docker's own configuration, its logins among the rest."""
    folder = caller.path("DOCKER_CONFIG") or caller.in_home(".docker")
    return f"{folder}/config.json"


def _default_file(caller: Caller) -> str | None:
    """What podman and skopeo write by default, which on Linux ends with the session or the boot.

    Source: containers/image, pkg/docker/config/config.go (getPathToAuthWithOS).
    """
    if sys.platform in {"win32", "darwin"}:
        return caller.in_home(".config", "containers", "auth.json")
    if runtime := caller.path("XDG_RUNTIME_DIR"):
        return f"{runtime}/containers/auth.json"
    path = f"{_RUNTIME}/{os.getuid()}/auth.json"
    # Root's podman closes the folder to all others: who cannot enter it has nothing there.
    return path if os.path.exists(path) else None


def configurations(caller: Caller) -> Iterator[tuple[str, str]]:
    """The files that count for the caller, each with the tool whose it is: podman or docker."""
    paths = (
        caller.path("REGISTRY_AUTH_FILE"),
        _default_file(caller),
        caller.config("containers", "auth.json"),
    )
    for path in dict.fromkeys(paths):
        if path is not None:
            yield path, "podman"
    yield config_file(caller), "docker"


class DockerStore(KeyedStore):
    """The files that count for the caller."""

    def files(self) -> list[str]:
        """Those of all tools, each once."""
        return list(dict.fromkeys(file.path for file in self._files()))

    def _files(self) -> Iterator[_File]:
        for path, tool in configurations(self._caller):
            yield _File(path, self._caller, of_docker=tool == "docker")

    def find(self, url: Url) -> Entry | None:
        """The login for a URL, under the most specific of its keys."""
        return self.find_key((*registry.below(url), *registry.spellings(url)))

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The login under the first of these keys, or under one that means it in an older form."""
        failure: StoreError | None = None
        other: Entry | None = None
        for file in self._files():
            try:
                entry = file.find(keys)
                if entry is not None:
                    return entry
                other = other or file.find_in_http(keys)
            except StoreError as error:
                failure = failure or error
        if other is None and failure is not None:
            raise failure
        return other

    def entries(self) -> list[Listed]:
        """What there is something for in the files: what a helper's login leaves is empty."""
        return gathered(self._caller, self._files(), _File.entries)


class _File:
    """One file; every method raises StoreError where it, or what is asked for, is broken.

    Args:
        path: its path.
        caller: whose it is.
        of_docker: whether docker/cli writes it, and not one of containers' programs.

    Attributes:
        path: likewise.
    """

    def __init__(self, path: str, caller: Caller, *, of_docker: bool) -> None:
        self.path = path
        self._caller = caller
        self._of_docker = of_docker

    def entries(self) -> list[Listed]:
        """Its keys and their entries."""
        auths = self._auths()
        kept = () if auths is None else [key for key, auth in auths.kept.items() if auth]
        return [(key, readable(self._entry, auths, key)) for key in kept]

    def _auths(self) -> Auths | None:
        return self._caller.document(
            self.path, _read, lambda auths: auths.has_secrets
        )  # false of most such files, which everybody may read

    def find(self, keys: tuple[str, ...]) -> Entry | None:
        """The login under the first of these keys; a key in its usual form comes first."""
        auths = self._auths()
        if auths is None:
            return None
        for key in keys:
            if entry := self._entry(auths, key):
                return entry
        for key in keys:
            # Only to this machine is anything sent in plain http.
            if key.startswith("http://") and key.removeprefix("http://") not in keys:
                continue
            if "://" not in key and not self._of_docker:
                continue  # containers know no `host/`
            older = auths.in_older_form().get(key)
            if older is None or registry.parse(key) is None:
                continue  # what means no host equals itself alone
            if entry := self._entry(auths, older):
                return entry
        return None

    def find_in_http(self, keys: tuple[str, ...]) -> Entry | None:
        """The login that is kept for ``http://host``, which Docker means by `host`."""
        auths = self._auths()
        for key in keys:
            if auths is not None and f"https://{key}" in keys:
                kept = auths.in_older_form().get(f"http://{key}")
                if entry := self._entry(auths, kept, PORT):
                    return entry
        return None

    def _entry(self, auths: Auths, key: str | None, names: str = ORIGIN) -> Entry | None:
        if key is None or auths.kept.get(key) in (None, ()):
            return None
        try:
            credential = auths.of_docker(key) if self._of_docker else auths.of_containers(key)
        except ValueError:
            from shlex import quote

            command = f"docker login {quote(key)}"
            raise StoreError(
                f"the entry {key!r} in {self.path} is damaged: log in again: {command}"
            ) from None
        return None if credential is None else Entry(credential, self.path, names=names)


def _read(text: str, path: str) -> Auths:
    # Most who call have no such file, and import nothing for it.
    from credlatch.stores.docker_auths import Auths

    return Auths(text, path)
