"""The canary in the keyring: a marked secret goes over the user's own bus, and to who asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.canary import MARK, MEMORY, STDOUT, Canary, in_files
from support.marked import HOST, URL, question

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program
    from support.secret_service import SecretService

_ITEM = {"service": "rattler", "username": HOST}


def _bus(frozen: Program) -> str:
    """The socket that the bus listens at."""
    address = frozen.home.env["DBUS_SESSION_BUS_ADDRESS"]
    return address.partition("path=")[2].partition(",")[0]


def test_what_is_kept_and_found_goes_over_the_bus_alone(
    frozen: Program, secret_service: SecretService, tmp_path: Path
) -> None:
    canary = Canary(frozen, tmp_path / "strace")
    login = {"ServerURL": HOST, "Username": "bob", "Secret": MARK}
    answer, seen = canary("docker", "store", stdin=json.dumps(login).encode())
    assert answer.code == 0, answer
    bus = _bus(frozen)
    assert bus in {each.where for each in seen} <= {bus, MEMORY}
    for client in ("bazel", "docker", "git"):
        words, stdin = question(client, URL)
        answer, seen = canary(*words, stdin=stdin)
        assert {each.where for each in seen} == {STDOUT}, (client, seen)
    # Damaged: it is told of, and not what is in it.
    secret_service.add(f"keyring:{HOST}@rattler", _ITEM, f'{{"BasicHTTP":{{"{MARK}"')
    words, stdin = question("bazel", URL)
    answer, seen = canary(*words, stdin=stdin)
    assert {each.where for each in seen} <= {STDOUT, bus}, answer
    assert in_files([frozen.home.path], [MARK]) == set()
