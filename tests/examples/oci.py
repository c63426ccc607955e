"""A challenge: a registry's login, which the program itself takes to the registry's token server.

A store says what it has, and no more. ``stores/registries.py`` says what follows for a repository's
URL, by ``Entry.then``, and ``auth/oci.py`` has the two flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credlatch import url as urls
from credlatch.credential import Basic, Secret
from credlatch.stores import Entry, Store

if TYPE_CHECKING:
    from credlatch.caller import Caller


class OciStore(Store):
    """The login that the environment has for a registry."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, url: urls.Url) -> Entry | None:
        registry, login = self._caller.get("OCI_REGISTRY"), self._caller.get("OCI_LOGIN")
        if registry is None or login is None or url.origin != urls.parse(registry).origin:
            return None
        username, _, password = login.partition(":")
        return Entry(Basic(username, Secret(password)), "OCI_LOGIN")
