"""docker/example as a project that is built: its servers are on loopback, the rest as it is."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from support import docker_folder_channel, simple_index
from support.components import need
from support.in_memory import SHM
from support.logins import oauth
from support.page import ROOT, Page
from support.search import holders, holds
from support.tool import Tool

if TYPE_CHECKING:
    from pathlib import Path

    from support.clients import Docker
    from support.guarded import Guarded
    from support.home import Home
    from support.program import Answer, Program
    from support.registry import Registry
    from support.token_server import TokenServer

FOLDER = ROOT / "docker"
EXAMPLE = FOLDER / "example"
PROJECT = "project"  # below the home
TARGETS = ("pip", "uv", "pixi")
_PAGE = Page("docker/README.md")
README = _PAGE.text
BLOCKS = _PAGE.blocks
# How each tool is told to build, in the words of the README.
BUILDS = [line for line in BLOCKS["Private indexes"][1].text.splitlines() if line]


class Project:
    """A copy of docker/example whose hosts are the tests' own servers.

    Attributes:
        home: where whoever builds it is at home.
        path: the copy.
        server: the index and the channel.
        registry: where the base images are, and results may be pushed.
        store: where the logins are kept.
    """

    def __init__(self, home: Home, server: Guarded, registry: Registry, store: Path) -> None:
        self.home = home
        self.path = home.path / PROJECT
        self.server = server
        self.registry = registry
        self.store = store
        location = _variable(server.url.partition("://")[2])
        self._servers = {
            "https://pypi.example.com/simple/": simple_index.publish(server, "teamlib"),
            "https://conda.example.com/team": docker_folder_channel.publish(server, "teamtool"),
            "registry.example.com": registry.host,
            "REGISTRY_EXAMPLE_COM": _variable(registry.host),
            "PYPI_EXAMPLE_COM": location,
            "CONDA_EXAMPLE_COM": location,
        }
        self._shell = Tool(home, "sh", "-ec")
        shutil.copytree(EXAMPLE, self.path)
        for file in self.path.iterdir():
            file.write_text(self.here(file.read_text()))

    def here(self, text: str) -> str:
        """A text with the tests' servers in the place of those that it names."""
        for theirs, ours in self._servers.items():
            text = text.replace(theirs, ours)
        return text

    def __call__(self, script: str) -> Answer:
        """Run a script in the project; it must succeed."""
        return self._shell(self.here(script), cwd=self.path)

    def plugin(self, name: str) -> None:
        """Give docker a plugin."""
        path = self.home.path / ".docker/cli-plugins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(need(name))

    def forget_program(self) -> None:
        """Take credlatch from PATH."""
        self.home.hide("credlatch")

    def refused(self, script: str) -> str:
        """Run a script; it must fail. Gives what it said."""
        return self._shell.refused(self.here(script), cwd=self.path)

    def tokens(self) -> set[str]:
        """The tokens that the steps have come with."""
        return {visit.secret for visit in self.server.admitted}

    def kept_nowhere(self, said: str, *folders: Path) -> None:
        """No token is in what was said, nor in the folders, nor where credlatch works."""
        tokens = self.tokens()
        assert tokens
        assert not holds(said.encode(), tokens)
        assert holders(tokens, self.store.parent) == [str(self.store)]  # that much is found
        assert holders(tokens, *folders, SHM, but=[self.store]) == []

    def installed(self, *targets: str) -> None:
        """What the targets install has been fetched, and nobody has come without a token."""
        starts = {"pip": "/team/files/teamlib-", "uv": "/team/files/teamlib-"}
        starts["pixi"] = f"{docker_folder_channel.CHANNEL}/noarch/teamtool-"
        paths = [visit.path for visit in self.server.admitted]
        for target in targets:
            assert any(path.startswith(starts[target]) for path in paths), target
        assert self.server.refused == []


def _variable(host: str) -> str:
    """How a host stands in the names of credlatch's variables."""
    return re.sub(r"[.:]", "_", host)


def build_by(tool: str) -> str:
    """How the README has a tool build."""
    (line,) = [line for line in BUILDS if f"{line} ".startswith(f"./with-secrets {tool} ")]
    return line


@pytest.fixture
def project(
    frozen: Program,
    guarded: Guarded,
    token_server: TokenServer,
    registry: Registry,
    base_images: list[str],
) -> Project:
    """The project, and credlatch on PATH with logins for its servers. docker asks nobody yet."""
    assert base_images
    home = frozen.home
    token_server.lifetime = 600
    account = {"BasicHTTP": {"username": registry.user, "password": registry.secret}}
    store = home.write_rattler({"127.0.0.1": oauth(token_server, -60), registry.host: account})
    frozen.put_on_path()
    return Project(home, guarded, registry, store)


@pytest.fixture
def docker_folder(project: Project, buildkit: Docker, helper: Path) -> Project:
    """The project where `docker` on PATH is one that speaks to the tests' dockerd.

    Its steps reach servers on loopback. $PAUSE is how many seconds it waits before it builds; and
    nothing is taken from earlier builds, unless $CACHE is set, and empty.
    """
    (program,) = buildkit.command
    script = f"""#!/bin/sh
test -z "$PAUSE" || sleep "$PAUSE"
case "$1 $2" in
build\\ *) shift; set -- build --network=host --progress=plain ${{CACHE---no-cache}} "$@" ;;
buildx\\ b*) word=$2; shift 2; set -- buildx "$word" --progress=plain --no-cache "$@" ;;
compose\\ build) shift 2; set -- compose --progress=plain build --no-cache "$@" ;;
esac
exec {program} "$@"
"""
    project.home.write("bin/docker", script, 0o700)
    assert helper.exists()
    project.home.path_begins_with(project.home.path / "bin")
    return project
