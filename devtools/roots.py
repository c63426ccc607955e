"""A Debian in a folder, for a program to be built and tried in: older than the machine, or another.

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

# Its glibc is of 2020. Without its updates: those are there for some machines only, and it stays
# the same for ever.
SUITE = "bullseye"
_MIRROR = f"deb http://deb.debian.org/debian {SUITE} main"
_PACKAGES = "binutils"  # objcopy and strip, for PyInstaller
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
    """The folder of a Debian for a machine, which this one can run.

    Raises:
        SystemExit: it cannot be made here.
    """
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
    place = cache / f"{SUITE}-{machine.debian}"
    if not place.is_dir():
        with alone(cache):
            if not place.is_dir():
                _make(machine, cache / "work", place)
    return place


def _make(machine: Machine, work: Path, place: Path) -> None:
    """Unpack and set up Debian's packages aside; in its place when whole."""
    shutil.rmtree(work, ignore_errors=True)  # of one that was killed: nothing is mounted there
    options = ("--mode=root", f"--arch={machine.debian}", "--variant=minbase", "--quiet")
    what = (f"--include={_PACKAGES}", SUITE, work, _MIRROR)
    must(f"making a root folder of {SUITE} for {machine.debian}", "mmdebstrap", *options, *what)
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
        yield "nsenter", f"--target={holds.pid}", "--mount", "--root"
