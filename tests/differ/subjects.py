"""All subjects, and what they need while they are asked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from differ.docker import FILES, Auths, DockerFile
from differ.netrc import NetrcOfCurl
from differ.peers.echo import Echo
from differ.posit import Posit
from differ.rattler import NetrcOfRattler, PyRattler, Rattler
from differ.uv import UvFile
from support.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from differ.cases import Subject

_UV = ("0.12.6", "0.13.8")
NAMES = (
    NetrcOfCurl.name,
    NetrcOfRattler.name,
    Rattler.name,
    *(f"uv-{version}" for version in _UV),
    *(f"auths-{library}" for library in FILES),
    Posit.name,
)


@contextmanager
def subjects(folder: Path) -> Iterator[list[Subject]]:
    """Each of them, with homes below a folder."""
    home = Home(folder / "home")
    with Echo() as proxy, PyRattler(home, proxy) as rattler, Auths(home) as auths:
        yield [
            NetrcOfCurl(folder, proxy),
            NetrcOfRattler(folder, rattler),
            Rattler(folder, rattler),
            *(UvFile(version, folder) for version in _UV),
            *(DockerFile(library, folder, auths) for library in FILES),
            Posit(folder),
        ]
