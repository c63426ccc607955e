"""Windows under Wine, with a Windows Python: what builds and tries the Windows program on Linux.

Wine is Debian's. Python is Maven Central's, built by those who packed it and not by python.org:
good for tests, not for a release. The packages are PyPI's for Windows, put in by uv. All of it but
Wine is kept in the user's cache under a digest of what it is made of, as the components are.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devtools import lock
from devtools.cache import alone, cache_folder
from devtools.environment import system
from devtools.steps import ROOT, SCRATCH, digest, must, say

if TYPE_CHECKING:
    from collections.abc import Iterator

_PYTHON = "3.13.5"
_ARTIFACT = f"org.bytedeco:cpython:{_PYTHON}-1.5.12:jar:windows-x86_64"
_TARGET = "x86_64-pc-windows-msvc"
ELSEWHERE = "CREDLATCH_LAUNCHER_ELSEWHERE"  # a variable of build/elsewhere.py
TRIPLE = "x86_64-windows-gnu"  # as Zig says it
_PREFIX = SCRATCH / "wine"
_NEW = _PREFIX / "credlatch-new.json"
_SERVERS = SCRATCH / "wineserver.log"
_SYSTEM = "win10"  # a new Wine says that it is Windows 7
_NO_SCREEN = (r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f")
_SETTINGS = {
    "WINEPREFIX": str(_PREFIX),
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree,mshtml=",  # it would look for both to install them
}
_LIMIT = 3600  # seconds for one step: a build takes minutes, and a busy machine many of them
# A program with a window, as the single file's loader makes one, without any sight of it.
_STAYS = "import ctypes, sys; ctypes.windll.user32.GetDesktopWindow(); sys.stdin.read()"
_QUIET: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)


@contextlib.contextmanager
def running() -> Iterator[None]:
    """A Windows of this checkout's own while the block lasts; set up when it is new."""
    system("wine", "wine64", "maven", "osslsigncode")
    if sys.platform != "linux" or not shutil.which("wine") or not shutil.which("mvn"):
        sys.exit("dev: windows needs Linux with Wine and Maven: Debian's wine, wine64 and maven")
    os.environ.update(_SETTINGS)
    # What the first program starts with it, Wine's server and Windows' services, keeps that one's
    # output open, and whoever reads it waiting: a program without any is the first. There may be
    # some of a run that was killed.
    for word in ("--kill", "--wait"):
        subprocess.run(["wineserver", word], check=False, **_QUIET)
    if not _NEW.exists():  # it was never finished
        shutil.rmtree(_PREFIX, ignore_errors=True)
    _PREFIX.mkdir(parents=True, exist_ok=True)
    # A process that the server gives up ends with status 1, as one of ours may, and says nothing.
    with _SERVERS.open("wb") as log:
        subprocess.run(["wineserver", "--persistent"], check=True, **(_QUIET | {"stderr": log}))
    try:
        say("starting Wine")
        subprocess.run(["wine", "wineboot", "--init"], check=True, timeout=_LIMIT, **_QUIET)
        if not _NEW.exists():
            # The single file's loader makes a window, which takes seconds where no screen is.
            wine("doing without a screen", "reg", "add", *_NO_SCREEN)
            wine(f"having it be {_SYSTEM}", "winecfg", "-v", _SYSTEM)
            there = [[path.name for path in folder.iterdir()] for folder in folders()]
            _NEW.write_text(json.dumps(there), encoding="utf-8")
        yield
    finally:
        subprocess.run(["wineserver", "--kill"], check=False, **_QUIET)
        if said := _SERVERS.read_text(errors="replace").strip():
            say(f"Wine's server said:\n{said}")


def folders() -> list[Path]:
    """Where programs leave files, in what its user has there, and on the drive."""
    drive = _PREFIX / "drive_c"
    home = drive / "users" / getpass.getuser()
    return [home, home / "AppData" / "Local", home / "AppData" / "Roaming", drive]


def new() -> dict[Path, set[str]]:
    """What was in each of the folders when this Windows was new, whoever was killed since."""
    there = json.loads(_NEW.read_text(encoding="utf-8"))
    return dict(zip(folders(), map(set, there), strict=True))


@contextlib.contextmanager
def desktop(python: Path) -> Iterator[None]:
    """Keep Windows' desktop and services there while the block lasts.

    They end with the last program that has a window, and the next one starts them again: a second
    or two, and ten where a service does not come.

    Args:
        python: a Windows Python.
    """
    words = ["wine", str(python), "-c", _STAYS]
    streams: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(words, **streams) as stays:
        try:
            yield
        finally:
            stays.kill()


def wine(what: str, *words: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a Windows program as a step; when it fails, show what it said, and end.

    All its streams are pipes: Windows' Python under Wine takes files and /dev/null for broken.
    """
    say(what)
    done = subprocess.run(
        ["wine", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        input=b"",
        capture_output=True,
        timeout=_LIMIT,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        sys.exit(f"{said}\ndev: {what}: failed with exit status {done.returncode}")


def path(path: Path) -> str:
    """What a path of this system is called in Windows."""
    return "Z:" + str(path).replace("/", "\\")


def elsewhere(what: str, python: Path, *words: str | Path) -> None:
    """Do this system's part of a build: the launcher, as Zig's compiler does not run under Wine.

    Args:
        what: the step.
        python: this system's, with the build group.
        words: what build/elsewhere.py is told.
    """
    env = {"PYTHONPATH": str(ROOT / "helper"), "PYTHONHASHSEED": "0"}
    must(what, python, ROOT / "build" / "elsewhere.py", *words, env=env)


def python(uv: Path) -> Path:
    """A Windows Python with all that the program is built of.

    Args:
        uv: a uv, which knows `--python-platform`: pip judges by the system that it runs on itself.
    """
    made_of = (_ARTIFACT, digest(lock.FOLDER, Path(__file__)))
    cache = cache_folder() / "windows"
    place = cache / hashlib.sha256(repr(made_of).encode()).hexdigest()
    if not place.is_dir():
        with alone(cache):
            if not place.is_dir():
                _make(uv, cache / "work", place)
    return place / "python.exe"


def _make(uv: Path, work: Path, place: Path) -> None:
    """Lay Python out as its own installer does, with the packages; in its place when whole."""
    shutil.rmtree(work, ignore_errors=True)  # of one that was killed
    work.mkdir()
    maven = ("mvn", "--batch-mode", "--quiet", f"-Dmaven.repo.local={work / 'maven'}")
    got = ("dependency:get", f"-Dartifact={_ARTIFACT}", "-Dtransitive=false")
    must(f"getting Python {_PYTHON} for Windows", *maven, *got)
    (jar,) = (work / "maven" / "org" / "bytedeco" / "cpython").rglob("*-windows-x86_64.jar")
    with zipfile.ZipFile(jar) as archive:
        archive.extractall(work)
    found, aside = work / "org" / "bytedeco" / "cpython" / "windows-x86_64", work / place.name
    (aside / "DLLs").mkdir(parents=True)
    (found / "lib").rename(aside / "Lib")
    (found / "libs").rename(aside / "libs")
    for file in (*found.glob("bin/*.exe"), *found.glob("python*.dll")):
        file.rename(aside / file.name)
    for file in [file for ending in ("pyd", "dll") for file in (aside / "Lib").glob(f"*.{ending}")]:
        beside = aside if file.name.startswith("vcruntime") else aside / "DLLs"
        file.rename(beside / file.name)
    # platform.uname() asks it for the version, and Wine 8 crashes over the answer.
    (aside / "DLLs" / "_wmi.pyd").unlink()
    target = ("--target", aside / "Lib" / "site-packages", "--only-binary", ":all:")
    options = ("--python-platform", _TARGET, "--python-version", _PYTHON)
    what = lock.options(lock.PROGRAM, "build")
    must("installing packages for it", uv, "pip", "install", "-q", *target, *options, *what)
    # 300 MB, and it is Linux' that compiles: this one does not run under Wine.
    shutil.rmtree(aside / "Lib" / "site-packages" / "ziglang")
    aside.rename(place)
    shutil.rmtree(work)
