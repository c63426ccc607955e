"""The logins of the file that a project's pixi configuration names, for the project's own builds.

Whoever wrote the project wrote the configuration, so it is heard last of all, where no other store
has an answer; only from a project that nobody else can change; and nothing is ever written there.
What is wrong with it is a warning, and no call fails by it.
"""

from __future__ import annotations

import os
import time

from credlatch.errors import StoreError
from credlatch.stores import ENDED, KeyedStore, pixi_config
from credlatch.stores.rattler import RattlerStore
from credlatch.stores.rattler_backends import FileBackend
from credlatch.system import projects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.stores import Entry
    from credlatch.url import Url


class PixiProjectStore(KeyedStore):
    """What the file has, as rattler would find it there.

    Args:
        caller: whose project it is.
        path: the file.
    """

    def __init__(self, caller: Caller, path: str) -> None:
        self._caller = caller
        self._file = RattlerStore(caller, [FileBackend(path, caller)])

    def find(self, url: Url) -> Entry | None:
        """The entry for a URL."""
        return self._usable(lambda: self._file.find(url))

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The entry under one of Docker's keys."""
        return self._usable(lambda: self._file.find_key(keys))

    def _usable(self, find: Callable[[], Entry | None]) -> Entry | None:
        try:
            entry = find()
        except StoreError as error:
            self._caller.warn(str(error))
            return None
        if entry is None or entry.credential is None:
            return None
        entry.grant = None  # it is not renewed: the fresh token would have to be written there
        if entry.expires is not None and entry.expires <= time.time():
            self._caller.warn(
                f"a token in {entry.location}, which a project's configuration names, has ended: "
                "log in again with pixi auth login"
            )
            self.pass_over(ENDED, entry.location)
            return None
        return entry


def named_file(caller: Caller) -> str:
    """The file with logins that a project's configuration names; empty: none, or none to hear.

    Pixi reads ``.pixi/config.toml`` at the root of the project around the working directory.
    """
    try:
        path = _configured(caller) or pixi_config.relative_override_file(caller)
        if not path or not os.path.lexists(path):
            return ""
        projects.see_folder(os.path.dirname(path))
        projects.read(path)
    except StoreError as error:
        caller.warn(f"{error} (a project's logins are not used)")
        return ""
    return path


def root(caller: Caller) -> str | None:
    """The folder of the pixi project around the working directory.

    The nearest with a manifest of a workspace; that of a mere package in one is passed over.

    Raises:
        StoreError: a manifest cannot be read, or somebody else may have written it.
    """
    return next((each for each in pixi_config.upward(caller.cwd) if _has_manifest(each)), None)


def settings(caller: Caller) -> list[tuple[str, str]]:
    """What sets something for the project around the working directory: each path and its text.

    Its configuration, and then its manifest, which counts more.

    Raises:
        StoreError: somebody else may have written it.
    """
    folder = root(caller)
    manifest = _manifest(folder) if folder is not None else None
    if folder is None or manifest is None:
        return []
    projects.see_folder(folder)
    found = [(manifest, projects.read(manifest))]
    config = pixi_config.project_file(folder)
    if os.path.lexists(config) and config != pixi_config.user_file(caller):
        projects.see_folder(os.path.dirname(config))
        found.insert(0, (config, projects.read(config)))
    return found


def _configured(caller: Caller) -> str:
    """What the project's configuration says; raises as ``root``."""
    for folder in pixi_config.upward(caller.cwd):
        config = pixi_config.project_file(folder)
        has_one = os.path.lexists(config) and config != pixi_config.user_file(caller)
        try:
            found = _has_manifest(folder)
        except StoreError:
            if has_one:
                raise
            return ""  # whoever's project it is, it sets nothing
        if found:
            return _setting(folder, config, caller) if has_one else ""
    return ""


def _setting(folder: str, config: str, caller: Caller) -> str:
    projects.see_folder(folder)
    projects.see_folder(os.path.dirname(config))
    value = pixi_config.in_home(pixi_config.setting(projects.read(config), config), caller)
    return caller.absolute(value) if value else ""


def _has_manifest(folder: str) -> bool:
    path = _manifest(folder)
    if path is None:
        return False
    text = projects.read(path)
    of_pixi = path.endswith(pixi_config.MANIFESTS[0])
    if not of_pixi and "[tool.pixi" not in text:
        return False
    import tomllib

    try:
        manifest = tomllib.loads(text)
        if not of_pixi:
            manifest = manifest["tool"]["pixi"]
        return "package" not in manifest or bool({"workspace", "project"} & set(manifest))
    except (ValueError, RecursionError, KeyError, TypeError):
        return True  # pixi stops here, and so do we


def _manifest(folder: str) -> str | None:
    """The path of its manifest, as pixi has it; None: it has none."""
    paths = (f"{folder}/{name}" for name in pixi_config.MANIFESTS)
    return next((path for path in paths if os.path.isfile(path)), None)
