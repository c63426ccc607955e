"""A real Secret Service that is locked, ambiguous, hung or gone: one clear line, and no hang."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.logins import docker_refusal, refusal
from support.matching import basic
from support.program import IN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.secret_service import SecretService

HOST = "o.example"
URL = f"https://{HOST}/x"
LOGIN = {"ServerURL": HOST, "Username": "u", "Secret": "p"}
NOT_FOUND = b"credentials not found in native keychain"


@contextmanager
def in_time() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < IN_TIME


def add(service: SecretService, token: str, **attributes: str) -> None:
    service.add(
        f"keyring:{HOST}@rattler",
        {"service": "rattler", "username": HOST, **attributes},
        json.dumps({"BearerToken": token}),
    )


def netrc(home: Home) -> None:
    home.write(".netrc", f"machine {HOST} login u password p\n")


def test_a_locked_keyring_is_one_clear_line(frozen: Program, secret_service: SecretService) -> None:
    add(secret_service, "t")
    secret_service.lock()
    with in_time():
        assert "locked" in refusal(frozen.bazel(URL))
        assert "locked" in docker_refusal(frozen.docker("get", HOST))


def test_the_next_stores_are_asked_when_the_keyring_is_locked(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "t")
    netrc(home)
    secret_service.lock()
    with in_time():
        answer = frozen.bazel(URL)
    assert answer.authorization == basic("u", "p")
    assert "locked" in answer.err


def test_rattlers_file_is_asked_when_the_keyring_is_locked(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "of the keyring")
    home.write_rattler({HOST: {"BearerToken": "of the file"}})
    secret_service.lock()
    assert frozen.bazel(URL).authorization == "Bearer of the file"
    secret_service.unlock()
    assert frozen.bazel(URL).authorization == "Bearer of the keyring"


def test_a_locked_keyring_without_an_item_for_the_host_is_no_failure(
    frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "t")
    secret_service.lock()
    answer = frozen.bazel("https://other.example/")
    assert answer.json() == {"headers": {}}


def test_nobody_is_asked_for_a_password(frozen: Program, secret_service: SecretService) -> None:
    add(secret_service, "t")
    secret_service.lock()
    with secret_service.silent_prompter() as prompter, in_time():
        refusal(frozen.bazel(URL))
        frozen.docker("get", HOST)
        frozen.docker("store", {**LOGIN, "ServerURL": "new.example"})
        frozen.docker("erase", HOST)
        frozen.docker("list")
        assert prompter.asked() == 0


def test_docker_login_with_a_locked_keyring_loses_nothing(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "t")
    secret_service.lock()
    # Kept in the file it would be hidden by the old item as soon as the keyring is open again.
    said = docker_refusal(frozen.docker("store", {**LOGIN, "Secret": "s3cret"}))
    assert "locked" in said
    assert "s3cret" not in said
    assert not (home.path / ".rattler/credentials.json").exists()
    secret_service.unlock()
    assert frozen.bazel(URL).authorization == "Bearer t"


def test_two_different_items_for_one_key_are_ambiguous(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "one")
    add(secret_service, "other", application="Python keyring library")
    line = refusal(frozen.bazel(URL))
    assert HOST in line
    assert "one" not in line.replace("all but one", "")
    netrc(home)
    answer = frozen.bazel(URL)
    assert answer.authorization == basic("u", "p")
    assert HOST in answer.err


def test_a_logout_and_a_login_mend_what_was_ambiguous(
    frozen: Program, secret_service: SecretService
) -> None:
    for password, extra in (("one", {}), ("other", {"application": "Python keyring library"})):
        secret_service.add(
            f"keyring:{HOST}@rattler",
            {"service": "rattler", "username": HOST, **extra},
            json.dumps({"BasicHTTP": {"username": "u", "password": password}}),
        )
    assert frozen.docker("erase", HOST).code == 0
    assert secret_service.items() == []
    assert frozen.docker("store", LOGIN).code == 0
    assert frozen.bazel(URL).authorization == basic("u", "p")


@pytest.mark.parametrize(
    "address",
    [
        "unix:path=/nonexistent/bus",
        "unix:abstract=credlatch-nobody-listens",
        "tcp:host=127.0.0.1,port=9",
        "unix:",
        "garbage",
        ";;",
        "unixexec:path=/bin/false",
    ],
)
def test_a_dead_bus_address_hides_nothing_else(home: Home, frozen: Program, address: str) -> None:
    home.env["DBUS_SESSION_BUS_ADDRESS"] = address
    home.write_rattler({HOST: {"BearerToken": "of the file"}})
    with in_time():
        assert frozen.bazel(URL).authorization == "Bearer of the file"
        assert frozen.bazel("https://other.example/").json() == {"headers": {}}
        assert frozen.docker("get", "other.example").out.strip() == NOT_FOUND
        assert frozen.docker("store", {**LOGIN, "Secret": "p"}).code == 0
    assert list(home.read_rattler()) == [HOST, f"docker://{HOST}"]


def test_a_bus_without_a_secret_service_is_like_none(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    secret_service.end()
    with in_time():
        assert frozen.docker("store", LOGIN).code == 0
        assert list(home.read_rattler()) == [HOST]
        assert frozen.bazel(URL).authorization == basic("u", "p")


def test_a_keyring_that_does_not_answer_costs_seconds_and_no_hang(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    add(secret_service, "t")
    with secret_service.stopped():
        with in_time():
            assert "answer" in refusal(frozen.bazel(URL))
        netrc(home)
        with in_time():
            assert frozen.bazel(URL).authorization == basic("u", "p")
        with in_time():
            assert frozen.docker("get", "other.example").code == 1
    assert frozen.bazel(URL).authorization == "Bearer t"


def test_a_bus_that_accepts_and_says_nothing_costs_seconds_and_no_hang(
    home: Home, frozen: Program, tmp_path: Path
) -> None:
    netrc(home)
    path = tmp_path / "bus"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        home.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={path}"
        with in_time():
            assert frozen.bazel(URL).authorization == basic("u", "p")


@pytest.mark.parametrize("secret", ["", "not JSON", "[]", '{"OfTheFuture":{}}', '{"BasicHTTP":1}'])
def test_an_item_that_is_no_entry_of_rattlers_is_one_clear_line(
    home: Home, frozen: Program, secret_service: SecretService, secret: str
) -> None:
    attributes = {"service": "rattler", "username": HOST}
    secret_service.add(f"keyring:{HOST}@rattler", attributes, secret)
    assert HOST in refusal(frozen.bazel(URL))
    netrc(home)
    assert frozen.bazel(URL).authorization == basic("u", "p")
