"""Go itself, in the version that builds the tests' components, and a module for it to fetch."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.program import TIMEOUT

if TYPE_CHECKING:
    from support.guarded import Guarded
    from support.home import Home

_GO = Path(__file__).resolve().parents[2] / ".scratch/tools/go/go/bin/go"
MODULE = "example.com/priv"
VERSION = "v1.0.0"


def publish(server: Guarded, below: str = "/go", module: str = MODULE) -> None:
    """Put a module into a proxy, as its protocol has it (``go help goproxy``)."""
    source = f"module {module}\n\ngo 1.24\n".encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"{module}@{VERSION}/go.mod", source)
        file.writestr(f"{module}@{VERSION}/priv.go", "package priv\n")
    name = f"{below}/{module}/@v/{VERSION}"
    info = json.dumps({"Version": VERSION, "Time": "2026-01-01T00:00:00Z"}).encode()
    server.files |= {
        f"{name}.info": info,
        f"{name}.mod": source,
        f"{name}.zip": archive.getvalue(),
    }


class Go:
    """Go, in a home of its own, without the network.

    Args:
        home: whose.
        authority: the certificate that it trusts.
    """

    def __init__(self, home: Home, authority: Path) -> None:
        if not _GO.exists():
            pytest.skip("go is not installed: run ./dev test")
        self._home = home
        self.env = {
            "GOENV": str(home.path / "go/env"),
            "GOFLAGS": "-modcacherw",
            "GONOSUMDB": "*",
            "GOSUMDB": "off",
            "GOTOOLCHAIN": "local",
            "SSL_CERT_FILE": str(authority),
        }

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run ``go ARGS`` and wait for it."""
        env = {**self._home.env, **self.env}
        return subprocess.run(
            [_GO, *args],
            capture_output=True,
            text=True,
            env=env,
            cwd=self._home.path,
            timeout=TIMEOUT,
            check=False,
        )

    def download(self, proxy: str, module: str = MODULE) -> str:
        """``go mod download``; what it says, which is nothing if it was not refused."""
        self.env["GOPROXY"] = proxy
        done = self("mod", "download", f"{module}@{VERSION}")
        assert (done.returncode == 0) == (not done.stderr), done
        return done.stderr
