"""The launcher of both forms: the quick client, in C, before the program. credlatch.spec uses it.

Zig's compiler comes from PyPI, with a C library for each system: the launcher of Linux is linked
statically with musl, and needs nothing of the machine that it runs on; that of Windows needs
Windows' own C library.

usage: python build/launcher.py FOLDER IDENTITY WORK SYSTEM MACHINE

Makes the single file anew, of a folder form that has been signed since.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.clients import Client

_HERE = Path(__file__).parent / "loader"
_COMMON = ("bytes", "clients", "frame", "agent", "input", "main")
_FOLDER = ("folder",)
_SINGLE = ("payload", "contents", "single")
# What each system has a file of its own for, and what only the single file needs of that.
_SYSTEM = ("system", "place", "connection", "streams", "program", "main")
_SYSTEM_SINGLE = ("places", "unpacked", "files", "remove")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # as Zig calls them
_SYSTEMS = {"linux": "linux-musl", "darwin": "macos", "win32": "windows-gnu"}
_CACHE = Path.home() / ".cache" / "credlatch-dev" / "zig"  # of compiled C libraries, for all builds
_FLAGS = (
    *("-std=c11", "-Os", "-s", "-fstack-protector-strong"),
    # What _FORTIFY_SOURCE would be for another C library: undefined behaviour ends the process.
    *("-fsanitize=undefined", "-fsanitize-trap=undefined", "-fno-sanitize-recover=all"),
    *("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wno-c23-extensions"),
)
_FLAGS_OF = {
    "linux-musl": ("-fPIE", "-pie", "-Wl,-z,relro,-z,now"),
    "macos": ("-fPIE", "-pie"),
    "windows-gnu": ("-municode", "-ladvapi32"),
}


def sources() -> Iterable[Path]:
    """All files that it is made of."""
    return sorted(_HERE.iterdir())


def table() -> str:
    """The table of clients in C, as ``clients.c`` reads it."""
    from credlatch.clients import ALSO, BARE, CLIENTS

    rows = "".join(f"    {_row(client)},\n" for client in CLIENTS.values())
    others = "".join(f'    {{"{word}", "{name}"}},\n' for word, name in ALSO.items())
    return (
        f"static const struct client CLIENTS[] = {{\n{rows}}};\n"
        f"static const struct client BARE = {_row(BARE)};\n"
        f"static const struct {{ const char *word, *name; }} ALSO[] = {{\n{others}}};\n"
    )


def _row(client: Client) -> str:
    gets = ", ".join(_words(words) for words in client.gets)
    fields = f'"{client.name}", "{client.called}", {client.stream}'
    return f"{{{fields}, {{{gets}}}, {_words(client.verbs)}}}"


def _words(words: Iterable[str]) -> str:
    return "{" + ", ".join(f'"{word}"' for word in words) + "}"


def target(system: str = sys.platform, machine: str = platform.machine()) -> str:
    """A machine and system as Zig calls them; this one's unless said, in Python's words."""
    return f"{_MACHINES.get(machine.lower(), machine.lower())}-{_SYSTEMS[system]}"


def put_before(folder: Path, identity: str, work: Path, target: str) -> None:
    """Put the launcher into the folder form, and make the single file of that, beside it.

    Args:
        folder: the folder form, with the program in its folder "_internal".
        identity: the build's.
        work: where it is made.
        target: the machine and system that it is for, as Zig calls them.
    """
    shutil.copy(_built(identity, work, target), folder)
    carry_folder(folder, identity, work, target)


def carry_folder(folder: Path, identity: str, work: Path, target: str) -> None:
    """Make the single file of the folder form as it is, with its launcher."""
    import carry

    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(_built(identity, work, target, carry.payload(folder, work)), folder.parent)


def parts(system: str, *, single: bool = False) -> list[str]:
    """The files of the launcher in C, without their ending.

    Args:
        system: the last part of their names that differ: posix or windows.
        single: whether it is the single file's.
    """
    common = (*_COMMON, *(_SINGLE if single else _FOLDER))
    own = (*_SYSTEM, *(_SYSTEM_SINGLE if single else ()))
    return [*common, *(f"{part}_{system}" for part in own)]


def _built(identity: str, work: Path, target: str, payload: Path | None = None) -> Path:
    """A launcher; with a payload a single file, without one the folder's."""
    name = "folder" if payload is None else "single"
    work = work / f"launcher-{name}"
    work.mkdir(parents=True, exist_ok=True)
    (work / "clients.h").write_text(table(), encoding="ascii")
    windows = "windows" in target
    system = "windows" if windows else "posix"
    files = [str(_HERE / f"{part}.c") for part in parts(system, single=payload is not None)]
    if windows:
        files.append(str(_HERE / "windows.manifest"))
    more: list[str] = []
    if payload is not None:
        more = [f'-DPAYLOAD="{payload.absolute().as_posix()}"']
        files.append(str(work / "inflate.o"))
        _zig(
            *("build-obj", _HERE / "inflate.zig", "-target", target, "-O", "ReleaseSmall"),
            *("-fstrip", "-fPIC", f"-femit-bin={work / 'inflate.o'}"),
            work=work,
        )
    program = work / ("credlatch.exe" if windows else "credlatch")
    flags = (*_FLAGS, *_FLAGS_OF[target.partition("-")[2]], f'-DBUILD="{identity}"', *more)
    words = ("cc", "-target", target, *flags, f"-I{work}", f"-I{_HERE}", *files, "-o", program)
    _zig(*words, work=work)
    if sys.platform == "darwin":
        import signing  # beside this file, where credlatch.spec finds it

        signing.sign(program)
    return program


def _zig(*words: str | Path, work: Path) -> None:
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(_CACHE), "ZIG_LOCAL_CACHE_DIR": str(work / "zig")}
    subprocess.run(  # noqa: S603 - it is what the build group has installed
        [sys.executable, "-m", "ziglang", *words], check=True, env={**os.environ, **caches}
    )


if __name__ == "__main__":
    folder, identity, work, *other = sys.argv[1:]
    carry_folder(Path(folder), identity, Path(work), target(*other))
