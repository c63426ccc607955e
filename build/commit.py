"""Which commit a checkout is of: credlatch.spec tells the program, commit_hook.py wheels."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def commit() -> str:
    """Which commit the sources are of, in 40 digits; "" where git does not know.

    ``-dirty`` follows where a file that git keeps is another one. A builder that has no git is told
    by CREDLATCH_COMMIT.
    """
    told = os.environ.get("CREDLATCH_COMMIT")
    if told is not None:
        return told
    git = shutil.which("git")
    if git is None:
        return ""
    # A checkout may be another user's: a container's root builds what is mounted.
    words = (git, "-c", f"safe.directory={_ROOT}", "-C", str(_ROOT))
    if _said(*words, "rev-parse", "--show-toplevel").strip() != str(_ROOT):
        return ""
    changed = _said(*words, "status", "--porcelain", "--untracked-files=no")
    return _said(*words, "rev-parse", "HEAD").strip() + ("-dirty" if changed else "")


def _said(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - git's
    return done.stdout if done.returncode == 0 else ""
