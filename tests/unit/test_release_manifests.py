"""What package managers are told of a release: of each file its own place and SHA-256."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
from io import BytesIO
from posixpath import normpath
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from devtools.release import manifests, packages
from devtools.release.assets import NOTICES
from rattler_build import PlatformConfig, RenderConfig, Stage0Recipe

from support.releases import GLIBC, TARGETS, packed

if TYPE_CHECKING:
    from pathlib import Path

    from devtools.release.contents import Contents

WINDOWS = tuple(target for target in TARGETS if target.startswith("windows"))
LINUX = TARGETS[:2]
SHA256 = re.compile(r"\b[0-9a-fA-F]{64}\b")
FILE = re.compile(r"https://files\.example/v1/([\w.-]+)")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """A release for all platforms, with its manifests."""
    contents = packed(tmp_path_factory.mktemp("whole"))
    manifests.write(contents)
    return contents


def text(contents: Contents, name: str) -> str:
    return (contents.folder / name).read_text()


def pairs(said: str) -> list[tuple[str, str]]:
    """Files and the digests that stand next, in either order."""
    files, digests = FILE.findall(said), SHA256.findall(said)
    assert len(files) == len(digests)
    return list(zip(files, [each.lower() for each in digests], strict=True))


ALL = (
    "recipe.yaml",
    "credlatch.rb",
    "Credlatch.Credlatch.installer.yaml",
)


@pytest.mark.parametrize("name", ALL)
def test_each_file_that_a_manifest_names_is_there_and_has_its_digest(
    whole: Contents, name: str
) -> None:
    said = pairs(text(whole, name))
    assert said
    for file, digest in said:
        assert hashlib.sha256((whole.folder / file).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("targets", [TARGETS, LINUX[:1], WINDOWS[1:], TARGETS[2:3]])
def test_there_are_manifests_for_the_platforms_that_there_are(
    tmp_path: Path, targets: tuple[str, ...]
) -> None:
    contents = packed(tmp_path, targets)
    written = {str(path.relative_to(contents.folder)) for path in manifests.write(contents)}
    unix = {"install.sh", "credlatch.rb"}
    windows = {
        "install.ps1",
        "credlatch.json",
        "Credlatch.Credlatch.yaml",
        "Credlatch.Credlatch.installer.yaml",
        "Credlatch.Credlatch.locale.en-US.yaml",
    }
    has_windows = any(target in WINDOWS for target in targets)
    has_unix = any(target not in WINDOWS for target in targets)
    wanted = (unix if has_unix else set()) | (windows if has_windows else set())
    assert written == wanted | {"recipe.yaml"}
    said = "".join(text(contents, name) for name in written)
    assert "@" not in re.sub(r'@\(|@\{|"\$@"|[\w-]+@v?\d', "", said)
    other = {target for target in TARGETS if target not in targets}
    assert not [target for target in other if f"-{target}." in said]


def test_another_version_s_files_are_no_part_of_a_release(tmp_path: Path) -> None:
    contents = packed(tmp_path, LINUX)
    for name in ("credlatch-9.9.9-linux-riscv64.tar.gz", "linux-riscv64.tar.gz"):
        (contents.folder / name).write_bytes(b"")
    assert tuple(type(contents)(contents.folder, None).assets) == tuple(sorted(LINUX))


@pytest.mark.parametrize(
    ("given", "url"), [("https://a.example/b/", "https://a.example/b"), ("", "")]
)
def test_files_are_where_the_release_is_unless_said(whole: Contents, given: str, url: str) -> None:
    again = type(whole)(whole.folder, given or None)
    assert again.url == (url or f"{again.homepage}/releases/download/v{again.version}")


def test_winget_knows_both_machines_and_both_programs(whole: Contents) -> None:
    said = yaml.safe_load(text(whole, "Credlatch.Credlatch.installer.yaml"))
    machines = {each["Architecture"]: each["InstallerUrl"] for each in said["Installers"]}
    assert {name: url.rpartition("-")[2] for name, url in machines.items()} == {
        "arm64": "aarch64.zip",
        "x64": "x86_64.zip",
    }
    assert {each["PortableCommandAlias"] for each in said["NestedInstallerFiles"]} == {
        "credlatch",
        "docker-credential-credlatch",
    }
    assert said["ArchiveBinariesDependOnPath"] is True


def test_winget_s_three_files_are_of_one_package_and_version(whole: Contents) -> None:
    said = [yaml.safe_load(path.read_text()) for path in whole.folder.glob("Credlatch.*.yaml")]
    one = {(each["PackageIdentifier"], each["PackageVersion"]) for each in said}
    assert one == {("Credlatch.Credlatch", whole.version)}
    assert {each["ManifestType"] for each in said} == {"defaultLocale", "installer", "version"}
    assert {each["ManifestVersion"] for each in said} == {"1.10.0"}


def test_scoop_puts_the_folder_on_path_and_knows_the_next_release(whole: Contents) -> None:
    said = json.loads(text(whole, "credlatch.json"))
    assert {"version", "homepage", "license"} <= set(said)
    assert said["env_add_path"] == "."
    for name, there in said["architecture"].items():
        ((url, digest),) = pairs(json.dumps(there))
        assert whole.sha256(url) == digest
        later = said["autoupdate"]["architecture"][name]["url"]
        assert whole.version not in later
        assert later.replace("$version", whole.version) == there["url"]
    assert set(said["architecture"]) == {"64bit", "arm64"}


def test_install_ps1_has_each_file(whole: Contents) -> None:
    said = text(whole, "install.ps1")
    rows = re.findall(r"'(\w+)' = @\{ File = '([^']+)'; Sha256 = '([^']+)' \}", said)
    assert {(name, file.rpartition("-")[2]) for name, file, _ in rows} == {
        ("Arm64", "aarch64.exe"),
        ("X64", "x86_64.exe"),
    }
    assert all(whole.sha256(file) == digest for _, file, digest in rows)


# What rattler-build calls a platform, and whose files are its sources.
CONDA = {
    "linux-64": ["linux-x86_64.tar.gz"],
    "linux-aarch64": ["linux-aarch64.tar.gz"],
    "osx-64": ["macos-x86_64.tar.gz"],
    "osx-arm64": ["macos-aarch64.tar.gz"],
    "win-64": ["windows-x86_64.zip", "windows-x86_64.exe"],
    "win-arm64": ["windows-aarch64.zip", "windows-aarch64.exe"],
}


@pytest.mark.parametrize("platform", CONDA)
def test_rattler_build_takes_the_recipe_for_each_platform(whole: Contents, platform: str) -> None:
    recipe = Stage0Recipe.from_file(str(whole.folder / "recipe.yaml"))
    config = RenderConfig(
        platform=PlatformConfig(
            target_platform=platform, build_platform=platform, host_platform=platform
        )
    )
    (rendered,) = recipe.render(render_config=config)
    said: dict[str, Any] = rendered.recipe.to_dict()
    assert said["package"]["version"] == whole.version
    begin = f"{whole.url}/credlatch-{whole.version}-"
    sources = [each["url"] for each in said["source"]]
    assert [str(url).removeprefix(begin) for url in sources] == CONDA[platform]
    needs = json.dumps(said["requirements"])
    assert (f"__glibc >={GLIBC}" in needs) == platform.startswith("linux")


def members(package: bytes) -> dict[str, bytes]:
    """What is in an archive of ar's."""
    assert package.startswith(b"!<arch>\n")
    found, at = {}, 8
    while at < len(package):
        name, size = package[at : at + 16].decode().strip(), int(package[at + 48 : at + 58])
        assert package[at + 58 : at + 60] == b"`\n"
        found[name] = package[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    return found


@pytest.mark.parametrize(("target", "machine"), [(LINUX[0], "amd64"), (LINUX[1], "arm64")])
def test_a_debian_package_needs_the_glibc_that_its_libraries_need(
    tmp_path: Path, target: str, machine: str
) -> None:
    contents = packed(tmp_path, (target,))
    package = packages.deb(contents, contents.assets[target])
    assert package.name == f"credlatch_{contents.version}_{machine}.deb"
    inside = members(package.read_bytes())
    assert list(inside) == ["debian-binary", "control.tar.xz", "data.tar.xz"]
    with tarfile.open(fileobj=BytesIO(inside["control.tar.xz"])) as control:
        said = control.extractfile("./control")
        assert said is not None
        lines = said.read().decode().splitlines()
    assert f"Depends: libc6 (>= {GLIBC})" in lines  # and none that a text names
    assert f"Architecture: {machine}" in lines
    assert all(len(line) < 100 for line in lines)
    with tarfile.open(fileobj=BytesIO(inside["data.tar.xz"])) as data:
        assert data.getmember("./usr/bin/credlatch").linkname == "../lib/credlatch/credlatch"
        share = "usr/share/doc/credlatch"
        notices = data.getmember(f"./{share}/{NOTICES}").linkname
        assert f"./{normpath(f'{share}/{notices}')}" in data.getnames()
        assert f"./{share}/copyright" in data.getnames()
        man = "./usr/share/man/man1"
        page = data.extractfile(f"{man}/credlatch.1.gz")
        assert page is not None
        assert gzip.decompress(page.read()).startswith(b".TH CREDLATCH 1")
        assert (
            data.getmember(f"{man}/docker-credential-credlatch.1.gz").linkname == "credlatch.1.gz"
        )
        assert "./usr/lib/credlatch/credlatch.1" not in data.getnames()


@pytest.mark.parametrize(
    ("version", "sorted_"),
    [
        ("1.0", "1.0"),
        ("1.0rc1", "1.0~rc1"),
        ("1.0a2", "1.0~a2"),
        ("1.0.dev3", "1.0~dev3"),
        ("1.0.post1", "1.0.post1"),
    ],
)
def test_a_version_to_come_is_before_that_which_it_becomes(version: str, sorted_: str) -> None:
    assert packages.sorting_before(version) == sorted_


def test_the_image_has_the_single_file_for_each_linux(tmp_path: Path) -> None:
    contents = packed(tmp_path, LINUX)
    archive = packages.image(contents)
    with tarfile.open(archive) as tar:
        blobs = {each.name: tar.extractfile(each) for each in tar if each.isfile()}
        said = {name: file.read() for name, file in blobs.items() if file is not None}
    for name, content in said.items():
        if name.startswith("blobs/"):
            assert hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]

    def blob(descriptor: dict[str, Any]) -> bytes:
        content = said[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
        assert len(content) == descriptor["size"]
        return content

    (top,) = json.loads(said["index.json"])["manifests"]
    found = {}
    for each in json.loads(blob(top))["manifests"]:
        manifest = json.loads(blob(each))
        config = json.loads(blob(manifest["config"]))
        assert config["architecture"] == each["platform"]["architecture"]
        (layer,) = manifest["layers"]
        with tarfile.open(fileobj=BytesIO(blob(layer))) as tar:
            found[config["architecture"]] = sorted(tar.getnames())
    wanted = ["LICENSE", NOTICES, "credlatch", "docker-credential-credlatch"]
    assert found == {"amd64": wanted, "arm64": wanted}
    tags = [each["RepoTags"] for each in json.loads(said["manifest.json"])]
    assert tags == [
        [f"credlatch:{contents.version}-{each}"] for each in sorted(found, reverse=True)
    ]


def test_the_same_archives_give_the_same_release(tmp_path: Path) -> None:
    def made(place: Path) -> dict[str, bytes]:
        contents = packed(place)
        for assets in contents.of("linux"):
            packages.deb(contents, assets)
        packages.image(contents)
        manifests.write(contents)
        files = [path for path in contents.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(place)): path.read_bytes() for path in files}

    one, other = made(tmp_path / "one"), made(tmp_path / "farther" / "away")
    assert one == other
    assert not [name for name, content in one.items() if str(tmp_path).encode() in content]
