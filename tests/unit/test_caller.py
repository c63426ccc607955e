"""Whose environment and folders count for a call."""

from __future__ import annotations

import ntpath
import os
import pwd
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch import streams
from credlatch.caller import Caller
from credlatch.errors import ElsewhereError
from credlatch.shared_cache import SharedCache
from credlatch.system.keyring import open_keyring

if TYPE_CHECKING:
    from pathlib import Path


def test_an_empty_variable_counts_as_unset_and_a_path_starts_where_the_caller_is() -> None:
    caller = Caller({"A": "x/y", "B": "/x", "C": ""}, "/place")
    assert [caller.get(name) for name in "BCD"] == ["/x", None, None]
    assert [caller.path(name) for name in "ABCD"] == ["/place/x/y", "/x", None, None]
    removed = Caller({"A": "x"}, "")
    assert (removed.cwd, removed.path("A")) == ("/", "/x")


def test_a_path_of_the_caller_s_own_process_is_not_followed_for_a_guest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Windows ``D:x`` starts from the process's own folder on that drive."""
    variables = {"A": "D:x", "B": r"D:\x", "C": r"\x", "D": "x", "USERPROFILE": "D:home"}
    monkeypatch.setattr(os, "path", ntpath)
    monkeypatch.setattr(sys, "platform", "win32")
    guest = Caller(variables, "C:\\place", is_guest=True)
    assert [guest.path(name) for name in "BCD"] == [r"D:\x", r"C:\x", r"C:\place\x"]
    with pytest.raises(ElsewhereError):
        guest.path("A")
    with pytest.raises(ElsewhereError):
        _ = guest.home
    with pytest.raises(ElsewhereError):
        guest.data("x")
    assert Caller(variables, "C:\\place").path("A") == "D:x"
    monkeypatch.undo()
    with pytest.raises(ElsewhereError):
        Caller({"A": "x"}, "not/absolute", is_guest=True).path("A")


def test_the_folders_of_xdg() -> None:
    caller = Caller({"HOME": "/home/u", "XDG_DATA_HOME": "/data"}, "/")
    assert caller.in_home(".netrc") == "/home/u/.netrc"
    assert caller.data("uv", "credentials") == "/data/uv/credentials"
    assert caller.config("pixi") == "/home/u/.config/pixi"
    assert caller.cache("credlatch") == "/home/u/.cache/credlatch"


@pytest.mark.parametrize("value", ["", "relative", "./relative", "~/data"])
def test_a_relative_folder_is_ignored_as_xdg_has_it(value: str) -> None:
    caller = Caller({"HOME": "/home/u", "XDG_DATA_HOME": value}, "/place")
    assert caller.data("x") == "/home/u/.local/share/x"


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": " "}])
def test_without_home_the_account_s_own_counts_and_not_this_process_s(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.setenv("HOME", "/home/of-this-process")
    assert Caller(environ, "/").home == pwd.getpwuid(os.getuid()).pw_dir


def test_a_relative_home_starts_where_the_caller_is_and_an_unknown_account_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Caller({"HOME": "h"}, "/place").in_home(".netrc") == "/place/h/.netrc"
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert Caller({}, "/place").in_home(".netrc") == "//.netrc"


def test_whoever_is_served_by_another_s_process_is_a_guest() -> None:
    assert Caller({}, "/", is_guest=True).is_guest
    # What a process keeps between its own calls makes no guest of it.
    assert not Caller({}, "/", SharedCache()).is_guest


def test_a_working_directory_that_was_removed_is_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Caller({}).cwd == "/"


def test_a_warning_is_said_once() -> None:
    caller = Caller({}, "/")
    for line in ("a", "b", "a"):
        caller.warn(line)
    assert caller.warnings == ["a", "b"]


def test_without_a_bus_there_is_no_keyring_and_no_warning_also_when_it_was_closed(
    tmp_path: Path,
) -> None:
    for variables in ({}, {"XDG_RUNTIME_DIR": str(tmp_path)}):
        caller = Caller(variables, "/")
        for _ in range(2):
            assert caller.keyring() is None
            caller.close()
        assert caller.warnings == []


@pytest.mark.parametrize("shared", [None, SharedCache()], ids=["own process", "guest"])
@pytest.mark.parametrize(
    "address", ["unix:path=/nowhere/bus", "nonsense", "unix:", "tcp:host=127.0.0.1,port=1", "\0"]
)
def test_a_bus_that_does_not_answer_is_warned_of_once_and_tried_once(
    address: str, shared: SharedCache | None
) -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": address}
    caller = Caller(environ, "/", shared, is_guest=shared is not None)
    assert caller.keyring() is None
    assert caller.keyring() is None
    (warning,) = caller.warnings
    assert "DBUS_SESSION_BUS_ADDRESS" in warning
    assert "\n" not in warning
    caller.close()


def test_a_bus_whose_address_is_relative_is_for_the_caller_s_own_process() -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=bus"}
    caller = Caller(environ, "/place", SharedCache(), is_guest=True)
    with pytest.raises(ElsewhereError, match="DBUS_SESSION_BUS_ADDRESS"):
        caller.keyring()


@pytest.mark.parametrize(("relative", "lines"), [(False, 1), (True, 0)])
def test_the_bus_of_systemd_is_found_without_the_variable_where_that_is_no_relative_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: int, *, relative: bool
) -> None:
    (tmp_path / "bus").touch()
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    variables = {"XDG_RUNTIME_DIR": "." if relative else str(tmp_path)}
    assert open_keyring(variables.get, said.append, float) is None
    assert len(said) == lines


def test_no_step_of_a_call_may_take_longer_than_what_is_left_of_it() -> None:
    for ago, least, most in ((0.0, 3.0, 3.0), (8.0, 0.5, 1.0), (9.4, 0.0, 0.0)):
        began = Caller({}, began=time.monotonic() - ago)
        caller = Caller({}, "/")
        caller.deadline = time.monotonic() + 9.0 - ago
        for each in (began, caller):
            assert least <= each.left(3.0) <= most


def test_a_call_has_nine_seconds_or_what_its_environment_says() -> None:
    assert 8.5 < Caller({}).left(900.0) <= 9.0
    assert 28.5 < Caller({"CREDLATCH_TIMEOUT": "29"}).left(900.0) <= 29.0
    assert Caller({"CREDLATCH_TIMEOUT": "0.5"}).left(900.0) <= 0.5
    assert Caller({"CREDLATCH_TIMEOUT": ""}).warnings == []


@pytest.mark.parametrize("text", ["0", "-1", "601", "nan", "inf", "10s", "ten"])
def test_a_timeout_that_is_none_is_told_of_and_does_not_count(text: str) -> None:
    caller = Caller({"CREDLATCH_TIMEOUT": text})
    assert 8.5 < caller.left(900.0) <= 9.0
    assert caller.warnings == ["CREDLATCH_TIMEOUT is no number of seconds up to 600: 9 count"]


def test_what_a_client_takes_to_write_its_request_is_not_taken_from_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A client that starts many helpers on a busy machine, and a person who types.
    reading, writing = os.pipe()
    caller = Caller({}, "/")
    before = caller.deadline

    def write() -> None:
        os.write(writing, b"a.exa")
        time.sleep(0.3)
        os.write(writing, b"mple")
        os.close(writing)

    monkeypatch.setattr(streams, "_CHUNK", 5)
    stdin = os.dup(0)
    os.dup2(reading, 0)
    client = threading.Thread(target=write)
    client.start()
    try:
        assert streams.read_stdin(caller) == b"a.example"
    finally:
        os.dup2(stdin, 0)
        client.join()
        os.close(stdin)
        os.close(reading)
    assert caller.deadline > before  # how much, a busy machine decides: the writer may be ahead
