"""A simple index (PEP 503) with packages in it, for a guarded server."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.guarded import Guarded

INDEX = "/team/simple/"


def publish(server: Guarded, name: str) -> str:
    """Put a package into the server's index; the index's URL."""
    file = f"{name}-1.0-py3-none-any.whl"
    wheel = _wheel(name)
    digest = hashlib.sha256(wheel).hexdigest()
    page = f'<!doctype html><a href="/team/files/{file}#sha256={digest}">{file}</a>'
    server.files[f"{INDEX}{name}/"] = page.encode()
    server.files[f"/team/files/{file}"] = wheel
    return f"{server.url}{INDEX}"


def with_user(index: str, username: str) -> str:
    """An index's URL with a user name in it."""
    return index.replace("://", f"://{username}@")


def _wheel(name: str) -> bytes:
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b'"""Installed."""\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    lines = [f"{path},{_record(data)},{len(data)}\n" for path, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return whole.getvalue()


def _record(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
