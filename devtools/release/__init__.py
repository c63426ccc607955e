"""A release: archives of each platform, and all that is made of these.

*Carrying* makes the single file anew, of a folder form that has been signed. *Packing* is done on
each platform, of what has been built (and signed) there. *Assembling* is done
once, on Linux, of the archives of all platforms, which it changes nothing in: packages, the image,
manifests, install scripts, the wheel, checksums. *Trying* is installing each in a clean system.
packaging/README.md says what there is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

from devtools.release import archives, manifests, packages, tries
from devtools.release.archives import Entry, Link
from devtools.release.assets import MANUAL, NOTICES, SYSTEMS, Assets, this_target, version
from devtools.release.contents import Contents
from devtools.steps import ROOT, SCRATCH, must, say

SUMS = "SHA256SUMS"
BILL = "credlatch.cdx.json"  # of materials, beside both forms
STEPS = ("carry", "pack", "assemble", "try")


def parsed(arguments: list[str]) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser("./dev release", description=__doc__)
    parser.add_argument("step", nargs="?", choices=STEPS, help="this one alone")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of what to try; all")
    parser.add_argument(
        "--target", default=this_target(), help="what was built is for; %(default)s unless said"
    )
    parser.add_argument("--dist", type=Path, help="what was built; dist/, built if needed")
    into = ROOT / "dist" / "release"
    parser.add_argument("--into", type=Path, default=into, help="the release; dist/release")
    parser.add_argument("--url", help="where its files will be; the project's releases")
    said = parser.parse_args(arguments)
    if unknown := set(said.names) - set(tries.NAMES):
        parser.error(f"what is '{min(unknown)}'; known are {', '.join(tries.NAMES)}")
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
        assemble(python, into, said.url)
    return 0


def tried(python: Path, uv: Path, said: argparse.Namespace) -> int:
    """Try what was asked for, or all; the exit status.

    Args:
        python: with the test group.
        uv: a uv.
        said: as `parsed` gives it.
    """
    if not (said.into / SUMS).exists():
        sys.exit(f"dev: {said.into} has no release: make one first, by ./dev release")
    return tries.in_a_folder(Contents(said.into.absolute(), said.url), python, uv, said.names)


def carry(python: Path, dist: Path, target: str) -> None:
    """Make the single file anew, of the folder form as it is by now: signed.

    Args:
        python: with the build group.
        dist: both forms of the program.
        target: what they are for.
    """
    said = json.loads((dist / BILL).read_text(encoding="utf-8"))["metadata"]["component"]
    told = {each["name"]: each["value"] for each in said["properties"]}
    assets = Assets(version(), target)
    for_whom = (SYSTEMS[assets.system], assets.machine)
    words = (dist / "credlatch.d", told["credlatch:build"], SCRATCH / "carry", *for_whom)
    env = {"PYTHONPATH": str(ROOT / "helper"), "PYTHONHASHSEED": "0"}
    must("carrying what is signed", python, ROOT / "build" / "launcher.py", *words, env=env)


def billed(dist: Path) -> str:
    """The bill of materials, with the hashes of files as they are by now: signed."""
    said = json.loads((dist / BILL).read_text(encoding="utf-8"))
    components = [said["metadata"]["component"], *said["components"]]
    for file in (part for each in components for part in each["components"]):
        if file["type"] == "file":
            content = (dist / file["name"]).read_bytes()
            file["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def pack(dist: Path, target: str, into: Path) -> None:
    """Pack both forms of what was built for a platform, under the names of the release.

    Raises:
        SystemExit: they are not there.
    """
    assets = Assets(version(), target)
    single, folder = dist / assets.built("credlatch"), dist / "credlatch.d"
    notices = Path("_internal", NOTICES)
    for path in (single, folder / assets.built("credlatch"), folder / notices):
        if not path.is_file():
            sys.exit(f"dev: {path} is not there: build it first")
    say(f"packing {assets.archive}")
    program = assets.built("credlatch")
    helper = assets.built("docker-credential-credlatch")
    entries = archives.folder(folder) | {"LICENSE": Entry((ROOT / "LICENSE").read_bytes())}
    if assets.system == "windows":  # where a link needs a privilege
        entries[NOTICES] = Entry((folder / notices).read_bytes())
        entries[helper] = Entry(entries[program].content, runs=True)
        packed = archives.zipped(assets.top, entries)
    else:
        entries[NOTICES] = Entry(Link(notices.as_posix()))
        entries[helper] = Entry(Link(program))
        entries[MANUAL] = Entry((ROOT / "packaging" / MANUAL).read_bytes())
        packed = archives.gzipped(archives.tarred(assets.top, entries))
    (into / assets.archive).write_bytes(packed)
    shutil.copyfile(single, into / assets.single)
    (into / assets.single).chmod(0o755)
    if (dist / BILL).exists():
        (into / assets.bom).write_text(billed(dist), encoding="utf-8", newline="\n")


def assemble(python: Path, into: Path, url: str | None) -> None:
    """Make of the packed archives all else that a release has.

    Args:
        python: with the release group.
        into: the folder with the archives.
        url: where the files will be, if not at the project's releases.
    """
    epoch = {"SOURCE_DATE_EPOCH": str(archives.epoch())}
    must("building wheel and sdist", python, "-m", "hatchling", "build", "-d", into, env=epoch)
    contents = Contents(into, url)
    say("making packages, the image and manifests")
    for assets in contents.of("linux"):
        packages.deb(contents, assets)
        packages.rpm(contents, assets)
    if contents.of("linux"):
        packages.image(contents)
    manifests.write(contents)
    packages.feature(contents)
    (into / SUMS).unlink(missing_ok=True)
    files = sorted(path for path in into.iterdir() if path.is_file())
    (into / SUMS).write_text(
        "".join(f"{contents.sha256(file.name)}  {file.name}\n" for file in files)
    )
    say(f"{into} has:")
    for file in files:
        print(f"{file.stat().st_size:>10}  {file.name}")
