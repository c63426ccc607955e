"""Two items of the keyring for one login: how none are made, and how they are mended."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from support.in_memory import until
from support.matching import basic
from support.program import TIMEOUT
from support.python_keyring import set_password

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.rattler import Rattler
    from support.secret_service import SecretService

HOST = "o.example"
URL = f"https://{HOST}/x"
LOGIN = {"ServerURL": HOST, "Username": "u", "Secret": "p"}
RATTLERS = {"service": "rattler", "username": HOST}
TOGETHER = 8


def login(password: str) -> str:
    return json.dumps({"BasicHTTP": {"username": "u", "password": password}})


def add(service: SecretService, password: str, **attributes: str) -> None:
    service.add(f"keyring:{HOST}@rattler", RATTLERS | attributes, login(password))


def test_first_logins_at_the_same_moment_make_one_item_that_rattler_reads(
    home: Home, frozen: Program, rattler: Rattler, secret_service: SecretService
) -> None:
    # Each with a cache folder of its own: what they wait for each other by must not lie there.
    running = [
        subprocess.Popen(
            [*frozen.command, "docker", "store"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=home.env | {"XDG_CACHE_HOME": str(home.path / f"cache-{number}")},
        )
        for number in range(TOGETHER)
    ]
    before = secret_service.connections()
    with secret_service.stopped():  # whoever looks now is answered when all have looked
        for process in running:
            assert process.stdin is not None
            process.stdin.write(json.dumps(LOGIN).encode())
            process.stdin.close()
            process.stdin = None
        until(lambda: secret_service.connections() == before + TOGETHER)
        time.sleep(0.2)
    for process in running:
        out, _ = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, out) == (0, b"")
    (item,) = secret_service.items()
    assert item.names == RATTLERS
    assert rattler.authorization(HOST) == basic("u", "p")
    assert frozen.bazel(URL).authorization == basic("u", "p")


@pytest.mark.parametrize("first_is_rattlers", [True, False])
def test_a_login_mends_what_is_doubled_and_keeps_the_item_that_rattler_made(
    frozen: Program, rattler: Rattler, secret_service: SecretService, *, first_is_rattlers: bool
) -> None:
    others = {"application": "Python keyring library"}
    for extra in ({}, others) if first_is_rattlers else (others, {}):
        add(secret_service, "old", **extra)
    add(secret_service, "older", application="another")
    assert rattler.authorization(HOST) is None
    assert frozen.docker("store", LOGIN).code == 0
    (item,) = secret_service.items()
    assert item.names == RATTLERS
    assert rattler.authorization(HOST) == basic("u", "p")


def test_a_login_mends_items_that_are_doubled_and_none_of_them_rattlers(
    home: Home, frozen: Program, rattler: Rattler, secret_service: SecretService
) -> None:
    set_password(home, "rattler", HOST, login("of Python"))
    add(secret_service, "another", application="another")
    assert frozen.docker("store", LOGIN).code == 0
    assert len(secret_service.items()) == 1
    assert rattler.authorization(HOST) == basic("u", "p")
    assert frozen.docker("erase", HOST).code == 0
    assert secret_service.items() == []


def test_a_login_touches_no_other_service_and_no_other_host(
    frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "one")
    add(secret_service, "other")
    secret_service.add("theirs", {"service": "other", "username": HOST}, "a")
    secret_service.add("theirs", {"service": "rattler", "username": f"sub.{HOST}"}, "b")
    assert frozen.docker("store", LOGIN).code == 0
    kept = sorted(
        (item.names["service"], item.names["username"]) for item in secret_service.items()
    )
    assert kept == [("other", HOST), ("rattler", HOST), ("rattler", f"sub.{HOST}")]
