"""What a release's files are called, and that their bytes follow from what is in them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from devtools import release
from devtools.release import archives, tries
from devtools.release.archives import Entry, Link
from devtools.release.assets import NOTICES, Assets, this_target, version

import credlatch
from support.releases import PROGRAM, dist


def packed(place: Path, into: Path, target: str) -> dict[str, bytes]:
    into.mkdir(parents=True, exist_ok=True)
    release.pack(place, target, into)
    return {path.name: path.read_bytes() for path in sorted(into.iterdir())}


@pytest.mark.parametrize("target", ["linux-x86_64", "linux-aarch64-musl", "windows-aarch64"])
def test_what_is_packed_does_not_depend_on_umask_time_or_order(tmp_path: Path, target: str) -> None:
    exe = ".exe" if target.startswith("windows") else ""
    one = dist(tmp_path / "one", umask=0o022, exe=exe)
    other = dist(tmp_path / "farther" / "away", umask=0o077, exe=exe, backwards=True)
    for path in other.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    before = packed(one, tmp_path / "first", target)
    assert before == packed(other, tmp_path / "second", target)
    assert not [name for name, content in before.items() if str(tmp_path).encode() in content]


def test_a_tar_has_the_folder_form_for_everybody_to_use(tmp_path: Path) -> None:
    packed(dist(tmp_path / "dist", umask=0o077), tmp_path / "into", "linux-x86_64")
    name = f"credlatch-{version()}"
    with tarfile.open(tmp_path / "into" / f"{name}-linux-x86_64.tar.gz") as tar:
        members = {each.name.removeprefix(f"{name}/"): each for each in tar}
    assert {each.uid for each in members.values()} == {0}
    assert {each.mtime for each in members.values()} == {315532800}
    said = {key: each.linkname or f"{each.mode:o}" for key, each in members.items()}
    assert said == {
        name: "755",
        "LICENSE": "644",
        "THIRD-PARTY-NOTICES": "_internal/THIRD-PARTY-NOTICES",
        "_internal": "755",
        "_internal/THIRD-PARTY-NOTICES": "644",
        "_internal/liba.so": "644",
        "_internal/libb.so": "644",
        "_internal/link.so": "liba.so",
        "_internal/modules.pyz": "644",
        "credlatch": "755",
        "credlatch.1": "644",
        "docker-credential-credlatch": "credlatch",
    }
    single = tmp_path / "into" / f"{name}-linux-x86_64"
    assert single.read_text() == PROGRAM
    assert stat.S_IMODE(single.stat().st_mode) == 0o755


def test_a_zip_has_both_programs(tmp_path: Path) -> None:
    packed(dist(tmp_path / "dist", umask=0o077, exe=".exe"), tmp_path / "into", "windows-x86_64")
    top = f"credlatch-{version()}"
    with zipfile.ZipFile(tmp_path / "into" / f"{top}-windows-x86_64.zip") as zipped:
        programs = {name for name in zipped.namelist() if name.endswith(".exe")}
        assert programs == {f"{top}/credlatch.exe", f"{top}/docker-credential-credlatch.exe"}
        assert len({zipped.read(name) for name in programs}) == 1
        assert zipped.read(f"{top}/{NOTICES}") == zipped.read(f"{top}/_internal/{NOTICES}")
        assert {each.date_time for each in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert (tmp_path / "into" / f"{top}-windows-x86_64.exe").is_file()


def test_a_link_is_not_silently_left_out_of_a_zip() -> None:
    with pytest.raises(ValueError, match="here is a link"):
        archives.zipped("", {"here": Entry(Link("there"))})


def test_the_time_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with tarfile.open(fileobj=io.BytesIO(archives.tarred("", {"a": Entry(b"")}))) as tar:
        assert tar.getmember("a").mtime == 1700000000


def test_what_was_packed_is_read_again(tmp_path: Path) -> None:
    built = dist(tmp_path / "dist")
    packed(built, tmp_path / "into", "linux-x86_64")
    read = archives.untarred(tmp_path / "into" / f"credlatch-{version()}-linux-x86_64.tar.gz")
    folder = archives.folder(built / "credlatch.d")
    assert {name: entry for name, entry in read.items() if name in folder} == folder
    assert set(read) - set(folder) == {
        *("LICENSE", NOTICES, "credlatch.1", "docker-credential-credlatch")
    }


@pytest.mark.parametrize("signed", [False, True])
def test_the_bill_of_materials_goes_along_with_the_hashes_of_what_is_signed(
    tmp_path: Path, *, signed: bool
) -> None:
    def hashed(content: str) -> str:
        return hashlib.sha256(content.encode()).hexdigest()

    def file(name: str, content: str) -> dict[str, object]:
        hashes = [{"alg": "SHA-256", "content": hashed(content)}]
        return {"type": "file", "name": name, "hashes": hashes}

    built = dist(tmp_path / "dist")
    library = {"type": "library", "name": "ü", "hashes": [{"alg": "SHA-1", "content": "0"}]}
    said = {
        "metadata": {"component": {"components": [library, file("credlatch", PROGRAM)]}},
        "components": [{"components": [file("credlatch.d/credlatch", PROGRAM)]}],
    }
    text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
    (built / release.BILL).write_text(text, encoding="utf-8")
    if signed:
        for name in ("credlatch", "credlatch.d/credlatch"):
            (built / name).write_text(PROGRAM + "signature")
        text = text.replace(hashed(PROGRAM), hashed(PROGRAM + "signature"))
    packed(built, tmp_path / "into", "macos-aarch64")
    packed_bill = tmp_path / "into" / f"credlatch-{version()}-macos-aarch64.cdx.json"
    assert packed_bill.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "absent", ["credlatch", "credlatch.d/credlatch", f"credlatch.d/_internal/{NOTICES}"]
)
def test_what_is_not_built_is_not_packed(tmp_path: Path, absent: str) -> None:
    built = dist(tmp_path / "dist")
    (built / absent).unlink()
    with pytest.raises(SystemExit) as ended:
        packed(built, tmp_path / "into", "linux-x86_64")
    assert ended.value.code == f"dev: {built / absent} is not there: build it first"
    assert not list((tmp_path / "into").iterdir())


def test_the_version_is_the_program_s() -> None:
    assert version() == credlatch.__version__


@pytest.mark.parametrize("target", ["", "linux", "beos-x86_64", "linux-x86_64-musl-2"])
def test_a_target_has_a_system_and_a_machine(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        release.parsed(["pack", "--target", target])
    assert "SYSTEM-MACHINE, as in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("system", "machine", "target"),
    [
        ("linux", "x86_64", "linux-x86_64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("darwin", "arm64", "macos-aarch64"),
        ("win32", "AMD64", "windows-x86_64"),
        ("win32", "ARM64", "windows-aarch64"),
    ],
)
def test_each_platform_has_one_name(
    system: str, machine: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert this_target() == target
    assert Assets("1.0", target).system == target.split("-", maxsplit=1)[0]


def test_nobody_s_folder_is_emptied_for_a_release(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    built = dist(tmp_path / "dist")
    with pytest.raises(SystemExit, match="is not empty, and no release"):
        release.release(Path(sys.executable), built, release.parsed(["--into", str(tmp_path)]))
    assert (tmp_path / "thesis.txt").exists()


def test_what_can_be_tried_is_named_and_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        release.parsed(["try", "apt", "chocolatey"])
    assert "what is 'chocolatey'; known are apt, " in capsys.readouterr().err
    page = Path(release.__file__).parents[2] / "packaging" / "README.md"
    table = page.read_text().partition("| NAME |")[2].partition("\n\n")[0]
    named = [
        name for row in table.splitlines() for name in re.findall("`([^ `]+)`", row.split("|")[1])
    ]
    assert sorted(named) == sorted(tries.NAMES)


def test_there_is_nothing_to_try_before_a_release_is_made(tmp_path: Path) -> None:
    said = release.parsed(["try", "--into", str(tmp_path)])
    with pytest.raises(SystemExit, match="has no release: make one first"):
        release.tried(Path(sys.executable), Path("uv"), said)
