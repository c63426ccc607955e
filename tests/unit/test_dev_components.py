"""Components of the tests: built once a machine, for every checkout, each on its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from devtools import cache, steps
from devtools import components as built

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="components run on Linux only")
ROOT = Path(__file__).resolve().parents[2]

# What a checkout does, in a process of its own: its components are files that say what their
# sources say, and every build is written down.
CHECKOUT = """
import sys, time
from pathlib import Path
from devtools import components as built, steps

root, builds, toolchain = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def build(component, target, work):
    (work / "shared").mkdir()
    text = (root / "tests/components" / component.folder / "source").read_text()
    with builds.open("a") as file:
        file.write(f"{component.folder} {text}\\n")
    if text == "broken":
        sys.exit("no compiler")
    time.sleep(0.3)
    for name in component.programs:
        (target / name).write_text(text)
    (work / "shared").rmdir()

steps.ROOT = built.ROOT = root
built._SOURCES, built._BIN = root / "tests/components", root / ".scratch/tools/bin"
built.COMPONENTS = tuple(
    built.Component(folder.name, {f"{folder.name}-program": built.GoProgram(".")}, build, toolchain)
    for folder in sorted(built._SOURCES.iterdir())
)
built.components()
"""


class Machine:
    """A user's cache, and checkouts with components of one source file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.cache = folder / "cache"
        self.cache.mkdir()
        self._builds = folder / "builds"

    def checkout(self, name: str, **components: str) -> Path:
        """A checkout whose components have these sources."""
        for component, text in components.items():
            sources = self._folder / name / "tests" / "components" / component
            sources.mkdir(parents=True, exist_ok=True)
            (sources / "source").write_text(text)
        return self._folder / name

    def start(self, checkout: Path, toolchain: str = "go 1") -> subprocess.Popen[bytes]:
        """Have a checkout see to its components."""
        return subprocess.Popen(
            [sys.executable, "-c", CHECKOUT, checkout, self._builds, toolchain],
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(self.cache)},
            stderr=subprocess.PIPE,
        )

    def __call__(self, checkout: Path, toolchain: str = "go 1") -> list[str]:
        """The same to the end: what has been built by all checkouts so far."""
        with self.start(checkout, toolchain) as process:
            said = process.communicate()[1]
        assert process.returncode == 0, said
        return self.builds()

    def builds(self) -> list[str]:
        """What has been built by all checkouts so far."""
        return self._builds.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def said(checkout: Path, component: str) -> str:
    return (checkout / ".scratch/tools/bin" / f"{component}-program").read_text()


def test_a_second_checkout_elsewhere_builds_nothing(machine: Machine) -> None:
    one = machine.checkout("one", a="x", b="y")
    two = machine.checkout("deep/er/two", a="x", b="y")
    assert machine(one) == ["a x", "b y"]
    assert machine(two) == ["a x", "b y"]
    assert (said(two, "a"), said(two, "b")) == ("x", "y")


def test_a_component_that_is_added_or_changed_is_built_alone(machine: Machine) -> None:
    checkout = machine.checkout("one", a="x")
    machine(checkout)
    assert machine(machine.checkout("one", b="y")) == ["a x", "b y"]
    assert machine(machine.checkout("one", a="z")) == ["a x", "b y", "a z"]
    assert (said(checkout, "a"), said(checkout, "b")) == ("z", "y")
    assert machine(machine.checkout("one", a="x")) == ["a x", "b y", "a z"]
    assert said(checkout, "a") == "x"


def test_another_toolchain_or_a_cache_that_was_cleared_is_a_reason_to_build(
    machine: Machine,
) -> None:
    checkout = machine.checkout("one", a="x")
    machine(checkout)
    assert machine(checkout, "go 2") == ["a x"] * 2
    shutil.rmtree(machine.cache)
    assert machine(checkout, "go 2") == ["a x"] * 3
    assert said(checkout, "a") == "x"


def test_two_checkouts_at_once_build_once(machine: Machine) -> None:
    checkouts = [machine.checkout(name, a="x", b="y") for name in ("one", "two", "three")]
    for process in [machine.start(checkout) for checkout in checkouts]:
        assert process.communicate() is not None
        assert process.returncode == 0
    assert machine.builds() == ["a x", "b y"]
    assert {said(checkout, "b") for checkout in checkouts} == {"y"}


def test_a_build_that_fails_leaves_nothing_that_is_taken_for_built(machine: Machine) -> None:
    checkout = machine.checkout("one", a="x", b="broken")
    with machine.start(checkout) as process:
        assert process.communicate()[1] == b"no compiler\n"
    assert process.returncode == 1
    (machine.cache / "credlatch-dev/components/work/shared").mkdir(exist_ok=True)
    assert machine(machine.checkout("one", b="y")) == ["a x", "b broken", "b y"]
    kept = {path.name for path in (machine.cache / "credlatch-dev/components").iterdir()}
    assert len(kept) == 3
    assert "lock" in kept


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache.cache_folder() == Path("/elsewhere/credlatch-dev")
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert cache.cache_folder() == Path("/home/somebody/.cache/credlatch-dev")


def test_every_component_has_its_sources_and_every_folder_of_sources_its_component() -> None:
    there = {folder.name for folder in (steps.ROOT / "tests" / "components").iterdir()}
    assert {component.folder for component in built.COMPONENTS} == there
    programs = [name for component in built.COMPONENTS for name in component.programs]
    assert len(set(programs)) == len(programs)
