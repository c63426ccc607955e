"""What GitLab's own command line, glab, has logins in: its file, or the keyring if that says so."""

from __future__ import annotations

import sys
from os.path import exists

from credlatch import clock
from credlatch.caller import APPLICATION_SUPPORT
from credlatch.credential import Secret
from credlatch.identities import block_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.identities.block_yaml import Mapping

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES = ("UTC", "GMT")


def _file(caller: Caller) -> str:
    """Where glab looks: an older folder, if there is one, before the one of the system's kind.

    Source: what ``glab config path`` does (gitlab-org/cli, internal/config).
    """
    folder = caller.path("GLAB_CONFIG_DIR")
    if folder:
        return f"{folder}/config.yml"
    own = caller.config("glab-cli", "config.yml")
    older = caller.in_home(".config", "glab-cli", "config.yml")
    if own != older and exists(older):
        return older
    if sys.platform == "darwin" and own == older and not exists(own):
        return caller.in_home(APPLICATION_SUPPORT, "glab-cli", "config.yml")
    return own


class Glab:
    """The caller's glab.

    Attributes:
        path: its file.
        host: the host that a call outside a repository means; empty: none is said.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.path = _file(caller)
        read = caller.document(self.path, block_yaml.parse) or {}
        self._hosts = block_yaml.below(read, "hosts")
        self.host = block_yaml.text_at(read, "host", self.path)

    def logins(self) -> Iterator[Login]:
        """Each host's, whether it has a token or not; raises StoreError."""
        for host in self._hosts:
            yield Login(host, block_yaml.below(self._hosts, host), self.path)

    def token(self, login: Login) -> tuple[Secret | None, str]:
        """The token of a login, and the place that it is at in words; raises StoreError."""
        wants_keyring = login.text("use_keyring") == "true"
        token = "" if wants_keyring else login.text("token")
        if token:
            return Secret(token), self.path
        keyring = self._caller.keyring()
        if keyring is not None:
            from credlatch.system.keyring import go_items

            # The second is of versions before 1.60.
            for service in (f"glab:{login.host}:token", f"glab:{login.host}"):
                secret = go_items.get(keyring, service, "")
                if secret is not None:
                    return secret, f"the keyring (service {service})"
        token = login.text("token")
        return (Secret(token) if token else None), self.path


class Login:
    """What glab's file has of one host.

    Attributes:
        host: as it is written there, which may have a port.
    """

    def __init__(self, host: str, settings: Mapping, path: str) -> None:
        self.host = host
        self._settings = settings
        self._path = path

    def text(self, key: str) -> str:
        """A setting; empty where there is none; raises StoreError."""
        return block_yaml.text_at(self._settings, key, self._path)

    def servers(self) -> list[str]:
        """The hosts that serve its API, its pages and git."""
        return [each for each in (self.host, self.text("api_host")) if each]

    def registries(self) -> list[str]:
        """The hosts of its registries, as glab has Docker ask it for them."""
        if self._settings.get("container_registry_domains", "") is None:
            return []  # a list, which some write by hand
        named = self.text("container_registry_domains")
        if named:
            return [each.strip() for each in named.split(",") if each.strip()]
        return [f"registry.{self.host}"]

    @property
    def is_oauth(self) -> bool:
        """Whether its token is one of OAuth, which ends after hours and which glab renews."""
        return self.text("is_oauth2") == "true"

    def expires(self) -> int | None:
        """When that token ends, in seconds since 1970 UTC; None where it is not said."""
        return _moment(self.text("oauth2_expiry_date"))


def _moment(text: str) -> int | None:
    """A moment as glab writes it: ``13 Mar 23 15:47 GMT`` (Go's RFC822); None for another form."""
    from calendar import timegm

    parts = text.replace(":", " ").split()
    try:
        day, month, year, hour, minute, zone = parts
        number = _MONTHS.index(month.lower()) + 1
        full = int(year) if len(year) > 2 else 2000 + int(year)  # noqa: PLR2004 - two digits
        if zone not in _ZONES:
            return None
        return clock.moment(timegm((full, number, int(day), int(hour), int(minute), 0)))
    except (ValueError, OverflowError):  # of a year that has more digits than any
        return None
