"""bazel/ as a module: a release's program comes into a workspace by hash, and no other one does."""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import starlark

from credlatch import __version__
from support import bazel_client, bazel_starlark
from support.bazel_example import FOLDER, LOGINS
from support.bazel_extension import Bazel
from support.bazel_readme import block
from support.program import run

if TYPE_CHECKING:
    from support.home import Home

URL = "https://github.com/credlatch/credlatch/releases/download/v1.2.3"
MIRROR = "https://mirror.example.com/credlatch/1.2.3"
LINUX = ("Linux", "amd64")
MACHINES = {
    LINUX: "linux-x86_64",
    ("Linux", "aarch64"): "linux-aarch64",
    ("Mac OS X", "x86_64"): "macos-x86_64",
    ("Mac OS X", "aarch64"): "macos-aarch64",
    ("Windows 11", "amd64"): "windows-x86_64.exe",
    ("Windows Server 2022", "aarch64"): "windows-aarch64.exe",
}
GLIBC, MUSL = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"


def released(url: str = URL, more: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """A release's files, by their URLs."""
    files = {f"credlatch-1.2.3-{target}": target.encode() for target in MACHINES.values()}
    files |= {f"credlatch-1.2.3-{target}": content for target, content in (more or {}).items()}
    rows = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    files["SHA256SUMS"] = "".join(rows).encode()
    return {f"{url}/{name}": content for name, content in files.items()}


def workspace(files: dict[str, bytes], url: str = URL, more: str = "") -> str:
    """A MODULE.bazel that names a release."""
    digest = hashlib.sha256(files[f"{url}/SHA256SUMS"]).hexdigest()
    return f"""
credlatch = use_extension("@credlatch//:extensions.bzl", "credlatch")
credlatch.release(version = "1.2.3", sha256 = "{digest}"{more})
"""


@pytest.mark.parametrize("machine", MACHINES, ids=" ".join)
def test_the_program_for_the_machine_and_no_other_is_fetched(
    machine: tuple[str, str], tmp_path: Path
) -> None:
    files = released()
    bazel = Bazel(machine, files, tmp_path, (GLIBC,))
    bazel.resolve(workspace(files))
    command, word = bazel.run("install")
    name = f"credlatch-1.2.3-{MACHINES[machine]}"
    assert bazel.asked == [f"{URL}/SHA256SUMS", f"{URL}/{name}"]
    assert Path(command).read_bytes() == MACHINES[machine].encode()
    assert os.access(command, os.X_OK)
    assert command.endswith("install.exe" if name.endswith(".exe") else "install")
    assert word == "install"
    # What is the same for everybody stays out of the lock file.
    assert ("metadata", {"reproducible": True}) in bazel.said


@pytest.mark.parametrize(
    ("libraries", "name"),
    [((MUSL,), "linux-x86_64-musl"), ((MUSL, GLIBC), "linux-x86_64"), ((), "linux-x86_64")],
)
def test_a_linux_without_glibc_has_a_program_of_its_own(
    libraries: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    files = released(more={"linux-x86_64-musl": b"of musl"})
    bazel = Bazel(LINUX, files, tmp_path, libraries)
    bazel.resolve(workspace(files))
    bazel.run("credlatch")
    assert bazel.asked[-1] == f"{URL}/credlatch-1.2.3-{name}"


def test_a_mirror_has_the_same_files(tmp_path: Path) -> None:
    files = released(MIRROR)
    bazel = Bazel(LINUX, files, tmp_path)
    url = ', url = "https://mirror.example.com/credlatch/{version}/"'
    bazel.resolve(workspace(files, MIRROR, url))
    bazel.run("credlatch")
    assert bazel.asked == [f"{MIRROR}/SHA256SUMS", f"{MIRROR}/credlatch-1.2.3-linux-x86_64"]


def installed(bazel: Bazel, said: str) -> list[str]:
    bazel.resolve(said)
    return bazel.run("install")


FAULTS = {
    "another list": "Checksum was",
    "another program": "Checksum was",
    "a list for another program, too": "Checksum was",
    "nothing for this machine": "1.2.3 is not released for linux-x86_64",
    "no release": "MODULE.bazel needs credlatch.release",
    "no hash": "64 hexadecimal digits",
    "two releases": "it is there 2 times",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_the_one_is_not_there(fault: str, tmp_path: Path) -> None:
    files = released()
    said = workspace(files)
    sums, program = f"{URL}/SHA256SUMS", f"{URL}/credlatch-1.2.3-linux-x86_64"
    match fault:
        case "another list":
            files[sums] += b"\n"
        case "another program":
            files[program] = b"another"
        case "a list for another program, too":
            files |= released(more={"linux-x86_64": b"another"})
        case "nothing for this machine":
            files[sums] = b"".join(
                row for row in files[sums].splitlines(True) if b"linux-x86_64" not in row
            )
            said = workspace(files)
        case "no release":
            said = 'module(name = "ws")'
        case "no hash":
            said = workspace(files).replace(hashlib.sha256(files[sums]).hexdigest(), "")
        case "two releases":
            said += said.splitlines()[-1]
    bazel = Bazel(LINUX, files, tmp_path)
    with pytest.raises(starlark.StarlarkError, match=FAULTS[fault]):
        installed(bazel, said)
    assert not (tmp_path / "BUILD.bazel").exists()
    assert not (tmp_path / "program").exists()


def test_a_dependency_does_not_say_which_program_it_is(tmp_path: Path) -> None:
    ours, theirs = released(), released(MIRROR, {"linux-x86_64": b"theirs"})
    bazel = Bazel(LINUX, ours | theirs, tmp_path)
    bazel.resolve(workspace(ours), workspace(theirs, MIRROR, f', url = "{MIRROR}"'))
    (command,) = bazel.run("credlatch")
    assert Path(command).read_bytes() == b"linux-x86_64"
    alone = Bazel(LINUX, theirs, tmp_path / "alone")
    (tmp_path / "alone").mkdir()
    alone.resolve('module(name = "ws")', workspace(theirs, MIRROR, f', url = "{MIRROR}"'))
    with pytest.raises(starlark.StarlarkError, match=r"MODULE\.bazel needs credlatch\.release"):
        alone.run("credlatch")


def test_the_program_installs_itself_and_the_workspace_s_script_finds_it(
    single: Path, home: Home, tmp_path: Path
) -> None:
    files = released(more={"linux-x86_64": single.read_bytes()})
    (tmp_path / "repository").mkdir()
    bazel = Bazel(LINUX, files, tmp_path / "repository")
    answer = run(home, installed(bazel, workspace(files)), cwd=tmp_path)
    assert answer.code == 0, answer
    home.write_rattler(LOGINS)
    url = "https://files.example.com/x"
    got = bazel_client.get_credentials(FOLDER / "tools/credlatch", url, home.env, tmp_path)
    assert got.headers == {"Authorization": ["Bearer for-the-files"]}


def test_the_readme_s_lines_bring_it(tmp_path: Path) -> None:
    lines, command = (block("The program, by hash", at) for at in (0, 1))
    url = f"https://github.com/credlatch/credlatch/releases/download/v{__version__}"
    said = dict(bazel_starlark.module_file(lines))
    assert said["archive_override"]["urls"] == [f"{url}/credlatch-{__version__}.tar.gz"]
    # As hatchling calls the folder in a sdist, and as the project has it included.
    assert said["archive_override"]["strip_prefix"] == f"credlatch-{__version__}/bazel"
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())
    assert "/bazel" in project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    files = {
        name.replace(URL, url).replace("-1.2.3-", f"-{__version__}-"): content
        for name, content in released().items()
    }
    sums = files[f"{url}/SHA256SUMS"].replace(b"-1.2.3-", f"-{__version__}-".encode())
    files[f"{url}/SHA256SUMS"] = sums
    bazel = Bazel(LINUX, files, tmp_path)
    bazel.resolve(lines.replace("0" * 64, hashlib.sha256(sums).hexdigest()))
    target = command.strip().removeprefix("bazel run @credlatch//:")
    assert bazel.run(target)[1:] == ["install"]


def test_the_module_is_of_the_program_s_version_and_names_what_there_is() -> None:
    said = bazel_starlark.module_file((FOLDER / "MODULE.bazel").read_text())
    module = dict(said)["module"]
    assert (module["name"], module["version"]) == ("credlatch", __version__)
    aliases = [given for what, given in bazel_starlark.build_file(FOLDER / "BUILD.bazel")]
    assert {each["name"]: each["actual"] for each in aliases} == {
        "install": "@credlatch_program//:install",
        "credlatch": "@credlatch_program//:credlatch",
    }
    assert dict(said)["use_repo"] == {"names": ["credlatch_program"]}
