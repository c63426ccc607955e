"""A process that does not outlive its test."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def started(words: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program, as subprocess.Popen does; it is killed when the block ends before it."""
    with subprocess.Popen(words, **options) as process:
        try:
            yield process
        finally:
            process.kill()
