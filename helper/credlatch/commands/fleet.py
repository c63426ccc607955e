"""``credlatch fleet renew``: the service that renews the logins that machines share."""

from __future__ import annotations

import contextlib
import signal

import click

from credlatch import streams
from credlatch.errors import StoreError, UsageError
from credlatch.fleet import settings
from credlatch.people.command import Group, passes_caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from credlatch.caller import Caller
    from credlatch.fleet.service import Service
    from credlatch.fleet.settings import Row

COMMAND = Group(
    "fleet",
    help="Logins that machines share, as fleet.toml names them: docs/fleet.md. Workers need no "
    "command: a get reads the access token.",
    examples=("credlatch fleet renew  # on the few machines that hold the logins",),
)


@COMMAND.command(
    "renew",
    help='Renew the logins whose renewer this machine is (role = "renewer"), ahead of their end, '
    "until it is told to stop (SIGTERM, Ctrl-C). Any number of them may run, on any machines. "
    "What happens is told on standard output, a line each.",
    examples=(
        "credlatch fleet renew",
        "credlatch fleet renew --once  # for a CronJob: exit status 1 where a login is not good",
    ),
)
@click.option("--once", is_flag=True, help="Look at each login once, renew what is due, and end.")
@passes_caller
def renew(caller: Caller, *, once: bool) -> int:
    """Renew them; the exit status.

    Raises:
        StoreError: the settings are wrong.
        UsageError: this machine renews none.
    """
    from credlatch.fleet.service import Service

    rows = _rows(caller)
    caller.tokens.tidy()  # which is made before there are threads
    service = Service(rows, caller, _say)
    if once:
        return 0 if service.once() else 1
    _heed_signals(service)
    _say(f"renewing {', '.join(row.login_name for row in rows)}")
    try:
        service.run()
    except OSError as error:
        from credlatch.system.files import reason

        raise StoreError(f"no thread can be started ({reason(error)}): allow more") from None
    _say("ended")
    return 0


def _rows(caller: Caller) -> list[Row]:
    found = settings.believed(caller)
    path = settings.path(caller)
    if found is None:
        raise UsageError(f"{path} is not there, and would name the logins: see docs/fleet.md")
    rows = [row for row in found.rows if row.renews and not row.said.one_path]
    if not rows:
        raise UsageError(f'{path} has this machine renew nothing: role = "renewer" is missing')
    return rows


def _heed_signals(service: Service) -> None:
    """End when told so: after what has been sent is kept, or at once when told twice."""

    def told(number: int, _frame: FrameType | None) -> None:
        if service.stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        service.stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)


def _say(line: str) -> None:
    # Renewing goes on where nobody can be told of it: a log on a full disk.
    with contextlib.suppress(OSError):
        streams.write(1, f"{line}\n".encode(errors="backslashreplace"))
