"""cargo itself, in a home of its own, and a registry on loopback that wants a credential."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support.archives import tar
from support.components import need
from support.tool import Tool

if TYPE_CHECKING:
    from pathlib import Path

    from support.guarded import Guarded
    from support.home import Home

INDEX = "/cargo/index/"
CRATE = "demo"
_AT_LEAST = (1, 74)  # the first that asks providers
_MANIFEST = """\
[package]
name = "{name}"
version = "1.0.0"
edition = "2021"
description = "a crate"
license = "MIT"

[lib]
path = "lib.rs"

[dependencies]
{dependencies}
"""


class Cargo(Tool):
    """cargo, which asks nobody but whom its configuration names.

    Attributes:
        config: its configuration.
    """

    def __init__(self, home: Home) -> None:
        # Debian's before one that rustup has put first on PATH, which looks for others in a home.
        super().__init__(home, shutil.which("cargo", path="/usr/bin") or need("cargo"))
        self.config = home.path / ".cargo/config.toml"
        if "RUSTUP_HOME" not in home.env:
            home.env["RUSTUP_HOME"] = os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
        home.env |= {"CARGO_TERM_COLOR": "never", "CARGO_NET_RETRY": "0"}
        said = self("--version").said
        number = tuple(map(int, said.split()[1].split(".")[:2]))
        if number < _AT_LEAST:
            pytest.skip(f"cargo is older than 1.74: {said}")

    def knows(self, index: str, *providers: str) -> None:
        """Have a configuration with the registry ``team``, and with these providers."""
        text = f'[registries.team]\nindex = "{index}"\n'
        if providers:
            text += f"[registry]\nglobal-credential-providers = {json.dumps(providers)}\n"
        self.home.write(".cargo/config.toml", text)

    def project(self, name: str = "app") -> None:
        """Have a package that depends on the crate of ``team``."""
        dependencies = f'{CRATE} = {{ version = "1", registry = "team" }}'
        self.home.write(
            f"{name}/Cargo.toml", _MANIFEST.format(name=name, dependencies=dependencies)
        )
        self.home.write(f"{name}/lib.rs", "")

    def fetch(self) -> tuple[int, str]:
        """Fetch what that package depends on, as if it had never been: the status, and the text."""
        for kept in ("registry", ".global-cache", ".package-cache"):
            shutil.rmtree(self.home.path / ".cargo" / kept, ignore_errors=True)
        self.project()
        answer = self.attempt("fetch", "--manifest-path", "app/Cargo.toml")
        return answer.code, answer.said

    def fetched(self) -> list[Path]:
        """The crates that it has."""
        return list(self.home.path.glob(f".cargo/registry/cache/*/{CRATE}-1.0.0.crate"))


def publish(server: Guarded) -> str:
    """Put a registry with one crate on a server: the index's URL, as a configuration has it."""
    crate = _crate()
    line = {
        "name": CRATE,
        "vers": "1.0.0",
        "deps": [],
        "cksum": hashlib.sha256(crate).hexdigest(),
        "features": {},
        "yanked": False,
    }
    config = {"dl": f"{server.url}/cargo/dl", "api": f"{server.url}/cargo", "auth-required": True}
    server.files[f"{INDEX}config.json"] = json.dumps(config).encode()
    server.files[f"{INDEX}de/mo/{CRATE}"] = json.dumps(line).encode() + b"\n"
    server.files[f"/cargo/dl/{CRATE}/1.0.0/download"] = crate
    return f"sparse+{server.url}{INDEX}"


def _crate() -> bytes:
    manifest = _MANIFEST.format(name=CRATE, dependencies="").encode()
    files = {"Cargo.toml": manifest, "lib.rs": b""}
    return tar({f"{CRATE}-1.0.0/{name}": text for name, text in files.items()}, "w:gz")
