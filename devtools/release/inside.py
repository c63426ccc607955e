"""What an installed program is tried by, in a clean system: `./dev smoke`, for where it lies.

usage: python3 inside.py PROGRAM frozen|package
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from smoke import Smoke
from support.token_server import TokenServer


def main(program: str, kind: str) -> None:
    """Try it.

    Args:
        program: its path.
        kind: "frozen"; or "package", Python's, which has no agent and is not installed by itself.
    """
    with tempfile.TemporaryDirectory() as home, TokenServer() as server:
        tried = Smoke(Path(program), Path(home), server)
        tried.commands()
        if kind == "frozen":
            tried.installed()
            tried.agent()


if __name__ == "__main__":
    main(*sys.argv[1:])
