"""Which repository a URL is of."""

from __future__ import annotations

import pytest

from credlatch import oci
from credlatch import url as urls

OF = {
    "/v2/app/blobs/sha256:0": "app",
    "/v2/team/app/blobs/sha256:0": "team/app",
    "/v2/a/b/c.d/e_f/g-h/manifests/latest": "a/b/c.d/e_f/g-h",
    "/v2/team/app/manifests/sha256:0": "team/app",
    "/v2/team/app/referrers/sha256:0": "team/app",
    "/v2/team/app/tags/list": "team/app",
    "/v2/team/app/tags/list?n=5&last=x": "team/app",
    "/v2/team/app/blobs/sha256:0?x=/v2/other/blobs/y": "team/app",
    "/v2/team/app/blobs/sha256:0#/v2/other/blobs/y": "team/app",
    "/v2/team/app/blobs/uploads/17": "team/app",
    # The last such word that has something after it ends the name.
    "/v2/blobs/blobs/sha256:0": "blobs",
    "/v2/a/blobs/b/blobs/sha256:0": "a/blobs/b",
    "/v2/a/blobs/b/manifests/1": "a/blobs/b",
    "/v2/manifests/tags/list": "manifests",
    "/v2/a/manifests/tags/list": "a/manifests",
    "/v2/tags/list/manifests/1": "tags/list",
    "/v2/a/manifests/blobs": "a",
    "/v2/a/blobs/manifests": "a",
    # As the server reads it: decoded once, without dots.
    "/v2/team%2Fapp/blobs/sha256%3A0": "team/app",
    "/v2/team%2fapp/blobs/x": "team/app",
    "/v2/te%61m/%62lobs/x": "team",
    "/v2/other/../team/blobs/x": "team",
    "/v2/./team/%2e/blobs/x": "team",
}
OF_NONE = [
    "", "/", "/v2", "/v2/", "/v2//", "/v1/app/blobs/x", "/V2/app/blobs/x", "/x/v2/app/blobs/x",
    "/v2/_catalog", "/v2/app", "/v2/app/blobs", "/v2/app/blobs/", "/v2/app/tags", "/v2/tags/list",
    "/v2/app/tags/list/", "/v2/app/tags/other", "/v2/blobs/x", "/v2//blobs/x", "/v2/a//b/blobs/x",
    "/v2/app/Blobs/x", "/v2/../v3/app/blobs/x", "/v2/a/../../app/blobs/x",
    "/docker/registry/v2/blobs/sha256/0/data",
    # What is in no name: a scope has no room for it.
    "/v2/a%20b/blobs/x", "/v2/a:pull,push%20repository:b/blobs/x", "/v2/a,b/blobs/x",
    '/v2/a"/blobs/x', "/v2/a%0Ab/blobs/x", "/v2/%252e%252e/blobs/x", "/v2/a%252Fb/blobs/x",
    "/v2/a@b/blobs/x", "/v2/é/blobs/x", "/v2/%2e%2e%2fa/blobs/x", f"/v2/{'a' * 256}/blobs/x",
]  # fmt: skip


@pytest.mark.parametrize(("path", "name"), OF.items())
def test_a_repository_is_named_by_the_path(path: str, name: str) -> None:
    url = urls.parse(f"https://registry.example{path}")
    assert oci.repository(url) == name
    assert oci.scope(name) == f"repository:{name}:pull"


@pytest.mark.parametrize("path", OF_NONE)
def test_other_paths_are_of_none(path: str) -> None:
    url = urls.parse(f"https://registry.example{path}")
    assert oci.repository(url) is None
    assert not oci.is_manifest(url)


def test_a_bucket_is_no_registry() -> None:
    assert oci.repository(urls.parse("s3://bucket/v2/app/blobs/x")) is None


def test_a_manifest_is_told_from_the_rest() -> None:
    paths = ("manifests/1", "blobs/x", "tags/list", "manifests/blobs/x", "blobs/manifests/x")
    found = [oci.is_manifest(urls.parse(f"https://r.example/v2/a/{each}")) for each in paths]
    assert found == [True, False, False, False, True]
