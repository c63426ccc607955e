"""What is in ``auths``, as docker/cli and containers' programs read it: Go's JSON and base64."""

from __future__ import annotations

from binascii import a2b_base64

from credlatch import go_json, registry
from credlatch.credential import (
    IDENTITY_TOKEN_USER,
    Basic,
    Credential,
    RegistryToken,
    Secret,
)
from credlatch.errors import StoreError

_SECRETS = ('"auth"', '"identitytoken"', '"password"', '"registrytoken"')


class DamagedError(ValueError):
    """An entry is not what its tool writes."""


class Auths:
    """What counts of a configuration file.

    Args:
        text: the file's.
        path: the file's.

    Attributes:
        kept: what is kept for each key.
        has_secrets: whether there are logins among it.

    Raises:
        StoreError: it cannot be read.
    """

    def __init__(self, text: str, path: str) -> None:
        self.kept: dict[str, object] = {}
        self.has_secrets = False
        self._in_older_form: dict[str, str] | None = None
        lowered = text.lower()
        unseen = "\\u" in text or not text.isascii()  # a name may be spelt in another way
        if '"auths"' not in lowered and not unseen:
            return
        try:
            config = go_json.loads(text)
        except ValueError as error:
            raise StoreError(f"{path} is not JSON ({error}): mend it") from None
        for auths in go_json.values(config, "auths"):
            if auths is None:
                self.kept.clear()
            elif isinstance(auths, tuple):
                self.kept.update(auths)
            else:
                raise StoreError(f'the "auths" in {path} are no JSON object: mend it')
        secrets = unseen or any(name in lowered for name in _SECRETS)
        self.has_secrets = secrets and any(self.kept.values())

    def in_older_form(self) -> dict[str, str]:
        """The first key for each registry, of those in an older form that have something."""
        if self._in_older_form is None:
            found: dict[str, str] = {}
            for key, auth in self.kept.items():
                means = registry.older(key) if "/" in key and auth else None
                if means is not None:
                    found.setdefault(means, key)
            self._in_older_form = found
        return self._in_older_form

    def of_docker(self, key: str) -> Credential | None:
        """What docker/cli reads under a key; None for what is empty.

        Raises:
            DamagedError: it is damaged.
        """
        names = ("auth", "identitytoken", "registrytoken", "username", "password")
        encoded, identity, token, username, password = self._texts(key, *names)
        login = _decoded(encoded) if encoded else None  # damage counts beside a token, too
        if identity:
            login = Basic(IDENTITY_TOKEN_USER, Secret(identity))
        elif login is None and username and password:
            login = Basic(username, Secret(password))
        return RegistryToken(Secret(token), login) if token else login

    def of_containers(self, key: str) -> Credential | None:
        """What containers' programs read under a key: they know two fields.

        Raises:
            DamagedError: it is damaged.
        """
        encoded, identity = self._texts(key, "auth", "identitytoken")
        if not encoded:
            return None
        login = _decoded(encoded)
        return Basic(IDENTITY_TOKEN_USER, Secret(identity)) if identity else login

    def _texts(self, key: str, *names: str) -> list[str]:
        """An entry's fields; an empty text for one that is not there."""
        fields = go_json.fields(self.kept[key], *names)
        if fields is None:
            raise DamagedError("no object")
        return [_text(fields.get(name, "")) for name in names]


def _text(value: object) -> str:
    if not isinstance(value, str) or any("\ud800" <= each <= "\udfff" for each in value):
        raise DamagedError("no text")
    return value


def _decoded(encoded: str) -> Basic:
    """User name and password, out of ``auth``."""
    # As Go decodes: line breaks count for nothing, anything else that is not of base64 is damage.
    text = encoded.replace("\r", "").replace("\n", "")
    if len(text) % 4 or text.endswith("==="):
        raise DamagedError("no base64")
    try:
        username, colon, password = a2b_base64(text, strict_mode=True).decode().partition(":")
    except ValueError:
        raise DamagedError("no base64") from None
    if not colon or not username:
        raise DamagedError("no user name")
    # Docker strips zero bytes that an old version padded with.
    return Basic(username, Secret(password.strip("\0")))
