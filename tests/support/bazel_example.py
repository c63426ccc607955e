"""What bazel/example needs, on the servers that it names."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from support.archives import tar
from support.bazel_web import STORAGE
from support.matching import basic

if TYPE_CHECKING:
    from support.bazel_web import Web
    from support.home import Home

FOLDER = Path(__file__).resolve().parents[2] / "bazel"
REGISTRY = "https://registry.example.com/bazel"
FILES = "https://files.example.com"
SIGNED = f"https://{STORAGE}/words-2.0.tar?X-Amz-Signature=abc"
LOGINS = {
    "registry.example.com": {"BasicHTTP": {"username": "u", "password": "for-the-registry"}},
    "files.example.com": {"BearerToken": "for-the-files"},
    "cache.example.com": {"BearerToken": "for-the-cache"},
}
HEADERS = {
    "registry.example.com": basic("u", "for-the-registry"),
    "files.example.com": "Bearer for-the-files",
    "cache.example.com": "Bearer for-the-cache",
}
GREETING = b"Hello,\n"
WORDS = b"world\n"


WORDS_ARCHIVE = tar({"words-2.0/words.txt": WORDS})


def publish(web: Web) -> None:
    """Put it all where the workspace says it is, for those with a login."""
    web.accepts |= HEADERS
    build = b'exports_files(["greeting.txt"])\n'
    greeting = tar({"greeting-1.2.0/greeting.txt": GREETING, "greeting-1.2.0/BUILD.bazel": build})
    digest = base64.b64encode(hashlib.sha256(greeting).digest()).decode()
    folder = f"{REGISTRY}/modules/greeting/1.2.0"
    web.files |= {
        f"{folder}/MODULE.bazel": b'module(name = "greeting", version = "1.2.0")\n',
        f"{folder}/source.json": json.dumps(
            {
                "url": f"{FILES}/greeting/greeting-1.2.0.tar",
                "integrity": f"sha256-{digest}",
                "strip_prefix": "greeting-1.2.0",
            }
        ).encode(),
        "https://cdn.example.com/greeting-1.2.0.tar": greeting,
        SIGNED: WORDS_ARCHIVE,
    }
    web.elsewhere |= {
        # To a host of the same company that wants no login, and to a signed URL at a stranger's.
        f"{FILES}/greeting/greeting-1.2.0.tar": "https://cdn.example.com/greeting-1.2.0.tar",
        f"{FILES}/words/words-2.0.tar": SIGNED,
    }


def copied(home: Home, name: str = "ws") -> Path:
    """The workspace, as somebody copies it."""
    target = home.path / name
    shutil.copytree(FOLDER / "example", target)
    return target
