"""Our own program as a child, which imports an SDK and is asked one thing.

The caller's variables and folder count there, it can be killed whatever it waits for, and neither
the agent nor a call that needs none ever has an SDK in memory.
"""

from __future__ import annotations

import os
import sys
import time

from credlatch.errors import LoginError, ProgramError, RenewalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import HttpResponse, ProgramRequest
    from credlatch.system.programs import Surroundings

_SPARE = 0.3  # seconds of a call's time that are left for what comes after the answer
_LEAST = 0.3  # seconds: with less than that, no child is started
# From source, the child gets its modules where this process has its own: what the caller's folder
# or PYTHONPATH has is none of ours. The frozen program reads neither.
_FROM_SOURCE = """\
import sys
sys.path[:] = {path!r}
from runpy import run_module
run_module("credlatch", run_name="__main__", alter_sys=True)
"""


def ask(asked: ProgramRequest, caller: Surroundings | None, deadline: float) -> HttpResponse:
    """An SDK's answer: status 200, and a JSON object.

    Args:
        asked: the question.
        caller: whose environment and folder count.
        deadline: on the clock of ``time.monotonic``, when this must have ended.

    Raises:
        TooLateError: there was no time for it.
        LoginError: the identity is refused.
        RenewalError: anything else.
    """
    if caller is None:
        raise RenewalError(f"credlatch sdk {asked.name} cannot be asked from here")
    import json

    from credlatch.auth import HttpResponse
    from credlatch.system import programs

    seconds = min(asked.seconds, deadline - time.monotonic() - _SPARE)
    if seconds < _LEAST:
        from credlatch.renew.http import TooLateError

        raise TooLateError(f"no time was left to ask {asked.name}'s SDK: try again")
    stdin = json.dumps({**asked.asked, "seconds": seconds}).encode()
    command = [*_ourselves(), "sdk", asked.name]
    try:
        # The loader must not take it for a child of this process (PyInstaller's documentation).
        done = programs.ask(command, stdin, caller, seconds, PYINSTALLER_RESET_ENVIRONMENT="1")
    except ProgramError as error:
        raise RenewalError(
            f"{asked.name}'s SDK gave no identity ({error}): see which program or server its "
            "configuration has it wait for"
        ) from None
    try:
        said = json.loads(done.out)
    except (ValueError, RecursionError):
        said = None
    if done.status or not isinstance(said, dict):
        why = f" ({done.said})" if done.said else ""
        raise RenewalError(f"credlatch sdk {asked.name} ended with {done.status}{why}: try again")
    if "error" in said:
        # All else may be another answer in a moment, as soon as a person has logged in.
        refused = said["error"] == "permission"
        raise (LoginError if refused else RenewalError)(str(said.get("message")))
    return HttpResponse(200, {}, done.out, time.time())


def _ourselves() -> list[str]:
    """How this program is started again: the launcher of the folder, or Python."""
    if hasattr(sys, "_MEIPASS"):
        return [sys.executable]
    path = [each for each in sys.path if os.path.isabs(each)]
    return [sys.executable, "-I", "-c", _FROM_SOURCE.format(path=path)]
