"""A release's files, as all that is made of them is told of them."""

from __future__ import annotations

import hashlib
import re
import textwrap
import tomllib
from typing import TYPE_CHECKING

from devtools.release import archives
from devtools.release.assets import SYSTEMS, Assets, version
from devtools.steps import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MUSL = "1.2.5"  # the least that a program for musl needs: Zig's compiler knows no older one
_TEMPLATES = ROOT / "packaging"
_NEEDS = re.compile(rb"GLIBC_2\.(\d+)")  # as an ELF file names a version of a symbol that it needs
_TARGET = rf"((?:{'|'.join(SYSTEMS)})-\w+(?:-musl)?)\.(?:tar\.gz|zip)"


class Contents:
    """The packed files of a release.

    Attributes:
        folder: where they are.
        url: where they will be, without a slash at the end.
        version: of the release.
        assets: of each platform that there is, by its target.
        homepage: the project's.
        said: values for the names that templates have.
    """

    def __init__(self, folder: Path, url: str | None) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        self.folder = folder
        self.version = version()
        self.homepage = project["urls"]["Homepage"]
        default = f"{self.homepage}/releases/download/v{self.version}"
        self.url = url.rstrip("/") if url else default
        name = re.compile(rf"credlatch-{re.escape(self.version)}-{_TARGET}")
        found = [name.fullmatch(path.name) for path in sorted(folder.iterdir())]
        self.assets = {each[1]: Assets(self.version, each[1]) for each in found if each}
        self.said = {
            "VERSION": self.version,
            "URL": self.url,
            "HOMEPAGE": self.homepage,
            "SUMMARY": project["description"],
            "LICENSE": project["license"],
            "DESCRIPTION": "Bazel, Docker, podman, BuildKit, pip, uv, pixi, git, Go and cargo "
            "ask it for credentials:\nit finds them where their owner has logged in.",
        }

    def of(self, system: str) -> list[Assets]:
        """Those of a system; of Linux those for glibc alone."""
        musl = {target for target in self.assets if target.endswith("-musl")}
        here = [self.assets[target] for target in self.assets if target not in musl]
        return [each for each in here if each.system == system]

    def sha256(self, name: str) -> str:
        """A file's, in hexadecimal digits."""
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()

    def entries(self, assets: Assets) -> dict[str, archives.Entry]:
        """What is in the .tar.gz of a platform."""
        return archives.untarred(self.folder / assets.archive)

    def glibc(self, assets: Assets) -> str:
        """The least glibc that what is packed for a Linux needs, as in 2.28.

        Raises:
            ValueError: it needs none: it is not for a Linux with glibc.
        """
        contents = [entry.content for entry in self.entries(assets).values()]
        files = [each for each in contents if isinstance(each, bytes)]
        libraries = [each for each in files if each.startswith(b"\x7fELF")]
        needed = [int(number) for each in libraries for number in _NEEDS.findall(each)]
        if not needed:
            raise ValueError(f"{assets.archive} needs no glibc")
        return f"2.{max(needed)}"

    def filled(self, template: str, **more: object) -> str:
        """A file of packaging/, with values for its @NAMES@.

        Args:
            template: the file.
            **more: of this template alone.

        Raises:
            KeyError: there is none for a name.
        """
        said = self.said | {name: str(value) for name, value in more.items()}
        text = (_TEMPLATES / template).read_text()
        # What has several lines has each of them begin as the first.
        whole = re.sub(
            r"^( *)@([A-Z_]+)@$",
            lambda found: textwrap.indent(said[found[2]], found[1]),
            text,
            flags=re.MULTILINE,
        )
        return re.sub(r"@([A-Z_]+)@", lambda found: said[found[1]], whole)
