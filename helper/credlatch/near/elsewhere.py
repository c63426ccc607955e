"""Logins that are where nobody looks: because a variable says where, and names nothing or other."""

from __future__ import annotations

import os

from credlatch import near
from credlatch.fixes import shell
from credlatch.stores import docker, uv
from credlatch.stores.order import ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores import Store
    from credlatch.stores.steps import Step


def _file(name: str) -> Callable[[Caller], str]:
    return lambda caller: caller.path(name) or ""


# Each variable that says where a store is, whose that is, and the file that it names.
NAMED: tuple[tuple[str, str, Callable[[Caller], str] | None], ...] = (
    ("RATTLER_AUTH_FILE", "rattler", _file("RATTLER_AUTH_FILE")),
    ("NETRC", "netrc", _file("NETRC")),
    ("DOCKER_CONFIG", "docker", docker.config_file),
    ("REGISTRY_AUTH_FILE", "docker", _file("REGISTRY_AUTH_FILE")),
    ("UV_CREDENTIALS_DIR", "uv", lambda caller: f"{uv.folder(caller)}/credentials.toml"),
    ("PYX_CREDENTIALS_DIR", "pyx", _file("PYX_CREDENTIALS_DIR")),
    ("PACKAGEMANAGER_ADDRESS", "posit", None),
    ("PIXI_HOME", "rattler", None),
    ("RATTLER_HOME", "rattler", None),
    ("XDG_DATA_HOME", "uv", None),
    ("XDG_CONFIG_HOME", "docker", None),
)
_RUNTIME = "XDG_RUNTIME_DIR"


def missing(caller: Caller) -> Iterator[tuple[str, str, str]]:
    """Each variable that names a file which is not there, the store's name, and the file."""
    for variable, name, file in NAMED:
        if file is not None and caller.get(variable) and not os.path.lexists(path := file(caller)):
            yield variable, name, path


def found(request: Request, caller: Caller, _trace: Iterable[Step]) -> Iterator[NearMiss]:
    """What each store would have but for a variable, and which variables name nothing."""
    absent = {variable: path for variable, _, path in missing(caller)}
    openers = dict(ORDER)
    for variable, name, _ in NAMED:
        value = caller.get(variable)
        if value is None:
            continue
        location = _there(openers[name], request, near.aside(caller, **{variable: ""}))
        if location is not None:
            yield near.NearMiss(
                name,
                kept="a login",
                location=location,
                why=f"not looked for there while {variable} is {value}",
                fix=shell.unset(variable),
                rank=near.MEANT,
            )
        elif variable in absent:
            yield near.NearMiss(
                name,
                kept=f"{variable}={value}",
                location=absent[variable],
                why="there is no such file",
                advice="name the file that there is, or none",
                fix=shell.unset(variable),
                rank=near.FAR,
            )
    if caller.get(_RUNTIME) is None and hasattr(os, "getuid"):
        folder = f"/run/user/{os.getuid()}"
        session = near.aside(caller, **{_RUNTIME: folder})
        location = _there(openers["docker"], request, session) if os.path.isdir(folder) else None
        if location is not None:
            yield near.NearMiss(
                "docker",
                kept="a login",
                location=location,
                why=f"not looked for there without {_RUNTIME}",
                fix=shell.export(_RUNTIME, shell.quote(folder)),
                rank=near.MEANT,
            )


def _there(
    open_store: Callable[[Caller], Store | None], request: Request, caller: Caller
) -> str | None:
    """Where a store of another caller has an answer; None: nowhere."""
    from credlatch.errors import CredlatchError

    try:
        store = open_store(caller)
        entry = None if store is None else store.look(request)
    except CredlatchError:
        entry = None
    finally:
        caller.close()
    return None if entry is None else entry.location
