"""The memory that one call takes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.program import Program

MEBIBYTE = 1024 * 1024

# Started from here, a program would count the memory of this process, which it is forked from.
_PEAK = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
os.write(2, str(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)).encode())
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


def peak(program: Program, host: str) -> int:
    """The most bytes that an answered ``get`` for a host had in memory, in any process of it."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _PEAK, *program.command, "get"],
        input=json.dumps({"uri": f"https://{host}/simple/"}).encode(),
        capture_output=True,
        env=program.home.env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["headers"], done.stdout
    return int(done.stderr)
