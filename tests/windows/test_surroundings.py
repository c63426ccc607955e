"""What somebody has put beside the program, or where it is started: nothing of it is taken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from devtools.cache import cache_folder

from support.matching import basic
from support.windows_python import ask_windows
from support.wine import FORMS, Windows, WindowsHome, windows_path

if TYPE_CHECKING:
    from pathlib import Path

TAKEN_OVER = 66
HOSTILE = f"""
#include <windows.h>
BOOL WINAPI DllMain(HINSTANCE own, DWORD why, LPVOID more)
{{
    (void)own, (void)why, (void)more;
    TerminateProcess(GetCurrentProcess(), {TAKEN_OVER});
    return TRUE;
}}
"""
# Libraries that Windows' own load by name, or that Python and what is packed with it ask for.
NAMES = (
    *("python313", "python3", "vcruntime140", "vcruntime140_1", "libcrypto-3", "libssl-3"),
    *("libffi-8", "ntmarta", "version", "cryptbase", "cryptsp", "sspicli", "profapi", "userenv"),
    *(
        "uxtheme",
        "propsys",
        "dwmapi",
        "bcrypt",
        "rsaenh",
        "mswsock",
        "dnsapi",
        "iphlpapi",
        "netapi32",
    ),
)
MANIFEST = """<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
<file name="advapi32.dll"/><file name="ntmarta.dll"/></assembly>"""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that ends whoever loads it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.c").write_text(HOSTILE)
    library = folder / "hostile.dll"
    target = ("-target", "x86_64-windows-gnu", "-shared", "-Os", "-s")
    zig = (sys.executable, "-m", "ziglang", "cc", *target, folder / "hostile.c", "-o", library)
    cache = {
        "ZIG_GLOBAL_CACHE_DIR": str(cache_folder() / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(folder),
    }
    subprocess.run(zig, env=os.environ | cache, check=True)
    return library


def spread(hostile: Path, folder: Path) -> None:
    """Have a folder full of them."""
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        shutil.copy(hostile, folder / f"{name}.dll")


def test_the_library_takes_over_whoever_loads_it(hostile: Path, tmp_path: Path) -> None:
    copy = tmp_path / "libffi-8.dll"  # Wine has its own of others
    shutil.copy(hostile, copy)
    loads = f"import ctypes, sys; sys.stdin.read(); ctypes.WinDLL({windows_path(copy)!r})"
    words = ["wine", os.environ["WINDOWS_PYTHON"], "-c", loads]
    assert (
        subprocess.run(words, input=b"", capture_output=True, check=False).returncode == TAKEN_OVER
    )


def test_no_library_of_the_working_directory_or_path_is_loaded(
    windows: Windows, hostile: Path, host: str
) -> None:
    windows.home.write("_netrc", f"machine {host} login bob password p\n")
    project = windows.home.path / "project"
    spread(hostile, project)
    (project / "credlatch-program.exe").write_bytes(b"MZ")
    windows.found_on_path(project)
    windows.folder = project
    assert windows.bazel(f"https://{host}/x").authorization == basic("bob", "p")
    # Everything else that is packed: the keyring, OpenSSL, an HTTP client.
    assert windows.docker("list").code == 0


def test_nothing_beside_the_single_file_is_run_or_loaded(
    every_home: WindowsHome, hostile: Path, host: str, tmp_path: Path
) -> None:
    every_home.clean()
    every_home.write("_netrc", f"machine {host} login bob password p\n")
    downloads = tmp_path / "downloads"
    spread(hostile, downloads)
    program = downloads / "credlatch.exe"
    shutil.copy(FORMS["single"], program)
    for name in ("_internal", "credlatch.exe.local"):
        spread(hostile, downloads / name)
        shutil.copy(hostile, downloads / name / "credlatch-program.exe")
    shutil.copy(hostile, downloads / "credlatch-program.exe")
    (downloads / "credlatch.exe.manifest").write_text(MANIFEST)
    windows = Windows(program, every_home)
    assert windows.bazel(f"https://{host}/x").authorization == basic("bob", "p")
    windows.env["CREDLATCH_AGENT"] = "on"  # asks for access lists
    assert windows.bazel(f"https://{host}/x").authorization == basic("bob", "p")
    windows("agent", "stop")
    every_home.clean()


# It is told by its parent, as Wine puts folders of its own in the place of the first one's.
STARTED = """
import subprocess
program, named, home, project = given
os.chdir(project)
env = os.environ | {"LOCALAPPDATA": named, "TEMP": named, "USERPROFILE": home}
pipe = subprocess.PIPE
done = subprocess.run([program, "--version"], env=env, input=b"", stdout=pipe, stderr=pipe)
tell([done.returncode, done.stderr.decode(), os.listdir(project), os.listdir(home)])
"""


@pytest.mark.parametrize("named", ["a\\b", "Z:a", "\\a"])
def test_the_single_file_unpacks_nowhere_that_the_working_directory_decides(
    tmp_path: Path, named: str
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    given = [windows_path(FORMS["single"]), named, windows_path(home), windows_path(project)]
    assert ask_windows(STARTED, given) == [0, "", [], [".cache"]]


@pytest.mark.parametrize("named", ["a\\b", "Z:a", "\\a", "", "Z:\\a"])
def test_nor_does_the_rest_of_the_program_look_there(named: str) -> None:
    told = ask_windows(
        """
from credlatch.caller import Caller
os.environ |= {"LOCALAPPDATA": given, "USERPROFILE": "C:\\\\me"}
tell(Caller().cache("credlatch").replace("/", "\\\\"))
""",
        named,
    )
    whole = named.startswith("Z:\\")
    assert told == ("Z:\\a\\credlatch" if whole else "C:\\me\\.cache\\credlatch")


def test_programs_that_we_start_do_not_look_for_libraries_in_our_folder() -> None:
    told = ask_windows("""
import ctypes
from credlatch.caller import Caller
from credlatch.system import programs
kernel32 = ctypes.WinDLL("kernel32")
assert kernel32.SetDllDirectoryW("C:\\\\ours")  # as PyInstaller's loader does
done = programs.ask([sys.executable, "-c", "pass"], b"", Caller(), 60.0)
text = ctypes.create_unicode_buffer(300)
tell([done.status, kernel32.GetDllDirectoryW(300, text), text.value])
""")
    assert told == [0, 0, ""]
