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
    "actions/checkout": _action(
        "3d3c42e5aac5ba805825da76410c181273ba90b1",
        "v7.0.1",
        *("fetch-depth", "path", "persist-credentials", "ref", "repository", "token"),
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
