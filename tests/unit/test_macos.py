"""What is for macOS alone, with its parts played by others: signatures, and the Keychain."""

from __future__ import annotations

import importlib
import json
import os
import plistlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from keyring.errors import KeyringError, KeyringLocked, PasswordDeleteError

from credlatch.credential import Basic, Secret
from credlatch.errors import StoreError
from credlatch.stores.rattler import RattlerStore
from support.callers import WithKeyring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.system.keyring.macos import Keychain
    from support.home import Home

BUILD = Path(__file__).resolve().parents[2] / "build"
IDENTITY = "Developer ID Application: Ada (0123456789)"


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(BUILD)
    yield importlib.import_module("signing")
    sys.modules.pop("signing")


@pytest.fixture
def codesign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes down what it is told."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "codesign"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{told}"\nexit ${{FAILS:-0}}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return told


def test_an_identity_signs_all_that_runs_for_the_hardened_runtime(
    signing: ModuleType, codesign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv(signing.VARIABLE, IDENTITY)
    told = signing.options()
    assert told["codesign_identity"] == IDENTITY
    entitled = plistlib.loads(Path(told["entitlements_file"]).read_bytes())
    assert entitled == {"com.apple.security.cs.allow-unsigned-executable-memory": True}
    signing.sign(tmp_path / "credlatch")
    words = codesign.read_text().splitlines()
    assert words[:4] == ["--force", "--timestamp", "--options", "runtime"]
    assert words[4:] == ["--sign", IDENTITY, str(tmp_path / "credlatch")]
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(Exception, match="exit status 1"):
        signing.sign(tmp_path / "credlatch")


@pytest.mark.parametrize(("system", "identity"), [("darwin", ""), ("linux", IDENTITY)])
def test_nothing_is_signed_without_an_identity_or_elsewhere(
    system: str,
    identity: str,
    signing: ModuleType,
    codesign: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv(signing.VARIABLE, identity)
    assert signing.options() == {}
    signing.sign(tmp_path / "credlatch")
    assert not codesign.exists()


class Passwords:
    """The generic passwords of a keychain, as ``keyring`` reaches them: by service and account."""

    items: dict[tuple[str, str], str]
    failure: KeyringError | None

    def __init__(self) -> None:
        self._failed()

    def get_password(self, service: str, account: str) -> str | None:
        self._failed()
        return self.items.get((service, account))

    def set_password(self, service: str, account: str, password: str) -> None:
        self._failed()
        self.items[service, account] = password

    def delete_password(self, service: str, account: str) -> None:
        if (service, account) not in self.items:
            raise PasswordDeleteError("Password not found")
        del self.items[service, account]

    @classmethod
    def _failed(cls) -> None:
        if cls.failure is not None:
            raise cls.failure


@pytest.fixture
def keychain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keychain]:
    Passwords.items, Passwords.failure = {}, None
    fake = ModuleType("keyring.backends.macOS")
    fake.Keyring = Passwords  # type: ignore[attr-defined]  # what keyring's own module has
    monkeypatch.setitem(sys.modules, "keyring.backends.macOS", fake)
    import keyring.backends

    monkeypatch.setattr(keyring.backends, "macOS", fake, raising=False)
    from credlatch.system.keyring.macos import Keychain

    yield Keychain()
    sys.modules.pop("credlatch.system.keyring.macos")


def test_a_login_is_kept_in_the_keychain_as_rattler_names_it(
    keychain: Keychain, home: Home
) -> None:
    store = RattlerStore(WithKeyring(home, keychain))
    store.save("a.example", Basic("bob", Secret("pw")))
    (item,) = Passwords.items.items()
    assert item[0] == ("rattler", "a.example")
    assert json.loads(item[1]) == {"BasicHTTP": {"username": "bob", "password": "pw"}}
    assert store.delete("a.example")
    assert Passwords.items == {}
    assert not store.delete("a.example")


def test_a_keychain_gives_what_it_is_asked_for_by_service_and_account(keychain: Keychain) -> None:
    Passwords.items = {("uv:https://a.example", "ada"): "ä€🔑"}
    found = keychain.get("uv:https://a.example", "ada")
    assert found is not None
    assert found.reveal() == "ä€🔑"
    assert keychain.get("uv:https://a.example", "eve") is None
    assert not keychain.delete("uv:https://a.example", "eve")
    assert keychain.find("uv:https://a.example") == []  # the system tells no accounts
    assert keychain.usernames("uv:https://a.example") is None


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (KeyringLocked("-128"), "the keychain is locked or denied access: unlock it"),
        (KeyringError("-25291"), "the keychain failed: -25291"),
    ],
)
def test_a_keychain_that_fails_is_told_of_in_one_line(
    failure: KeyringError, said: str, keychain: Keychain
) -> None:
    Passwords.failure = failure
    with pytest.raises(StoreError) as told:
        keychain.get("rattler", "a.example")
    assert str(told.value) == said
    with pytest.raises(StoreError, match="the keychain did not take the credential"):
        keychain.put("rattler", "a.example", Secret("made-up"))
