"""Many processes that ask the same question at the same moment."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from support.program import PATIENT, TIMEOUT

if TYPE_CHECKING:
    from support.home import Home


def ask_together(home: Home, uri: str, *commands: list[str], times: int) -> set[str]:
    """Start each command so many times, ask all of them at once, and give their headers.

    Each must answer with one Authorization header; equal answers are one in the set.
    """
    running = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**PATIENT, **home.env},
            cwd=home.path,
        )
        for _ in range(times)
        for command in commands
    ]
    try:
        for process in running:  # all have started by now, and wait for their question
            assert process.stdin is not None
            process.stdin.write(json.dumps({"uri": uri}).encode())
            process.stdin.flush()
        headers = set()
        for process in running:
            out, err = process.communicate(timeout=TIMEOUT)
            assert process.returncode == 0, err
            (value,) = json.loads(out)["headers"]["Authorization"]
            headers.add(value)
        return headers
    finally:
        for process in running:
            process.kill()
            process.communicate()
