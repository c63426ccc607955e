"""Images with Python and pip, uv, and rattler, made of the programs that the tests run with."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = "/usr/local/bin:/usr/bin:/bin"
_MODULES = "/usr/local/lib/modules"
_NOT_NEEDED = ("__pycache__", "config-*", "ensurepip", "idlelib", "lib2to3", "site-packages")
_NOR_DEBIANS = ("EXTERNALLY-MANAGED", "dist-packages")
_LEFT_OUT = shutil.ignore_patterns(*_NOT_NEEDED, *_NOR_DEBIANS, "test", "tests", "tkinter")
_PIP = '#!/bin/sh\nexec python3 -m pip "$@"\n'
# Stands for pixi, which no registry of programs has that the tests may use: the same library does
# the same with the same files, from the manifest to the installed packages.
_PIXI = """#!/usr/bin/env python3
import asyncio, os, sys, tomllib
from rattler import Gateway, Platform, install, solve
from rattler.networking import Client

async def main():
    assert sys.argv[1:] == ["install"], sys.argv
    with open("pixi.toml", "rb") as file:
        manifest = tomllib.load(file)
    workspace = manifest["workspace"]
    client = Client.authenticated_client()
    cache = os.path.expanduser("~/.cache/rattler")
    records = await solve(
        workspace["channels"],
        [f"{name} {version}" for name, version in manifest["dependencies"].items()],
        gateway=Gateway(cache_dir=f"{cache}/repodata", client=client),
        platforms=[*workspace["platforms"], "noarch"],
    )
    to = ".pixi/envs/default"
    await install(records, to, cache_dir=f"{cache}/pkgs", client=client, show_progress=False)

asyncio.run(main())
# rattler's threads keep the interpreter from ending.
os._exit(0)
"""


class Tree:
    """What is in an image, put together in a folder.

    Args:
        path: a folder with nothing in it.

    Attributes:
        path: that folder.
        env: the variables of its programs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = [f"PATH={PATH}"]
        self.add(Path(need("busybox")), "/bin/busybox")
        said = subprocess.run(
            [need("busybox"), "--list"], capture_output=True, text=True, check=True
        )
        for name in said.stdout.split():
            if name != "busybox":
                (path / "bin" / name).symlink_to("busybox")
        (path / "tmp").mkdir()
        (path / "tmp").chmod(0o1777)
        (path / "usr/bin").mkdir(parents=True)
        (path / "usr/bin/env").symlink_to("/bin/busybox")
        (path / "root").mkdir()
        self.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")

    def write(self, place: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the image."""
        path = self.path / place.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def add(self, program: Path, place: str = "") -> None:
        """Copy a file, and the libraries that it is linked with."""
        self._copy(program, place or str(program))
        self.add_libraries(program)

    def add_libraries(self, *programs: Path) -> None:
        """Copy the libraries that programs are linked with, and that are not beside them."""
        folders = {program.parent for program in programs}
        for source, target in _libraries(programs):
            if not folders & set(source.parents):
                self._copy(source, target)

    def _copy(self, source: Path, place: str) -> None:
        path = self.path / place.lstrip("/")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)

    def add_python(self) -> None:
        """The Python that runs the tests, where it is here, with pip."""
        executable = Path(sys.executable).resolve()
        library = Path(sysconfig.get_path("stdlib"))
        shutil.copytree(library, self.path / str(library).lstrip("/"), ignore=_LEFT_OUT)
        self.add(executable)
        self.add_libraries(*(library / "lib-dynload").glob("*.so"))
        for name in ("python3", f"python3.{sys.version_info.minor}"):
            link = self.path / "usr/local/bin" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(executable)
        # Where a Python that is linked with its own library has that.
        self.env.append(f"LD_LIBRARY_PATH={sysconfig.get_config_var('LIBDIR')}")
        self.env.append(f"PYTHONPATH={_MODULES}")
        self.add_module("pip")
        self.write("/usr/local/bin/pip", _PIP, 0o755)

    def add_module(self, name: str) -> None:
        """A module of those that the tests have."""
        folder = _folder(name)
        shutil.copytree(
            folder, self.path / _MODULES.lstrip("/") / name, ignore=_LEFT_OUT, dirs_exist_ok=True
        )
        self.add_libraries(*folder.glob("*.so"))

    def add_pixi(self) -> None:
        """What stands for pixi."""
        self.add_module("rattler")
        self.write("/usr/local/bin/pixi", _PIXI, 0o755)
        # rattler wants certificates before it fetches anything: pip brings the usual ones.
        brought = _folder("pip") / "_vendor/certifi/cacert.pem"
        self.write("/etc/ssl/certs/ca-certificates.crt", brought.read_text())


def _folder(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _libraries(programs: Iterable[Path]) -> list[tuple[Path, str]]:
    """The shared libraries that programs are linked with, and where they look for them (ldd(1))."""
    found = {}
    for program in programs:
        done = subprocess.run([need("ldd"), program], capture_output=True, text=True, check=False)
        for line in re.findall(r"(?:=> )?(/\S+) \(0x", done.stdout):
            found[line] = Path(os.path.realpath(line))
    return [(source, target) for target, source in found.items()]
