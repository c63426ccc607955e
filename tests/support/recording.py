"""Our program on PATH, which writes down how it is called."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program


class Recording:
    """The frozen program, called by a name, as the first of that name on a home's PATH.

    Attributes:
        script: what is called.
    """

    def __init__(self, frozen: Program, name: str, folder: Path) -> None:
        self._log = folder / "calls"
        self.script = folder / "bin" / name
        self.script.parent.mkdir(parents=True)
        self.script.write_text(
            "#!/bin/sh\n"
            f'{{ printf "%s\\037" "$@"; echo; }} >> {shlex.quote(str(self._log))}\n'
            f'exec {shlex.join(frozen.called(name).command)} "$@"\n'
        )
        self.script.chmod(0o755)
        frozen.home.path_begins_with(self.script.parent)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call so far."""
        if not self._log.exists():
            return []
        return [line.split("\037")[:-1] for line in self._log.read_text().splitlines()]
