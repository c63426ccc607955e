"""What is installed is locked: pyproject.toml, requirements/ and docs/dependencies.md agree."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from devtools import lock
from devtools.steps import ROOT
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WHOLE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
PIN = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; (.+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.M
)


def rows(name: str) -> list[str]:
    """What pyproject.toml says of the program, or of a group."""
    if name == lock.PROGRAM:
        project = WHOLE["project"]
        extras = project["optional-dependencies"].values()
        return [*project["dependencies"], *(row for extra in extras for row in extra)]
    found: list[str] = []
    for row in WHOLE["dependency-groups"][name]:
        found += [row] if isinstance(row, str) else rows(row["include-group"])
    return found


def here() -> dict[str, str]:
    return {name: str(value) for name, value in default_environment().items()}


def _machines() -> Iterator[dict[str, str]]:
    for system, name in SYSTEMS.items():
        for python in PYTHONS:
            known = here()
            known |= {
                "sys_platform": system,
                "platform_system": name,
                "os_name": "nt" if system == "win32" else "posix",
                "python_version": python,
                "python_full_version": f"{python}.9",
            }
            yield known


MACHINES = list(_machines())


def pins(name: str, machine: dict[str, str]) -> dict[str, str]:
    """The versions that a file gives a machine."""
    found: dict[str, str] = {}
    for package, version, marker, _ in PIN.findall(lock.file(name).read_text(encoding="utf-8")):
        row = Requirement(f"{package}=={version}" + (f"; {marker}" if marker else ""))
        if row.marker is None or row.marker.evaluate(machine):
            assert package not in found
            found[package] = version
    return found


def unmet(wanted: Iterable[str], have: dict[str, str], machine: dict[str, str]) -> list[str]:
    """Which requirements a machine with these versions has not."""
    found = []
    for row in map(Requirement, wanted):
        if row.marker is None or row.marker.evaluate({**machine, "extra": ""}):
            version = have.get(canonicalize_name(row.name))
            if version is None or not row.specifier.contains(version, prereleases=True):
                found.append(str(row))
    return found


def test_each_file_is_of_what_pyproject_says_now() -> None:
    assert {path.stem for path in lock.FOLDER.iterdir()} == set(lock.names())
    for name in lock.names():
        heading, _, rest = lock.file(name).read_text(encoding="utf-8").partition("\n")
        assert f"{heading}\n" == lock.heading(), "run ./dev lock"
        assert PIN.sub("", rest).strip() == "", name  # pins with hashes, and nothing else


@pytest.mark.parametrize("name", lock.names())
def test_what_pyproject_asks_for_is_locked_on_each_system_and_python(name: str) -> None:
    for machine in MACHINES:
        assert unmet(rows(name), pins(name, machine), machine) == []


def test_a_requirement_that_is_not_locked_is_noticed() -> None:
    machine = MACHINES[0]
    have = pins("program", machine)
    assert unmet(["httpx>=0.28", "no-such>=1", "msgspec<0.1"], have, machine) == [
        "no-such>=1",
        "msgspec<0.1",
    ]


@pytest.mark.parametrize(
    "machine", MACHINES, ids=lambda each: each["sys_platform"] + each["python_version"]
)
def test_all_files_have_the_same_version_of_a_package(machine: dict[str, str]) -> None:
    whole: dict[str, str] = {}
    for name in lock.names():
        for package, version in pins(name, machine).items():
            assert whole.setdefault(package, version) == version


def test_what_a_locked_package_asks_for_is_locked_with_it() -> None:
    machine = here()
    for name in lock.names():
        have = pins(name, machine)
        for package, version in have.items():
            try:
                found = metadata.distribution(package)
            except metadata.PackageNotFoundError:
                continue  # of a group that is not installed
            if found.version == version:
                assert unmet(found.requires or (), have, machine) == [], package


TABLE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|", re.M)


def test_each_dependency_is_justified_in_one_row() -> None:
    told = [name for name, _ in ROW.findall(TABLE)]
    inside: set[str] = set()
    for machine in MACHINES:
        inside |= {*pins("program", machine), *pins("build", machine)}
    asked = {
        canonicalize_name(Requirement(row).name) for name in lock.names() for row in rows(name)
    }
    assert sorted(told) == sorted(inside | asked)
    assert all(len(why) > 10 for _, why in ROW.findall(TABLE))


def asked_for(name: str, machine: dict[str, str]) -> set[str]:
    """What the rows of a group ask for, and what that asks for, as far as it is installed."""
    found: set[str] = set()
    waiting = {Requirement(row) for row in rows(name)}
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        row = waiting.pop()
        package, extras = canonicalize_name(row.name), frozenset(row.extras)
        known = [{**machine, "extra": extra} for extra in (*extras, "")]
        if (package, extras) in done or not applies(row, machine):
            continue
        done.add((package, extras))
        found.add(package)
        for line in metadata.distribution(package).requires or ():
            more = Requirement(line)
            if more.marker is None or any(map(more.marker.evaluate, known)):
                more.marker = None
                waiting.add(more)
    return found


def applies(row: Requirement, machine: dict[str, str]) -> bool:
    return row.marker is None or row.marker.evaluate({**machine, "extra": ""})


@pytest.mark.parametrize("name", ["program", "lint", "build", "test", "release"])
def test_nothing_is_locked_that_nobody_asks_for(name: str) -> None:
    machine = here()
    have = pins(name, machine)
    assert set(have) - asked_for(name, machine) == set()
