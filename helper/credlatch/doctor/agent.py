"""The agent: how it is, what its log says, and what CREDLATCH_AGENT names."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import datetime

from credlatch import clock
from credlatch.agent import control, transport, wire
from credlatch.doctor.finding import FAIL, OFF, OK, WARN, Finding
from credlatch.errors import AgentError
from credlatch.fixes import mending, shell
from credlatch.lines import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

SUBJECT = "agent"
CHOSEN = "CREDLATCH_AGENT"
_PATIENCE = 2.0  # seconds for what is named to answer
_LATELY = 3_600.0  # seconds
_SHOWN = 200  # characters
_NO_QUESTION = (
    " - - failed: "  # what was asked was no question of any host, and is told whoever asked
)
_SECONDS = re.compile(r"(\d+) s more")


def check(caller: Caller) -> Iterator[Finding]:
    """What is named, or else this build's own agent."""
    chosen = caller.environ.get(CHOSEN, "")
    if chosen not in {"", "on"}:
        yield from _chosen(chosen, caller)
        return
    build = sys._xoptions.get("utf8 credlatch")
    if isinstance(build, str):  # from source there is none
        yield from _own(build)


def _chosen(chosen: str, caller: Caller) -> Iterator[Finding]:
    shown = printable(chosen, _SHOWN)
    if chosen == "off":
        yield Finding(OFF, SUBJECT, f"{CHOSEN} is off: no agent is asked or started")
    elif sys.platform == "win32" or not chosen.startswith("/"):
        what = f"{CHOSEN} is {shown!r}, neither on nor off nor a socket's path: no agent is asked"
        yield Finding(WARN, SUBJECT, what, shell.unset(CHOSEN))
    else:
        yield _forwarded(chosen, shown, caller)


def _forwarded(path: str, shown: str, caller: Caller) -> Finding:
    if sys.platform == "win32":
        raise NotImplementedError
    from credlatch.agent import named

    state, why = named.state(path, caller.left(_PATIENCE))
    subject = "forwarded agent"
    if state == named.WELL:
        return Finding(OK, subject, f"it answers at {shown}")
    what = f"no answer from {CHOSEN}={shown} ({why}): this machine's own logins count"
    if state == named.DEAD:
        # sshd binds no socket that is still there (sshd_config(5), StreamLocalBindUnlink).
        what += "; remove it, then ssh -R again"
        fix, repair = mending.gone(path)
        mine = os.lstat(path).st_uid == os.geteuid()
        return Finding(
            FAIL, subject, what, shell.both(fix, shell.unset(CHOSEN)), repair if mine else None
        )
    if state in {named.NOT_THERE, named.SILENT}:
        what += "; is ssh -R still up?"
    return Finding(FAIL, subject, what, shell.unset(CHOSEN))


def _own(build: str) -> Iterator[Finding]:
    try:
        status = control.ask(build, wire.STATUS)
        log = None if status is None else control.ask(build, wire.LOG)
    except AgentError as error:
        yield _broken(str(error), FAIL)
        return
    if status is None:
        why = transport.why_not()
        if why:
            yield _broken(f"none can be started: {why}", WARN)
        else:
            yield Finding(OFF, SUBJECT, "none is running: the next call starts one")
        return
    said = dict(line.split(": ", 1) for line in status.decode(errors="replace").splitlines())
    requests = said.get("requests", "").partition(",")[0]
    ends = _SECONDS.sub(lambda found: clock.span(float(found[1])), said.get("ends", ""))
    yield Finding(OK, SUBJECT, f"pid {said.get('pid')}, {requests} requests, ends {ends}")
    yield from _log((log or b"").decode(errors="replace"))


def _broken(why: str, severity: str) -> Finding:
    """What stands in the way of an agent, by its own words."""
    if transport.END_IT in why:
        return Finding(severity, SUBJECT, why, transport.END_IT.removeprefix("end it: "))
    _, is_open, folder = why.partition("chmod 700 ")
    if is_open:
        return Finding(severity, SUBJECT, why, *mending.closed(folder, mending.FOLDER))
    own = '"$HOME/.run"'
    fix = shell.both(f"mkdir -p -m 700 {own}", shell.export("XDG_RUNTIME_DIR", own))
    return Finding(severity, SUBJECT, why, fix if "XDG_RUNTIME_DIR" in why else "")


def _log(text: str) -> Iterator[Finding]:
    """The calls that have failed lately."""
    failed = [
        line
        for line in text.splitlines()
        if " failed: " in line and _NO_QUESTION not in line and _is_late(line)
    ]
    if failed:
        what = f"{len(failed)} of its calls failed in the last hour, the last one: "
        last = printable(failed[-1], _SHOWN)
        yield Finding(WARN, SUBJECT, f"{what}{last}", shell.command("credlatch", "agent", "log"))


def _is_late(line: str) -> bool:
    try:
        at = datetime.fromisoformat(line.partition(" ")[0]).timestamp()
    except ValueError:
        return False
    return time.time() - at < _LATELY
