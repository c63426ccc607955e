"""``credlatch fleet renew``: the service that renews the logins that machines share."""

from __future__ import annotations

import contextlib
import signal
import time

import click

from credlatch import streams
from credlatch.errors import StoreError, UsageError
from credlatch.fleet import settings
from credlatch.people.command import Group, passes_caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
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
        "credlatch fleet renew --metrics 127.0.0.1:9464",
        "credlatch fleet renew --once  # for a CronJob: exit status 1 where a login is not good",
    ),
)
@click.option("--once", is_flag=True, help="Look at each login once, renew what is due, and end.")
@click.option(
    "--metrics",
    metavar="ADDRESS:PORT",
    help="Have Prometheus read there what is renewed, what fails, and how long tokens last.",
)
@passes_caller
def renew(caller: Caller, *, once: bool, metrics: str | None) -> int:
    """Renew them; the exit status.

    Raises:
        StoreError: the settings are wrong.
        UsageError: this machine renews none, or the metrics' address cannot be had.
    """
    if once and metrics is not None:
        raise UsageError("--metrics is for the service, which --once is not")
    from credlatch.fleet.service import Service

    rows = _rows(caller)
    caller.tokens.tidy()  # which is made before there are threads
    service = Service(rows, caller, _say)
    _heed_signals(service)
    if once:
        return 0 if service.once() else 1
    with contextlib.ExitStack() as stack:
        if metrics is not None:
            _say(f"metrics are at {stack.enter_context(_page(service, metrics))}/metrics")
        _say(f"renewing {', '.join(row.login_name for row in rows)}")
        _run(service)
    _say("ended")
    return 0


@contextlib.contextmanager
def _page(service: Service, address: str) -> Iterator[str]:
    from credlatch.fleet.metrics import text
    from credlatch.fleet.page import Page

    with Page(lambda: text(service.watched, time.time()), address) as page:
        yield page.url


def _run(service: Service) -> None:
    try:
        service.run()
    except OSError as error:
        from credlatch.system.files import reason

        raise StoreError(f"no thread can be started ({reason(error)}): allow more") from None


def _rows(caller: Caller) -> list[Row]:
    found = settings.believed(caller)
    path = settings.path(caller)
    if found is None:
        raise UsageError(f"{path} is not there, and would name the logins: see docs/fleet.md")
    rows = [row for row in found.rows if row.renews]
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
