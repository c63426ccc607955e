"""Running commands, telling what goes on, and what earlier runs have finished."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".scratch"
_STATE = SCRATCH / "dev.json"


def say(text: str) -> None:
    """Tell what is going on, apart from what the commands print."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, env: dict[str, str] | None = None) -> int:
    """Run a command in the project's folder and give its exit status."""
    sys.stdout.flush()
    whole = {**os.environ, **(env or {})}
    return subprocess.run([*map(str, command)], cwd=ROOT, env=whole, check=False).returncode


def ask(*command: str | Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a command on its own; its exit status and all that it says."""
    whole = {**os.environ, **(env or {})}
    streams: Any = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    streams |= {"stdout": subprocess.PIPE, "text": True, "errors": "replace"}
    done = subprocess.run([*map(str, command)], cwd=ROOT, env=whole, check=False, **streams)
    return done.returncode, done.stdout


def must(what: str, *command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a step of setting up; when it fails, show what it said, and end."""
    say(what)
    status, said = ask(*command, env=env)
    if status != 0:
        sys.exit(f"{said}\ndev: {what}: failed with exit status {status}")


def digest(*paths: Path) -> str:
    """What the files say, and where below the checkout: a folder stands for all files below it."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"{file.relative_to(ROOT).as_posix()}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def state() -> dict[str, Any]:
    """What earlier runs have finished."""
    loaded: dict[str, Any] = json.loads(_STATE.read_text()) if _STATE.exists() else {}
    return loaded


def remember(**changes: object) -> None:
    """Write down what is finished."""
    SCRATCH.mkdir(exist_ok=True)
    fresh = _STATE.with_suffix(".new")
    fresh.write_text(json.dumps({**state(), **changes}, indent=1))
    fresh.replace(_STATE)
