"""Two hostile users of one machine: what they may put in our way is not believed nor followed."""

from __future__ import annotations

import os
import stat
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.credential import Basic, Secret
from credlatch.errors import LockedError, StoreError
from credlatch.stores.rattler import RattlerStore
from credlatch.system import files, locks, owners, writable
from credlatch.system.atomic_write import AtomicWrite
from support.users import ADA, EVE, TEAM, as_root, become, folder, open_place, owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of root's that everybody may enter."""
    with open_place() as place:
        yield place


def written(path: Path, uid: int = 0, mode: int = 0o644) -> Path:
    """A file of a user's."""
    path.write_text("theirs")
    path.chmod(mode)
    return owned(path, uid)


def linked(path: Path, target: Path | str, uid: int = 0) -> Path:
    path.symlink_to(target)
    return owned(path, uid)


# What is read.


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o777])
def test_a_file_that_everybody_may_change_is_not_believed(place: Path, mode: int) -> None:
    path = written(place / "store", os.geteuid(), mode)
    with pytest.raises(StoreError, match=r"can be changed by every user.*chmod o-w"):
        files.read(str(path))
    path.chmod(0o664)  # as a umask of 002 has it
    assert files.read(str(path)) == "theirs"


def opened_up(path: Path, uid: int = 0, mode: int = 0o666) -> Path:
    """A file that every user may change."""
    return written(path, uid, mode)


@as_root
@pytest.mark.parametrize("owner", [0, ADA])
def test_a_file_that_everybody_may_change_is_believed_where_the_environment_names_it(
    place: Path, owner: int
) -> None:
    """As GitLab's file variables are, in containers with a umask of 0."""
    folder(place / "tmp", 0, 0o777)
    path = opened_up(folder(place / "tmp" / "x", owner, 0o777) / "store", owner)

    def read(**environ: str) -> str:
        def work() -> object:
            caller = Caller({"HOME": str(place / "tmp"), **environ}, "/")
            caller.path("A")
            caller.path("XDG_RUNTIME_DIR")
            return caller.document(str(path), lambda text, _: text), caller.warnings

        return become(ADA, work)

    said = f"('theirs', ['{path} can be changed by every user: see what is in it, and chmod o-w"
    for named in (path, path.parent):
        assert read(A=str(named)).startswith(said)
        assert read(A=str(named)).count("'") == 4  # one line
    refused = "StoreError: "
    assert read().startswith(refused)
    assert read(A=f"{path}x").startswith(refused)
    assert read(A=str(path)[:-1]).startswith(refused)
    assert read(XDG_RUNTIME_DIR=str(path.parent)).startswith(refused)


@pytest.mark.parametrize("named", [False, True])
def test_what_is_read_again_is_judged_as_before(place: Path, *, named: bool) -> None:
    path = opened_up(place / "store")
    caller = Caller({"HOME": str(place), "A": str(path)}, "/")
    if named:
        assert caller.path("A") == str(path)
        assert caller.read(str(path)) == "theirs"
        assert "can be changed by every user" in caller.warnings[0]
    else:
        with pytest.raises(StoreError, match="can be changed by every user"):
            caller.read(str(path))


@as_root
def test_another_user_s_file_that_everybody_may_change_is_not_although_it_is_named(
    place: Path,
) -> None:
    mounted = opened_up(folder(place / "home", ADA) / "store", EVE)
    planted = opened_up(folder(place / "tmp", 0, 0o1777) / "store", EVE)
    for path in (mounted, planted):
        read = become(ADA, lambda path=path: files.read(str(path), named=lambda _: None))  # type: ignore[misc] # mypy gives no type to a lambda's default
        assert read.startswith("StoreError")


@as_root
@pytest.mark.parametrize(
    ("owner", "mode", "believed"),
    [
        (ADA, 0o700, True),
        (ADA, 0o766, True),
        (0, 0o700, True),
        (ADA, 0o701, False),
        (ADA, 0o710, False),
        (EVE, 0o700, False),
    ],
)
def test_a_file_that_everybody_may_change_is_believed_where_nobody_gets_to_it(
    place: Path, owner: int, mode: int, *, believed: bool
) -> None:
    home = folder(place / "home", owner, mode)
    path = opened_up(folder(home / "deep", ADA, 0o777) / "store", ADA)
    os.link(path, other := place / "other")

    def read() -> str | None:
        return files.read(str(path))

    uid = 0 if owner != ADA else ADA
    if uid != ADA:
        owned(path, 0)
    assert "StoreError" in become(uid, read)  # it has another name
    other.unlink()
    assert (become(uid, read) == "theirs") is believed


@as_root
def test_root_believes_a_user_s_file_that_only_that_user_gets_to_and_not_through_a_link(
    place: Path,
) -> None:
    home = folder(place / "home", ADA, 0o700)
    path = opened_up(home / "store", ADA)
    assert become(0, lambda: files.read(str(path))) == "theirs"
    link = linked(home / "link", opened_up(place / "store", ADA), ADA)
    assert "StoreError" in become(ADA, lambda: files.read(str(link)))
    home.chmod(0o755)
    assert "StoreError" in become(0, lambda: files.read(str(path)))


def test_for_a_drive_that_knows_no_modes_it_is_said_how_to_mount_it(place: Path) -> None:
    for mode, helps in ((0o666, False), (0o777, True)):
        path = opened_up(place / "store", os.geteuid(), mode)
        with pytest.raises(StoreError) as raised:
            files.read(str(path))
        assert ("umask=077" in str(raised.value)) is helps


CALLER = -1  # the owner of a folder, where that is whoever reads
PLACES: dict[str, tuple[list[tuple[str, int, int]], int, bool]] = {
    # Folders with their owners and modes, the file's owner, and whether it is believed.
    "where all may put it": ([("tmp", 0, 0o1777)], EVE, False),
    "where all may do anything": ([("tmp", 0, 0o777)], EVE, False),
    "where a group may put it": ([("tmp", 0, 0o775)], EVE, False),
    "in another's folder there": ([("tmp", 0, 0o1777), ("x", EVE, 0o755)], EVE, False),
    "mounted into a home": ([("home", CALLER, 0o755)], EVE, True),
    "in another's home, named": ([("eve", EVE, 0o755), ("x", EVE, 0o755)], EVE, True),
    "a third user's in another's home": ([("eve", EVE, 0o755)], TEAM, False),
    "root's, wherever": ([("tmp", EVE, 0o1777)], 0, True),
}


@as_root
@pytest.mark.parametrize("caller", [0, ADA])
@pytest.mark.parametrize("name", PLACES)
def test_whose_file_is_believed_where(place: Path, name: str, caller: int) -> None:
    folders, owner, believed = PLACES[name]
    for each, uid, mode in folders:
        place = folder(place / each, caller if uid == CALLER else uid, mode)
    path = written(place / "store", owner)
    said = become(caller, lambda: files.read(str(path)))
    if believed:
        assert said == "theirs"
    else:
        assert said.startswith(f"StoreError: {path} belongs to another user (uid {owner})")
        assert "chown" in said


@as_root
@pytest.mark.parametrize(("owner", "believed"), [(ADA, True), (0, True), (EVE, False)])
def test_whose_link_in_tmp_is_followed_by_who_reads(
    place: Path, owner: int, *, believed: bool
) -> None:
    target = written(place / "secret", ADA, 0o600)
    link = linked(folder(place / "tmp", 0, 0o777) / "store", target, owner)
    said = become(ADA, lambda: files.read(str(link)))
    assert (said == "theirs") is believed
    assert believed or "another user" in said


# What is written.


def write(path: Path) -> Callable[[], object]:
    return lambda: AtomicWrite(str(path), 10).commit(b"new")


def lock(path: Path) -> Callable[[], object]:
    def take() -> None:
        with locks.Exclusive(str(path), 1):
            pass

    return take


def ids(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid


@as_root
def test_root_leaves_what_it_makes_in_a_user_s_home_to_the_user(place: Path) -> None:
    home = owned(folder(place / "home"), ADA, TEAM)
    write(home / ".rattler" / "deep" / "credentials.json")()
    lock(home / ".cache" / "credlatch" / "x.lock")()
    writable.make_folder(str(home / ".local" / "share"))
    made = sorted(home.rglob("*"))
    assert len(made) == 8
    assert {ids(each) for each in made} == {(ADA, TEAM)}
    modes = {stat.S_IMODE(each.stat().st_mode) for each in made if each.is_dir()}
    assert modes == {0o700}


@as_root
@pytest.mark.parametrize(("caller", "owner"), [(0, EVE), (ADA, ADA)])
def test_what_is_replaced_keeps_its_owner_and_its_group(
    place: Path, caller: int, owner: int
) -> None:
    path = owned(written(folder(place / "home", ADA) / "store", mode=0o640), owner, TEAM)
    assert become(caller, write(path), groups=(TEAM,)) == "None"
    assert (ids(path), stat.S_IMODE(path.stat().st_mode)) == ((owner, TEAM), 0o600)
    write(place / "made" / "store")()
    assert ids(place / "made") == ids(place / "made" / "store") == (0, 0)


@as_root
def test_a_user_does_not_take_another_user_s_file_over(place: Path) -> None:
    team = folder(place / "team", 0, 0o777)
    path = written(team / "store", EVE, 0o666)
    said = become(ADA, write(path))
    assert "another user's" in said
    assert (path.read_text(), ids(path)) == ("theirs", (EVE, EVE))
    assert [each.name for each in team.iterdir()] == ["store"]


@as_root
@pytest.mark.parametrize("act", [write, lock])
@pytest.mark.parametrize("caller", [0, ADA])
def test_nothing_is_written_in_a_folder_that_another_user_has_put_there(
    place: Path, caller: int, act: Callable[[Path], Callable[[], object]]
) -> None:
    theirs = folder(folder(place / "tmp", 0, 0o1777) / "runtime-ada", EVE, 0o777)
    assert "is another user's" in become(caller, act(theirs / "credlatch" / "x"))
    assert list(theirs.rglob("*")) == []


@as_root
@pytest.mark.parametrize("caller", [0, ADA])
@pytest.mark.parametrize("owner", [0, ADA, EVE])
def test_no_link_is_followed_to_write_where_everybody_may_put_one(
    place: Path, caller: int, owner: int
) -> None:
    home = folder(place / "home", ADA)
    target = written(home / "other.json", ADA)
    link = linked(folder(place / "tmp", 0, 0o1777) / "store", target, owner)
    assert "is a link where every user may put one" in become(caller, write(link))
    assert target.read_text() == "theirs"


@as_root
@pytest.mark.parametrize("name", ["store", "folder/store"])
def test_a_user_follows_no_other_user_s_link_to_write(place: Path, name: str) -> None:
    home = folder(place / "home", ADA)
    target = written(folder(home / "folder", ADA) / "store", ADA)
    team = folder(place / "team")
    linked(team / "store", target, EVE)
    linked(team / "folder", home / "folder", EVE)
    assert "is another user's link" in become(ADA, write(team / name))
    assert target.read_text() == "theirs"


@as_root
@pytest.mark.parametrize("act", [write, lock])
def test_root_follows_a_user_s_links_to_the_user_s_own_folders_and_no_further(
    place: Path, act: Callable[[Path], Callable[[], object]]
) -> None:
    home, system = folder(place / "home", ADA), folder(place / "etc")
    linked(home / ".rattler", folder(home / "dotfiles", ADA), ADA)
    act(home / ".rattler" / "x")()
    assert ids(home / "dotfiles" / "x") == (ADA, ADA)
    linked(home / ".config", system, ADA)
    assert "leads to" in become(0, act(home / ".config" / "x"))
    assert list(system.iterdir()) == []
    assert "leads to" in become(0, lambda: owners.real_path(str(home / ".config/x")))
    assert "leads to" in become(0, lambda: owners.real_path(str(home / ".config/below/x")))
    assert owners.real_path(str(home / ".rattler/x")) == str(home.resolve() / "dotfiles/x")


@as_root
def test_what_a_user_s_file_names_is_written_in_that_user_s_folders_and_no_further(
    place: Path,
) -> None:
    home, system = folder(place / "home", ADA).resolve(), folder(place / "etc").resolve()
    assert owners.real_path(str(home / "below/x"), ADA) == str(home / "below/x")
    for name in ("x", "below/x"):
        with pytest.raises(PermissionError, match="another user's file leads to"):
            owners.real_path(str(system / name), ADA)
    settings = written(folder(home / ".pixi", ADA) / "config.toml", ADA)
    for to, fails in ((system, True), (home / "own", False)):
        settings.write_text(f"authentication-override-file = '{to}/logins.json'")
        store = RattlerStore(Caller({"HOME": str(home)}, "/"))
        if fails:
            with pytest.raises(StoreError, match="another user's file leads to"):
                store.save("r.example", Basic("ada", Secret("p")))
        else:
            store.save("r.example", Basic("ada", Secret("p")))
    assert list(system.iterdir()) == []
    assert ids(home / "own/logins.json") == (ADA, ADA)


@as_root
def test_a_folder_that_another_user_makes_at_that_moment_is_not_used(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp, real = folder(place / "tmp", 0, 0o1777), writable._entered

    def made(path: str) -> int:
        folder(tmp / "logins", EVE)
        return real(path)

    monkeypatch.setattr(writable, "_entered", made)
    with pytest.raises(PermissionError, match="another user's"):
        write(tmp / "logins" / "store")()
    assert list((tmp / "logins").iterdir()) == []


@as_root
def test_a_dotfiles_manager_s_link_is_written_through(place: Path) -> None:
    home = folder(place / "home", ADA)
    target = written(folder(home / "dotfiles", ADA) / "credentials.json", ADA, 0o600)
    link = linked(home / "store", "dotfiles/../dotfiles/credentials.json", ADA)
    assert become(ADA, write(link)) == "None"
    assert target.read_text() == "new"
    assert link.is_symlink()


def test_a_link_that_is_put_on_the_way_meanwhile_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "folder").mkdir()

    def swapped(path: str) -> tuple[str, None]:
        (tmp_path / "folder").rmdir()
        (tmp_path / "folder").symlink_to("elsewhere")
        return path, None

    monkeypatch.setattr(owners, "followed", swapped)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        write(tmp_path / "folder" / "store")()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@as_root
def test_what_root_has_in_a_folder_never_becomes_a_user_s(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user moves a folder of root's to where root has just made one."""
    home = folder(place / "home", ADA)
    written(folder(home / "root-s", 0, 0o700) / "secret")
    real = os.mkdir

    def moved(path: str, mode: int, *, dir_fd: int) -> None:
        real(path, mode, dir_fd=dir_fd)
        (home / path).rmdir()
        (home / "root-s").rename(home / path)

    monkeypatch.setattr(os, "mkdir", moved)
    writable.make_folder(str(home / ".rattler"))
    assert ids(home / ".rattler") == ids(home / ".rattler" / "secret") == (0, 0)


@as_root
@pytest.mark.parametrize("caller", [0, ADA])
def test_another_user_s_lock_in_tmp_is_none(place: Path, caller: int) -> None:
    path = written(folder(place / "tmp", 0, 0o777) / "x.lock", EVE, 0o666)
    assert f"LockedError: {path} belongs to another user" in become(caller, lock(path))
    assert "LockedError" in become(caller, lambda: locks.settle(str(path)))


def test_a_lock_that_everybody_may_change_is_one(tmp_path: Path) -> None:
    path = tmp_path / "tokens.lock"  # as uv makes it with an umask of 0
    path.touch()
    path.chmod(0o666)
    lock(path)()
    with locks.Exclusive(str(path), 1), pytest.raises(LockedError, match="held"):
        lock(path)()


def test_too_many_links_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="symbolic links"):
        write(tmp_path / "circle" / "store")()


@pytest.mark.parametrize("text", ["made/store", "../x/made/store", "./made/./store"])
def test_a_relative_path_is_written_where_it_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path / "x")
    AtomicWrite(text).commit(b"new")
    assert (tmp_path / "x/made/store").read_bytes() == b"new"


# What root runs for another user.


@pytest.mark.parametrize("odd", ["/", "/opt", "/opt/bin", "/opt/bin/helper", None])
@pytest.mark.parametrize("how", [(EVE, 0o755), (0, 0o775), (0, 0o757), (0, 0o1777)])
def test_what_only_root_changes_is_so_all_the_way(
    monkeypatch: pytest.MonkeyPatch, odd: str | None, how: tuple[int, int]
) -> None:
    uid, mode = how if odd != "/" or how[0] == 0 else (0, 0o777)  # whose / is, is trusted

    def status(path: str, **_: object) -> SimpleNamespace:
        found = (uid, mode) if path == odd else (0, 0o755)
        return SimpleNamespace(st_uid=found[0], st_mode=found[1])

    monkeypatch.setattr(os, "stat", status)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert owners.only_we_change("/opt/bin/helper") is (odd is None)


def test_a_closed_folder_says_nothing_of_what_was_there_before(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "store"
    path.touch()
    before = path.stat()
    assert owners.is_out_of_reach(str(path), before)
    (tmp_path / "other").touch()
    (tmp_path / "other").rename(path)
    assert not owners.is_out_of_reach(str(path), before)


def test_a_login_is_kept_by_a_caller_whose_folder_has_been_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()
    (tmp_path / "link").symlink_to("logins.json")
    AtomicWrite(str(tmp_path / "link")).commit(b"{}")
    assert (tmp_path / "logins.json").read_bytes() == b"{}"
    with locks.Exclusive(str(tmp_path / "logins.json.lock"), 1):
        pass
