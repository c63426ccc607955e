"""Which repository of a registry a URL is of, by its path (OCI Distribution Specification 1.1)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url

API = "/v2/"
MANIFESTS = "manifests"
# What types of manifests there are: without them, a registry converts an index, or has none.
TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_KINDS = frozenset({"blobs", MANIFESTS, "referrers"})
_TAGS = ["tags", "list"]
_LONGEST = 255  # characters of a name: more than clients write
_IN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def repository(url: Url) -> str | None:
    """The name of the repository that a URL has something of; None: of none.

    The name may have slashes, and ``blobs`` among what is between them: the last such word that has
    something after it ends the name. What follows a question mark counts for nothing.
    """
    found = _parts(url)
    return None if found is None else found[0]


def is_manifest(url: Url) -> bool:
    """Whether it is a manifest's."""
    found = _parts(url)
    return found is not None and found[1] == MANIFESTS


def scope(name: str) -> str:
    """What a token server is asked for, to read a repository."""
    return f"repository:{name}:pull"


def _parts(url: Url) -> tuple[str, str] | None:
    """The name of the repository, and of what of it the URL is."""
    path = url.path
    if url.scheme == "s3" or not path.startswith(API):
        return None
    if "%" in path:
        from urllib.parse import unquote

        # Servers decode before they look: once, so that no percent sign is left in a name.
        path = unquote(path)
    parts = path[len(API) :].split("/")
    if len(parts) > len(_TAGS) and parts[-2:] == _TAGS:
        return _named(parts[:-2], _TAGS[0])
    for at in range(len(parts) - 2, 0, -1):
        if parts[at] in _KINDS and parts[at + 1]:
            return _named(parts[:at], parts[at])
    return None


def _named(parts: list[str], kind: str) -> tuple[str, str] | None:
    """With a name that no scope can take for another: registries have no others."""
    name = "/".join(parts)
    fits = len(name) <= _LONGEST and all(
        part.strip(".") and _IN_NAMES.issuperset(part) for part in parts
    )
    return (name, kind) if fits else None
