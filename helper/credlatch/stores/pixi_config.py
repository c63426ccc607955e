"""The one setting of pixi that changes where credentials are: ``authentication-override-file``.

What the user's own configuration says is read here; a project's is ``pixi_project``'s.
"""

from __future__ import annotations

import os
import sys

from credlatch.caller import APPLICATION_SUPPORT
from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

_SETTING = "authentication-override-file"
_CONFIG = "config.toml"
S3 = "s3-options"
MANIFESTS = ("pixi.toml", "pyproject.toml")


def user_file(caller: Caller) -> str:
    """The configuration that ``pixi config set --global`` writes."""
    pixi_home = caller.path("PIXI_HOME") or caller.in_home(".pixi")
    return os.path.join(pixi_home, _CONFIG)


def own_files(caller: Caller) -> tuple[str, ...]:
    """The user's configurations and the machine's, the one that counts most first.

    Beside its own pixi has those that rattler's programs share: below them, the user's above the
    machine's. Source: rattler_config/src/locations.rs (config_search_paths), as of py-rattler 0.28.
    """
    home = caller.path("RATTLER_HOME")
    shared = (os.path.join(home, _CONFIG),) if home else ()
    return (
        *(user_file(caller), *_in_folders("pixi", caller), *shared),
        *_in_folders("rattler", caller),
        *("/etc/pixi/config.toml", "/etc/rattler/config.toml"),
    )


def _in_folders(tool: str, caller: Caller) -> tuple[str, ...]:
    """A tool's, where settings are: macOS has a folder of its own, and XDG's beside it."""
    xdg = caller.config(tool, _CONFIG)
    if sys.platform == "darwin":
        native = caller.in_home(APPLICATION_SUPPORT, tool, _CONFIG)
        return (native, xdg) if caller.get("XDG_CONFIG_HOME") else (native,)
    return (xdg,)


def override_file(caller: Caller) -> tuple[str, int | None]:
    """The file that the user has told pixi to keep credentials in; empty: none, or a relative one.

    With it whose configuration says so, as ``Caller.author`` has it.

    A relative path leads to wherever the working directory is, which is to say: to a project.

    Raises:
        StoreError: a configuration that sets it cannot be read.
    """
    path, by = _of_user(caller)
    return (path, by) if os.path.isabs(path) else ("", None)


def relative_override_file(caller: Caller) -> str:
    """What the user's relative path leads to from the working directory, or empty.

    Raises as ``override_file``.
    """
    path, _ = _of_user(caller)
    return "" if not path or os.path.isabs(path) else caller.absolute(path)


def is_in_project(caller: Caller) -> bool:
    """Whether some folder from the working directory upward has a configuration, or may have one.

    Almost everywhere there is none, and that is all that a call does about projects.

    Raises:
        StoreError: as for ``override_file``.
    """
    own = user_file(caller)
    paths = (project_file(folder) for folder in upward(caller.cwd))
    if any(path != own and os.path.lexists(path) for path in paths):
        return True
    return bool(relative_override_file(caller))


def project_file(folder: str) -> str:
    """The configuration that ``pixi config set --local`` writes in a project's folder."""
    return os.path.join(folder, ".pixi", _CONFIG)


def upward(folder: str) -> Iterator[str]:
    """A folder, and those above it."""
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder


def mentions_s3(caller: Caller) -> tuple[bool, bool]:
    """Whether the user's own configuration may say where buckets are, and whether a project's may.

    Almost nowhere is there a word of it, and that is all that a call does about it.

    Raises:
        StoreError: a configuration of the user's own cannot be read.
    """
    own = [caller.document(path, _mentions_s3, lambda _: False) for path in own_files(caller)]
    return any(own), _project_mentions_s3(caller)


def _project_mentions_s3(caller: Caller) -> bool:
    from credlatch.system import files

    own = user_file(caller)
    for folder in upward(caller.cwd):
        for path in (project_file(folder), *(f"{folder}/{name}" for name in MANIFESTS)):
            if path == own or not os.path.lexists(path):
                continue
            try:
                file = files.opened(path)
                if file is None:
                    continue
                with file:
                    found = _mentions_s3(file.text(), path)
            except StoreError:
                found = True  # whoever looks closer says what is wrong
            if found:
                return True
    return False


def _mentions_s3(text: str, path: str) -> bool:  # noqa: ARG001 - as what makes something of a file
    return S3 in text


def _of_user(caller: Caller) -> tuple[str, int | None]:
    for path in own_files(caller):
        value = caller.document(path, setting, lambda _: False)  # settings, and no secret
        if value:
            return in_home(value, caller), caller.author(path)
    return "", None


def in_home(value: str, caller: Caller) -> str:
    """A path of a configuration, with ``~`` at its beginning put in."""
    return caller.in_home(value[2:]) if value.startswith("~/") else value


def setting(text: str, path: str) -> str:
    """What a configuration sets, or an empty text.

    Raises:
        StoreError: it is not TOML, and may set it.
    """
    # A TOML parser costs as much as the rest of a call: only for a file that needs it.
    if _SETTING not in text:
        return ""
    import tomllib

    try:
        value = tomllib.loads(text).get(_SETTING)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not TOML ({error}): mend it") from None
    return value if isinstance(value, str) else ""
