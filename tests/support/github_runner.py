"""What runs a step of a GitHub Actions job, for its scripts.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import yaml

from support.components import need
from support.page import ROOT
from support.program import Answer, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home


def workflow(name: str) -> dict[str, Any]:
    """One of this project's own."""
    said: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
    return said


class Runner:
    """A machine of a job's.

    Args:
        home: its user's.
        cwd: the checkout.
        context: what expressions name, and what that is.

    Attributes:
        temporary: RUNNER_TEMP.
        context: the same.
    """

    def __init__(self, home: Home, cwd: Path, context: dict[str, str] | None = None) -> None:
        self._home = home
        self._cwd = cwd
        self.context = context or {}
        self.temporary = home.path / "temporary"
        self.temporary.mkdir()
        self._files = {
            name: home.write(name.lower(), "") for name in ("GITHUB_OUTPUT", "GITHUB_PATH")
        }

    def __call__(self, step: dict[str, Any], **env: str) -> Answer:
        """Run a step's script, as ``shell: bash`` does."""
        given = {name: self.evaluated(text) for name, text in step.get("env", {}).items()}
        files = {name: str(path) for name, path in self._files.items()}
        whole = {**self._home.env, "RUNNER_TEMP": str(self.temporary), **files, **given, **env}
        whole["PATH"] = os.pathsep.join([*self.paths()[::-1], whole["PATH"]])
        script = self._home.write("step.sh", step["run"])
        words = ("--noprofile", "--norc", "-eo", "pipefail", script)
        return run(self._home, [need("bash"), *words], cwd=self._cwd, env=whole)

    def evaluated(self, text: str) -> str:
        """A value whose expressions are replaced by what they are."""
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: self.context[found[1]], text)

    def outputs(self) -> dict[str, str]:
        """What steps have said for others to take."""
        lines = self._files["GITHUB_OUTPUT"].read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def paths(self) -> list[str]:
        """What they have put on PATH, the last first found."""
        return self._files["GITHUB_PATH"].read_text().splitlines()
