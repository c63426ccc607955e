"""The doctor on a real keyring: open, locked, and opened by what is printed; without one."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

import jeepney

from credlatch.doctor import keyring
from credlatch.doctor.finding import FAIL, OFF, OK
from support.callers import caller_of
from support.diagnosis import only_problem, pasted
from support.secret_service import PASSWORD, START, SecretService

if TYPE_CHECKING:
    from support.home import Home


def _owner(service: SecretService) -> int | None:
    """The process that is the keyring on the bus."""
    with closing(service.connect()) as bus:
        call = jeepney.message_bus.GetConnectionUnixProcessID("org.freedesktop.secrets")
        reply = bus.send_and_get_reply(call, timeout=START)
    found: int | str = reply.body[0]
    return found if isinstance(found, int) else None


def test_what_is_printed_for_a_locked_keyring_opens_it(
    home: Home, secret_service: SecretService
) -> None:
    assert [each.severity for each in keyring.check(caller_of(home))] == [OK]
    folder = str(secret_service.socket.parent)
    secret_service.lock()
    found = only_problem(keyring.check, home)
    assert found.severity == FAIL
    assert "the keyring is locked" in found.what
    # As in a session, where all of them are the same.
    home.env |= {
        "XDG_DATA_HOME": folder,
        "XDG_RUNTIME_DIR": folder,
        "GNOME_KEYRING_CONTROL": f"{folder}/control",
    }
    before = _owner(secret_service)
    pasted(found.fix, home, types=PASSWORD)
    deadline = time.monotonic() + START
    while _owner(secret_service) in {before, None}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    now = _owner(secret_service)
    try:
        assert [each.severity for each in keyring.check(caller_of(home))] == [OK]
    finally:
        if now is not None:
            os.kill(now, signal.SIGTERM)


def test_a_bus_without_a_keyring_is_no_problem(home: Home, secret_service: SecretService) -> None:
    secret_service.end()
    (found,) = keyring.check(caller_of(home))
    assert (found.severity, found.what.partition(":")[0]) == (
        OFF, "this D-Bus has no Secret Service",
    )  # fmt: skip
