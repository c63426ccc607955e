"""Real registries on loopback: one with htpasswd, one that sends its clients to a token server."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support import daemon
from support.components import need
from support.registry_tokens import ISSUER, SERVICE, RegistryTokens
from support.s3_servers import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.s3_servers import S3Server

USER = "alice"


@dataclass(frozen=True)
class Registry:
    """A running registry and the one account on it.

    Attributes:
        host: ``127.0.0.1:PORT``, the first part of its images' names.
    """

    host: str
    user: str
    secret: str


@dataclass(frozen=True)
class TokenRegistry(Registry):
    """A registry that leaves the question who may pull to a token server.

    Attributes:
        tokens: that server.
    """

    tokens: RegistryTokens


@contextmanager
def _serving(
    folder: Path, auth: dict[str, Any], storage: dict[str, Any] | None = None
) -> Iterator[str]:
    """Run a registry that keeps its images in ``folder``, or elsewhere; gives its host and port."""
    config = {
        "version": "0.1",
        "log": {"accesslog": {"disabled": True}, "level": "info"},
        "storage": storage or {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": "127.0.0.1:0", "secret": secrets.token_hex(16)},
        "auth": auth,
    }
    # JSON is YAML too.
    path = folder / "config.yml"
    path.write_text(json.dumps(config))
    command = [need("docker-registry"), "serve", str(path)]
    with daemon.running(command, folder / "log") as process:
        # The system chooses the port, so that no two tests can choose the same.
        listening = process.until(lambda: re.search(r"listening on ([\d.]+:\d+)", process.said()))
        yield listening.group(1)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that knows its one user by a password file."""
    folder = tmp_path_factory.mktemp("registry")
    secret = f"htpasswd-{secrets.token_hex(8)}"
    hashed = subprocess.run(
        [need("htpasswd"), "-inB", USER], input=secret, capture_output=True, text=True, check=True
    )
    passwords = folder / "htpasswd"
    passwords.write_text(hashed.stdout)
    with _serving(folder, {"htpasswd": {"realm": "tests", "path": str(passwords)}}) as host:
        yield Registry(host, USER, secret)


@contextmanager
def _with_tokens(folder: Path, storage: dict[str, Any] | None = None) -> Iterator[TokenRegistry]:
    with RegistryTokens() as tokens:
        bundle = folder / "issuer.pem"
        bundle.write_bytes(tokens.signer.pem)
        auth = {
            "realm": tokens.url,
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(bundle),
        }
        secret = f"account-{secrets.token_hex(8)}"
        with _serving(folder, {"token": auth}, storage) as host:
            yield TokenRegistry(host, USER, secret, tokens)


@pytest.fixture(scope="session")
def _token_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenRegistry]:
    with _with_tokens(tmp_path_factory.mktemp("token-registry")) as registry:
        yield registry


@pytest.fixture
def s3_registry(minio: S3Server, tmp_path: Path) -> Iterator[TokenRegistry]:
    """A registry with a token server, whose blobs are in MinIO: it redirects to them."""
    minio.put("/images")
    driver = {
        "accesskey": minio.root.id,
        "secretkey": minio.root.secret,
        "region": REGION,
        "regionendpoint": minio.url,
        "forcepathstyle": True,
        "secure": False,
        "bucket": "images",
    }
    folder = tmp_path / "registry"
    folder.mkdir()
    with _with_tokens(folder, {"s3": driver}) as registry:
        registry.tokens.admit_only(registry.user, registry.secret)
        yield registry


@pytest.fixture
def token_registry(_token_registry: TokenRegistry) -> TokenRegistry:
    """A registry with a token server, which has forgotten whatever other tests did."""
    _token_registry.tokens.admit_only(_token_registry.user, _token_registry.secret)
    return _token_registry
