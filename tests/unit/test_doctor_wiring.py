"""The doctor on tools' own configurations: what leads to us, and what is in the way of that."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.doctor import programs, wiring
from credlatch.doctor.finding import FAIL, OFF, OK, WARN, Finding
from credlatch.setup.tools import TOOLS
from support.callers import caller_of
from support.diagnosis import mended, on_path, only_problem, pasted, problems

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

LOGIN = {"BasicHTTP": {"username": "u", "password": "p"}}
DOCKER, PODMAN = ".docker/config.json", ".config/containers/auth.json"
# A configuration of each tool that leads to us, and the program that it starts.
WIRED = {
    "bazel": (".bazelrc", "common --credential_helper=*.r.example=credlatch\n"),
    "docker": (DOCKER, '{"credHelpers": {"r.example": "credlatch"}}'),
    "podman": (PODMAN, '{"credHelpers": {"r.example": "credlatch"}}'),
    "uv": (".config/uv/uv.toml", 'keyring-provider = "subprocess"\n'),
    "pip": (".config/pip/pip.conf", "[global]\nkeyring-provider = subprocess\n"),
    "pixi": (".pixi/config.toml", '[pypi-config]\nkeyring-provider = "subprocess"\n'),
    "git": (
        ".gitconfig",
        '[credential "https://r.example"]\n\thelper =\n\thelper = !credlatch git\n',
    ),
    "cargo": (
        ".cargo/config.toml",
        '[registry]\nglobal-credential-providers = ["cargo:token", "credlatch"]\n',
    ),
    "go": (".config/go/env", "GOAUTH=credlatch goauth; netrc\n"),
}  # fmt: skip


def check(caller: object) -> list[Finding]:
    """The two checks that the wiring is about."""
    return [*programs.check(caller), *wiring.check(caller)]  # type: ignore[arg-type]  # one


@pytest.fixture
def bin_(home: Home) -> Path:
    """Where this program is on PATH, with every tool, and a login for r.example."""
    home.write_rattler({"r.example": LOGIN})
    folder = on_path(home, *(tool.commands[0] for tool in TOOLS.values()))
    home.write(".placeholder", "")
    return folder


def wire(home: Home, *tools: str) -> None:
    """Wire tools by hand."""
    for tool in tools:
        home.write(*WIRED[tool])
        if TOOLS[tool].program == "keyring" and not (home.path / "bin/keyring").exists():
            (home.path / "bin/keyring").symlink_to("credlatch")


@pytest.mark.usefixtures("bin_")
def test_what_is_wired_is_said_to_be(home: Home) -> None:
    wire(home, *WIRED)
    found = list(wiring.check(caller_of(home)))
    assert {each.severity for each in found} == {OK}
    assert {each.subject: each.what.partition(": ")[0] for each in found} == {
        tool: str(home.path / name) for tool, (name, _) in WIRED.items()
    }
    assert problems(programs.check, home) == []
    assert set(wiring.needed(caller_of(home))) == {
        "credlatch", "docker-credential-credlatch", "keyring",
    }  # fmt: skip


@pytest.mark.usefixtures("bin_")
def test_what_is_not_wired_is_no_problem_and_its_command_wires_it(home: Home) -> None:
    found = list(wiring.check(caller_of(home)))
    assert {each.subject: each.fix for each in found} == {
        tool: f"credlatch setup {tool}" for tool in WIRED
    }
    assert {each.severity for each in found} == {OFF}
    pasted("credlatch setup docker", home)
    (docker,) = [each for each in wiring.check(caller_of(home)) if each.subject == "docker"]
    assert docker.severity == OK


def test_what_is_not_installed_has_no_line(home: Home) -> None:
    home.write_rattler({"r.example": LOGIN})
    on_path(home)
    assert list(wiring.check(caller_of(home))) == []


@pytest.mark.usefixtures("bin_")
def test_without_a_login_nobody_is_told_to_wire_a_host(home: Home) -> None:
    home.write_rattler({})
    found = {each.subject: each.fix for each in wiring.check(caller_of(home))}
    assert found["docker"] == found["git"] == ""
    assert found["pip"] == "credlatch setup pip"


@pytest.mark.usefixtures("bin_")
def test_a_registry_is_wired_with_the_port_that_its_login_has(home: Home) -> None:
    wire(home, "docker")
    home.write_rattler({"r.example:5000": LOGIN})
    found = only_problem(wiring.check, home)
    assert found.severity == FAIL
    assert "wires r.example, and the login is for r.example:5000" in found.what
    assert found.repair is not None
    assert found.repair() == found.fix
    assert problems(wiring.check, home) == []
    wired = json.loads((home.path / DOCKER).read_text())["credHelpers"]
    assert wired == {"r.example": "credlatch", "r.example:5000": "credlatch"}


@pytest.mark.usefixtures("bin_")
def test_an_entry_that_is_for_nobody_is_no_login_at_a_port(home: Home) -> None:
    wire(home, "docker")
    home.write_rattler({})
    home.write(".netrc", "machine r.example:5000 login u password p\n")
    assert problems(wiring.check, home) == []


@pytest.mark.usefixtures("bin_")
def test_a_registry_that_has_a_login_at_its_own_port_too_is_no_problem(home: Home) -> None:
    wire(home, "docker")
    home.write_rattler({"r.example:5000": LOGIN, "r.example": LOGIN})
    assert problems(wiring.check, home) == []


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize(
    ("tool", "variable", "value"),
    [("uv", "UV_KEYRING_PROVIDER", "disabled"), ("pip", "PIP_KEYRING_PROVIDER", "import"),
     ("go", "GOAUTH", "netrc")],
)  # fmt: skip
def test_a_variable_that_outranks_the_wiring(
    home: Home, tool: str, variable: str, value: str
) -> None:
    wire(home, tool)
    home.env[variable] = value
    found = mended(wiring.check, home)
    assert found.severity == FAIL
    assert found.what == f"{variable} is {value!r}, and outranks its configuration"


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize(
    ("tool", "variable", "value"), [("pip", "PIP_CONFIG_FILE", os.devnull), ("go", "GOENV", "off")]
)
def test_a_variable_with_which_no_configuration_is_read(
    home: Home, tool: str, variable: str, value: str
) -> None:
    wire(home, tool)
    home.env[variable] = value
    found = mended(wiring.check, home)
    assert (found.severity, found.fix) == (WARN, f"unset {variable}")


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize("tool", ["cargo"])
def test_a_path_at_which_we_are_no_more_is_wired_anew(home: Home, tool: str) -> None:
    name, text = WIRED[tool]
    gone = str(home.path / "old/bin/credlatch")
    home.write(name, text.replace("credlatch", gone).replace(f"{gone} git", f"{gone} git"))
    found = mended(wiring.check, home)
    assert found.severity == FAIL
    assert found.what == f"{home.path}/{name} names {gone}, which is not there"
    assert gone not in (home.path / name).read_text() or tool == "git"


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize("pattern", ["--undo", "-x", "a b"])
def test_what_a_project_has_written_is_no_option_of_a_command(home: Home, pattern: str) -> None:
    home.write("ws/MODULE.bazel", "")
    gone = f"{home.path}/old/credlatch"
    path = home.write("ws/.bazelrc", f"common '--credential_helper={pattern}={gone}'\n")
    own = Caller(dict(home.env), str(home.path / "ws"))
    (found,) = [each for each in wiring.check(own) if each.severity == FAIL]
    assert found.fix == f"${{EDITOR:-vi}} {path}"


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize("name", [".bazelrc", ".config/uv/uv.toml"])
def test_what_would_hang_whoever_opens_it(home: Home, name: str) -> None:
    (home.path / name).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(home.path / name)
    (found,) = problems(wiring.check, home)
    assert "is not a file" in found.what


@pytest.mark.usefixtures("bin_")
def test_a_workspace_s_wrapper_that_cannot_be_run(home: Home) -> None:
    home.write("MODULE.bazel", "")
    home.write("tools/credlatch", "#!/bin/sh\n", 0o644)
    helper = "%workspace%/tools/credlatch"
    home.write(".bazelrc", f"common --credential_helper=*.r.example={helper}\n")
    found = mended(wiring.check, home)
    assert found.fix == f"chmod +x {home.path}/tools/credlatch"


@pytest.mark.usefixtures("bin_")
def test_a_helper_for_one_host_before_us_for_all(home: Home) -> None:
    home.write("bin/docker-credential-pass", "#!/bin/sh\nexit 1\n", 0o755)
    config = {"credsStore": "credlatch", "credHelpers": {"r.example": "pass", "o.example": "pass"}}
    home.write(DOCKER, json.dumps(config))
    found = only_problem(wiring.check, home)
    assert found.severity == WARN
    assert "for r.example it asks pass, and not credlatch" in found.what
    assert found.fix == "credlatch setup docker --host r.example --chain"


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        (DOCKER, '{"credHelpers": {"r.example": "gone"}}', "docker --host r.example --force"),
        (PODMAN, '{"credHelpers": {"r.example": "gone"}}', "podman --host r.example --force"),
        (DOCKER, '{"credsStore": "gone"}', "docker --all-hosts"),
        (".bazelrc", "common --credential_helper=gone\n", "bazel --all-hosts"),
        (DOCKER, '{"credHelpers": {"--undo": "gone"}}', ""),
    ],
)
def test_a_helper_of_somebody_else_s_that_is_not_there(
    home: Home, name: str, text: str, fix: str
) -> None:
    home.write(name, text)
    found = only_problem(wiring.check, home)
    assert found.severity == (WARN if "--undo" in text else FAIL)
    assert "gone, which is not on PATH" in found.what
    wanted = f"credlatch setup {fix} --replace" if fix else f"${{EDITOR:-vi}} {home.path}/{name}"
    assert found.fix == wanted


@pytest.mark.usefixtures("bin_")
def test_a_helper_of_git_s_that_is_no_longer_asked(home: Home) -> None:
    name, text = WIRED["git"]
    home.write(name, f"[credential]\n\thelper = store\n{text}")
    found = only_problem(wiring.check, home)
    assert found.severity == WARN
    assert "where git's store is no longer asked" in found.what


@pytest.mark.usefixtures("bin_")
def test_a_repository_s_own_setting_that_git_reads_later(home: Home) -> None:
    wire(home, "git")
    subprocess.run(["git", "init", "-q", home.path], check=True, env=home.env)
    config = home.path / ".git/config"
    config.write_text(f"{config.read_text()}[credential]\n\thelper =\n\thelper = store\n")
    found = only_problem(wiring.check, home)
    assert found.severity == FAIL
    assert "and git asks store, by a setting that it reads later" in found.what
    pasted(found.fix, home)
    assert [each for each in problems(wiring.check, home) if each.severity == FAIL] == []


@pytest.mark.usefixtures("bin_")
def test_a_project_that_says_otherwise_than_its_user(home: Home) -> None:
    wire(home, "uv")
    home.write("uv.toml", 'keyring-provider = "disabled"\n')
    found = only_problem(wiring.check, home)
    assert found.severity == FAIL
    assert found.what.startswith(f"{home.path}/uv.toml says keyring-provider = 'disabled'")


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize("tool", ["uv", "pip", "git"])
def test_a_configuration_that_cannot_be_read(home: Home, tool: str) -> None:
    wire(home, tool)
    name = WIRED[tool][0]
    home.write(name, "[[[\n= credlatch\n")
    right = WIRED[tool][1]
    found = mended(wiring.check, home, mends=f"import sys; open(sys.argv[1], 'w').write({right!r})")
    assert found.severity == FAIL
    assert found.what.startswith(f"{home.path}/{name} cannot be read as ")


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize("tools", [("pip", "pixi")])
def test_a_keyring_of_a_virtual_environment_in_front(home: Home, tools: tuple[str, ...]) -> None:
    wire(home, *tools)
    home.write("proj/.venv/pyvenv.cfg", "")
    venv = home.write("proj/.venv/bin/keyring", "#!/bin/sh\nexit 1\n", 0o755)
    home.path_begins_with(venv.parent)
    found = mended(check, home)
    assert found.severity == FAIL
    assert found.what == (
        f"PATH finds {venv}, of a virtual environment, before ours: "
        f"{' and '.join(tools)} start that one"
    )


@pytest.mark.usefixtures("bin_")
def test_no_keyring_at_all_or_another_one(home: Home, bin_: Path) -> None:
    wire(home, "pip")
    (bin_ / "keyring").unlink()
    assert only_problem(check, home).fix == "credlatch setup pip"
    other = home.write("other/keyring", "#!/bin/sh\nexit 1\n", 0o755)
    home.env["PATH"] += f":{other.parent}"
    assert only_problem(check, home).fix == "credlatch setup pip --replace"
    home.path_begins_with(other.parent)
    assert "export PATH=" in mended(check, home).fix


@pytest.mark.usefixtures("bin_")
def test_the_helper_s_name_is_missing(home: Home, bin_: Path) -> None:
    wire(home, "docker")
    (bin_ / "docker-credential-credlatch").unlink()
    found = mended(check, home)
    assert found.severity == FAIL
    assert "docker-credential-credlatch is not on PATH, where docker look" in found.what
    (bin_ / "docker-credential-credlatch").unlink()
    assert found.repair is not None
    found.repair()
    assert problems(check, home) == []


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize("name", ["docker-credential-credlatch", "keyring"])
def test_a_link_of_ours_that_leads_nowhere(home: Home, bin_: Path, name: str) -> None:
    wire(home, "docker", "pip")
    (bin_ / name).unlink()
    (bin_ / name).symlink_to(home.path / "old/lib/credlatch/current/credlatch")
    found = problems(check, home)
    assert found[0].what.startswith(f"{bin_ / name} is a link to ")
    pasted(found[0].fix, home)
    assert problems(check, home) == []
    (bin_ / name).unlink()
    (bin_ / name).symlink_to(home.path / "old/lib/credlatch/current/credlatch")
    assert found[0].repair is not None
    found[0].repair()
    assert problems(check, home) == []


@pytest.mark.usefixtures("bin_")
def test_the_program_itself_is_not_on_path(home: Home, bin_: Path) -> None:
    wire(home, "bazel", "git")
    (bin_ / "credlatch").unlink()
    (bin_ / "docker-credential-credlatch").unlink()
    found = only_problem(check, home)
    assert (found.severity, found.what) == (
        FAIL, "credlatch is not on PATH, where bazel, git looks for it",
    )  # fmt: skip


@pytest.mark.usefixtures("bin_")
def test_a_helper_of_another_installation(home: Home, bin_: Path) -> None:
    wire(home, "docker")
    other = home.write("other/docker-credential-credlatch", "#!/bin/sh\nexit 1\n", 0o755)
    home.path_begins_with(other.parent)
    found = mended(check, home)
    assert found.severity == WARN
    assert found.fix == f'export PATH={bin_}:"$PATH"'
