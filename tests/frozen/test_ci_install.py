"""The GitHub Action, GitLab's component and the dev container feature install what has the hash."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from devtools.release import manifests, packages
from devtools.release.assets import Assets, this_target

from credlatch import __version__
from support.components import need
from support.github_runner import Runner
from support.page import ROOT, Page
from support.program import Answer, run
from support.releases import packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devtools.release.contents import Contents

    from support.home import Home

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
FEATURE = ROOT / "docker/devcontainer/feature/credlatch"
COMPONENT = (ROOT / "templates/credlatch.yml").read_text()
SCRIPT = (FEATURE / "install.sh").read_text()


class Release(NamedTuple):
    """A release of the program, in a folder.

    Attributes:
        folder: its files.
        sha256: of SHA256SUMS.
    """

    folder: Path
    sha256: str

    @property
    def url(self) -> str:
        """Where they are."""
        return self.folder.as_uri()


@pytest.fixture(scope="module")
def whole(single: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """The program for this platform, and what installs it."""
    contents = packed(tmp_path_factory.mktemp("whole"), (this_target(),))
    shutil.copy(single, contents.folder / Assets(__version__, this_target()).single)
    manifests.write(contents)
    (contents.folder / "install.ps1").write_text("# for Windows\n")
    return contents


@pytest.fixture
def release(whole: Contents, tmp_path: Path) -> Release:
    """The same, for a test to damage."""
    folder = tmp_path / "a release"
    shutil.copytree(whole.folder, folder)
    rows = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_text("".join(rows))
    return Release(folder, hashlib.sha256("".join(rows).encode()).hexdigest())


def by_action(release: Release, home: Home, tmp_path: Path, **env: str) -> Answer:
    """As a GitHub runner does: the installing step alone."""
    runner = Runner(home, tmp_path, inputs(release))
    return runner(ACTION["runs"]["steps"][0], RUNNER_OS="Linux", **env)


def inputs(release: Release, setup: str = "") -> dict[str, str]:
    given = {"version": __version__, "sha256": release.sha256, "url": release.url, "setup": setup}
    return {f"inputs.{name}": value for name, value in given.items()}


def job(**given: str) -> dict[str, Any]:
    """GitLab's hidden job, as the component's inputs make it."""
    spec, body = yaml.safe_load_all(COMPONENT)
    known = spec["spec"]["inputs"]
    for name, value in given.items():
        assert re.search(known[name]["regex"], value), name
    values = {name: given.get(name, said.get("default")) for name, said in known.items()}
    text = re.sub(
        r"\$\[\[ inputs\.(\w+) \]\]",
        lambda found: values[found[1]],
        yaml.safe_dump(body, width=999),
    )
    loaded: dict[str, Any] = yaml.safe_load(text)
    (made,) = loaded.values()
    return {**made, "name": next(iter(loaded))}


def by_component(
    release: Release, home: Home, tmp_path: Path, shell: str = "bash", **env: str
) -> Answer:
    """As GitLab's runner does: one script of all lines, which ends at the first that fails."""
    url = "https://files.example.com/release"
    (before,) = job(version=__version__, sha256=release.sha256 or "0" * 64, url=url)[
        "before_script"
    ]
    # Its inputs take no file, which the tests have.
    script = "\n".join(["set -e", before.replace(url, release.url), "credlatch --version"])
    command = [need(shell), *(["sh"] if shell == "busybox" else [])]
    return run(
        home, [*command, home.write("job.sh", script)], cwd=tmp_path, env={**home.env, **env}
    )


def by_feature(release: Release, home: Home, tmp_path: Path, **env: str) -> Answer:
    """As who builds a dev container does, with a /usr/local that is this test's."""
    options = {"VERSION": __version__, "SHA256": release.sha256, "URL": release.url}
    local = tmp_path / "local"
    local.mkdir()
    script = 'mount --bind "$1" /usr/local; exec ./install.sh'
    command = ["unshare", "--mount", "sh", "-e", "-c", script, "sh", str(local)]
    need("unshare")
    return run(home, command, cwd=FEATURE, env={**home.env, **options, **env})


WAYS: dict[str, tuple[Callable[..., Answer], str]] = {
    "action": (by_action, "home/temporary/credlatch"),
    "component": (by_component, "home/.local"),
    "feature": (by_feature, "local"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """One after the other."""
    name: str = request.param
    return name


def test_the_program_is_installed(way: str, release: Release, home: Home, tmp_path: Path) -> None:
    install, place = WAYS[way]
    answer = install(release, home, tmp_path)
    assert answer.code == 0, answer
    said = run(home, [tmp_path / place / "bin/credlatch", "--version"])
    assert said.said.startswith(f"credlatch {__version__}\n")


FAULTS = {
    "another list": "SHA256SUMS has the SHA-256 ",
    "no hash": "SHA256SUMS has the SHA-256 ",
    "no list": "SHA256SUMS cannot be had",
    "another script": "install.sh has the SHA-256 ",
    "a script that is not listed": "install.sh has the SHA-256 ",
    "another program": "nothing was run",
    "half a program": "nothing was run",
    "no curl": "needs curl or wget",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_else_is(
    fault: str, way: str, release: Release, home: Home, tmp_path: Path
) -> None:
    folder, env = release.folder, {}
    (program,) = folder.glob(f"*{this_target()}")
    match fault:
        case "another list":
            (folder / "SHA256SUMS").write_text((folder / "SHA256SUMS").read_text() + "\n")
        case "no hash":
            release = release._replace(sha256="")
        case "no list":
            (folder / "SHA256SUMS").unlink()
        case "another script":
            (folder / "install.sh").write_text("#!/bin/sh\ntouch ran\n")
        case "a script that is not listed":
            rows = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
            kept = "".join(row for row in rows if "install.sh" not in row)
            (folder / "SHA256SUMS").write_text(kept)
            release = release._replace(sha256=hashlib.sha256(kept.encode()).hexdigest())
        case "another program":
            program.write_bytes(b"#!/bin/sh\n".ljust(program.stat().st_size))
        case "half a program":
            program.write_bytes(program.read_bytes()[:100_000])
        case "no curl":
            env["PATH"] = str(without("curl", "wget", place=tmp_path / "tools"))
    install, place = WAYS[way]
    answer = install(release, home, tmp_path, **env)
    assert answer.code != 0
    assert FAULTS[fault] in answer.said
    assert not list((tmp_path / place).glob("*"))
    assert not list(tmp_path.rglob("ran"))


def without(*names: str, place: Path) -> Path:
    """A folder with the programs of the system, but for some."""
    place.mkdir()
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in os.scandir(folder):
            link = place / program.name
            if program.name not in names and not link.is_symlink():
                link.symlink_to(program.path)
    return place


def test_all_three_check_alike() -> None:
    begin, end = SCRIPT.index("fail() {"), SCRIPT.index("fetch install.sh")
    common = SCRIPT[begin:end]
    assert common.count("nothing was run") == 1
    assert common in textwrap.dedent(ACTION["runs"]["steps"][0]["run"])
    assert common in job(version="1", sha256="0" * 64)["before_script"][0]


# The Action


def test_the_action_s_tools_ask_it(release: Release, home: Home, tmp_path: Path) -> None:
    setup = "bazel --host *.example.com --force\n\n  docker --host registry.example.com --force\n"
    runner = Runner(home, tmp_path, inputs(release, setup))
    for step in ACTION["runs"]["steps"]:
        answer = runner(step, RUNNER_OS="macOS")
        assert answer.code == 0, answer
    assert runner.outputs() == {"prefix": str(runner.temporary / "credlatch")}
    assert runner.paths() == [str(runner.temporary / "credlatch/bin")]
    assert "--credential_helper=*.example.com=credlatch" in (home.path / ".bazelrc").read_text()
    config = json.loads((home.path / ".docker/config.json").read_text())
    assert config == {"credHelpers": {"registry.example.com": "credlatch"}}


def test_a_tool_that_cannot_be_set_up_ends_the_job(
    release: Release, home: Home, tmp_path: Path
) -> None:
    runner = Runner(
        home, tmp_path, inputs(release, "no-such-tool\nbazel --host x.example.com --force\n")
    )
    assert runner(ACTION["runs"]["steps"][0], RUNNER_OS="Linux").code == 0
    assert runner(ACTION["runs"]["steps"][1]).code != 0
    assert not (home.path / ".bazelrc").exists()


def test_nothing_is_expanded_that_setup_is_told(
    release: Release, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "x.example.com").touch()
    runner = Runner(
        home, tmp_path, inputs(release, "bazel --host *.example.com --force\n$(touch ran)")
    )
    assert runner(ACTION["runs"]["steps"][0], RUNNER_OS="Linux").code == 0
    assert runner(ACTION["runs"]["steps"][1]).code != 0
    assert "=*.example.com=credlatch" in (home.path / ".bazelrc").read_text()
    assert not (tmp_path / "ran").exists()


def test_windows_has_a_script_of_its_own(release: Release, home: Home, tmp_path: Path) -> None:
    told = home.path / "told"
    installs = (
        f'#!/bin/sh\nprintf "%s\\n" "$@" >"{told}"; cat install.ps1 >>"{told}"\n'
        f'mkdir -p "$RUNNER_TEMP/credlatch/lib/credlatch/{__version__}-abc"\n'
    )
    home.write("bin/powershell", installs, 0o755)
    # What Git's own bash has there.
    home.write("bin/cygpath", '#!/bin/sh\necho "$2"\n', 0o755)
    home.env["PATH"] = f"{home.path}/bin:{home.env['PATH']}"
    runner = Runner(home, tmp_path, inputs(release))
    answer = runner(ACTION["runs"]["steps"][0], RUNNER_OS="Windows")
    assert answer.code == 0, answer
    prefix = f"{runner.temporary}/credlatch"
    lines = told.read_text().splitlines()
    assert lines[-5:] == ["-Mirror", release.url, "-Prefix", prefix, "# for Windows"]
    assert runner.paths() == [f"{prefix}/lib/credlatch/{__version__}-abc"]


def test_the_action_s_inputs_are_those_that_it_reads() -> None:
    read = set(re.findall(r"\$\{\{ inputs\.(\w+) \}\}", (ROOT / "action.yml").read_text()))
    assert read == set(ACTION["inputs"])


# GitLab's component


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_any_shell_installs_it_and_finds_it(
    shell: str, release: Release, home: Home, tmp_path: Path
) -> None:
    answer = by_component(release, home, tmp_path, shell)
    assert answer.code == 0, answer
    assert (
        answer.out.decode().splitlines()[-1].startswith("credlatch ") or __version__ in answer.said
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "1'; touch ran; '"),
        ("version", ""),
        ("sha256", "0" * 63),
        ("sha256", "0" * 63 + "'"),
        ("url", "https://x/'; touch ran; '"),
        ("url", "file:///x"),
    ],
)
def test_gitlab_refuses_what_would_not_stay_a_value(name: str, value: str) -> None:
    given = {"version": "1", "sha256": "0" * 64} | {name: value}
    with pytest.raises(AssertionError, match=name):
        job(**given)


def test_the_component_is_a_hidden_job() -> None:
    assert job(version="1", sha256="0" * 64)["name"] == ".credlatch"
    spec = next(yaml.safe_load_all(COMPONENT))["spec"]["inputs"]
    assert all(set(said) <= {"default", "description", "regex"} for said in spec.values())


# The dev container feature


def test_the_feature_is_what_its_options_are_called(release: Release) -> None:
    said = json.loads((FEATURE / "devcontainer-feature.json").read_text())
    assert said["id"] == FEATURE.name
    assert said["version"] == said["options"]["version"]["default"] == __version__
    # https://containers.dev/implementors/features/#option-resolution
    assert {f"{name.upper()}=${{{name.upper()}-}}" for name in said["options"]} <= set(
        SCRIPT.split()
    )
    assert release.sha256


def test_the_release_has_the_feature(whole: Contents) -> None:
    made = packages.feature(whole)
    first = made.read_bytes()
    with tarfile.open(made) as tar:
        modes = {member.name: member.mode for member in tar.getmembers()}
    assert modes == {"devcontainer-feature.json": 0o644, "install.sh": 0o755}
    assert packages.feature(whole).read_bytes() == first
    made.unlink()


# The documents


def test_the_document_s_examples_say_what_there_is() -> None:
    blocks = {head: block for head, (block, *_) in Page("docs/ci.md").blocks.items()}
    (use,) = [
        step
        for step in yaml.safe_load(blocks["GitHub Actions"].text)["jobs"]["build"]["steps"]
        if step.get("uses", "").startswith("credlatch/")
    ]
    assert set(use["with"]) <= set(ACTION["inputs"])
    gitlab = yaml.safe_load(blocks["GitLab"].text)
    (component,) = gitlab["include"]
    assert component["component"].endswith(f"/credlatch@{__version__}")
    assert gitlab["build"]["extends"] == job(**component["inputs"])["name"]
    said = json.loads((FEATURE / "devcontainer-feature.json").read_text())
    ((url, options),) = json.loads(blocks["Dev containers"].text)["features"].items()
    assert url.endswith(f"/v{__version__}/devcontainer-feature-{said['id']}.tgz")
    assert set(options) <= set(said["options"])


def test_the_document_s_links_lead_somewhere() -> None:
    named = re.findall(r"\]\(([^)#]+)", Page("docs/ci.md").text)
    assert named
    assert [path for path in named if not (ROOT / "docs" / path).exists()] == []
