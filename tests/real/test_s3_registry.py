"""A registry whose blobs are in S3: its redirects to signed URLs get no header beside."""

from __future__ import annotations

import hashlib
import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.matching import basic

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.registry import TokenRegistry
    from support.s3_servers import S3Server

LAYER = b"a layer" * 1000
DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"


def asked(
    method: str, url: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """What a server answers; redirects are not followed."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request(method, "/" + url.split("/", 3)[3], body, headers)
        with connection.getresponse() as response:
            given = {name.lower(): value for name, value in response.getheaders()}
            return response.status, given, response.read()
    finally:
        connection.close()


def given(program: Program, url: str) -> dict[str, str]:
    """The headers that Bazel gets."""
    said: dict[str, list[str]] = program.bazel(url).json()["headers"]
    return {name: value for name, (value,) in said.items()}


def push(registry: TokenRegistry) -> str:
    """Put a layer into a repository; its URL."""
    below = f"http://{registry.host}/v2/team/app/blobs"
    query = "service=registry.test&scope=repository:team/app:pull,push"
    login = {"Authorization": basic(registry.user, registry.secret)}
    token = json.loads(asked("GET", f"{registry.tokens.url}?{query}", login)[2])["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    status, begun, _ = asked("POST", f"{below}/uploads/", bearer)
    assert status == 202
    place = f"{begun['location']}&digest={DIGEST}"
    assert asked("PUT", place, {**bearer, "Content-Length": str(len(LAYER))}, LAYER)[0] == 201
    registry.tokens.requests.clear()
    return f"{below}/{DIGEST}"


def test_a_blob_is_got_through_the_redirect_to_signed_storage(
    s3_registry: TokenRegistry, minio: S3Server, home: Home, frozen: Program
) -> None:
    url = push(s3_registry)
    assert asked("GET", url, {})[0] == 401
    key = {"BasicHTTP": {"username": s3_registry.user, "password": s3_registry.secret}}
    # A key for the bucket is there, too, and none of it is sent beside the signature.
    home.write_rattler({"127.0.0.1": key, "s3://images": minio.root.stored})
    bearer = given(frozen, url)
    assert bearer["Authorization"].startswith("Bearer ")
    assert s3_registry.tokens.grants() == ["GET"]
    status, answered, _ = asked("GET", url, bearer)
    assert status == 307
    signed = answered["location"]
    assert signed.startswith(f"{minio.url}/images/")
    assert "X-Amz-Signature=" in signed
    assert given(frozen, signed) == {}
    assert asked("GET", signed, {})[2] == LAYER
    assert asked("GET", signed, bearer)[0] == 400
