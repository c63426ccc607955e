"""At Windows' own console: what a person reads and types there, whatever its character set."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.logins import refusal
from support.matching import basic
from support.terminal import Said, spoken
from support.wine import finished, windows_path

if TYPE_CHECKING:
    from support.wine import Windows

SECRET = "pä ss€"
UNSEEN, CONFIRM = "(not shown):", "[y/N]"
# Wine's console draws what changes, and goes on where that is.
_DRAWN = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def as_sent(screen: bytes) -> str:
    return screen.decode(errors="replace").replace("\x1b[1C", " ").replace("\r", "")


def plain(screen: bytes) -> str:
    return _DRAWN.sub("", as_sent(screen))


def at_console(
    windows: Windows, words: str, *steps: tuple[str, str], coloured: bool = False
) -> Said:
    """A command at a console."""
    return spoken(
        windows.command(*words.split()),
        windows.surroundings,
        windows.folder,
        *steps,
        text_of=as_sent if coloured else plain,
        has_console=True,
    )


def test_what_is_shown_is_unicode(windows: Windows, host: str) -> None:
    windows.home.write("_netrc", f"machine {host} login bäb€ password p\n")
    said = at_console(windows, "list --color never")
    assert (said.code, "bäb€" in said.screen) == (0, True), said
    wrong = at_console(windows, "wörd€")
    assert (wrong.code, "no command 'wörd€'" in wrong.screen) == (2, True), wrong


def test_colours_are_shown_unless_they_are_unwanted(folder: Windows, host: str) -> None:
    folder.home.write("_netrc", f"machine {host} login bob password p\n")
    assert "\x1b[2mHOST\x1b[0m" in at_console(folder, "list", coloured=True).screen
    folder.env["NO_COLOR"] = "1"
    assert "\x1b[2mHOST" not in at_console(folder, "list", coloured=True).screen


def test_a_login_is_typed_unseen_and_taken_away_when_that_is_confirmed(
    windows: Windows, host: str
) -> None:
    said = at_console(windows, f"login {host} --no-check --username bäb", (UNSEEN, f"{SECRET}\r"))
    assert (said.code, f"Kept for {host} in the keyring" in said.screen) == (0, True), said
    assert SECRET not in said.screen
    assert windows.bazel(f"https://{host}/x").authorization == basic("bäb", SECRET)
    kept = at_console(windows, f"logout {host}", (CONFIRM, "\r"))
    assert (kept.code, "Nothing was removed" in kept.screen) == (1, True), kept
    gone = at_console(windows, f"logout {host}", (CONFIRM, "y\r"))
    assert (gone.code, f"Removed {host}" in gone.screen) == (0, True), gone
    assert windows.bazel(f"https://{host}/x").authorization is None


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("login {} --no-check", 2, "no terminal to ask on"),
        ("logout {}", 2, "no terminal to ask on"),
        ("keyring set https://{}/ bob", 1, "no password came on standard input"),
    ],
)
def test_nobody_is_asked_at_nul(
    folder: Windows, host: str, words: str, code: int, told: str
) -> None:
    if words.startswith("logout"):
        file = folder.home.write("auth.json", json.dumps({host: {"BearerToken": "t"}}))
        folder.env["RATTLER_AUTH_FILE"] = windows_path(file)
    line = f"{windows_path(folder.program)} {words.format(host)} < NUL > NUL"
    pipe, env = subprocess.PIPE, folder.surroundings
    shell = subprocess.Popen(
        ["wine", "cmd", "/c", line], stdin=pipe, stdout=pipe, stderr=pipe, env=env
    )
    said = finished(shell, b"")
    assert told in refusal(said, code)
