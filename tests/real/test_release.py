"""Packages of a release, as the programs that install them see them."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from devtools import release
from devtools.release import manifests, packages
from devtools.release.assets import NOTICES, this_target, version
from devtools.steps import ROOT

from support.components import need
from support.page import Page
from support.releases import GLIBC, TARGETS, dist, packed

if TYPE_CHECKING:
    from devtools.release.contents import Contents

# What a formula is written in, as far as ours goes: it prints what is downloaded, and installs.
HOMEBREW = """
class Formula
  class << self
    %w[desc homepage version license].each { |name| define_method(name) { |said| } }
    def on(name) = (yield if [ENV["CPU"], ENV["SYSTEM"]].include?(name))
    %w[macos linux arm intel].each { |name| define_method("on_#{name}") { |&all| on(name, &all) } }
    def url(said) = puts(said)
    def sha256(said) = puts(said)
    def test = nil
  end
end
load ARGV[0]
Credlatch.instance_method(:install)
"""
# What its installation is written in, in the archive's one folder: files are moved, and links are
# relative, as Homebrew's own extend/pathname.rb has it.
KEG = """
require "fileutils"
require "pathname"
class Pathname
  def install(*names)
    mkpath
    names.flatten.each { |name| system("mv", name, to_s, exception: true) }
  end

  def install_symlink(*links)
    mkpath
    named = links.flat_map { |each| each.is_a?(Hash) ? each.to_a : [[each, File.basename(each)]] }
    named.each do |to, name|
      (self/name).make_symlink(Pathname(to).expand_path(self).relative_path_from(self))
    end
  end
end
class Formula
  { bin: "bin", libexec: "libexec", man1: "share/man/man1" }.each do |name, place|
    define_method(name) { Pathname(ARGV[1])/place }
  end
end
Credlatch.new.install
"""


def said(name: str, *words: str | Path, cwd: Path | None = None, **env: str) -> str:
    done = subprocess.run(
        [need(name), *map(str, words)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """A release for all platforms, of programs that are made up."""
    need("rpmbuild")
    contents = packed(tmp_path_factory.mktemp("whole"))
    for assets in contents.of("linux"):
        packages.deb(contents, assets)
        packages.rpm(contents, assets)
    manifests.write(contents)
    return contents


@pytest.mark.parametrize("target", ["linux-x86_64", "linux-aarch64"])
def test_rpm_knows_what_it_needs_and_what_is_in_it(whole: Contents, target: str) -> None:
    machine = target.partition("-")[2]
    package = whole.folder / f"credlatch-{whole.version}-1.{machine}.rpm"
    query = ("rpm", "--query", "--package", package)
    needs = said(*query, "--requires").split()
    assert [each for each in needs if "lib" in each and "rpmlib" not in each] == [
        f"libc.so.6(GLIBC_{GLIBC})(64bit)"
    ]
    assert said(*query, "--queryformat", "%{ARCH} %{BUILDHOST} %{BUILDTIME}") == (
        f"{machine} reproducible 315532800"
    )
    form = "[%{FILENAMES} %{FILEUSERNAME} %{FILEMTIMES} %{FILELINKTOS} %{FILEMODES:perms}\\n]"
    rows = [row.split(" ") for row in said(*query, "--queryformat", form).splitlines()]
    assert {(owner, time) for _, owner, time, _, _ in rows} == {("root", "315532800")}
    files = {name: link or mode for name, _, _, link, mode in rows}
    lib = "/usr/lib/credlatch"
    assert files[f"{lib}/credlatch"] == "-rwxr-xr-x"
    assert files[f"{lib}/_internal/link.so"] == "liba.so"
    assert files["/usr/bin/credlatch"] == "../lib/credlatch/credlatch"
    assert files["/usr/share/licenses/credlatch/LICENSE"] == "-rw-r--r--"
    assert f"{lib}/LICENSE" not in files
    assert files["/usr/share/man/man1/credlatch.1.gz"] == "-rw-r--r--"
    assert files["/usr/share/man/man1/docker-credential-credlatch.1.gz"] == "credlatch.1.gz"
    assert f"{lib}/credlatch.1" not in files
    notices = files["/usr/share/licenses/credlatch/THIRD-PARTY-NOTICES"]
    assert os.path.normpath(f"/usr/share/licenses/credlatch/{notices}") in files


def test_what_the_readme_installs_by_name_a_release_has(whole: Contents) -> None:
    install = Page("README.md").sections["Install"]
    places = f"{re.escape(whole.homepage)}/releases/(?:latest/download|download/v{version()})"
    named = set(re.findall(rf"{places}/(\S+)", install))
    wheel = f"credlatch-{version()}-py3-none-any.whl"
    assert len(named) == 4
    assert named - {wheel} <= {path.name for path in whole.folder.iterdir()}
    assert wheel in named
    assert f"--from=credlatch:{version()}-amd64 /credlatch " in install


def test_rpm_s_bytes_follow_from_what_is_in_it(whole: Contents, tmp_path: Path) -> None:
    contents = packed(tmp_path / "farther" / "away", ("linux-x86_64",))
    again = packages.rpm(contents, contents.assets["linux-x86_64"])
    first = (whole.folder / again.name).read_bytes()
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(first).digest()
    assert str(tmp_path.parent).encode() not in first


def test_dpkg_unpacks_and_verifies_the_package(whole: Contents, tmp_path: Path) -> None:
    package = whole.folder / f"credlatch_{whole.version}_amd64.deb"
    fields = said("dpkg-deb", "--field", package, "Package", "Version", "Depends")
    assert f"Depends: libc6 (>= {GLIBC})" in fields
    root = tmp_path / "root"
    said("dpkg-deb", "--extract", package, root)
    for name in ("credlatch", "docker-credential-credlatch"):
        assert (root / "usr/bin" / name).resolve() == root / "usr/lib/credlatch/credlatch"
    control = tmp_path / "control"
    said("dpkg-deb", "--control", package, control)
    said("md5sum", "--check", "--quiet", control / "md5sums", cwd=root)


@pytest.mark.parametrize("target", [each for each in TARGETS if "windows" not in each])
def test_ruby_reads_the_formula_for_each_platform(whole: Contents, target: str) -> None:
    formula = whole.folder / "credlatch.rb"
    said("ruby", "-c", "-W2", formula)
    system, _, machine = target.partition("-")
    chosen = {"SYSTEM": system, "CPU": {"x86_64": "intel", "aarch64": "arm"}[machine]}
    lines = said("ruby", "-e", HOMEBREW, formula, cwd=None, **chosen).splitlines()
    name = f"credlatch-{whole.version}-{target}.tar.gz"
    assert lines == [f"{whole.url}/{name}", whole.sha256(name)]


@pytest.mark.parametrize("target", ["linux-x86_64", "macos-aarch64"])
def test_ruby_installs_what_the_formula_says(whole: Contents, tmp_path: Path, target: str) -> None:
    assets = whole.assets[target]
    said("tar", "-xf", whole.folder / assets.archive, "-C", tmp_path)
    keg, here = tmp_path / "keg", tmp_path / assets.top
    said("ruby", "-W2", "-e", HOMEBREW + KEG, whole.folder / "credlatch.rb", keg, cwd=here)
    assert list(here.iterdir()) == []
    for name in ("credlatch", "docker-credential-credlatch"):
        assert (keg / "bin" / name).resolve() == keg / "libexec" / "credlatch"
        page = keg / "share" / "man" / "man1" / f"{name}.1"
        assert page.read_bytes() == (ROOT / "packaging" / "credlatch.1").read_bytes()
    assert (keg / "libexec" / "LICENSE").is_file()
    assert (keg / "libexec" / NOTICES).is_file()
    assert not [
        each for each in keg.rglob("*") if each.is_symlink() and each.readlink().is_absolute()
    ]


def test_a_wheel_names_the_commit_and_has_the_page_whatever_it_was_built_of(tmp_path: Path) -> None:
    commit = "0123456789" * 4
    build = ("-m", "hatchling", "build", "-d", tmp_path)
    told = {"CREDLATCH_COMMIT": commit, "PYTHONPATH": ""}
    said(sys.executable, *build, "-t", "sdist", cwd=ROOT, **told)
    (sdist,) = tmp_path.glob("*.tar.gz")
    said("tar", "-xf", sdist, "-C", tmp_path)
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    said("git", "init", "-q", unpacked)  # somebody's, who keeps it there
    for place, more in ((ROOT, told), (unpacked, {"PYTHONPATH": ""})):
        said(sys.executable, *build, "-t", "wheel", cwd=place, **more)
        (wheel,) = tmp_path.glob("*.whl")
        with ZipFile(wheel) as inside:
            page = inside.read(f"credlatch-{version()}.data/data/share/man/man1/credlatch.1")
        assert page == (ROOT / "packaging" / "credlatch.1").read_bytes()
        first, second, *_ = said(
            sys.executable, "-m", "credlatch", "--version", PYTHONPATH=str(wheel)
        ).splitlines()
        assert (first, second) == (f"credlatch {version()}", f"commit: {commit}")
        wheel.unlink()


def test_a_release_has_the_sums_of_all_and_they_are_right(tmp_path: Path) -> None:
    need("rpmbuild")
    built, into = dist(tmp_path / "dist"), tmp_path / "into"
    options = release.parsed(["--into", str(into), "--url", "https://files.example/v1"])
    sums = []
    for _ in range(2):  # the second over the first
        assert release.release(Path(sys.executable), built, options) == 0
        sums.append((into / release.SUMS).read_text())
    assert sums[0] == sums[1]
    top = f"credlatch-{version()}"
    target = f"{top}-{this_target()}"
    wheel = f"{top}-py3-none-any.whl"
    files = {path.name for path in into.iterdir() if path.is_file()}
    made = {wheel, f"{top}.tar.gz", "install.sh", "credlatch.rb", "recipe.yaml"}
    assert {target, f"{target}.tar.gz", *made} < files
    assert {row.split("  ")[1] for row in sums[0].splitlines()} == files - {release.SUMS}
    said("sha256sum", "--check", "--quiet", release.SUMS, cwd=into)
    for file in files:
        assert str(tmp_path).encode() not in (into / file).read_bytes()
    assert re.findall(r"https://files\.example/v1\b", (into / "install.sh").read_text())
