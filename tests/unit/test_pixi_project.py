"""What a project's pixi configuration may say of logins: little, last, and nothing for others."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import logins
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.commands.setup import has_login
from credlatch.errors import SetupError, StoreError
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.setup import hosts
from credlatch.stores.rattler import RattlerStore
from support.found import sure
from support.users import ADA, EVE, as_root, become, folder, open_place, owned

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

HOST = "pypi.example.com"
SETTING = "authentication-override-file = '{}'\n"


def bearer(token: str) -> dict[str, Any]:
    return {"BearerToken": token}


@pytest.fixture
def project(home: Home) -> Path:
    """A project of the caller's own, whose configuration names a file with a login."""
    path = home.path / "project"
    home.write("project/pixi.toml", "[workspace]\nname = 'x'\n")
    auth = home.write("project/auth.json", json.dumps({HOST: bearer("of the project")}))
    home.write("project/.pixi/config.toml", SETTING.format(auth))
    (path / "src").mkdir()
    return path


def ask(home: Home, cwd: Path, host: str = HOST) -> tuple[str | None, list[str]]:
    """The token for a host, and what is warned of."""
    caller = Caller(dict(home.env), str(cwd))
    found = Resolver(caller).resolve(Request(urls.parse(f"https://{host}/"), ()))
    return None if found is None else found.credential.secret.reveal(), caller.warnings


def token(home: Home, cwd: Path, host: str = HOST) -> str | None:
    found, warnings = ask(home, cwd, host)
    assert warnings == []
    return found


def test_it_is_heard_in_the_project_and_below_and_nowhere_else(home: Home, project: Path) -> None:
    assert token(home, project) == token(home, project / "src") == "of the project"
    assert token(home, home.path) is None
    assert token(home, project, "other.example.com") is None


@pytest.mark.parametrize(
    ("name", "text", "is_root"),
    [
        ("pixi.toml", "", True),
        ("pixi.toml", "[project]", True),
        ("pixi.toml", "???", True),
        ("pixi.toml", "x = " + "[" * 9_999, True),
        ("pixi.toml", "[package]\n[workspace]", True),
        ("pixi.toml", "[package]", False),
        ("pyproject.toml", "[tool.pixi.workspace]", True),
        ("pyproject.toml", "[tool.pixi.project]", True),
        ("pyproject.toml", "[tool.pixi.package]", False),
        ("pyproject.toml", "[tool.uv]", False),
        ("pyproject.toml", "", False),
        ("setup.cfg", "[tool.pixi.workspace]", False),
    ],
)
def test_the_root_of_a_project_is_pixi_s(
    home: Home, project: Path, name: str, text: str, *, is_root: bool
) -> None:
    home.write(f"project/src/{name}", text)
    assert token(home, project / "src") == (None if is_root else "of the project")
    inner = home.write("project/inner.json", json.dumps({HOST: bearer("inner")}))
    home.write("project/src/.pixi/config.toml", SETTING.format(inner))
    assert token(home, project / "src") == ("inner" if is_root else "of the project")


def test_without_a_manifest_or_with_rattler_s_variable_it_is_not_heard(
    home: Home, project: Path
) -> None:
    home.env["RATTLER_AUTH_FILE"] = str(home.write("only.json", "{}"))
    assert token(home, project) is None
    del home.env["RATTLER_AUTH_FILE"]
    assert token(home, project) == "of the project"
    (project / "pixi.toml").unlink()
    assert token(home, project) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".rattler/credentials.json", json.dumps({HOST: bearer("mine")})),
        (".rattler/credentials.json", json.dumps({"*.example.com": bearer("mine")})),
        (".netrc", f"machine {HOST} login __token__ password mine"),
        (".docker/config.json", json.dumps({"auths": {HOST: {"auth": "dTptaW5l"}}})),
        ("own.json", json.dumps({HOST: bearer("mine")})),
    ],
)
def test_it_outranks_no_login_of_the_user_s_nor_one_that_may_be_there(
    home: Home, project: Path, name: str, text: str
) -> None:
    path = home.write(name, text)
    home.env["DOCKER_CONFIG"] = str(home.path / ".docker")
    if name == "own.json":
        home.write(".pixi/config.toml", SETTING.format(path))
    assert token(home, project) == "mine"
    path.write_text("{}" if name.endswith("json") else "")
    home.write(".rattler/credentials.json", "???")
    with pytest.raises(StoreError, match="not JSON"):
        ask(home, project)


def test_a_relative_path_of_the_user_s_configuration_leads_to_a_project_too(
    home: Home, project: Path
) -> None:
    (project / ".pixi/config.toml").unlink()
    home.write(".pixi/config.toml", SETTING.format("auth.json"))
    assert token(home, project) == "of the project"
    home.write(".netrc", f"machine {HOST} login u password mine")
    assert token(home, project) == "mine"
    assert RattlerStore(Caller(dict(home.env), str(project))).logins() == {}


def test_a_relative_path_starts_from_the_working_directory_as_pixi_has_it(
    home: Home, project: Path
) -> None:
    home.write("project/.pixi/config.toml", SETTING.format("auth.json"))
    assert token(home, project) == "of the project"
    assert token(home, project / "src") is None


def test_nothing_is_written_to_it_nor_listed_nor_erased(home: Home, project: Path) -> None:
    login = {"BasicHTTP": {"username": "ada", "password": "p"}}
    auth = home.write("project/auth.json", json.dumps({HOST: login}))
    before = (auth.read_bytes(), sorted(project.rglob("*")))
    caller = Caller(dict(home.env), str(project))
    url = urls.parse(f"https://{HOST}/")
    store = RattlerStore(caller)
    assert store.logins() == {}
    with pytest.raises(SetupError, match="no store has a login yet"):
        hosts.known(caller)
    assert store.delete(HOST) is False
    assert logins.forget(caller, url, "ada", None) is False
    assert (auth.read_bytes(), sorted(project.rglob("*"))) == before


@pytest.mark.parametrize("target", ["there", "gone"])
def test_nothing_is_written_through_a_link_in_its_place(
    home: Home, project: Path, target: str
) -> None:
    victim = home.path / "victim.json"
    if target == "there":
        home.write("victim.json", json.dumps({HOST: {"BasicHTTP": {"username": "u"}}}))
    (project / "auth.json").unlink()
    (project / "auth.json").symlink_to(victim)
    caller = Caller(dict(home.env), str(project))
    RattlerStore(caller).delete(HOST)
    found, (warning,) = ask(home, project)
    assert found is None
    assert "auth.json is a link" in warning
    assert victim.exists() is (target == "there")


def oauth(ends: int) -> str:
    login = {
        "access_token": "a",
        "refresh_token": "secret-refresh",
        "expires_at": ends,
        "token_endpoint": "https://127.0.0.1:9/token",
        "client_id": "c",
    }
    return json.dumps({HOST: {"OAuth": login}})


def test_a_token_that_has_ended_is_not_renewed_and_fails_no_call(home: Home, project: Path) -> None:
    home.write("project/auth.json", oauth(1_000_000_000))
    found, (warning,) = ask(home, project)
    assert found is None
    assert "has ended: log in again" in warning
    assert "secret" not in warning
    assert not [path for path in home.path.rglob("*") if "lock" in path.name]


def test_a_token_that_is_not_renewed_is_good_to_its_end(home: Home, project: Path) -> None:
    home.write("project/auth.json", oauth(int(time.time()) + 300))
    caller = Caller(dict(home.env), str(project))
    found = sure(Resolver(caller).resolve(Request(urls.parse(f"https://{HOST}/"), ())))
    assert found.entry.grant is None
    # And not soon, as where a renewal has failed.
    assert sure(found.expires) > time.time() + 200
    assert caller.warnings == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("auth.json", "???"),
        ("auth.json", json.dumps({HOST: 1})),
        ("auth.json", json.dumps({HOST: bearer("a\nb")})),
        ("auth.json", " " * (1024 * 1024) + "{}"),
        (".pixi/config.toml", f"???{SETTING}"),
        (".pixi/config.toml", "#" * (1024 * 1024 + 1)),
        ("pixi.toml", "#" * (1024 * 1024 + 1)),
    ],
)
def test_a_broken_one_is_a_warning_and_fails_no_call(
    home: Home, project: Path, name: str, content: str
) -> None:
    home.write(f"project/{name}", content)
    found, warnings = ask(home, project)
    assert found is None
    assert len(warnings) == 1
    assert "project" in warnings[0]


def test_a_broken_one_is_no_login_that_may_be_there(home: Home, project: Path) -> None:
    home.write("project/auth.json", "???")
    caller = Caller(dict(home.env), str(project))
    with pytest.raises(SetupError, match="no store has a login"):
        hosts.named([HOST], caller, lambda url: has_login(url, caller), force=False)
    assert "not JSON" in caller.warnings[0]


@pytest.mark.parametrize("name", ["project", "logins"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_a_folder_that_others_may_change_is_enough_wherever_the_file_is(
    home: Home, project: Path, name: str, mode: int
) -> None:
    auth = home.write("logins/auth.json", json.dumps({HOST: bearer("of the project")}))
    home.write("project/.pixi/config.toml", SETTING.format(auth))
    assert token(home, project) == "of the project"
    path = home.path / name
    path.chmod(path.stat().st_mode | mode)
    assert warned_of(home, project).startswith(f"others may change {path}: chmod")


FILES = [".pixi/config.toml", "pixi.toml", "auth.json"]


def warned_of(home: Home, project: Path) -> str:
    """The one warning of a project that is not heard."""
    found, (warning,) = ask(home, project)
    assert found is None
    return warning


@pytest.mark.parametrize("name", ["", ".pixi", *FILES])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_others_may_change_is_not_heard(
    home: Home, project: Path, name: str, mode: int
) -> None:
    path = project / name
    path.chmod(path.stat().st_mode | mode)
    assert re.match(f".*{path}.*chmod", warned_of(home, project))


@pytest.mark.parametrize("name", [".pixi", *FILES])
def test_what_is_a_link_is_not_heard(home: Home, project: Path, name: str) -> None:
    path = project / name
    path.rename(project / "moved")
    path.symlink_to(project / "moved")
    assert f"{path} is a link" in warned_of(home, project)


@pytest.mark.parametrize("name", [".pixi/config.toml", "auth.json"])
def test_a_fifo_in_its_place_does_not_hang(home: Home, project: Path, name: str) -> None:
    (project / name).unlink()
    os.mkfifo(project / name)
    assert "is not a file" in warned_of(home, project)


@as_root
@pytest.mark.parametrize("name", ["", ".pixi", *FILES])
def test_what_is_another_user_s_is_not_heard(home: Home, project: Path, name: str) -> None:
    owned(project / name, EVE)
    assert "another user's" in warned_of(home, project)


@as_root
def test_another_user_s_project_around_the_working_directory_sets_nothing(home: Home) -> None:
    with open_place() as place:
        tmp = folder(place / "tmp", 0, 0o1777)
        (folder(tmp / ".pixi", EVE) / "config.toml").write_text(SETTING.format(tmp / "auth.json"))
        (tmp / "pixi.toml").write_text("[workspace]")
        (tmp / "auth.json").write_text(json.dumps({HOST: bearer("stolen")}))
        for path in (tmp / "pixi.toml", tmp / ".pixi/config.toml", tmp / "auth.json"):
            owned(path, EVE)
        work = folder(tmp / "work", ADA)
        home.env["HOME"] = str(folder(place / "ada", ADA))
        for variable in [name for name in home.env if name.startswith("XDG_")]:
            del home.env[variable]
        found = become(ADA, lambda: ask(home, work))
        assert found.startswith("(None, [")
        assert "another user" in found
        (tmp / ".pixi/config.toml").unlink()
        assert become(ADA, lambda: ask(home, work)) == "(None, [])"
        own = folder(work / ".pixi", ADA) / "config.toml"
        own.write_text(SETTING.format("auth.json"))
        owned(own, ADA)
        assert become(ADA, lambda: ask(home, work)) == "(None, [])"
