"""An installation's parts: what is whose, what is the same, and what is undone when it fails."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.errors import PlaceError
from credlatch.install import installer, layout, uninstaller, unpacked
from credlatch.install.layout import Layout, Running
from support.users import ADA, as_root, folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUILDS = [digit * 16 for digit in "0123"]


@pytest.fixture
def into(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "prefix"))


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """A program of three files, as the single file unpacks it."""
    folder = tmp_path / "unpacked"
    (folder / "_internal").mkdir(parents=True, mode=0o700)
    for name, mode in (("credlatch", 0o700), ("_internal/a", 0o600), ("_internal/b", 0o600)):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
    (folder / "_internal" / "link").symlink_to("a")
    (folder / unpacked.MARK).touch(mode=0o600)
    return Running(str(folder), BUILDS[0])


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    yield
    os.umask(before)


@pytest.fixture
def installed(running: Running, into: Layout) -> Running:
    installer.install(running, into, force=False)
    return running


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("../lib/credlatch/current/credlatch", True),
        ("../lib/credlatch/0.1.0-x/credlatch", True),
        ("{lib}/current/credlatch", True),
        ("../lib/credlatch.d/credlatch", False),
        ("../lib/credlatch/../other", False),
        ("../lib/credlatch", False),
        ("/opt/credlatch/credlatch", False),
        ("credlatch", False),
    ],
)
def test_a_link_is_ours_when_it_leads_to_our_versions(into: Layout, text: str, ours: bool) -> None:
    os.makedirs(into.bin)
    os.symlink(text.replace("{lib}", into.lib), into.links[0])
    assert into.is_ours(into.links[0]) == ours
    os.unlink(into.links[0])
    os.makedirs(into.links[0])  # no link at all
    assert not into.is_ours(into.links[0])
    assert not into.is_ours(into.links[1])


def test_links_lead_home_from_wherever_bin_is(into: Layout, tmp_path: Path) -> None:
    assert into.link_text == "../lib/credlatch/current/credlatch"
    (tmp_path / "a" / "bin").mkdir(parents=True)
    os.makedirs(into.lib)
    os.symlink(tmp_path / "a" / "bin", into.bin)
    assert into.link_text == "../../prefix/lib/credlatch/current/credlatch"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("0123456789abcdef", True), ("0123456789ABCDEF", False), ("0" * 15, False), ("", False)],
)
def test_a_build_s_identity_is_known_by_its_form(name: str, is_one: bool) -> None:
    assert layout.is_build(name) == is_one


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_all_may_read_what_is_installed_and_the_list_stays_behind(
    running: Running, into: Layout, mask: int
) -> None:
    with umask(mask):
        assert installer.install(running, into, force=False)
    version = os.path.join(into.lib, running.name)
    modes = {
        name: stat.S_IMODE(os.stat(os.path.join(version, name)).st_mode)
        for name in ("", "_internal", "credlatch", "_internal/a")
    }
    assert modes == {"": 0o755, "_internal": 0o755, "credlatch": 0o755, "_internal/a": 0o644}
    made = (os.path.dirname(into.bin), into.bin, os.path.dirname(into.lib), into.lib)
    assert {stat.S_IMODE(os.stat(folder).st_mode) for folder in made} == {0o755}
    assert os.readlink(os.path.join(version, "_internal", "link")) == "a"
    assert sorted(os.listdir(version)) == ["_internal", "credlatch"]
    assert os.path.samefile(into.links[0], os.path.join(version, "credlatch"))


def test_nobody_else_is_in_a_version_that_is_being_made(
    running: Running, into: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    copyfile = shutil.copyfile

    def look(source: str, target: str) -> str:
        (aside,) = (name for name in os.listdir(into.lib) if name.startswith(".new-"))
        seen.add(stat.S_IMODE(os.stat(os.path.join(into.lib, aside)).st_mode))
        return copyfile(source, target)

    monkeypatch.setattr("shutil.copyfile", look)
    with umask(0):
        installer.install(running, into, force=False)
    assert seen == {0o700}


@pytest.mark.parametrize("damage", ["gone", "short", "changed", "mode", "whole"])
def test_what_differs_is_not_the_same(running: Running, into: Layout, damage: str) -> None:
    installer.install(running, into, force=False)
    version = os.path.join(into.lib, running.name)
    path = os.path.join(version, "_internal", "a")
    assert installer.is_same(running.folder, version)
    if damage == "gone":
        os.unlink(path)
    elif damage == "mode":
        os.chmod(os.path.join(version, "credlatch"), 0o644)
    elif damage == "whole":
        shutil.rmtree(version)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write("_" if damage == "short" else "_internal/A")
    assert not installer.is_same(running.folder, version)
    assert installer.install(running, into, force=False)
    assert installer.is_same(running.folder, version)
    assert not installer.install(running, into, force=False)


@pytest.mark.parametrize("call", ["os.symlink", "os.fsync", "shutil.copyfile", "os.chmod"])
@pytest.mark.parametrize("first", [True, False])
def test_a_failure_undoes_all(
    running: Running,
    into: Layout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    first: bool,
) -> None:
    if not first:
        installer.install(running, into, force=False)
        running = Running(running.folder, BUILDS[1])
        os.unlink(into.links[1])  # so that there is a link to make
    before = tree(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/where")

    monkeypatch.setattr(call, fail)
    with pytest.raises(PlaceError, match=r"^/where: no space left on device; nothing was"):
        installer.install(running, into, force=False)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("before", [None, BUILDS[1]])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_is_in_place_is_taken_back_when_the_next_cannot_be_put(
    running: Running, into: Layout, monkeypatch: pytest.MonkeyPatch, before: str | None, at: int
) -> None:
    if before is not None:
        installer.install(Running(running.folder, before), into, force=False)
    was = {path: os.readlink(path) for path in (into.current, *into.links) if os.path.lexists(path)}
    versions = [entry.name for entry in into.versions()] if before else []
    replace = os.replace
    calls: list[tuple[str, ...]] = []

    def fails(*paths: str) -> None:
        calls.append(paths)
        if len(calls) == at:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        replace(*paths)

    if before is not None:
        at = min(at, 2)  # its links are right already
    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(PlaceError, match="nothing was installed"):
        installer.install(running, into, force=False)
    monkeypatch.undo()
    if before is None:
        assert not os.path.lexists(into.lib)
        assert not os.path.lexists(into.bin)
    else:
        assert [entry.name for entry in into.versions()] == versions
        assert {path: os.readlink(path) for path in was} == was


def test_what_was_current_lately_stays(running: Running, into: Layout) -> None:
    def age(build: str, seconds: float) -> None:
        when = time.time() - seconds
        os.utime(os.path.join(into.lib, Running("", build).name), (when, when))

    def there() -> list[str]:
        return [entry.name.rpartition("-")[2] for entry in into.versions()]

    for build in BUILDS:
        installer.install(Running(running.folder, build), into, force=False)
    assert there() == BUILDS
    for build in BUILDS[:2]:
        age(build, installer.LATELY + 60)
    installer.install(Running(running.folder, BUILDS[3]), into, force=False)
    assert there() == BUILDS[2:]
    age(BUILDS[2], installer.LATELY + 60)
    installer.install(Running(running.folder, BUILDS[3]), into, force=False)
    assert there() == BUILDS[2:]


def test_a_link_that_is_none_is_not_touched(running: Running, into: Layout) -> None:
    os.makedirs(into.current)
    with pytest.raises(PlaceError, match=r"current is not a link"):
        installer.install(running, into, force=True)
    assert uninstaller.uninstall(into) == []
    assert os.path.isdir(into.current)


def test_taking_it_away_leaves_no_trace_but_what_others_have(
    installed: Running, into: Layout
) -> None:
    with open(os.path.join(into.lib, "notes"), "w", encoding="utf-8") as file:
        file.write("mine")
    gone = uninstaller.uninstall(into)
    assert set(gone) == {*into.links, into.current, os.path.join(into.lib, installed.name)}
    assert os.listdir(into.bin) == []
    assert set(os.listdir(into.lib)) == {"notes", layout.LOCK}
    os.unlink(os.path.join(into.lib, "notes"))
    assert uninstaller.uninstall(into) == []
    assert not os.path.exists(into.lib)


@pytest.mark.parametrize(
    ("text", "goes"), [("credlatch", True), ("../elsewhere/credlatch", False), ("", False)]
)
def test_the_name_for_pip_goes_too_where_it_leads_to_us(
    installed: Running, into: Layout, text: str, *, goes: bool
) -> None:
    if text:
        os.symlink(text, into.keyring)
    else:
        shutil.copy(os.path.join(installed.folder, "credlatch"), into.keyring)
    assert (into.keyring in uninstaller.uninstall(into)) == goes
    assert os.path.lexists(into.keyring) != goes


def test_nor_does_it_go_with_a_program_of_another_s(installed: Running, into: Layout) -> None:
    os.unlink(into.links[0])
    shutil.copy(os.path.join(installed.folder, "credlatch"), into.links[0])
    os.symlink("credlatch", into.keyring)
    uninstaller.uninstall(into)
    assert os.path.islink(into.keyring)


@pytest.mark.parametrize("linked", ["lib/credlatch", "lib", "lib and bin"])
def test_another_prefix_s_versions_stay_where_a_link_leads_to_them(
    running: Running, into: Layout, tmp_path: Path, linked: str
) -> None:
    theirs = Layout(str(tmp_path / "theirs"))
    installer.install(running, theirs, force=False)
    before = tree(tmp_path / "theirs")
    for name in linked.split(" and "):
        os.makedirs(os.path.dirname(os.path.join(tmp_path, "prefix", name)), exist_ok=True)
        os.symlink(tmp_path / "theirs" / name, tmp_path / "prefix" / name)
    if "bin" not in linked:
        os.makedirs(into.bin)
        os.symlink(into.link_text, into.links[0])
    assert uninstaller.uninstall(into) == ([] if "bin" in linked else [into.links[0]])
    assert tree(tmp_path / "theirs") == before


def test_a_prefix_may_be_a_link_itself_and_lib_one_within_it(
    running: Running, tmp_path: Path
) -> None:
    (tmp_path / "real" / "lib64").mkdir(parents=True)
    (tmp_path / "real" / "lib").symlink_to("lib64")
    (tmp_path / "prefix").symlink_to("real")
    into = Layout(str(tmp_path / "prefix"))
    installer.install(running, into, force=False)
    assert len(uninstaller.uninstall(into)) == 4
    assert tree(tmp_path / "real") == {"bin", "lib", "lib64"}


class TestUnpacked:
    """What the single file has unpacked, in the home and elsewhere."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        return tmp_path / "home"

    @pytest.fixture
    def elsewhere(self, tmp_path: Path) -> Path:
        return tmp_path / "elsewhere"

    def _have(self, own: Path) -> Path:
        program = own / "run" / BUILDS[0]
        program.mkdir(parents=True)
        (own / "run").chmod(0o700)
        (program / "credlatch").write_text("")
        return program

    def test_the_home_s_own_goes(self, home: Path) -> None:
        program = self._have(home / ".cache" / "credlatch")
        assert uninstaller.take_unpacked(Caller({"HOME": str(home)}))[0] == [str(program)]
        assert tree(home) == {".cache"}

    @pytest.mark.parametrize("name", ["XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"])
    @pytest.mark.parametrize("relation", ["beside", "above", "by name only", "of another name"])
    def test_what_is_outside_of_the_home_stays(
        self, home: Path, elsewhere: Path, name: str, relation: str
    ) -> None:
        own = f"credlatch-{os.getuid()}" if name == "TMPDIR" else "credlatch"
        folder = {
            "beside": elsewhere,
            "above": home.parent,
            "by name only": home / ".." / "elsewhere",
            "of another name": home.with_name("home-of-another"),
        }[relation]
        home.mkdir()
        program = self._have(folder / own)
        before = tree(home.parent)
        gone, stay = uninstaller.take_unpacked(Caller({"HOME": str(home), name: str(folder)}))
        assert (gone, tree(home.parent)) == ([], before)
        assert str(program) in stay

    def test_nor_does_what_a_link_in_it_leads_to(self, home: Path, elsewhere: Path) -> None:
        program = self._have(elsewhere)
        (home / ".cache").mkdir(parents=True)
        (home / ".cache" / "credlatch").symlink_to(elsewhere)
        gone, _ = uninstaller.take_unpacked(Caller({"HOME": str(home)}))
        assert gone == []
        assert program.exists()


def test_from_source_nothing_can_be_installed() -> None:
    with pytest.raises(PlaceError, match=r"from source"):
        layout.running()


@pytest.mark.parametrize("below", ["", "below"])
def test_a_prefix_that_is_a_file_is_named(running: Running, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaceError, match=f"{tmp_path}/file.*: not a directory; nothing was inst"):
        installer.install(running, Layout(str(tmp_path / "file" / below)), force=False)


@pytest.mark.parametrize("name", ["bin", "lib", "lib/credlatch"])
def test_no_link_is_followed_where_every_user_may_put_one(
    running: Running, tmp_path: Path, name: str
) -> None:
    elsewhere = folder(tmp_path / "elsewhere", os.getuid())
    prefix = folder(tmp_path / "prefix", os.getuid())
    link = prefix / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    link.parent.chmod(0o777)
    with pytest.raises(PlaceError, match=f"{link} is a link where every user may put one"):
        installer.install(running, Layout(str(prefix)), force=False)
    assert tree(elsewhere) == set()
    assert tree(prefix) <= {"lib", name}
    link.parent.chmod(0o755)
    assert installer.install(running, Layout(str(prefix)), force=False)


@as_root
@pytest.mark.parametrize("how", ["in theirs", "in root's", "by their link"])
def test_root_installs_nowhere_that_another_user_leads_it_to(
    running: Running, tmp_path: Path, how: str
) -> None:
    """Not even in a folder of root's in a user's home, which the user may replace by another."""
    home = folder(tmp_path / "home", ADA)
    there = tmp_path / "opt" if how == "by their link" else home / "opt"
    if how != "in theirs":
        there.mkdir()
    if how == "by their link":
        (home / "opt").symlink_to(there)
        os.chown(home / "opt", ADA, ADA, follow_symlinks=False)
    with pytest.raises(PlaceError, match=rf"another user's .uid {ADA}.*--prefix"):
        installer.install(running, Layout(str(home / "opt")), force=False)
    assert how == "in theirs" or tree(there) == set()
    assert tree(home) <= {"opt"}
