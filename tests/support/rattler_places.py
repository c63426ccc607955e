"""Each of the places where rattler keeps credentials, written and read as rattler does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.secret_service import SecretService


class Place:
    """One place: the keyring where there is a service, else a file."""

    def __init__(self, home: Home, service: SecretService | None, file: Path) -> None:
        self.home = home
        self.service = service
        self.file = file

    def write(self, entries: dict[str, Any]) -> None:
        if self.service is None:
            self.file.parent.mkdir(exist_ok=True)
            self.file.write_text(json.dumps(entries))
            self.file.chmod(0o600)
            return
        for key, entry in entries.items():
            self.service.add(
                f"keyring:{key}@rattler", {"service": "rattler", "username": key}, json.dumps(entry)
            )

    def read(self) -> dict[str, Any]:
        if self.service is None:
            loaded: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}
            return loaded
        items = self.service.items()
        for item in items:
            assert set(item.names) == {"service", "username"}
            assert item.label == f"keyring:{item.names['username']}@rattler"
        found = {item.names["username"]: json.loads(item.secret) for item in items}
        assert len(found) == len(items), "two items for one key"
        return found


@pytest.fixture(params=["file", "RATTLER_AUTH_FILE", "keyring"])
def place(home: Home, request: pytest.FixtureRequest) -> Place:
    """Each place where rattler keeps credentials, one after the other, and nothing in it."""
    own = home.path / ".rattler/credentials.json"
    if request.param == "keyring":
        return Place(home, request.getfixturevalue("secret_service"), own)
    if request.param == "RATTLER_AUTH_FILE":
        own = home.path / "elsewhere.json"
        home.env["RATTLER_AUTH_FILE"] = str(own)
    return Place(home, None, own)
