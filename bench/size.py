"""What the program weighs on disk. Run by ``./dev bench size``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shared.findings import Findings, Limit, Table
from bench.shared.ground import FOLDER, SINGLE

if TYPE_CHECKING:
    from pathlib import Path

    from bench.shared.findings import Effort
    from bench.shared.ground import Ground

LIMIT = 30  # MB
MB = 1e6


def weight(path: Path) -> tuple[int, int]:
    """How many files there are at or below a path, links left out, and their bytes."""
    below = path.rglob("*") if path.is_dir() else [path]
    files = [each for each in below if each.is_file() and not each.is_symlink()]
    return len(files), sum(each.stat().st_size for each in files)


def measure(ground: Ground, _: Effort) -> Findings:
    """Weigh both forms."""
    rows = []
    for form, path in ((SINGLE, ground.forms[SINGLE]), (FOLDER, ground.folder)):
        files, size = weight(path)
        rows.append((form, f"{size / MB:.1f}", f"{files}"))
    single = weight(ground.forms[SINGLE])[1]
    return Findings(
        [Table("Size on disk", ("form", "MB", "files"), rows)],
        [Limit("the single file's size", LIMIT, "MB", single / MB)],
    )
