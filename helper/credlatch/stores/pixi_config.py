"""The one setting of pixi that changes where credentials are: ``authentication-override-file``."""

from __future__ import annotations

import os

from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

_SETTING = "authentication-override-file"


def _paths(caller: Caller) -> Iterator[tuple[str, bool]]:
    """Pixi's configuration files, the one that counts most first, and whether it is a project's."""
    folder = caller.cwd
    while True:
        yield os.path.join(folder, ".pixi", "config.toml"), folder != caller.home
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    yield user_file(caller), False
    yield caller.config("pixi", "config.toml"), False
    yield "/etc/pixi/config.toml", False


def user_file(caller: Caller) -> str:
    """The configuration that ``pixi config set --global`` writes."""
    pixi_home = caller.path("PIXI_HOME") or caller.in_home(".pixi")
    return os.path.join(pixi_home, "config.toml")


def override_file(caller: Caller) -> tuple[str, bool]:
    """The file that pixi is configured to keep its credentials in, or an empty text.

    The second value tells whether a project's configuration says so, and not the user's.

    Raises:
        StoreError: a configuration that sets it cannot be read.
    """
    for path, of_project in _paths(caller):
        value = caller.document(path, _setting, _is_private)
        if value:
            if value.startswith("~/"):
                return caller.in_home(value[2:]), of_project
            return os.path.join(caller.cwd, value), of_project
    return "", False


def _setting(text: str, path: str) -> str:
    # A TOML parser costs as much as the rest of a call: only for a file that needs it.
    if _SETTING not in text:
        return ""
    import tomllib

    try:
        value = tomllib.loads(text).get(_SETTING)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not TOML ({error}): mend it") from None
    return value if isinstance(value, str) else ""


def _is_private(_value: str) -> bool:
    return False  # settings, and no secret among them
