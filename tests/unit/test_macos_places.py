"""On macOS each store is where its own program has it: below ~/Library or not, as that decides."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import place
from credlatch.caller import Caller
from credlatch.commands import install
from credlatch.identities import anaconda, cloudsmith, codeartifact, gh, glab, google
from credlatch.identities.table import SYSTEMS
from credlatch.install import layout
from credlatch.setup import places, record
from credlatch.stores import docker, pixi_config, pyx, uv
from credlatch.system import durable, folders, programs
from credlatch.system.atomic_write import AtomicWrite
from credlatch.url import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LIBRARY = "~/Library/Application Support"
XDG = {"XDG_CONFIG_HOME": "/x/c", "XDG_DATA_HOME": "/x/d", "XDG_RUNTIME_DIR": "/x/r"}


@pytest.fixture(autouse=True)
def macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")


def _containers(caller: Caller) -> Iterable[str]:
    return (each.path for each in docker.DockerStore(caller)._files())


# Of each the source that says so, what says it here, and the places: without variables, and with
# those of XDG.
PLACES: dict[str, tuple[Callable[[Caller], Iterable[str]], list[str], list[str]]] = {
    "uv (crates/uv-dirs: user_state_dir)": (
        lambda caller: [uv.folder(caller)],
        ["~/.local/share/uv/credentials"],
        ["/x/d/uv/credentials"],
    ),
    "pyx (uv 0.12.6, crates/uv-auth/src/pyx.rs)": (
        lambda caller: [os.path.dirname(pyx.token_folder(caller, parse("https://api.pyx.dev")))],
        ["~/.local/share/pyx/credentials"],
        ["/x/d/pyx/credentials"],
    ),
    "containers (pkg/docker/config/config.go: getPathToAuthWithOS, getAuthFilePaths)": (
        _containers,
        ["~/.config/containers/auth.json", "~/.docker/config.json"],
        ["~/.config/containers/auth.json", "/x/c/containers/auth.json", "~/.docker/config.json"],
    ),
    "pixi (rattler_config/src/locations.rs: config_search_paths)": (
        pixi_config.own_files,
        [
            *("~/.pixi/config.toml", f"{LIBRARY}/pixi/config.toml"),
            *(f"{LIBRARY}/rattler/config.toml", "/etc/pixi/config.toml"),
            "/etc/rattler/config.toml",
        ],
        [
            *("~/.pixi/config.toml", f"{LIBRARY}/pixi/config.toml", "/x/c/pixi/config.toml"),
            *(f"{LIBRARY}/rattler/config.toml", "/x/c/rattler/config.toml"),
            *("/etc/pixi/config.toml", "/etc/rattler/config.toml"),
        ],
    ),
    "anaconda-client (utils/config.py: PlatformDirs), older ones": (
        anaconda._folders,
        [f"{LIBRARY}/binstar", "~/.continuum/anaconda-client/tokens"],
        [f"{LIBRARY}/binstar", "~/.continuum/anaconda-client/tokens"],
    ),
    "cloudsmith (click.get_app_dir)": (
        cloudsmith._paths,
        [f"{LIBRARY}/cloudsmith/credentials.ini", "~/.cloudsmith/credentials.ini"],
        [f"{LIBRARY}/cloudsmith/credentials.ini", "~/.cloudsmith/credentials.ini"],
    ),
    "glab (glab config path; adrg/xdg, paths_darwin.go)": (
        lambda caller: [glab.Glab(caller).path],
        [f"{LIBRARY}/glab-cli/config.yml"],
        ["/x/c/glab-cli/config.yml"],
    ),
    "gh (cli/go-gh, pkg/config: ConfigDir)": (
        lambda caller: [gh._path(caller)],
        ["~/.config/gh/hosts.yml"],
        ["/x/c/gh/hosts.yml"],
    ),
    "gcloud (googlecloudsdk/core/config.py: not XDG's)": (
        lambda caller: [google.folder(caller)],
        ["~/.config/gcloud"],
        ["~/.config/gcloud"],
    ),
    "keyring (keyring/util/platform_.py: as Linux)": (
        lambda caller: [codeartifact._path(caller)],
        ["~/.config/python_keyring/keyringrc.cfg"],
        ["/x/c/python_keyring/keyringrc.cfg"],
    ),
    "go env (os.UserConfigDir)": (
        lambda caller: [places.go(caller).path],
        [f"{LIBRARY}/go/env"],
        [f"{LIBRARY}/go/env"],
    ),
    "pip (platformdirs, where the folder is; else ~/.config)": (
        lambda caller: [places.pip(caller).path],
        ["~/.config/pip/pip.conf"],
        ["/x/c/pip/pip.conf"],
    ),
    "our own record of what setup has changed": (
        lambda caller: [record.folder(caller)],
        ["~/.local/share/credlatch/setup"],
        ["/x/d/credlatch/setup"],
    ),
}


@pytest.mark.parametrize("variables", [{}, XDG], ids=["plain", "with XDG's variables"])
@pytest.mark.parametrize("source", PLACES)
def test_a_store_is_where_its_program_has_it(
    source: str, variables: dict[str, str], tmp_path: Path
) -> None:
    asks, plain, named = PLACES[source]
    caller = Caller({"HOME": str(tmp_path), **variables}, str(tmp_path))
    wanted = named if variables else plain
    assert list(asks(caller)) == [each.replace("~", str(tmp_path), 1) for each in wanted]


@pytest.mark.parametrize(
    ("there", "source", "wanted"),
    [
        (f"{LIBRARY}/uv/x", "uv ", f"{LIBRARY}/uv/credentials"),
        (f"{LIBRARY}/pip/x", "pip ", f"{LIBRARY}/pip/pip.conf"),
        ("~/.config/glab-cli/config.yml", "glab ", "~/.config/glab-cli/config.yml"),
    ],
)
@pytest.mark.parametrize("variables", [{}, XDG], ids=["plain", "with XDG's variables"])
def test_an_older_place_stays_in_use(
    there: str, source: str, wanted: str, variables: dict[str, str], tmp_path: Path
) -> None:
    file = Path(there.replace("~", str(tmp_path), 1))
    file.parent.mkdir(parents=True)
    file.write_text("")
    (asks,) = [row[0] for name, row in PLACES.items() if name.startswith(source)]
    caller = Caller({"HOME": str(tmp_path), **variables}, str(tmp_path))
    assert list(asks(caller)) == [wanted.replace("~", str(tmp_path), 1)]


def test_glab_s_own_folder_has_it_asked_for_any_host(tmp_path: Path) -> None:
    (system,) = [each for each in SYSTEMS if each.name == "gitlab"]
    caller = Caller({"HOME": str(tmp_path)}, str(tmp_path))
    assert not system.may_name(caller)
    file = tmp_path / "Library/Application Support/glab-cli/config.yml"
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert system.may_name(caller)


# What launchd gives each user has 49 bytes.
ALL = "/tmp/credlatch-501"  # noqa: S108 - no file is made
OWN = "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/"


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"TMPDIR": OWN}, f"{OWN}credlatch-501"),
        ({}, ALL),
        ({"TMPDIR": "relative"}, ALL),
        ({"TMPDIR": f"/{'long/' * 20}"}, ALL),
        ({"TMPDIR": OWN, "XDG_RUNTIME_DIR": "/x/r"}, "/x/r/credlatch"),
        ({"TMPDIR": OWN, "XDG_RUNTIME_DIR": f"/{'long/' * 20}"}, f"{OWN}credlatch-501"),
    ],
)
def test_the_socket_is_in_the_user_s_own_temporary_folder(
    variables: dict[str, str], wanted: str
) -> None:
    environ = {name.encode(): value.encode() for name, value in variables.items()}
    assert place.folder(environ, 501) == wanted.encode()
    assert len(place.socket(environ, 4_294_967_294, "0" * 16)) < 104  # sun_path, with its end


class Connection:
    """Gives a structure of the system's, whatever room there is."""

    def __init__(self, told: bytes) -> None:
        self.told = told

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (0, 1)  # SOL_LOCAL, LOCAL_PEERCRED (sys/un.h)
        return self.told[:size]


def xucred(version: int, uid: int) -> bytes:
    """Struct xucred (sys/ucred.h): a short and a gap are before the groups."""
    numbers = (version, uid, 1, *range(20, 36))
    return b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)


@pytest.mark.parametrize(
    ("told", "uid"),
    [
        (xucred(0, 501), 501),
        (xucred(0, 0), 0),
        (xucred(1, 501), None),  # which getpeereid refuses as well
        (xucred(0, 501)[:12], None),
        (b"", None),
    ],
)
def test_who_is_at_the_other_end_is_told_in_the_known_form_or_not(
    told: bytes, uid: int | None
) -> None:
    assert len(xucred(0, 501)) == 76
    assert place.uid_of(Connection(told)) == uid  # type: ignore[arg-type]  # all that is asked


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which calls were made to have something on the disk."""
    calls: list[str] = []
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda _, command: calls.append(f"fcntl {command}"))
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    return calls


def test_a_store_is_on_the_disk_and_not_only_in_its_memory(
    asked: list[str], tmp_path: Path
) -> None:
    AtomicWrite(str(tmp_path / "store")).commit(b"new")
    assert asked == ["fcntl 51", "fcntl 51"]  # the file, and the folder with its name


def test_a_file_system_that_cannot_is_asked_for_what_it_can(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int, command: int) -> None:
        asked.append(f"fcntl {command}")
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "fcntl", fails)
    durable.to_disk(0)
    assert asked == ["fcntl 51", "fsync"]


def test_a_whole_folder_asks_the_disk_once(asked: list[str], tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    folders.sync(str(tmp_path))
    assert asked == [*["fsync"] * 4, "fcntl 51"]


@pytest.fixture
def no_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that differ in case, or in Unicode's form alone, are of one file, as APFS has it."""
    real = os.stat

    def plain(name: str) -> str:
        return unicodedata.normalize("NFD", name).casefold()

    def there(path: str) -> str:
        found = Path("/")
        for part in Path(path).parts[1:]:
            names = os.listdir(found) if stat.S_ISDIR(real(found).st_mode) else []
            same = [name for name in names if plain(name) == plain(part)]
            found /= same[0] if same else part
        return str(found)

    monkeypatch.setattr(os, "stat", lambda path, **kwargs: real(there(str(path)), **kwargs))


@pytest.mark.usefixtures("no_cases")
def test_a_name_in_another_case_or_form_is_the_same_file(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "Café" / "bin", tmp_path / "other"
    for folder in (here, elsewhere):
        folder.mkdir(parents=True)
        (folder / "credlatch").write_text("")
    for name in ("café/BIN/Credlatch", "Cafe\N{COMBINING ACUTE ACCENT}/bin/credlatch"):
        assert programs.is_same(str(tmp_path / name), str(here / "credlatch"))
    assert not programs.is_same(str(elsewhere / "credlatch"), str(here / "credlatch"))
    assert not programs.is_same(str(tmp_path / "gone"), str(here / "credlatch"))


@pytest.mark.usefixtures("no_cases")
def test_a_folder_that_path_has_in_another_case_is_on_path(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    into = layout.Layout(str(tmp_path))
    os.makedirs(into.bin)
    for link in into.links:
        Path(link).write_text("")
        Path(link).chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name, path: f"{path.upper()}/{name}")
    caller = Caller({"PATH": into.bin.upper()}, str(tmp_path))
    install._say_what_path_finds(into, caller)
    assert capfd.readouterr().out == ""
    install._say_what_path_finds(into, Caller({"PATH": "/nowhere"}, str(tmp_path)))
    assert "is not on PATH: put it there" in capfd.readouterr().out
