"""The Windows Python under Wine, with this checkout's sources, for what only Windows has."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from support.wine import ROOT, finished, windows_path

_PRELUDE = """
import json, os, sys, threading, time
sys.path.insert(0, {sources!r})
given = json.loads(sys.stdin.buffer.readline())
def tell(what):
    sys.stdout.write(json.dumps(what) + "\\n")
    sys.stdout.flush()
"""


def words_for(script: str) -> list[str]:
    """What runs a script; its first line of standard input is what it is given, in JSON."""
    prelude = _PRELUDE.format(sources=windows_path(ROOT / "helper"))
    return ["wine", os.environ["WINDOWS_PYTHON"], "-c", prelude + script]


def ask_windows(script: str, given: object = None) -> Any:
    """What a script has told; ``given`` is what it was given."""
    pipe = subprocess.PIPE
    started = subprocess.Popen(words_for(script), stdin=pipe, stdout=pipe, stderr=pipe)
    done = finished(started, json.dumps(given).encode() + b"\n")
    assert done.code == 0, done.err
    return json.loads(done.out)
