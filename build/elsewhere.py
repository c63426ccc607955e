"""A build on two machines: PyInstaller on the one, and the compiler of the launcher on the other.

So `./dev windows` builds: Zig's compiler for Windows does not run under Wine. What one has to know
of the other is in a folder that both see.

usage: python build/elsewhere.py begin SHARED TARGET             before PyInstaller builds
       python build/elsewhere.py end SHARED TARGET DIST WORK     when it has
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import inventory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from inventory import Inventory

# A variable of who builds with PyInstaller, and has the launcher put before that elsewhere: the
# folder.
VARIABLE = "CREDLATCH_LAUNCHER_ELSEWHERE"
_LAUNCHER, _BUILT = "launcher.json", "built.json"


def shared() -> Path | None:
    """The folder; None: this machine does all of it."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def begin(folder: Path, target: str) -> None:
    """Tell what the launcher has linked in: it is known before there is one.

    Args:
        folder: the shared one.
        target: the machine and system that it is for, as Zig calls them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _BUILT).unlink(missing_ok=True)
    parts = []
    for each in inventory.of_launcher(target):
        texts = {f"{each.name}-{number}.txt": text for number, text in enumerate(each.texts)}
        for name, text in texts.items():
            shutil.copy(text, folder / name)
        parts.append(inventory.told(each, texts))
    (folder / _LAUNCHER).write_text(json.dumps(parts), encoding="ascii")


def launcher(folder: Path) -> list[inventory.Component]:
    """What the launcher has linked in, as the other machine has told it."""
    said = json.loads((folder / _LAUNCHER).read_text("ascii"))
    return [inventory.heard(each, folder) for each in said]


def built(folder: Path, found: Inventory, identity: str, commit: str) -> None:
    """Tell what has been built, once it is there.

    Args:
        folder: the shared one.
        found: what is in the folder form.
        identity: the build's.
        commit: of the sources.
    """
    components = [inventory.told(each) for each in found.components.values()]
    said = {"identity": identity, "commit": commit, "components": components}
    (folder / _BUILT).write_text(json.dumps(said), encoding="ascii")


def end(folder: Path, target: str, dist: Path, work: Path) -> None:
    """Put the launcher before what was built, and write the bill of materials.

    Args:
        folder: the shared one.
        target: as `begin` was told.
        dist: the folder that has the folder form, and gets the single file.
        work: where it is made.
    """
    import launcher
    import sbom

    said = json.loads((folder / _BUILT).read_text("ascii"))
    found = inventory.Inventory(inventory.heard(each, folder) for each in said["components"])
    launcher.put_before(dist / sbom.FOLDER, said["identity"], work, target)
    sbom.write(found, dist, said["identity"], said["commit"])


if __name__ == "__main__":
    folder, target, *places = sys.argv[2:]
    if sys.argv[1] == "begin":
        begin(Path(folder), target)
    else:
        end(Path(folder), target, *map(Path, places))
