"""``credlatch sdk NAME``: an SDK's answer, for a process of ours; people do without this word.

A JSON object comes on standard input and goes on standard output: the answer, or ``error`` and
``message``.
"""

from __future__ import annotations

import json
import os
import sys

from credlatch import streams
from credlatch.errors import CredlatchError, RequestError, UsageError
from credlatch.sdk import ABSENT, EXTRAS, SdkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.caller import Caller


def run(args: list[str], caller: Caller) -> int:
    """Answer; the exit status is 0 also where the answer is an error.

    Raises:
        UsageError: there is no such SDK.
        RequestError: standard input is no JSON object.
    """
    if len(args) != 1 or args[0] not in EXTRAS:
        raise UsageError(f"sdk needs one of {', '.join(EXTRAS)}, and JSON on standard input")
    asked = _asked(streams.read_stdin(caller))
    _end_after(asked.pop("seconds", None))
    # What a library prints is no part of the answer.
    out = os.dup(1)
    os.dup2(2, 1)
    said = _answer(args[0], asked, caller)
    streams.write(out, json.dumps(said).encode())
    return 0


def _asked(text: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise RequestError("standard input is no JSON object")
    return asked


def _end_after(seconds: object) -> None:
    """Have the system end this process also when who has started it was killed meanwhile."""
    if sys.platform == "win32" or not isinstance(seconds, float | int):
        return
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, seconds + 0.5))


def _answer(name: str, asked: dict[str, Any], caller: Caller) -> dict[str, Any]:
    try:
        sdk = __import__(f"credlatch.sdk.{name}", fromlist=["answer"])
    except ImportError as error:
        absent = (error.name or "it").partition(".")[0]
        line = f"{absent} is not installed: pip install 'credlatch[{EXTRAS[name]}]'"
        return {"error": ABSENT, "message": line}
    try:
        said: dict[str, Any] = sdk.answer(asked, caller)
    except SdkError as error:
        return {"error": error.kind, "message": error.line}
    except CredlatchError as error:
        return {"error": ABSENT, "message": str(error)}
    return said
