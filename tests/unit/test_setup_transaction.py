"""Changes as they are made: all of them or none, and nobody else's lost."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from credlatch.errors import SetupError
from credlatch.setup import texts, transaction
from credlatch.system.atomic_write import AtomicWrite
from support import users
from support.wiring import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.wiring import Wiring

DOCKER = ".docker/config.json"


@pytest.mark.parametrize("at", [1, 2])
def test_two_files_change_both_or_none(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    wiring.program("docker-credential-pass")
    wiring.home.write(DOCKER, '{"credsStore": "pass"}', 0o640)
    count = iter(range(1, 100))
    commit = AtomicWrite.commit

    def failing(self: AtomicWrite, data: bytes) -> None:
        if b"steps" not in data and next(count) == at:
            raise OSError(errno.EIO, "Input/output error")
        commit(self, data)

    monkeypatch.setattr(AtomicWrite, "commit", failing)
    assert "input/output error: nothing has been changed" in refused(wiring, "docker", "--chain")
    assert (wiring.home.path / DOCKER).stat().st_mode & 0o777 == 0o640
    assert not (wiring.home.path / ".config/credlatch").exists()
    monkeypatch.undo()
    assert wiring("docker", "--undo") == 0
    assert "nothing to undo" in wiring.said


def test_a_link_or_a_record_that_cannot_be_written_leaves_the_configuration(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    record = wiring.home.write(".local/share/credlatch", "a file")
    assert "cannot be written: not a directory: nothing was" in refused(wiring, "docker")
    record.unlink()
    monkeypatch.setattr(os, "symlink", failing)
    assert refused(wiring, "uv") == (
        f"{wiring.bin / 'keyring'} cannot be written: permission denied: nothing has been changed"
    )
    assert not (wiring.home.path / ".config").exists()


def test_a_file_that_changes_while_a_person_thinks(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wiring.home.write(DOCKER, "{}")
    write = transaction.write

    def slow(*args: object, **options: object) -> None:
        path.write_text('{"by": "docker login"}')
        _any(write)(*args, **options)

    monkeypatch.setattr(transaction, "write", slow)
    with pytest.raises(SetupError, match="has just been changed: run it again"):
        wiring("docker")
    assert path.read_text() == '{"by": "docker login"}'


def _any(function: Callable[..., None]) -> Callable[..., None]:
    return function


@pytest.mark.parametrize("undo", [False, True])
def test_what_git_is_just_writing_is_left(wiring: Wiring, *, undo: bool) -> None:
    path = wiring.home.write(".gitconfig", "[user]\n")
    if undo:
        assert wiring("git") == 0
    lock = wiring.home.write(".gitconfig.lock", "")
    said = refused(wiring, "git", *["--undo"] * undo)
    assert said.startswith(f"{lock} is there, so somebody is just changing {path}: run it again")
    lock.unlink()
    assert wiring("git", "--undo") == 0
    assert path.read_text() == "[user]\n"


@pytest.mark.parametrize("name", ["fstat", "close", "unlink"])
def test_a_system_that_fails_once_leaves_no_lock_of_git_s(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = wiring.home.write(".gitconfig", "[user]\n")
    lock = path.with_name(".gitconfig.lock")
    real = getattr(os, name)
    failed: list[object] = []

    def fails(*args: Any, **options: Any) -> Any:
        if lock.exists() and not failed and (name != "unlink" or args[0] == lock.name):
            failed.append(args)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*args, **options)

    monkeypatch.setattr(os, name, fails)
    with suppress(SetupError):
        wiring("git")
    monkeypatch.undo()
    assert failed
    assert not lock.exists()


@pytest.mark.parametrize("module", ["credlatch.setup.record", "credlatch.rules.settings"])
def test_nothing_goes_on_to_a_crash_of_msgspec_s(module: str) -> None:
    code = f"import sys; sys.modules['_datetime'] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"ImportError: cannot import name 'datetime_CAPI'" in done.stderr


def test_git_waits_while_its_file_is_written(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wiring.home.write("dotfiles/gitconfig", "[user]\n")
    (wiring.home.path / ".gitconfig").symlink_to(path)
    commit = AtomicWrite.commit
    said = []

    def tried(self: AtomicWrite, data: bytes) -> None:
        if b"steps" not in data:
            said.append(config("user.name", "A"))
        commit(self, data)

    def config(*words: str) -> str:
        done = subprocess.run(
            ["git", "config", "--global", *words],
            env=wiring.home.env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr

    monkeypatch.setattr(AtomicWrite, "commit", tried)
    assert wiring("git") == 0
    assert len(said) == 1
    assert "could not lock config file" in said[0]
    assert config("user.name", "A") == ""
    assert "!credlatch git" in path.read_text()
    assert "name = A" in path.read_text()


def test_ctrl_c_waits_until_all_is_written(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    wiring.program("docker-credential-pass")
    wiring.home.write(DOCKER, '{"credsStore": "pass"}')
    commit = AtomicWrite.commit
    # Whoever runs the tests may have it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(self: AtomicWrite, data: bytes) -> None:
        commit(self, data)
        if b"steps" not in data:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(AtomicWrite, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            wiring("docker", "--chain")
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
    assert "credlatch" in wiring.read(DOCKER)
    assert "pass" in wiring.read(".config/credlatch/chain.json")
    assert wiring("docker", "--undo") == 0
    assert wiring.read(DOCKER) == '{"credsStore": "pass"}'


def test_a_file_that_cannot_be_written_takes_the_link_back(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = AtomicWrite.commit

    def failing(self: AtomicWrite, data: bytes) -> None:
        if b"steps" not in data:
            raise OSError(errno.EIO, "Input/output error")
        commit(self, data)

    monkeypatch.setattr(AtomicWrite, "commit", failing)
    assert "uv.toml cannot be written: input/output error" in refused(wiring, "uv")
    # Nor is there a folder with git's lock file in it.
    wiring.home.env["GIT_CONFIG_GLOBAL"] = str(wiring.home.path / "new/gitconfig")
    assert "gitconfig cannot be written: input/output error" in refused(wiring, "git")
    assert not (wiring.home.path / "new").exists()


@pytest.mark.parametrize("text", [None, "offline = true\n"])
def test_what_was_undone_is_done_again_where_the_link_stays(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        wiring.home.write(".config/uv/uv.toml", text, 0o640)
    assert wiring("uv") == 0
    unlink = os.unlink

    def failing(path: str, **location: int) -> None:
        if os.path.basename(path) == "keyring":
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, **location)

    monkeypatch.setattr(os, "unlink", failing)
    mode = (wiring.home.path / ".config/uv/uv.toml").stat().st_mode
    assert "keyring cannot be written: permission denied" in refused(wiring, "uv", "--undo")
    assert (wiring.home.path / ".config/uv/uv.toml").stat().st_mode == mode
    monkeypatch.undo()
    assert wiring("uv", "--undo") == 0
    assert not os.path.lexists(wiring.bin / "keyring")


@users.as_root
def test_git_s_lock_in_a_user_s_home_is_the_user_s(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, commit = wiring.home.path, AtomicWrite.commit
    wiring.home.write(".gitconfig", "[user]\n")
    for path in (home, *home.rglob("*")):
        users.owned(path, users.ADA)
    found: list[int] = []

    def looking(self: AtomicWrite, data: bytes) -> None:
        found.extend(path.stat().st_uid for path in home.glob(".gitconfig.lock"))
        commit(self, data)

    monkeypatch.setattr(AtomicWrite, "commit", looking)
    assert wiring("git", "--all-hosts") == 0
    assert found == [users.ADA]


@users.as_root
@pytest.mark.parametrize("owner", [users.ADA, users.EVE])
def test_another_user_s_configuration_is_not_changed_though_it_could_be(owner: int) -> None:
    with users.open_place() as place:
        path = place / "config"
        path.write_text("{}")
        path.chmod(0o666)
        users.owned(path, owner)
        said = users.become(users.ADA, lambda: texts.read(str(path)).see_that_it_may_change())
    theirs = f"SetupError: {path} is another user's: nothing was written"
    assert said == ("None" if owner == users.ADA else theirs)
