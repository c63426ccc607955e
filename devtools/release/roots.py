"""Clean systems to try a release in: Debian's, with next to nothing, and nothing of this machine.

What a try does in one is gone afterwards: its files are in memory, above those of the system that
is kept. It has a network of its own with nothing but itself, and processes and mounts of its own,
which the kernel ends with it. Root alone can do that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from devtools.cache import alone, cache_folder
from devtools.environment import system
from devtools.steps import must

if TYPE_CHECKING:
    from collections.abc import Mapping

SUITE = "trixie"  # not the one that builds here: another libc and another Python
PACKAGES = {  # by the name of a system: what it has beside dpkg, apt and what these need
    "plain": (),
    "tools": (
        *("ca-certificates", "createrepo-c", "curl", "dnf", "man-db", "pipx", "python3-venv"),
        *("rpm", "wget"),
    ),
}
LIMIT = 1800  # seconds for one try
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# All of it in a mount namespace of its own, so that nothing is ever to be unmounted.
_ENTER = """
mount -t tmpfs -o size=4g,mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
root=$1/root
shift 2
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for given; do
    mkdir "$root/${given%%=*}"
    mount --bind "${given#*=}" "$root/${given%%=*}"
    mount -o remount,bind,ro "$root/${given%%=*}"
done
ip link set lo up
cd "$root"
exec chroot . /bin/sh -eux /try/script
"""


def run(name: str, script: str, given: Mapping[str, Path]) -> tuple[int, str]:
    """Run a script in one of the systems.

    Args:
        name: which.
        script: for sh -eux.
        given: folders that it finds in / by these names, and cannot change.

    Returns:
        Its exit status, and all that was said.
    """
    place = root(name)
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as folder:
        Path(folder, "script").write_text(f"export PATH={_PATH} HOME=/root\n{script}")
        folders = {"try": Path(folder), **given}
        command = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork"]
        command += ["--kill-child", "--propagation", "private", "sh", "-eu", "-c", _ENTER, "sh"]
        done = subprocess.run(
            [*command, work, str(place), *(f"{key}={path}" for key, path in folders.items())],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LIMIT,
            check=False,
        )
    return done.returncode, done.stdout


def root(name: str) -> Path:
    """The folder that has one of the systems; made when it is new."""
    if sys.platform != "linux" or os.getuid() != 0:
        sys.exit("dev: a release is tried in systems of its own, which root alone can make")
    made_of = repr((SUITE, PACKAGES[name]))
    cache = cache_folder() / "roots"
    place = cache / hashlib.sha256(made_of.encode()).hexdigest()
    if place.is_dir():
        return place
    system("debian-archive-keyring", "iproute2", "mmdebstrap")
    with alone(cache):
        if not place.is_dir():
            aside = cache / "work"
            shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
            (aside / "root").mkdir(parents=True)
            # By way of an archive: what mmdebstrap leaves behind when it is killed is its own.
            archive = aside / "root.tar"
            which = [f"--include={','.join(PACKAGES[name])}"] if PACKAGES[name] else []
            options: list[str | Path] = ["--variant=minbase", "--quiet", *which, SUITE, archive]
            must(f"making a {SUITE} to try a release in", "mmdebstrap", *options)
            must("unpacking it", "tar", "--numeric-owner", "-xf", archive, "-C", aside / "root")
            (aside / "root").rename(place)
            shutil.rmtree(aside)
    return place
