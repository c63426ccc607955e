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
