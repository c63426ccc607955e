"""Where a tool keeps the configuration that wires it, where that takes more than a path."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from credlatch.caller import APPLICATION_SUPPORT
from credlatch.errors import SetupError, StoreError
from credlatch.stores import pixi_config
from credlatch.stores import pixi_project as pixi_project_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

GIT_PATIENCE = 30.0  # seconds
BAZEL_ROOTS = ("MODULE.bazel", "REPO.bazel", "WORKSPACE.bazel", "WORKSPACE")


@dataclass(slots=True, frozen=True)
class Place:
    """A configuration.

    Attributes:
        path: the file, which need not exist.
        format: its format's name.
        table: the table that the tool's settings are in; empty: none.
        is_private: whether a file that we begin is for its owner alone.
    """

    path: str
    format: str
    table: tuple[str, ...] = ()
    is_private: bool = False


def containers(caller: Caller) -> Place:
    """The ``auth.json`` that outlasts a reboot: podman's own is in the runtime folder."""
    path = caller.path("REGISTRY_AUTH_FILE") or caller.config("containers", "auth.json")
    return Place(path, "json", is_private=True)


def registries(caller: Caller) -> Place:
    """What counts of ``registries.conf``: the one that is named, the user's, or a part beside it.

    A user's whole ``registries.conf`` would take the place of the system's.
    """
    named = caller.path("CONTAINERS_REGISTRIES_CONF")
    own = caller.config("containers", "registries.conf")
    part = caller.config("containers", "registries.conf.d", "credlatch.conf")
    return Place(named or (own if os.path.exists(own) else part), "toml")


def bazel_project(caller: Caller) -> Place:
    """The workspace's ``.bazelrc``."""
    folder = workspace(caller)
    if folder is None:
        raise _no_project(caller, "Bazel workspace", "MODULE.bazel")
    return Place(os.path.join(folder, ".bazelrc"), "bazelrc")


def workspace(caller: Caller) -> str | None:
    """The root of the Bazel workspace around the working directory."""
    return next(filter(is_workspace, _upward(caller)), None)


def is_workspace(folder: str) -> bool:
    """Whether a folder is the root of a Bazel workspace."""
    return any(os.path.isfile(os.path.join(folder, name)) for name in BAZEL_ROOTS)


def git(caller: Caller) -> Place:
    """The file that ``git config --global`` writes."""
    chosen = caller.path("GIT_CONFIG_GLOBAL")
    own, xdg = caller.in_home(".gitconfig"), caller.config("git", "config")
    path = xdg if not os.path.exists(own) and os.path.exists(xdg) else own
    return Place(chosen or path, "git")


def git_project(caller: Caller) -> Place:
    """The repository's own configuration, which all its worktrees share."""
    from credlatch.system import programs

    command = ["git", "rev-parse", "--git-common-dir"]
    done = programs.ask(command, b"", caller, GIT_PATIENCE)
    folder = done.out.decode(errors="surrogateescape").rstrip("\n")
    if done.status or not folder:
        raise _no_project(caller, "git repository", ".git")
    return Place(os.path.join(caller.cwd, folder, "config"), "git")


def uv_project(caller: Caller) -> Place:
    """The project's ``uv.toml``, which uv prefers, or its ``pyproject.toml``."""
    for folder in _upward(caller):
        for name, table in (("uv.toml", ()), ("pyproject.toml", ("tool", "uv"))):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return Place(path, "toml", table)
    raise _no_project(caller, "Python project", "uv.toml or pyproject.toml")


def pip(caller: Caller) -> Place:
    """The user's pip configuration; where ``PIP_CONFIG_FILE`` is a file, pip reads that instead.

    Raises:
        SetupError: pip is told to read none.
    """
    named = caller.path("PIP_CONFIG_FILE")
    if named == os.devnull:
        raise SetupError(f"PIP_CONFIG_FILE is {named}, with which pip reads no file: unset it")
    if named is not None and os.path.exists(named):
        return Place(named, "ini")
    if sys.platform == "win32":
        return Place(caller.config("pip", "pip.ini"), "ini")
    if sys.platform == "darwin":
        library = caller.in_home(APPLICATION_SUPPORT, "pip")
        if os.path.isdir(library):
            return Place(f"{library}/pip.conf", "ini")
    return Place(caller.config("pip", "pip.conf"), "ini")


def pixi_project(caller: Caller) -> Place:
    """What ``pixi config set --local`` writes."""
    try:
        found = pixi_project_store.root(caller)
    except StoreError as error:
        raise SetupError(f"{error}: nothing was written") from None
    if found is None:
        raise _no_project(caller, "pixi project", "pixi.toml or pyproject.toml")
    return Place(pixi_config.project_file(found), "toml")


def go(caller: Caller) -> Place:
    """What ``go env -w`` writes; ``GOENV`` names another file.

    Raises:
        SetupError: Go is told to read none.
    """
    named = caller.get("GOENV")
    if named == "off":
        raise SetupError("GOENV is off, with which go reads no file: unset it")
    if named is not None:
        return Place(os.path.join(caller.cwd, named), "go")
    if sys.platform == "darwin":
        return Place(caller.in_home(APPLICATION_SUPPORT, "go", "env"), "go")
    return Place(caller.config("go", "env"), "go")


def _upward(caller: Caller) -> list[str]:
    """The working directory, and the folders above it; the nearest first."""
    return [caller.cwd, *map(str, Path(caller.cwd).parents)]


def _no_project(caller: Caller, what: str, mark: str) -> SetupError:
    return SetupError(f"{caller.cwd} is in no {what}: there is no {mark} in it or above it")
