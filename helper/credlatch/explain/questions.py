"""What a person writes for what a tool asks: its own words, as they stand in a configuration."""

from __future__ import annotations

from credlatch.errors import RequestError

# What stands before a URL's scheme, for the tool that fetches it: pip, cargo, its lock file.
_FETCHED_BY = ("git+", "sparse+", "registry+")
_REGISTRIES = frozenset(("oci", "docker"))  # schemes of helm, rattler, skopeo
_OF_URLS = frozenset(("git", "go"))  # who never asks for a host alone
_EXAMPLES = {
    "cargo": "an index: sparse+https://index.example.com/, or a git repository's URL",
    "go": "a URL with https, without a user's name: https://proxy.example.com/",
    "git": "a URL with https: https://git.example.com/repository.git",
}


def meant(text: str, tool: str) -> str:
    """What is to be asked.

    Args:
        text: what was written.
        tool: as which it is asked; empty: as a URL.

    Raises:
        RequestError: it is a registry, which is asked for as Docker's; or by ssh.
    """
    if tool == "cargo":
        return text
    for prefix in _FETCHED_BY:
        if text.startswith((f"{prefix}https://", f"{prefix}http://")):
            return text.removeprefix(prefix)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return f"https://{text}/" if tool in _OF_URLS and _is_host(text) else text
    if scheme.lower() in _REGISTRIES:
        if tool in {"docker", "podman"}:
            return rest.lstrip("/")
        raise RequestError(
            f"{scheme}: is a registry's, which is asked for by its name: --as docker "
            f"{rest.partition('/')[0].rpartition('@')[2] or 'registry.example.com'}"
        )
    if scheme.lower() in {"ssh", "git+ssh"}:
        raise RequestError("ssh has keys, and no credentials: ask for the https:// URL")
    return text


def never(tool: str, text: str) -> str:
    """Why a tool asks for nothing of the kind, and what it asks for."""
    if text.startswith("s3://"):
        return f"{tool} asks for no bucket"
    example = _EXAMPLES.get(tool)
    return f"{tool} never asks for that" + (f"; it asks for {example}" if example else "")


def _is_host(text: str) -> bool:
    """Whether it is a host, with a port or without one, and nothing beside."""
    return bool(text) and text.isprintable() and not set(text) & set("/@?# ")
