"""What a build needs of a Linux machine, read from the very files: `python needs.py PROGRAM`.

PROGRAM is the folder form, any other folder, or the single file, for whatever machine. It tells the
machine, the oldest glibc with all symbols that the files ask for, and the libraries that the system
must have; and it fails when a file looks for libraries in a folder of the machine that built it,
asks for one that neither the program nor glibc has, or is for another machine than the rest.

usage: needs.py [--at-most VERSION | --musl] PROGRAM
"""

# ruff: noqa: T201 - it prints for people

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path
from typing import NamedTuple

import carry

_NAMES = ("x86_64", "aarch64")
# Of glibc itself (gnu/lib-names.h), and the dynamic linkers of x86_64 and aarch64.
GLIBCS = {
    *("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1"),
    *("libutil.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
}
# musl itself, as linkers and Alpine call it; it takes both names for its own.
MUSLS = {
    "libc.so",
    *(f"{kind}-{machine}.so.1" for kind in ("libc.musl", "ld-musl") for machine in _NAMES),
}
_NEARBY = "$ORIGIN"  # ld.so(8): the folder of the file itself
# No version of its own: what came with which (glibc's NEWS).
_FEATURES = {"GLIBC_ABI_DT_RELR": (2, 36)}

_MAGIC = b"\x7fELF\x02\x01"  # of 64 bits, the lowest byte first: all machines that we build for
_MACHINES = dict(zip((62, 183), _NAMES, strict=True))
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3  # program headers
_NEEDED, _STRTAB, _RPATH, _RUNPATH = 1, 5, 15, 29  # entries of the dynamic section
_VERNEED, _VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF


class Library(NamedTuple):
    """What one program or library asks for.

    Attributes:
        machine: Linux's name of the machine that it is for.
        interpreter: the dynamic linker that starts it; "" for none.
        needed: the libraries that it is linked with.
        folders: where it looks for them by itself (RPATH, RUNPATH).
        versions: the versions of symbols that it wants, and of which library.
    """

    machine: str
    interpreter: str
    needed: list[str]
    folders: list[str]
    versions: list[tuple[str, str]]


def read(content: bytes) -> Library:
    """What an ELF file asks for (System V ABI, and LSB's "Symbol Versioning").

    Raises:
        ValueError: it cannot be read.
    """
    try:
        return _read(content)
    except (struct.error, KeyError, OverflowError, UnicodeDecodeError) as error:
        raise ValueError(f"no ELF file that can be read: {error}") from error


def _read(content: bytes) -> Library:
    machine = struct.unpack_from("<H", content, 18)[0]
    start, size, number = (
        *struct.unpack_from("<Q", content, 32),
        *struct.unpack_from("<HH", content, 54),
    )
    headers = [struct.unpack_from("<IIQQQQQQ", content, start + size * at) for at in range(number)]
    loaded = [header for header in headers if header[0] == _LOAD]

    def offset(address: int) -> int:
        for _, _, at, first, _, length, _, _ in loaded:
            if first <= address < first + length:
                return address - first + at
        raise ValueError(f"there is nothing at address {address:#x}")

    interpreter, entries = "", []
    for kind, _, at, _, _, length, _, _ in headers:
        if kind == _INTERP:
            interpreter = content[at : at + length].rstrip(b"\0").decode()
        if kind == _DYNAMIC:
            entries = list(struct.iter_unpack("<QQ", content[at : at + length]))
    values = dict(entries)
    strings = offset(values[_STRTAB]) if _STRTAB in values else 0

    def text(at: int) -> str:
        return content[strings + at : content.index(b"\0", strings + at)].decode()

    folders = [text(at) for tag, at in entries if tag in (_RPATH, _RUNPATH)]
    versions = []
    if _VERNEED in values:
        at = offset(values[_VERNEED])
        for _ in range(values[_VERNEEDNUM]):
            _, count, name, own, following = struct.unpack_from("<HHIII", content, at)
            each = at + own
            for _ in range(count):
                _, _, _, version, step = struct.unpack_from("<IHHII", content, each)
                versions.append((text(name), text(version)))
                each += step
                if not step:
                    break
            at += following
            if not following:
                break
    return Library(
        _MACHINES.get(machine, f"machine {machine}"),
        interpreter,
        [text(at) for tag, at in entries if tag == _NEEDED],
        [folder for listed in folders for folder in listed.split(":")],
        versions,
    )


class Needs(NamedTuple):
    """What a whole program needs.

    Attributes:
        machine: what it is for.
        glibc: the oldest that has all of it, as `(2, 17)`; `()` when it needs none.
        by: the files that need that one.
        problems: what must not be, a line each.
        musl: whether it is linked with musl.
    """

    machine: str
    glibc: tuple[int, ...]
    by: list[str]
    problems: list[str]
    musl: bool = False


def of(program: Path) -> Needs:
    """What a folder or a single file needs.

    Raises:
        ValueError: there is nothing in it that can be read.
    """
    files = {name: read(data) for name, data in _files(program) if data.startswith(_MAGIC)}
    if not files:
        raise ValueError(f"{program} has nothing for Linux")
    carried = {Path(name).name for name in files}
    machines = {library.machine for library in files.values()}
    problems = [f"it is for {' and '.join(sorted(machines))}"] if len(machines) > 1 else []
    linked = {needed for library in files.values() for needed in library.needed} - carried
    if linked & MUSLS and linked & GLIBCS - MUSLS:
        problems.append("it is linked with glibc and musl")
    floors: dict[str, tuple[int, ...]] = {}
    for name, library in files.items():
        problems += [
            f"{name} needs {needed}, which is not there"
            for needed in library.needed
            if needed not in carried | GLIBCS | MUSLS
        ]
        problems += [
            f"{name} looks for libraries in {folder or 'the current folder'}"
            for folder in library.folders
            if folder != _NEARBY and not folder.startswith(f"{_NEARBY}/")
        ]
        wanted = [_version(version) for of, version in library.versions if of in GLIBCS]
        if None in wanted:
            problems.append(f"{name} needs what only one version of glibc has")
        floors[name] = max((version for version in wanted if version), default=())
    floor = max(floors.values())
    by = [name for name, version in floors.items() if version == floor and floor]
    return Needs(sorted(machines)[0], floor, by, problems, bool(linked & MUSLS))


def _version(name: str) -> tuple[int, ...] | None:
    """The version of glibc that first had a symbol's version; None for GLIBC_PRIVATE and such."""
    numbers = re.fullmatch(r"GLIBC_(\d+(?:\.\d+)+)", name)
    return tuple(map(int, numbers[1].split("."))) if numbers else _FEATURES.get(name)


def _files(program: Path) -> list[tuple[str, bytes]]:
    if program.is_dir():
        paths = sorted(path for path in program.rglob("*") if path.is_file())
        return [(str(path.relative_to(program)), path.read_bytes()) for path in paths]
    content = program.read_bytes()
    try:
        inside = carry.carried(content)
    except ValueError:
        inside = []  # a program by itself
    return [(program.name, content), *inside]


def main(words: list[str]) -> str | None:
    """Tell what the program needs; what is wrong with it."""
    musl, most = words[:1] == ["--musl"], ""
    if words[:1] == ["--at-most"] and len(words) > 1:
        most = words[1]
    programs = words[2 if most else int(musl) :]
    if len(programs) != 1 or programs[0].startswith("-") or not re.fullmatch(r"[\d.]*", most):
        return str(__doc__).rpartition("\n\n")[2].strip()
    program = programs[0]
    try:
        needs = of(Path(program))
    except (OSError, ValueError) as error:
        return f"needs.py: {error}"
    glibc = ".".join(map(str, needs.glibc))
    floor = f"glibc {glibc}: {', '.join(needs.by)}" if glibc else "no glibc"
    print(f"{program}: {needs.machine}, {'musl' if needs.musl else floor}")
    problems = list(needs.problems)
    if most and needs.glibc > tuple(map(int, most.split("."))):
        problems.append(f"it needs glibc {glibc}, and may need {most}")
    if needs.musl != musl:
        problems.append("it is linked with musl" if needs.musl else "it is not linked with musl")
    return "\n".join(f"needs.py: {program}: {problem}" for problem in problems) or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
