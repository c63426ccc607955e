"""What wheel and sdist have beside the sources: which commit these are of, for ``--version``.

A hook of hatchling's. An sdist has no git, so what it was made of goes along: a wheel that is built
of it takes that. Source: https://hatch.pypa.io/latest/plugins/build-hook/custom/
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGE = "helper/credlatch"  # where wheels have what is in their own credlatch/
_NAME = "commit.txt"
_PLACES = {"sdist": f"{_PACKAGE}/{_NAME}", "wheel": f"credlatch/{_NAME}"}


class CommitHook(BuildHookInterface):  # type: ignore[misc]  # hatchling is not installed everywhere
    """Puts the commit into the package, if it is not there and somebody knows it."""

    _folder: str | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before either is built. An editable installation is left as it is."""
        if version == "editable" or Path(self.root, _PACKAGE, _NAME).exists():
            return
        commit = _commit(Path(self.root))
        if commit:
            self._folder = tempfile.mkdtemp()
            file = Path(self._folder, _NAME)
            file.write_text(f"{commit}\n", encoding="ascii", newline="\n")
            build_data["force_include"][str(file)] = _PLACES[self.target_name]

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the hook's form
        """After it is."""
        if self._folder is not None:
            shutil.rmtree(self._folder)


def _commit(root: Path) -> str:
    """As commit.py says it; this file is no part of a package, and nothing beside it is found."""
    spec = importlib.util.spec_from_file_location("commit", root / "build" / "commit.py")
    if spec is None or spec.loader is None:
        return ""
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.commit())
