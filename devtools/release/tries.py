"""Each of a release's files, installed in a clean system, tried there, and taken away again."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from devtools.environment import system
from devtools.release import roots, scripts
from devtools.release.assets import this_target
from devtools.release.packages import DEBIANS
from devtools.steps import ROOT, ask, must, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devtools.release.contents import Contents


class Trial(NamedTuple):
    """A release to try, with what its tries need.

    Attributes:
        contents: the release.
        python: with the release and test groups.
        uv: a uv.
        work: a folder for what is made on the way.
    """

    contents: Contents
    python: Path
    uv: Path
    work: Path

    def variables(self) -> dict[str, str]:
        """The files of this machine's platform, as the scripts name them."""
        contents = self.contents
        assets = contents.assets[this_target()]
        (deb,) = contents.folder.glob(f"*_{DEBIANS[assets.machine]}.deb")
        (rpm,) = contents.folder.glob(f"*.{assets.machine}.rpm")
        return {
            "VERSION": contents.version,
            "GLIBC": contents.glibc(assets),
            "ARCHIVE": assets.archive,
            "SINGLE": assets.single,
            "DEB": deb.name,
            "RPM": rpm.name,
            "WHEEL": f"{assets.top}-py3-none-any.whl",
            "SDIST": f"{assets.top}.tar.gz",
        }

    def wheels(self) -> Path:
        """A folder with what the wheel needs, for the Python of the clean systems."""
        folder = self.work / "wheels"
        if not folder.is_dir():
            _, said = roots.run(
                "tools", "python3 -c 'import sys; print(*sys.version_info[:2])'", {}
            )
            version = ".".join(said.split()[-2:])
            quietly = ("download", "--quiet", "--disable-pip-version-check", "--dest", folder)
            machine = this_target().split("-")[1]
            platforms = [f"manylinux{kind}_{machine}" for kind in ("2014", "_2_17", "_2_28")]
            for_it = [word for each in platforms for word in ("--platform", each)]
            for_it += ["--python-version", version, "--only-binary", ":all:"]
            what = (self.contents.folder / self.variables()["WHEEL"], "hatchling", "pip")
            must("getting what the wheel needs", self.python, "-m", "pip", *quietly, *for_it, *what)
        return folder


def tries(trial: Trial, chosen: Sequence[str]) -> int:
    """Try what was chosen; the exit status.

    Args:
        trial: of what, and with what.
        chosen: of `NAMES`.
    """
    failed = []
    for name in chosen:
        began = time.monotonic()
        code, said = _OTHERS[name](trial) if name in _OTHERS else _in_a_root(trial, name)
        if code != 0:
            failed.append(name)
            print(said)
        print(
            f"{name}: {'tried' if code == 0 else 'FAILED'}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    if failed:
        say(f"failed: {' '.join(failed)}")
    return 1 if failed else 0


def _in_a_root(trial: Trial, name: str) -> tuple[int, str]:
    root, script = scripts.SCRIPTS[name]
    given = {"release": trial.contents.folder, "checkout": ROOT}
    if "/wheels" in script:
        given["wheels"] = trial.wheels()
    if "/uv/" in script:
        given["uv"] = trial.uv.parent
    variables = "".join(f"{key}={value}\n" for key, value in trial.variables().items())
    return roots.run(
        root, variables + scripts.BEGIN + script.replace("{glibc}", scripts.GLIBC), given
    )


def _image(trial: Trial) -> tuple[int, str]:
    """Copied from, by buildah, into an image of the plain system."""
    system("buildah")
    store = trial.work / "containers"
    words: list[str | Path] = ["buildah", "--root", store / "root", "--runroot", store / "run"]
    words += ["--storage-driver", "vfs"]
    archive = trial.contents.folder / f"credlatch-{trial.contents.version}.oci.tar"
    (trial.work / "answers").write_text(
        f"VERSION={trial.contents.version}\n{scripts.BEGIN}\nanswers credlatch\n"
    )
    (trial.work / "Containerfile").write_text(
        "FROM scratch\nADD plain.tar /\nCOPY answers /\n"
        f"COPY --from=oci-archive:{archive} /credlatch /usr/local/bin/credlatch\n"
        'RUN ["/bin/sh", "-eux", "/answers"]\n'
    )
    packed = ("--exclude=./dev", "-cf", trial.work / "plain.tar", ".")
    steps: list[list[str | Path]] = [
        ["tar", "-C", roots.root("plain"), *packed],
        [*words, "build", "--isolation", "chroot", trial.work],
    ]
    said = ""
    for step in steps:
        code, more = ask(*step)
        said += more
        if code != 0:
            return code, said
    return 0, said


def _conda(trial: Trial) -> tuple[int, str]:
    """Built by rattler-build, installed by rattler, and run in the plain system."""
    folder = trial.work / "conda"
    limited = ("timeout", str(roots.LIMIT), trial.python)
    words = ("-m", "devtools.release.conda", trial.contents.folder, folder, trial.contents.url)
    code, said = ask(*limited, *words, env={"PYTHONPATH": str(ROOT)})
    if code != 0:
        return code, said
    script = f"VERSION={trial.contents.version}\n{scripts.BEGIN}\nanswers /env/bin/credlatch\n"
    script += "/env/bin/docker-credential-credlatch version\n"
    script += "for name in $BOTH; do test -s /env/share/man/man1/$name.1; done\n"
    return roots.run("plain", script, {"env": folder / "env"})


_OTHERS: dict[str, Callable[[Trial], tuple[int, str]]] = {"image": _image, "conda": _conda}
NAMES = (*scripts.SCRIPTS, *_OTHERS)


def in_a_folder(contents: Contents, python: Path, uv: Path, chosen: Sequence[str]) -> int:
    """Try in a folder that is removed afterwards; the exit status.

    Args:
        contents: the release.
        python: with the release and test groups.
        uv: a uv.
        chosen: of `NAMES`; none for all.
    """
    work = Path(tempfile.mkdtemp())
    try:
        return tries(Trial(contents, python, uv, work), chosen or NAMES)
    finally:
        shutil.rmtree(work, ignore_errors=True)
