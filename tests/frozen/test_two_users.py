"""Two users of one machine, and root with a user's HOME: the frozen program as each calls it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.logins import oauth
from support.program import TIMEOUT
from support.users import ADA, EVE, as_root, folder, open_place, owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.token_server import TokenServer

pytestmark = as_root
HOST = "r.example"
LOGIN = json.dumps({"ServerURL": HOST, "Username": "ada", "Secret": "engine"})


class Ada:
    """A user with a home; what is called is called as her, or as root with her HOME.

    Attributes:
        place: a folder of root's that everybody may enter.
        home: her home.
    """

    def __init__(self, program: Path, place: Path) -> None:
        self.place = place
        self.home = folder(place / "ada", ADA)
        shutil.copytree(program.parent, place / "program", symlinks=True)
        self._program = str(place / "program" / program.name)

    def call(
        self, *args: str, stdin: str = "", uid: int = ADA, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Call the program."""
        return subprocess.run(
            [self._program, *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            cwd=cwd or self.home,
            env={"PATH": os.defpath, "HOME": str(self.home), "CREDLATCH_AGENT": "off", **env},
            user=uid,
            group=uid,
            extra_groups=[],
            check=False,
        )

    def get(self, **location: object) -> str:
        """The header that Bazel gets, or what is said."""
        done = self.call("get", stdin=json.dumps({"uri": f"https://{HOST}/"}), **location)  # type: ignore[arg-type] # as `call` has them
        return done.stdout + done.stderr


@pytest.fixture
def ada(folder: Path) -> Iterator[Ada]:
    with open_place() as place:
        yield Ada(folder, place)


def root_s(path: Path) -> list[str]:
    return [str(each) for each in sorted(path.rglob("*")) if each.lstat().st_uid == 0]


def test_what_root_does_with_a_user_s_home_is_the_user_s(
    ada: Ada, token_server: TokenServer
) -> None:
    """``sudo docker login``, a renewal, git's store, and the wiring of a tool."""
    assert ada.call("docker", "store", stdin=LOGIN, uid=0).returncode == 0
    asked = "protocol=https\nhost=g.example\nusername=u\npassword=p\n\n"
    assert ada.call("git", "store", stdin=asked, uid=0).returncode == 0
    assert ada.call("setup", "bazel", "--all-hosts", "--yes", uid=0).returncode in {0, 1}
    store = ada.home / ".rattler/credentials.json"
    entries = json.loads(store.read_text())
    entries["o.example"] = oauth(token_server, -60)
    store.write_text(json.dumps(entries))
    done = ada.call("get", stdin='{"uri":"https://o.example/"}', uid=0)
    assert "Bearer" in done.stdout, done
    assert root_s(ada.home) == []
    assert ada.call("docker", "get", stdin=HOST).stdout.startswith("{")
    assert ada.call("docker", "erase", stdin=HOST).returncode == 0


@pytest.mark.parametrize("uid", [0, ADA])
def test_a_project_that_another_user_has_left_in_tmp_replaces_no_login(ada: Ada, uid: int) -> None:
    tmp = folder(ada.place / "tmp", 0, 0o1777)
    stolen = tmp / "auth.json"
    stolen.write_text(json.dumps({HOST: {"BearerToken": "eve-s"}}))
    (tmp / "pixi.toml").write_text("[workspace]\n")
    config = folder(tmp / ".pixi", EVE) / "config.toml"
    config.write_text(f"authentication-override-file = '{stolen}'\n")
    for path in (stolen, tmp / "pixi.toml", config):
        owned(path, EVE)
    work = folder(tmp / "work", ADA)
    assert "eve-s" not in ada.get(uid=uid, cwd=work)
    assert ada.call("docker", "store", stdin=LOGIN, uid=uid, cwd=work).returncode == 0
    assert "Basic" in ada.get(uid=uid, cwd=work)
    assert ada.call("docker", "erase", stdin=HOST, uid=uid, cwd=work).returncode == 0
    assert json.loads(stolen.read_text()) == {HOST: {"BearerToken": "eve-s"}}


def a_link(path: Path) -> None:
    path.symlink_to(path.parent / "victim")


@pytest.mark.parametrize("make", [a_link, os.mkfifo, os.mkdir])
@pytest.mark.parametrize("uid", [0, ADA])
def test_what_is_in_a_lock_s_place_is_refused_in_one_line(
    ada: Ada, uid: int, make: Callable[[Path], None]
) -> None:
    make(folder(ada.home / ".rattler", ADA) / "credentials.json.lock")
    done = ada.call("docker", "store", stdin=LOGIN, uid=uid)
    assert done.returncode == 1
    assert "credentials.json.lock is no lock file" in done.stdout
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert [each.name for each in (ada.home / ".rattler").iterdir()] == ["credentials.json.lock"]


def test_root_writes_through_no_link_of_a_user_s_to_the_system(ada: Ada) -> None:
    system = folder(ada.place / "etc")
    (ada.home / ".rattler").symlink_to(system)
    owned(ada.home / ".rattler", ADA)
    done = ada.call("docker", "store", stdin=LOGIN, uid=0)
    assert done.returncode == 1
    assert "another user's link leads to" in done.stdout
    assert list(system.iterdir()) == []


@pytest.fixture
def system(ada: Ada) -> Path:
    """A file of root's, where users write nothing."""
    path = folder(ada.place / "etc") / "passwd"
    path.write_text("root-s\n")
    return path


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def undoes(ada: Ada, path: Path, before: str | None, *, link: bool = False) -> str:
    """What root's ``--undo`` says to a record in Ada's home, which she has made up."""
    text = "" if link else path.read_text()
    file = {"path": str(path), "format": "git", "existed": before is not None, "settings": []}
    file |= {"before": digest(before or ""), "after": digest(text), "folders": []}
    file["splices"] = [[0, before or "", text]]
    step: dict[str, object] = {"files": [] if link else [file], "link": None}
    if link:
        step["link"] = {"path": str(path), "text": os.readlink(path), "made": True}
    there = ada.home
    for name in (".local", "share", "credlatch", "setup"):
        there = there / name
        if not there.exists():
            folder(there, ADA)
    made = there / "git.json"
    made.write_text(json.dumps({"version": 1, "steps": [step]}))
    owned(made, ADA)
    done = ada.call("setup", "git", "--undo", "--yes", uid=0)
    return done.stdout + done.stderr


def test_root_removes_the_name_that_it_has_made_beside_the_program(ada: Ada, system: Path) -> None:
    link = system.with_name("keyring")
    link.symlink_to("credlatch")
    assert "is undone" in undoes(ada, link, None, link=True)
    assert not link.is_symlink()


def test_root_undoes_what_is_the_user_s(ada: Ada) -> None:
    path = ada.home / ".gitconfig"
    path.write_text("[a]\n")
    owned(path, ADA)
    assert "is undone" in undoes(ada, path, None)
    assert not path.exists()


@pytest.mark.parametrize("by", [0, ADA])
def test_root_runs_no_helper_of_a_user_s_that_the_user_s_own_chain_names(
    ada: Ada, system: Path, by: int
) -> None:
    helper = folder(ada.home / "bin", ADA) / "helper"
    helper.write_text(f"#!/bin/sh\nid -u >{system.parent}/ran\n")
    helper.chmod(0o755)
    owned(helper, ADA)
    chain = folder(folder(ada.home / ".config", ADA) / "credlatch", ADA) / "chain.json"
    chain.write_text(json.dumps({"bazel": {"*": str(helper)}}))
    owned(chain, by)
    said = ada.get(uid=0)
    ran = (system.parent / "ran").exists()
    assert ran is (by == 0)  # what root has written there, root means
    assert ran or "is not run" in said
