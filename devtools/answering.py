"""Seeing that a program which has just been built answers.

A Python or a PyInstaller that nobody has tried may build a program that cannot run: better told
here than by whoever it is handed to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_NETRC = "machine built.example login who password p\n"
_ASKED = {"uri": "https://built.example/simple/"}
_ANSWER = {"headers": {"Authorization": ["Basic d2hvOnA="]}}
_KEPT = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "TMPDIR")
_LIMIT = 300  # seconds: the single file unpacks itself first, on a machine that may be busy


def see_that_it_answers(program: Path) -> None:
    """Have it find a login in a netrc, in a home of its own.

    Raises:
        SystemExit: it does not.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with tempfile.TemporaryDirectory() as home:
        netrc = Path(home, "netrc")
        netrc.write_text(_NETRC)
        netrc.chmod(0o600)
        places = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), home)
        env = {**kept, **places, "NETRC": str(netrc), "CREDLATCH_AGENT": "off"}
        asked = json.dumps(_ASKED).encode()
        told: Any = {"capture_output": True, "timeout": _LIMIT}
        said = b""
        try:
            done = subprocess.run([program, "get"], check=False, input=asked, env=env, **told)
            said = done.stderr or done.stdout
            answers = json.loads(done.stdout) == _ANSWER
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            said, answers = said or str(error).encode(), False
    if not answers:
        python, why = sys.version.split()[0], said.decode(errors="replace").strip()
        sys.exit(f"dev: {program}, built with Python {python}, does not answer: {why}")
