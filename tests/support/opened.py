"""A browser that opens nothing: which URL a program wants a person to see."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

PATIENCE = 120.0


class Opened:
    """A browser that writes down what it is to open, and does not.

    Attributes:
        path: the file.
    """

    def __init__(self, home: Home) -> None:
        self.path: Path = home.path / "opened"
        script = (
            f'#!/bin/sh\nprintf "%s\\n" "$1" > {self.path}.new\nmv {self.path}.new {self.path}\n'
        )
        home.env["BROWSER"] = str(home.write("bin/open-it", script, mode=0o755))

    def url(self) -> str:
        """What it was told, once it has been."""
        deadline = time.monotonic() + PATIENCE
        while not self.path.exists():
            assert time.monotonic() < deadline, "no browser was opened"
            time.sleep(0.05)
        text = self.path.read_text().strip()
        self.path.unlink()
        return text
