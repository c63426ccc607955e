"""What puts blobs and manifests into a registry, and gets them as Bazel does: plain HTTP."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from support.registry import TokenRegistry

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
# What Java's client says by itself where nobody says another.
_JAVA = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}


def digest(content: bytes) -> str:
    """The name of a blob or manifest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def push(registry: TokenRegistry, name: str, content: bytes) -> str:
    """Put a blob into a repository; its URL."""
    url = f"http://{registry.host}/v2/{name}/blobs/"
    with _pushing(registry, name) as client:
        begun = client.post(f"{url}uploads/")
        assert begun.status_code == 202, begun.text
        place = httpx.URL(begun.headers["location"])
        done = client.put(place.copy_merge_params({"digest": digest(content)}), content=content)
        assert done.status_code == 201, done.text
    return url + digest(content)


def push_index(registry: TokenRegistry, name: str) -> tuple[str, bytes]:
    """Put an index of one image without layers into a repository; its URL, and what it says."""
    push(registry, name, b"{}")
    config = {"mediaType": CONFIG, "digest": digest(b"{}"), "size": 2}
    image = _json({"mediaType": MANIFEST, "config": config, "layers": []})
    platform = {"architecture": "amd64", "os": "linux"}
    part = {"mediaType": MANIFEST, "digest": digest(image), "size": len(image)}
    whole = _json({"mediaType": INDEX, "manifests": [{**part, "platform": platform}]})
    url = f"http://{registry.host}/v2/{name}/manifests/"
    with _pushing(registry, name) as client:
        for content, kind in ((image, MANIFEST), (whole, INDEX)):
            sent = {"Content-Type": kind}
            done = client.put(url + digest(content), content=content, headers=sent)
            assert done.status_code == 201, done.text
    return url + digest(whole), whole


def get(url: str, headers: dict[str, list[str]]) -> httpx.Response:
    """What Bazel's downloader gets with a helper's headers; a redirect is not followed."""
    sent = _JAVA | {name: value for name, (value,) in headers.items()}
    with httpx.Client(trust_env=False) as client:
        return client.get(url, headers=sent)


def _json(content: dict[str, object]) -> bytes:
    return json.dumps({"schemaVersion": 2, **content}).encode()


def _pushing(registry: TokenRegistry, name: str) -> httpx.Client:
    token = registry.tokens.registry_token("pusher", [f"repository:{name}:pull,push"])
    return httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False)
