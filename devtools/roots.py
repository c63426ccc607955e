"""A Debian in a folder, for a program to be built and tried in: older than the machine, or another.

With musl there are two: one that builds, and one to try it in that has no other C library.
Kept in the user's cache, and never written to by what is run in it: that has the folders it needs
from outside, by their own paths, in a mount namespace of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from devtools.cache import alone, cache_folder
from devtools.environment import system
from devtools.steps import ask, must

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devtools.cpython import Machine

# Debian's suites by the C library that a program is for. bullseye's glibc is of 2020; the musl of
# trixie is 1.2.5 of 2024, which is what Zig compiles for: it knows no older one. Without updates:
# those are there for some machines only, and it stays the same for ever.
SUITES = {"gnu": "bullseye", "musl": "trixie"}
_MIRROR = "deb http://deb.debian.org/debian {suite} main"
_PACKAGES = ("binutils",)  # for PyInstaller
_LOADER = "/lib/ld-musl-{name}.so.1"
# Its libraries are a Python's for musl, which LD_LIBRARY_PATH names, and not those of this one.
_TOOL = """\
#!/bin/sh
unset LD_LIBRARY_PATH
exec /usr/bin/{name} "$@"
"""
_OF_THE_SYSTEM = ("/proc", "/dev")
# Ends with the standard input of what has started it, whatever becomes of that.
_HOLDS = """
set -e
root=$1
shift
mount -t tmpfs none "$root/tmp"
for folder; do
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
done
exec chroot "$root" cat
"""


def root(machine: Machine) -> Path:
    """The folder of a Debian for a machine, which this one can run, for PyInstaller to build in.

    Raises:
        SystemExit: it cannot be made here.
    """
    if machine.libc == "gnu":
        return _made(machine, "", ("--variant=minbase",), _PACKAGES)
    place = _made(machine, "-musl", ("--variant=minbase",), (*_PACKAGES, "musl"))
    own = place / "usr" / "local" / "bin"
    if not (own / "ldd").is_symlink():
        for name in ("objcopy", "objdump", "strip"):
            (own / name).write_text(_TOOL.format(name=name))
            (own / name).chmod(0o755)
        (own / "ldd").symlink_to(_LOADER.format(name=machine.name))  # as musl has it
    return place


def bare(machine: Machine, zlib: Path) -> Path:
    """The folder of a system with musl, zlib and busybox, and nothing else, as Alpine's is.

    Args:
        machine: what it is for.
        zlib: the library; Debian has none for musl.

    Raises:
        SystemExit: it cannot be made here.
    """
    place = _made(machine, "-bare", ("--variant=extract",), ("musl", "busybox-static"))
    if not (place / "usr" / "lib" / zlib.name).exists():
        for name in ("bin", "lib"):
            if not (place / name).exists():
                (place / name).symlink_to(f"usr/{name}")
        words = ("/bin/busybox", "--install", "-s", "/bin")
        must("having busybox's commands", "chroot", place, *words)
        (place / "proc").mkdir(exist_ok=True)
        # Debian's own folders; without it musl looks into those of Alpine.
        (place / "etc" / f"ld-musl-{machine.name}.path").unlink(missing_ok=True)
        (place / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        shutil.copy(zlib, place / "usr" / "lib")
    return place


def _made(machine: Machine, kind: str, options: tuple[str, ...], packages: tuple[str, ...]) -> Path:
    if sys.platform != "linux" or os.getuid() != 0:
        sys.exit("dev: a root folder to build in needs Linux, and root")
    foreign = machine.name != os.uname().machine
    more = ("arch-test", "qemu-user-static") if foreign else ()
    system("debian-archive-keyring", "mmdebstrap", *more)
    if not shutil.which("mmdebstrap"):
        sys.exit("dev: a root folder to build in needs Debian's mmdebstrap")
    if foreign and ask("arch-test", machine.debian)[0] != 0:
        # The kernel is told once after each start of the machine, by what Debian has for that.
        system("binfmt-support")
        must("having Linux use qemu", "update-binfmts", "--enable", f"qemu-{machine.name}")
    cache = cache_folder() / "roots"
    place = cache / f"{SUITES[machine.libc]}-{machine.debian}{kind}"
    if not place.is_dir():
        with alone(cache):
            if not place.is_dir():
                how = (*options, f"--include={','.join(packages)}")
                _make(machine, how, cache / "work", place)
    return place


def _make(machine: Machine, how: tuple[str, ...], work: Path, place: Path) -> None:
    """Unpack and set up Debian's packages aside; in its place when whole."""
    shutil.rmtree(work, ignore_errors=True)  # of one that was killed: nothing is mounted there
    options = ("--mode=root", f"--arch={machine.debian}", "--quiet", *how)
    suite = SUITES[machine.libc]
    what = (suite, work, _MIRROR.format(suite=suite))
    must(f"making a root folder of {suite} for {machine.target}", "mmdebstrap", *options, *what)
    work.rename(place)


@contextlib.contextmanager
def inside(root: Path, *shared: Path) -> Iterator[tuple[str, ...]]:
    """Words to put before a command that is to run in a root folder, while the block lasts.

    What is mounted there is so for such commands alone, and gone with the last of them.

    Args:
        root: the folder.
        shared: folders of this system that are there, too, by the same paths.
    """
    folders = [*_OF_THE_SYSTEM, *map(str, shared)]
    words = ["unshare", "--mount", "--propagation=private", "sh", "-c", _HOLDS, "sh", str(root)]
    with subprocess.Popen([*words, *folders], stdin=-1, stdout=-1, bufsize=0) as holds:
        assert holds.stdin is not None  # noqa: S101 - they are pipes
        assert holds.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            holds.stdin.write(b"\n")
        if holds.stdout.read(1) != b"\n":
            sys.exit(f"dev: {root} cannot be used")
        # The working directory is there, and no folder outside that has no name within.
        yield "nsenter", f"--target={holds.pid}", "--mount", "--root", "--wdns=/"
