"""Our keyring on PATH, which writes down how it is called."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from support.called_as import called_as

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program


class PathKeyring:
    """The frozen program, called ``keyring``, as the first of that name on a home's PATH."""

    def __init__(self, frozen: Program, folder: Path) -> None:
        self._log = folder / "calls"
        ours = called_as("keyring", frozen).command
        script = folder / "bin" / "keyring"
        script.parent.mkdir(parents=True)
        script.write_text(
            "#!/bin/sh\n"
            f'{{ printf "%s\\037" "$@"; echo; }} >> {shlex.quote(str(self._log))}\n'
            f'exec {shlex.join(ours)} "$@"\n'
        )
        script.chmod(0o755)
        frozen.home.env["PATH"] = f"{script.parent}:{frozen.home.env['PATH']}"

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call so far."""
        if not self._log.exists():
            return []
        return [line.split("\037")[:-1] for line in self._log.read_text().splitlines()]
