"""The actions that workflows use, ours and the documents': which commit, and what it takes."""

from __future__ import annotations

from typing import NamedTuple


class Action(NamedTuple):
    """One action, as its own repository has it.

    Attributes:
        commit: what its tag is of.
        version: the tag.
        inputs: those of its action.yml there that are used, or might be.
    """

    commit: str
    version: str
    inputs: frozenset[str]


def _action(commit: str, version: str, *inputs: str) -> Action:
    return Action(commit, version, frozenset(inputs))


ACTIONS = {
    "Azure/artifact-signing-action": _action(
        "87c2e83e6868da99d3380aa309851b32ed9a8346",
        "v1.1.0",
        *("certificate-profile-name", "endpoint", "file-digest", "files", "files-folder"),
        *("files-folder-filter", "files-folder-recurse", "signing-account-name"),
        *("timestamp-digest", "timestamp-rfc3161"),
    ),
    "Azure/login": _action(
        "f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca",
        "v3.0.1",
        *("client-id", "subscription-id", "tenant-id"),
    ),
    "actions/attest": _action(
        "1e69f48acb82d1966a394da916b4c1698aa569d6",
        "v4.2.2",
        *("sbom-path", "subject-checksums", "subject-path"),
    ),
    "actions/checkout": _action(
        "3d3c42e5aac5ba805825da76410c181273ba90b1",
        "v7.0.1",
        *("fetch-depth", "path", "persist-credentials", "ref", "repository", "token"),
    ),
    "actions/deploy-pages": _action(
        "cd2ce8fcbc39b97be8ca5fce6e763baed58fa128", "v5.0.0", "artifact_name", "timeout"
    ),
    "actions/download-artifact": _action(
        "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
        "v8.0.1",
        *("merge-multiple", "name", "path", "pattern"),
    ),
    "actions/setup-python": _action(
        "5fda3b95a4ea91299a34e894583c3862153e4b97",
        "v7.0.0",
        *("architecture", "python-version"),
    ),
    "actions/upload-pages-artifact": _action(
        "fc324d3547104276b827a68afc52ff2a11cc49c9", "v5.0.0", "name", "path", "retention-days"
    ),
    "actions/upload-artifact": _action(
        "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
        "v7.0.0",
        *("if-no-files-found", "include-hidden-files", "name", "path", "retention-days"),
    ),
    "docker/build-push-action": _action(
        "53b7df96c91f9c12dcc8a07bcb9ccacbed38856a",
        "v7.3.0",
        *("build-args", "builder", "context", "file", "load", "outputs", "platforms", "provenance"),
        *("pull", "push", "sbom", "secret-envs", "secret-files", "secrets", "tags", "target"),
    ),
    "docker/setup-buildx-action": _action(
        "37fe631027851001ddb9b187196cc803df7f5f0e",
        "v4.3.0",
        *("driver", "driver-opts", "endpoint", "name", "version"),
    ),
}
