"""The system's keyring: whether there is one, and whether it is open."""

from __future__ import annotations

import os
import stat
import sys

from credlatch.doctor.finding import FAIL, OFF, OK, WARN, Finding
from credlatch.errors import AbsentError, StoreError
from credlatch.fixes import shell
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

SUBJECT = "system keyring"
_BUS = "DBUS_SESSION_BUS_ADDRESS"
_DAEMON = "gnome-keyring-daemon"
_TYPED = 'read -rsp "keyring password: " P && printf %s "$P" |'
_CONTAINERS = ("/.dockerenv", "/run/.containerenv")
_KERNEL = "/proc/sys/kernel/osrelease"


def check(caller: Caller) -> Iterator[Finding]:
    """Whether logins can be read from it, and kept in it, without a question."""
    before = len(caller.warnings)
    try:
        keyring = caller.keyring()
        if keyring is None:
            yield _absent(caller, caller.warnings[before:])
        else:
            keyring.see_that_it_is_open()
            # Elsewhere nobody can tell without asking for a secret.
            told = sys.platform not in {"darwin", "win32"}
            yield Finding(OK, SUBJECT, "it is open" if told else "there is one")
    except AbsentError as error:
        yield Finding(OFF, SUBJECT, f"{error}: {_instead(caller)}", _to_have_one(caller))
    except StoreError as error:
        yield Finding(FAIL, SUBJECT, str(error), _opened(str(error), caller))
    finally:
        caller.close()


def _absent(caller: Caller, warnings: list[str]) -> Finding:
    bus = _bus_of_session()
    if warnings:  # one is announced
        fix = shell.export(_BUS, f"unix:path={bus}") if bus else shell.unset(_BUS)
        return Finding(WARN, SUBJECT, warnings[-1], fix)
    if bus:
        what = f"this call does not know of your session's D-Bus, {bus}, nor of its keyring"
        return Finding(WARN, SUBJECT, what, shell.export("XDG_RUNTIME_DIR", os.path.dirname(bus)))
    what = f"there is none ({_where(caller)}): {_instead(caller)}"
    return Finding(OFF, SUBJECT, what, _to_have_one(caller))


def _instead(caller: Caller) -> str:
    return f"logins are kept in {caller.in_home('.rattler', 'credentials.json')}"


def _bus_of_session() -> str:
    """The bus of the user's session, as systemd has it, although no variable leads there."""
    if sys.platform == "win32":
        return ""
    path = f"/run/user/{os.getuid()}/bus"
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return path if stat.S_ISSOCK(status.st_mode) and status.st_uid == os.getuid() else ""


def _where(caller: Caller) -> str:
    """Why there is none, in a word or two."""
    if caller.get("container") or any(map(os.path.exists, _CONTAINERS)):
        return "a container"
    if _is_wsl():
        return "WSL without a session's D-Bus"
    if caller.get("SSH_CONNECTION"):
        return "a login by SSH without a session's D-Bus"
    if caller.get("TERM") is None:
        return "cron, a service or a CI job"
    return "no session's D-Bus"


def _is_wsl() -> bool:
    try:
        with open(_KERNEL, encoding="ascii") as file:
            return "microsoft" in file.read().lower()
    except (OSError, ValueError):
        return False


def _to_have_one(caller: Caller) -> str:
    """What gives a shell a keyring, where that is meant for people who log in without a desktop."""
    attended = caller.get("SSH_CONNECTION") is not None or _is_wsl()
    there = all(programs.found(name, caller.environ) for name in (_DAEMON, "dbus-run-session"))
    if not attended or not there or _where(caller) == "a container":
        return ""
    unlocked = f"{_TYPED} {_DAEMON} --unlock --components=secrets >/dev/null"
    return shell.command("dbus-run-session", "--", "bash", "-c", f'{unlocked}; exec "$SHELL"')


def _opened(why: str, caller: Caller) -> str:
    """What opens a keyring, or has a call do without it."""
    if "locked" not in why:
        return shell.unset(_BUS) if caller.get(_BUS) else ""
    if programs.found(_DAEMON, caller.environ) is None:
        return ""
    return f"{_TYPED} {_DAEMON} --replace --unlock --components=secrets >/dev/null; unset P"
