"""How tools name a host, and how a helper of theirs is known to be us."""

from __future__ import annotations

import os

from credlatch import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value
    from credlatch.url import Url

PROGRAM = "credlatch"
SUBPROCESS = "subprocess"  # uv's, pip's and pixi's word for the program called keyring
_FOR_GIT = "git-credential-credlatch"


def docker_keys(url: Url) -> tuple[Key, ...]:
    """Docker's keys are whole hosts, with a name of its own for the Hub."""
    if url.scheme == "s3" or url.host.startswith("*."):
        return ()
    return (("credHelpers", registry.spellings(url)[0]),)


def containers_keys(url: Url) -> tuple[Key, ...]:
    """Podman has another name for the Hub."""
    keys = docker_keys(url)
    return (("credHelpers", "docker.io"),) if keys and keys[0][1] == registry.HUB_KEY else keys


def bazel_keys(url: Url) -> tuple[Key, ...]:
    """Bazel's patterns name no port, and are of two labels at least, of letters and digits."""
    labels = url.host.removeprefix("*.").split(".")
    plain = all(label.replace("-", "").isalnum() and label.isascii() for label in labels)
    few = len(labels) == 1 and not url.host.startswith("*.")
    return ((url.host,),) if plain and not few else ()


def git_keys(url: Url) -> tuple[Key, ...]:
    """Git's ``*`` is one label, and never none. What is kept for this machine names no scheme."""
    keys: tuple[Key, ...] = ((f"{url.scheme}://{url.netloc}",),)
    if url.scheme == "https" and url.may_be_loopback:
        return (*keys, (f"http://{url.netloc}",))
    if url.host.startswith("*."):
        return ((f"{url.scheme}://{url.netloc.removeprefix('*.')}",), *keys)
    return keys


def is_credlatch(value: Value) -> bool:
    """Whether a helper, or each of several, is us, by whatever path."""
    return all(map(leads_to_us, (value,) if isinstance(value, str) else value)) and bool(value)


def first_is_credlatch(value: Value) -> bool:
    """Whether we are the first of several helpers."""
    return bool(value) and leads_to_us(value if isinstance(value, str) else value[0])


def has_credlatch(value: Value) -> bool:
    """Whether we are one of several helpers."""
    return any(map(leads_to_us, (value,) if isinstance(value, str) else value))


def leads_to_us(helper: str) -> bool:
    """Whether one helper is us, by whatever path."""
    words = helper.lstrip("!").split()
    name = os.path.basename(words[0]).removesuffix(".exe") if words else ""
    return name in {PROGRAM, _FOR_GIT}


def is_subprocess(value: Value) -> bool:
    """Whether the program called keyring is asked."""
    return value == SUBPROCESS
