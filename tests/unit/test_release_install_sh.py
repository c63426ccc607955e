"""install.sh runs what it has got only if that is, to the byte, what was released."""

from __future__ import annotations

import http.server
import os
import shutil
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from devtools.release import manifests
from devtools.release.assets import this_target

from support.releases import packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home

pytestmark = pytest.mark.skipif(os.name == "nt", reason="install.ps1 is Windows'")
SHELLS = ("dash", "bash", "busybox")  # what /bin/sh may be
TOOLS = (
    "chmod",
    "curl",
    "cut",
    "getconf",
    "head",
    "mkdir",
    "mktemp",
    "rm",
    "sha256sum",
    "uname",
    "wc",
)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/endless/"):
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65_536)
            except OSError:
                return
        super().do_GET()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server's address."""
    handler = partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Release(NamedTuple):
    """One on a web server, of a program that writes down how it is called.

    Attributes:
        folder: its files.
        url: where they are.
        single: the single file that this platform takes.
    """

    folder: Path
    url: str
    single: Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a program that writes down how it is called."""
    contents = packed(tmp_path_factory.mktemp("whole"), (this_target(),))
    manifests.write(contents)
    return contents.folder


@pytest.fixture
def release(whole: Path, tmp_path: Path) -> Iterator[Release]:
    """The same, for a test to damage."""
    folder = tmp_path / "served"
    shutil.copytree(whole, folder)
    (single,) = folder.glob(f"*{this_target()}")
    with served(folder) as url:
        yield Release(folder, url, single)


class Done(NamedTuple):
    """What a run has left behind."""

    code: int
    said: str
    ran: list[str]


def install(
    release: Release, home: Home, *words: str, shell: str = "dash", script: str | None = None
) -> Done:
    """Run the script with the release's server for a mirror."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    record = home.path / "ran"
    text = script or (release.folder / "install.sh").read_text()
    path = home.write("install.sh", text)
    command = [program, *(["sh"] if shell == "busybox" else []), str(path)]
    mirror = [] if "--mirror" in words else ["--mirror", release.url]
    done = subprocess.run(
        [*command, *mirror, *words],
        cwd=home.path,
        env={"PATH": os.environ["PATH"], **home.env, "RECORD": str(record)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ran = record.read_text().splitlines() if record.exists() else []
    return Done(done.returncode, done.stdout + done.stderr, ran)


def left(home: Home) -> list[Path]:
    return list((home.path / ".local").glob(".*"))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_released_program_installs_itself(release: Release, home: Home, shell: str) -> None:
    done = install(release, home, shell=shell)
    assert done.code == 0, done
    prefix = home.path / ".local"
    called, cache = done.ran
    program, _, words = called.partition(" ")
    assert words == f"install --prefix {prefix}"
    # It has unpacked itself where nothing stays, below the folder that it goes to.
    assert Path(program).parent == Path(cache)
    assert Path(cache).parent == prefix
    assert left(home) == []


def test_what_is_said_goes_on_to_the_program(release: Release, home: Home) -> None:
    elsewhere = home.path / "a folder"
    done = install(release, home, "--force", "--prefix", "a folder")
    assert done.ran[0].endswith(f"install --prefix {elsewhere} --force"), done


def test_when_the_program_fails_so_does_the_script(release: Release, home: Home) -> None:
    home.env["STATUS"] = "7"
    assert install(release, home).code == 7
    assert left(home) == []


def _longer(release: Release) -> None:
    with release.single.open("ab") as file:
        file.write(b"\n")


def _shorter(release: Release) -> None:
    os.truncate(release.single, release.single.stat().st_size - 1)


def _another(release: Release) -> None:
    release.single.write_bytes(release.single.read_bytes().replace(b"sh", b"xx", 1))


def _none(release: Release) -> None:
    release.single.unlink()


def _a_page(release: Release) -> None:
    release.single.write_text("<html>log in, please</html>")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("damage", [_longer, _shorter, _another, _none, _a_page])
def test_nothing_else_is_run(release: Release, home: Home, damage: object, shell: str) -> None:
    assert callable(damage)
    damage(release)
    done = install(release, home, shell=shell)
    assert done.code == 1
    assert done.ran == []
    assert done.said.splitlines()[-1].startswith("install.sh: http://127.0.0.1:")
    assert done.said.endswith(": nothing was run\n")
    assert left(home) == []


def test_a_server_that_sends_for_ever_fills_no_disk(release: Release, home: Home) -> None:
    done = install(release, home, "--mirror", f"{release.url}/endless")
    size = release.single.stat().st_size
    assert f"{size + 1} bytes came, and it has {size}: nothing was run" in done.said
    assert done.ran == []


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_a_part_of_the_script_does_nothing(release: Release, home: Home, part: float) -> None:
    whole = (release.folder / "install.sh").read_text()
    done = install(release, home, script=whole[: int(len(whole) * part)])
    assert done.ran == []
    assert not (home.path / ".local").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--help"], "what is '--help'; known are --prefix FOLDER, --mirror URL and --force"),
        (["--prefix"], "--prefix needs a value"),
        (["--prefix", ""], "--prefix needs a value"),
        (["--prefix", "/dev/null/x"], "/dev/null/x cannot be made: choose another --prefix"),
    ],
)
def test_wrong_words_get_one_line(
    release: Release, home: Home, words: list[str], said: str
) -> None:
    done = install(release, home, *words)
    assert (done.code, done.ran) == (1, [])
    assert done.said.splitlines()[-1] == f"install.sh: {said}"


def test_without_a_home_it_asks_for_a_folder(release: Release, home: Home) -> None:
    del home.env["HOME"]
    done = install(release, home)
    assert done.said == "install.sh: HOME is not set: name a folder with --prefix\n"


def tools(place: Path, *names: str, **scripts: str) -> str:
    """A PATH with these programs and no others."""
    place.mkdir()
    for name in names:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"there is no {name}")
        (place / name).symlink_to(found)
    for name, text in scripts.items():
        (place / name).unlink(missing_ok=True)
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
    return str(place)


@pytest.mark.parametrize(
    ("absent", "instead"),
    [("curl", ("wget",)), ("sha256sum", ("shasum", "perl")), ("sha256sum", ("openssl",))],
)
def test_other_tools_do_as_well(
    release: Release, home: Home, tmp_path: Path, absent: str, instead: tuple[str, ...]
) -> None:
    names = [name for name in TOOLS if name != absent]
    home.env["PATH"] = tools(tmp_path / "bin", *names, *instead)
    done = install(release, home)
    assert done.code == 0, done
    assert done.ran


@pytest.mark.parametrize(
    ("absent", "said"),
    [("curl", "needs curl or wget"), ("sha256sum", "needs sha256sum, shasum or openssl")],
)
def test_without_a_tool_it_says_which(
    release: Release, home: Home, tmp_path: Path, absent: str, said: str
) -> None:
    home.env["PATH"] = tools(tmp_path / "bin", *[name for name in TOOLS if name != absent])
    done = install(release, home)
    assert (done.code, done.said, done.ran) == (1, f"install.sh: {said}\n", [])
    assert not (home.path / ".local").exists()


@pytest.mark.parametrize(
    ("uname", "said"),
    [
        ("Linux riscv64", "credlatch VERSION is not released for linux-riscv64"),
        ("FreeBSD amd64", "credlatch VERSION is not released for FreeBSD-x86_64"),
        ("Darwin arm64", "credlatch VERSION is not released for macos-aarch64"),
    ],
)
def test_where_there_is_no_file_for_a_platform_it_says_so(
    release: Release, home: Home, tmp_path: Path, uname: str, said: str
) -> None:
    system, machine = uname.split()
    script = f"case $1 in -s) echo {system} ;; -m) echo {machine} ;; esac"
    home.env["PATH"] = tools(tmp_path / "bin", *TOOLS, uname=script)
    done = install(release, home)
    version = release.single.name.split("-")[1]
    assert done.said == f"install.sh: {said.replace('VERSION', version)}\n"
    assert done.ran == []


@pytest.mark.parametrize(
    ("glibc", "runs"),
    [("glibc 2.27", False), ("glibc 2.28", True), ("glibc 2.100", True), ("", True), ("x", True)],
)
@pytest.mark.skipif(not this_target().startswith("linux"), reason="glibc is Linux'")
def test_an_older_glibc_is_told_before_anything_is_downloaded(
    release: Release, home: Home, tmp_path: Path, glibc: str, *, runs: bool
) -> None:
    home.env["PATH"] = tools(tmp_path / "bin", *TOOLS, getconf=f"echo {glibc}")
    done = install(release, home)
    assert bool(done.ran) == runs
    if not runs:
        assert done.said == "install.sh: credlatch needs glibc 2.28 or newer, and this is 2.27\n"


# What is there of glibc and musl; which program is taken, or why none.
LIBCS = {
    "a Debian": ("glibc 2.36", None, ""),
    "a Debian that has musl": ("glibc 2.36", "1.2.3", ""),
    "an Alpine": (None, "1.2.5", "-musl"),
    "a newer one": (None, "1.10.0", "-musl"),
    "one that says nothing": (None, "", "-musl"),
    "an older one": (None, "1.2.4", "credlatch needs musl 1.2.5 or newer, and this is 1.2.4"),
    "a glibc that has no getconf": (None, None, ""),
}


@pytest.mark.parametrize("libcs", LIBCS)
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.skipif(not this_target().startswith("linux"), reason="musl is Linux'")
def test_a_system_with_musl_gets_the_program_for_that(
    tmp_path: Path, home: Home, libcs: str, shell: str
) -> None:
    glibc, musl, wanted = LIBCS[libcs]
    targets = (this_target(), f"{this_target()}-musl")
    contents = packed(tmp_path / "both", targets)
    manifests.write(contents)
    getconf = "exit 1" if glibc is None else f"echo {glibc}"
    home.env["PATH"] = tools(tmp_path / "bin", *TOOLS, getconf=getconf)
    script = (contents.folder / "install.sh").read_text()
    script = script.replace("musl=/lib/ld-musl", f"musl={tmp_path}/ld-musl")
    if musl is not None:
        said = f"musl libc\nVersion {musl}\nDynamic Program Loader" if musl else ""
        loader = tmp_path / f"ld-musl-{this_target().removeprefix('linux-')}.so.1"
        loader.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
        loader.chmod(0o755)
    with served(contents.folder) as url:
        done = install(Release(contents.folder, url, Path()), home, shell=shell, script=script)
    if wanted.startswith("credlatch"):
        assert (done.code, done.said, done.ran) == (1, f"install.sh: {wanted}\n", [])
    else:
        (taken,) = contents.folder.glob(f"*{this_target()}{wanted}")
        assert done.said == f"downloading {url}/{taken.name}\n"
        assert done.ran


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="others are told apart by root")
def test_nobody_else_sees_what_was_downloaded(release: Release, home: Home) -> None:
    # mktemp's folder is its maker's alone, whatever the umask.
    script = (release.folder / "install.sh").read_text()
    watched = script.replace("    chmod 755", '    ls -ld "$work" >"$RECORD.ls"\n    chmod 755')
    install(release, home, script=watched)
    assert (home.path / "ran.ls").read_text().startswith("drwx------")


def test_the_script_passes_shellcheck(release: Release) -> None:
    script = release.folder / "install.sh"
    assert not stat.S_IMODE(script.stat().st_mode) & 0o022
    shellcheck = Path(sys.executable).parent / "shellcheck"
    subprocess.run([shellcheck, "--severity=style", script], check=True)
