"""Running the unpacked program on Windows, where no process can become another."""

from __future__ import annotations

import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def run(program: str, argv: list[str], environ: Mapping[str, str]) -> int:
    """Run the program and give its exit status.

    Args:
        program: its path.
        argv: its arguments, the name it is called by among them.
        environ: its environment.

    Raises:
        OSError: it cannot be run.
    """
    done = subprocess.run(argv, executable=program, env=environ, check=False)  # noqa: S603 - ours
    return done.returncode
