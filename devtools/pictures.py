"""The pictures of the documents: what commands show at a terminal, of a home with made-up logins.

``./dev pictures`` makes ``docs/*.svg`` anew, each by running the command, from source, at a
terminal of its own of so many columns. What the clock says is put to one moment, so that a picture
changes when the program does, and not each day.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from credlatch import __version__
from devtools import terminal
from devtools.steps import ROOT

COLUMNS = (60, 80, 140)  # at which each is looked at; the documents have the second
SHOWN = COLUMNS[1]
_MOMENT = "14:03"  # which time of the day the pictures say
_LEFT = 2_550  # seconds until the token in the pictures ends: "42 min", however slow this is


# Where this program is, and on which machine; and whether that has a keyring.
_TITLE = re.compile(r"^(\x1b\[1m)credlatch [\d.]+,.*?\)(\x1b\[0m\n)", re.DOTALL)
_ANYWHERE = re.compile(r"^\S+ +(?:\x1b\[0m)? *system keyring .*\n(?: {10}.*\n)*", re.MULTILINE)


class Picture(NamedTuple):
    """One picture.

    Attributes:
        name: of its file in docs, without the ending.
        words: what is typed after ``credlatch``.
        is_astray: whether some of it is not as it should be.
    """

    name: str
    words: tuple[str, ...]
    is_astray: bool = False


PICTURES = (
    Picture("explain", ("explain", "https://conda.example.com/channel/")),
    Picture("explain-miss", ("explain", "http://localhost:8801/simple/")),
    Picture("list", ("list",)),
    Picture("doctor", ("doctor", "--offline"), is_astray=True),
)


def path(picture: Picture) -> Path:
    """Where the documents have it."""
    return ROOT / "docs" / f"{picture.name}.svg"


def draw() -> None:
    """Make all of them."""
    for picture in PICTURES:
        path(picture).write_text(svg(picture, SHOWN), encoding="utf-8")
        print(path(picture).relative_to(ROOT))


def svg(picture: Picture, columns: int) -> str:
    """A picture, as the file has it."""
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    console = Console(record=True, width=columns, file=StringIO(), force_terminal=True)
    typed = f"$ credlatch {' '.join(picture.words)}\n"
    shown = Text.from_ansi(screen(picture, columns))
    console.print(Text.assemble((typed, "bold"), shown))
    made = console.export_svg(
        title="", theme=MONOKAI, unique_id=picture.name, font_aspect_ratio=0.6
    )
    # No font of somebody's server: each has one of equal widths.
    made = re.sub(r"@font-face \{.*?\}\s*", "", made, flags=re.DOTALL)
    return made.replace("Fira Code", "ui-monospace")


def screen(picture: Picture, columns: int) -> str:
    """What the command shows at a terminal of so many columns, with its colours."""
    with TemporaryDirectory(prefix="credlatch-picture") as folder:
        home = Path(folder).resolve() / "me"
        _furnish(home)
        shown = _run(picture.words, home, columns, _led_astray(home) if picture.is_astray else {})
    shown = _ANYWHERE.sub("", shown)
    shown = shown.replace(str(home), "~")
    shown = _TITLE.sub(rf"\g<1>credlatch {__version__}, ~/bin/credlatch\g<2>", shown)
    return re.sub(r"\b\d\d:\d\d\b(?!:)", _MOMENT, shown)


def _furnish(home: Path) -> None:
    """Logins of several tools, some of which are in each other's way."""
    oauth = {
        "access_token": "made-up",
        "refresh_token": "made-up",
        "expires_at": int(time.time()) + _LEFT,
        "token_endpoint": "https://sso.example.com/token",
        "client_id": "rattler",
    }
    rattler = {
        "conda.example.com": {"OAuth": oauth},
        "*.prefix.dev": {"BearerToken": "made-up"},
        "reg.example.com": {"BasicHTTP": {"username": "alice", "password": "made-up"}},
    }
    uv = '[[credential]]\nservice = "http://127.0.0.1:8801/"\nusername = "alice"\n'
    netrc = "machine conda.example.com login bob password made-up\n"
    _write(home / ".rattler/credentials.json", json.dumps(rattler))
    _write(
        home / ".local/share/uv/credentials/credentials.toml",
        uv + 'scheme = "basic"\npassword = "made-up"\n',
    )
    _write(home / ".netrc", netrc + "machine localhost:8801 login bob password made-up\n")
    _write(
        home / ".docker/config.json", json.dumps({"credHelpers": {"reg.example.com": "credlatch"}})
    )
    _write(home / "bin/credlatch", f'#!/bin/sh\nexec {sys.executable} -m credlatch "$@"\n', 0o755)
    (home / "bin/docker-credential-credlatch").symlink_to("credlatch")


def _led_astray(home: Path) -> dict[str, str]:
    """What goes wrong at many places; variables for it."""
    logins = home / ".rattler/credentials.json"
    kept = json.loads(logins.read_text())
    kept["reg.example.com:5000"] = kept.pop("reg.example.com")
    _write(logins, json.dumps(kept))
    return {"PATH": f"{home}/bin"}  # and no tools of this machine


def _write(file: Path, text: str, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def _run(words: tuple[str, ...], home: Path, columns: int, variables: dict[str, str]) -> str:
    env = {
        "HOME": str(home),
        "PATH": f"{home}/bin:/usr/bin:/bin",
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CREDLATCH_AGENT": "off",
        "PYTHONPATH": str(ROOT / "helper"),
        **variables,
    }
    command = [sys.executable, "-m", "credlatch", *words]
    # What is told of waiting, on standard error, is there on slow machines alone.
    nowhere = subprocess.DEVNULL
    with (
        terminal.opened(columns) as (ours, theirs),
        subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=nowhere, env=env, cwd=home),
    ):
        os.close(theirs)
        return terminal.text(b"".join(terminal.shown(ours)))


if __name__ == "__main__":
    draw()
