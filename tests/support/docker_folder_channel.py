"""A conda channel with one package in it, for a guarded server."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

from support.archives import tar

if TYPE_CHECKING:
    from support.guarded import Guarded

CHANNEL = "/conda/team"
INSTALLED = "share/teamtool"  # what the package puts into an environment


def publish(server: Guarded, name: str) -> str:
    """Put a package into the server's channel; the channel's URL, without a slash at its end.

    It is another one each time, so that none is taken from the cache of an earlier build.
    """
    build = secrets.token_hex(4)
    about = {
        "name": name,
        "version": "1.0",
        "build": build,
        "build_number": 0,
        "depends": [],
        "subdir": "noarch",
        "timestamp": 1_700_000_000_000,
    }
    archive = _archive(about)
    file = f"{name}-1.0-{build}.tar.bz2"
    entry = {
        **about,
        "size": len(archive),
        "sha256": hashlib.sha256(archive).hexdigest(),
        "md5": hashlib.md5(archive, usedforsecurity=False).hexdigest(),
    }
    for subdir in ("noarch", "linux-64"):
        packages = {file: entry} if subdir == "noarch" else {}
        repodata = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}}
        server.files[f"{CHANNEL}/{subdir}/repodata.json"] = json.dumps(repodata).encode()
    server.files[f"{CHANNEL}/noarch/{file}"] = archive
    return f"{server.url}{CHANNEL}"


def _archive(about: dict[str, object]) -> bytes:
    content = b"installed\n"
    path = {
        "_path": INSTALLED,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }
    files = {
        INSTALLED: content,
        "info/index.json": json.dumps(about).encode(),
        "info/files": f"{INSTALLED}\n".encode(),
        "info/paths.json": json.dumps({"paths": [path], "paths_version": 1}).encode(),
    }
    return tar(files, "w:bz2")
