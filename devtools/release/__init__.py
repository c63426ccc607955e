"""A release: archives of each platform, and all that is made of these.

*Packing* is done on each platform, of what has been built (and signed) there. *Assembling* is done
once, on Linux, of the archives of all platforms, which it changes nothing in: packages, the image,
manifests, install scripts, the wheel, checksums. packaging/README.md says what there is.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

from devtools.release import archives
from devtools.release.assets import SYSTEMS, Assets, this_target, version
from devtools.steps import ROOT, must, say

SUMS = "SHA256SUMS"
STEPS = ("pack", "assemble")


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser("./dev release", description=__doc__)
    parser.add_argument("step", nargs="?", choices=STEPS, help="this one alone")
    parser.add_argument(
        "--target", default=this_target(), help="what was built is for; %(default)s unless said"
    )
    parser.add_argument("--dist", type=Path, help="what was built; dist/, built if needed")
    into = ROOT / "dist" / "release"
    parser.add_argument("--into", type=Path, default=into, help="the release; dist/release")
    said = parser.parse_args(arguments)
    if said.target.split("-")[0] not in SYSTEMS or len(said.target.split("-")) not in (2, 3):
        parser.error(f"--target {said.target}: SYSTEM-MACHINE, as in {this_target()}")
    return said


def release(python: Path, dist: Path, said: argparse.Namespace) -> int:
    """Do the steps that were asked for.

    Args:
        python: with the release group.
        dist: both forms of the program.
        said: as `parsed` gives it.
    """
    into: Path = said.into
    if said.step is None and into.exists():
        if any(into.iterdir()) and not (into / SUMS).exists():
            sys.exit(f"dev: {into} is not empty, and no release: choose another folder")
        shutil.rmtree(into)
    into.mkdir(parents=True, exist_ok=True)
    if said.step != "assemble":
        pack(dist, said.target, into)
    if said.step != "pack":
        assemble(python, into)
    return 0


def pack(dist: Path, target: str, into: Path) -> None:
    """Pack both forms of what was built for a platform, under the names of the release.

    Raises:
        SystemExit: they are not there.
    """
    assets = Assets(version(), target)
    single, folder = dist / assets.built("credlatch"), dist / "credlatch.d"
    for path in (single, folder / assets.built("credlatch")):
        if not path.is_file():
            sys.exit(f"dev: {path} is not there: build it first")
    say(f"packing {assets.archive}")
    entries = archives.folder(folder) | {"LICENSE": archives.Entry(False, ROOT / "LICENSE")}
    helper = assets.built("docker-credential-credlatch")
    program = assets.built("credlatch")
    if assets.system == "windows":  # a link needs a privilege there
        entries[helper] = entries[program]
        archives.zipped(into / assets.archive, assets.top, entries)
    else:
        entries[helper] = archives.Entry(False, program)
        archives.tarred(into / assets.archive, assets.top, entries)
    shutil.copyfile(single, into / assets.single)
    (into / assets.single).chmod(0o755)
    bom = dist / "credlatch.cdx.json"
    if bom.exists():
        shutil.copyfile(bom, into / assets.bom)


def assemble(python: Path, into: Path) -> None:
    """Make of the packed archives all else that a release has."""
    epoch = {"SOURCE_DATE_EPOCH": str(archives.epoch())}
    must("building wheel and sdist", python, "-m", "hatchling", "build", "-d", into, env=epoch)
    (into / SUMS).unlink(missing_ok=True)
    files = sorted(path for path in into.iterdir() if path.is_file())
    (into / SUMS).write_text("".join(f"{sha256(file)}  {file.name}\n" for file in files))
    say(f"{into.relative_to(Path.cwd()) if into.is_relative_to(Path.cwd()) else into}:")
    for file in files:
        print(f"{os.stat(file).st_size:>10}  {file.name}")


def sha256(file: Path) -> str:
    """The file's, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
