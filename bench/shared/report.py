"""The documents that a full run leaves behind: a table to read, and a picture."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from bench.shared.natives import versions
from bench.shared.text import markdown, promises

if TYPE_CHECKING:
    from pathlib import Path

    from bench.shared.findings import Findings

TABLE, PICTURE = "bench.md", "bench.svg"
_SHOWN = f"\n![What one get and 1,000 gets cost, beside the native helpers]({PICTURE})\n"
_HEAD = """\
# What credlatch costs
{picture}
Written by `./dev bench`, which measures all of this again on your machine. Milliseconds are this
machine's; the ratios travel. The programs ran in turn, every other round backwards, so that
whatever else the machine did hit all alike, and each had answered rightly before.

Measured on {machine}.

"""


def machine() -> str:
    """The machine in words that name none: cores, system, Python, and the peers' versions."""
    cores = len(os.sched_getaffinity(0))
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    python = f"Python {platform.python_version()}"
    parts = [f"{cores} cores ({platform.machine()})", system, python, *versions()]
    return ", ".join(parts)


def document(findings: Findings, where: str) -> str:
    """The table, as Markdown.

    Args:
        findings: what was measured.
        where: the machine, in words.
    """
    tables = [promises(findings.limits), *findings.tables]
    shown = _SHOWN if findings.charts else ""
    return _HEAD.format(picture=shown, machine=where) + "\n".join(map(markdown, tables))


def write(findings: Findings, folder: Path) -> None:
    """Write the table and the picture into a folder."""
    from bench.shared import picture

    folder.mkdir(parents=True, exist_ok=True)
    (folder / TABLE).write_text(document(findings, machine()))
    if findings.charts:
        (folder / PICTURE).write_text(picture.draw(findings.charts))
