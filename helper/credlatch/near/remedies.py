"""The command that logs in, for each store: what a person pastes."""

from __future__ import annotations

import shlex

from credlatch.fixes import shell
from credlatch.stores import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url


def log_in(store: str, url: Url) -> str:
    """What logs in to a URL's host so that a store has it.

    Args:
        store: its name, as the trace has it.
        url: what is asked for.

    Returns:
        The command; empty where there is none.
    """
    if url.host.startswith("-"):
        return ""  # what asks for it may have chosen it to be read as an option
    if in_the_clear(url):
        return ""
    origin = f"{url.scheme}://{url.netloc}"
    if store == "environment" and (host := environment.suffix(url)) is not None:
        return shell.asked_for(f"CREDLATCH_TOKEN_{host}", is_secret=True)
    if store == "uv":
        return f"uv auth login {shlex.quote(origin)}"
    if store == "docker":
        return f"docker login {shlex.quote(url.netloc)}"
    if store == "keyring":
        return f"keyring set {shlex.quote(origin)} {shlex.quote(url.username or 'USER')}"
    is_plain = url.scheme == "https" and not url.may_be_loopback
    return f"credlatch login {shlex.quote(url.netloc if is_plain else origin)}"


def in_the_clear(url: Url) -> bool:
    """Whether no login is of any use, as what is sent to a URL can be read on the way."""
    return not (url.may_carry_credentials or url.may_be_loopback)


def without_login(url: Url) -> str:
    """What to do where nothing is near, in words with the command."""
    if in_the_clear(url):
        return f"nothing is sent in plain http to another machine: ask with {secured(url)}"
    command = log_in("", url)
    return f"log in there first: {command}" if command else "log in there first"


def secured(url: Url) -> str:
    """The same place by https, as it is shown."""
    return f"https{url.shown.removeprefix(url.scheme)}"
