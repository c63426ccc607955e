"""Logins that Docker, podman, skopeo and buildah keep in the clear: ``auths``.

In order: REGISTRY_AUTH_FILE, containers' ``auth.json`` in the runtime folder and in the
configuration folder (containers-auth.json(5)), Docker's ``config.json``. What their own credential
helpers keep is not read here.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from credlatch import quick_json, registry
from credlatch.credential import IDENTITY_TOKEN_USER, Basic, Bearer, Credential, Secret
from credlatch.errors import StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.url import Url


def config_file(caller: Caller) -> str:
    """Docker's own configuration, its logins among the rest."""
    folder = caller.path("DOCKER_CONFIG") or caller.in_home(".docker")
    return f"{folder}/config.json"


class DockerStore:
    """The files that count for the caller."""

    name = "docker"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def _paths(self) -> list[str]:
        caller = self._caller
        chosen = caller.path("REGISTRY_AUTH_FILE")
        runtime = caller.path("XDG_RUNTIME_DIR")
        paths = [chosen] if chosen else []
        if runtime:
            paths.append(f"{runtime}/containers/auth.json")
        return [*paths, caller.config("containers", "auth.json"), config_file(caller)]

    def find(self, url: Url) -> Entry | None:
        """The login for a URL, under the most specific of its keys."""
        return self.find_key((*registry.below(url), *registry.spellings(url)))

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The login under the first of these keys."""
        failure: StoreError | None = None
        for path in self._paths():
            try:
                config = self._caller.document(path, _Config, _Config.has_secrets)
                auths = {} if config is None else config.auths
                for key in keys:
                    credential = _credential(auths[key], key, path) if key in auths else None
                    if credential is not None:
                        return Entry(credential, path)
            except StoreError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return None

    def hosts(self) -> list[str]:
        """The keys of the files that can be read."""
        found: list[str] = []
        for path in self._paths():
            try:
                config = self._caller.document(path, _Config, _Config.has_secrets)
            except StoreError as error:
                self._caller.warn(str(error))
                continue
            auths = {} if config is None else config.auths
            # What a helper's login leaves is empty.
            found += [key for key, auth in auths.items() if auth]
        return found


class _Config:
    """What counts of a configuration file.

    Attributes:
        auths: what is kept for each key.
    """

    __slots__ = ("_has_secrets", "auths")

    def __init__(self, text: str, path: str) -> None:
        self.auths: dict[str, object] = {}
        self._has_secrets = False
        if '"auths"' not in text:
            return
        self._has_secrets = any(
            field in text for field in ('"auth"', '"identitytoken"', '"password"')
        )
        try:
            config = quick_json.loads(text)
        except ValueError as error:
            raise StoreError(f"{path} is not JSON ({error}): mend it") from None
        auths = config.get("auths") if isinstance(config, dict) else None
        if isinstance(auths, dict):
            self.auths = auths

    def has_secrets(self) -> bool:
        """False of most such files, which everybody may read."""
        return self._has_secrets


def _credential(auth: object, key: str, path: str) -> Credential | None:
    """What one entry of ``auths`` holds; None for the empty one that a helper's login leaves."""
    if not isinstance(auth, dict):
        raise StoreError(f"the entry {key!r} in {path} is damaged: docker login again")
    identity, registry_token = auth.get("identitytoken"), auth.get("registrytoken")
    if isinstance(identity, str) and identity:
        return Basic(IDENTITY_TOKEN_USER, Secret(identity))
    if isinstance(registry_token, str) and registry_token:
        return Bearer(Secret(registry_token))
    encoded = auth.get("auth")
    if isinstance(encoded, str) and encoded:
        try:
            pair = a2b_base64(encoded, strict_mode=True).decode()
        except (Base64Error, UnicodeDecodeError, ValueError):
            raise StoreError(
                f"the entry {key!r} in {path} is damaged: docker login again"
            ) from None
        username, colon, password = pair.partition(":")
        if not colon:
            raise StoreError(f"the entry {key!r} in {path} is damaged: docker login again")
        # Docker strips zero bytes that an old version padded with.
        return Basic(username, Secret(password.strip("\0")))
    user, plain = auth.get("username"), auth.get("password")
    if isinstance(user, str) and isinstance(plain, str) and user:
        return Basic(user, Secret(plain))
    return None
