"""Which tools use what is kept for a host, and which are still to be told."""

from __future__ import annotations

from credlatch.errors import ProgramError, SetupError
from credlatch.setup.asking import asks_us
from credlatch.setup.tools import TOOLS
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.login.target import Target

PIXI = "pixi (conda channels)"
_READS_THE_STORE = ("pixi", "rattler-build")
# What a tool's own program is called, where that is not its name.
_PROGRAMS = {"bazel": ("bazel", "bazelisk"), "podman": ("podman", "buildah", "skopeo")}


def of(target: Target, key: str, caller: Caller) -> tuple[list[str], list[str]]:
    """The tools that use it, and those that are here and are not wired.

    Args:
        target: what it is kept for.
        key: under which name: rattler's own tools look for names without a port.
        caller: whose tools they are.
    """
    used: list[str] = []
    unwired: list[str] = []
    if ":" not in key.removeprefix("s3:") and _is_here(_READS_THE_STORE, caller):
        used.append(PIXI)
    if target.is_bucket:
        return used, unwired
    for tool in TOOLS.values():
        if tool.done_by:
            continue
        try:
            is_wired = asks_us(tool, target.url, caller)
        except ProgramError:
            continue  # git's configuration is read by git, which is not here
        except SetupError as error:
            caller.warn(str(error))
            continue
        if is_wired:
            used.append(tool.name)
        elif _is_here(_PROGRAMS.get(tool.name, (tool.name,)), caller):
            unwired.append(tool.name)
    return used, unwired


def _is_here(names: tuple[str, ...], caller: Caller) -> bool:
    return any(programs.found(name, caller.environ) is not None for name in names)
