"""The launcher of both forms: the quick client, in C, before the program. credlatch.spec uses it.

Zig's compiler comes from PyPI, with a C library for each system: the launcher of Linux is linked
statically with musl, and needs nothing of the machine that it runs on.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.clients import Client

_HERE = Path(__file__).parent / "loader"
_BOTH = ("bytes", "clients", "place", "frame", "agent", "input", "program", "main")
_FOLDER = (*_BOTH, "folder")
_SINGLE = (*_BOTH, "places", "unpacked", "contents", "remove", "payload", "single")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # as Zig calls them
_SYSTEMS = {"linux": "linux-musl", "darwin": "macos"}
_CACHE = Path.home() / ".cache" / "credlatch-dev" / "zig"  # of compiled C libraries, for all builds
_FLAGS = (
    *("-std=c11", "-Os", "-s", "-fPIE", "-pie", "-fstack-protector-strong"),
    *(() if sys.platform == "darwin" else ("-Wl,-z,relro,-z,now",)),
    # What _FORTIFY_SOURCE would be for another C library: undefined behaviour ends the process.
    *("-fsanitize=undefined", "-fsanitize-trap=undefined", "-fno-sanitize-recover=all"),
    *("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wno-c23-extensions"),
)


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


def built(identity: str, work: Path, payload: Path | None = None) -> Path:
    """A launcher.

    Args:
        identity: the build's.
        work: where it is made.
        payload: what a single file carries; None: the folder's.
    """
    name = "folder" if payload is None else "single"
    work = work / f"launcher-{name}"
    work.mkdir(parents=True, exist_ok=True)
    (work / "clients.h").write_text(table(), encoding="ascii")
    target = (
        f"{_MACHINES.get(platform.machine().lower(), platform.machine())}-{_SYSTEMS[sys.platform]}"
    )
    parts = [str(_HERE / f"{part}.c") for part in (_FOLDER if payload is None else _SINGLE)]
    more = []
    if payload is not None:
        more = [f'-DPAYLOAD="{payload}"']
        parts.append(str(work / "inflate.o"))
        _zig(
            *("build-obj", _HERE / "inflate.zig", "-target", target, "-O", "ReleaseSmall"),
            *("-fstrip", "-fPIC", f"-femit-bin={work / 'inflate.o'}"),
            work=work,
        )
    program = work / "credlatch"
    flags = (*_FLAGS, f'-DBUILD="{identity}"', *more, f"-I{work}", f"-I{_HERE}")
    _zig("cc", "-target", target, *flags, *parts, "-o", program, work=work)
    if sys.platform == "darwin":
        import signing  # beside this file, where credlatch.spec finds it

        signing.sign(program)
    return program


def _zig(*words: str | Path, work: Path) -> None:
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(_CACHE), "ZIG_LOCAL_CACHE_DIR": str(work / "zig")}
    subprocess.run(  # noqa: S603 - it is what the build group has installed
        [sys.executable, "-m", "ziglang", *words], check=True, env={**os.environ, **caches}
    )
