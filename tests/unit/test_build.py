"""What the build checks of itself: build/ is source too, and PyInstaller runs it unseen."""

from __future__ import annotations

import email
import importlib
import importlib.util
import pkgutil
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.commands.app import COMMANDS
from support.found import sure
from support.imported import reached

if TYPE_CHECKING:
    from types import ModuleType

BUILD = Path(__file__).resolve().parent.parent.parent / "build"


def part(name: str) -> ModuleType:
    spec = sure(importlib.util.spec_from_file_location(f"build_{name}", BUILD / f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sure(spec.loader).exec_module(module)
    return module


def test_a_build_s_identity_changes_with_whatever_it_is_made_of(tmp_path: Path) -> None:
    carry = part("carry")
    file = tmp_path / "file"
    file.write_text("one")

    def identity(name: str = "name", pyinstaller: str = "6") -> str:
        return str(carry.identity(BUILD.iterdir(), pyinstaller, [(name, str(file), "BINARY")]))

    first = identity()
    assert len(first) == 16
    assert first == identity()
    file.write_text("two")
    assert len({first, identity(), identity("other"), identity(pyinstaller="7")}) == 4


def test_what_the_single_file_carries_is_the_folder_and_equal_each_time(tmp_path: Path) -> None:
    carry = part("carry")
    carried = []
    for number in range(2):
        folder, work = tmp_path / str(number), tmp_path / f"work-{number}"
        (folder / "_internal").mkdir(parents=True)
        work.mkdir()
        for name in ("b", "a")[:: 1 - 2 * number]:
            (folder / "_internal" / name).write_text(name * 3)
        (folder / "_internal" / "b").chmod(0o755)
        carried.append(carry.payload(folder, work).read_bytes())
    table = b"\0\0\0\2" + b"".join(
        b"\0\0\0\3" + program + b"\0\x0b_internal/" + name
        for name, program in ((b"a", b"\0"), (b"b", b"\1"))
    )
    content = table + zlib.compress(b"aaabbb", 9)
    assert carried[0] == carried[1] == zlib.crc32(content).to_bytes(4, "big") + content


def test_a_link_is_not_carried(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("gone")
    with pytest.raises(SystemExit, match="link is no file"):
        part("carry").payload(tmp_path / "folder", tmp_path)


def test_a_module_that_puts_another_in_its_own_place_is_taken_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As collections.abc of Python 3.13.0 does: a frozen module's "file" is no file.
    package = tmp_path / "standing"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "instead.py").write_text("import os, sys\nsys.modules[__name__] = os\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("standing.instead")
    library = tmp_path / "base_library.zip"
    with zipfile.ZipFile(library, "w") as whole:
        for name in ("standing/__init__", "standing/instead", "encodings/utf_8", "os"):
            whole.writestr(f"{name}.pyc", name)
    modules: list[tuple[str, str, str]] = []
    data = [("base_library.zip", str(library), "DATA")]
    [(_, small, _)] = part("trim").base_library(modules, data, tmp_path / "work")
    assert modules == [
        ("standing", str(package / "__init__.py"), "PYMODULE-2"),
        ("standing.instead", str(package / "instead.py"), "PYMODULE-2"),
    ]
    assert zipfile.ZipFile(small).namelist() == ["encodings/utf_8.pyc"]


# What reaches the system's keyring: macOS' backend does without its own half where that fails.
KEYRINGS = {
    "linux": "jeepney.io.blocking",
    "darwin": "keyring.backends.macOS.api",
    "win32": "keyring.backends.Windows",
}
# Linux's keyring, and the bus that it is on: elsewhere nobody opens one.
SECRET_SERVICE = ("credlatch.system.keyring.secret_service", "credlatch.system.keyring.bus")


def left_out(names: set[str], system: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the modules the program does not have on a system."""
    monkeypatch.setattr(sys, "platform", system)
    without = part("trim").excluded()
    return sorted(
        name for name in names for each in without if name == each or name.startswith(f"{each}.")
    )


@pytest.mark.parametrize("python", [(3, 11), (3, 13)])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_folder_has_all_that_any_call_imports_there(
    system: str, python: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = () if system == "linux" else SECRET_SERVICE
    # A command's module is imported by its name.
    commands = [f"credlatch.commands.{name}" for name in COMMANDS]
    roots = ("credlatch.__main__", KEYRINGS[system], *commands)
    names = reached(*roots, system=system, python=python, called=("credlatch",), never=never)
    assert {"httpx", "truststore", "tomlkit", "ssl", "credlatch.renew.exchange"} <= names
    assert (SECRET_SERVICE[0] in names) == (system == "linux")
    assert ("tarfile" in names) == (python >= (3, 12) and system != "linux")  # for keyring
    assert left_out(names, system, monkeypatch) == []


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_module_that_is_left_out_and_imported_is_noticed(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert left_out({"os", "sqlite3"}, system, monkeypatch) == ["sqlite3"]


def test_what_encodings_itself_imports_on_windows_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    # Python 3.14's, whichever runs this.
    monkeypatch.setattr(sys, "platform", "win32")
    names = ("utf_8", "cp1252", "_win_cp_codecs", "cp037")
    there = [pkgutil.ModuleInfo(None, name, ispkg=False) for name in names]  # type: ignore[arg-type]
    monkeypatch.setattr(pkgutil, "iter_modules", lambda _: there)
    without = part("trim").excluded()
    assert [each for each in without if each.startswith("encodings.")] == ["encodings.cp037"]


def test_one_option_alone_has_the_identity_and_utf_8_mode() -> None:
    # Two crash PyInstaller's loader with Python 3.14, and it knows `utf8`, not `utf8_mode`.
    assert part("trim").options("0123456789abcdef") == [
        ("X utf8 credlatch=0123456789abcdef", None, "OPTION")
    ]


def test_what_nothing_in_the_program_asks_for_is_left_out_though_it_is_installed() -> None:
    left_out = set(part("trim").uninvited())
    assert {"pytest", "yaml", "PyInstaller", "packaging"} <= left_out
    wanted = {
        "credlatch",
        "httpx",
        "httpcore",
        "msgspec",
        "botocore",
        "azure",
        "jwt",
        "_cffi_backend",
    }
    assert left_out & wanted == set()


inventory, commit_of = part("inventory"), part("commit")
OPENSSL = b"\0OpenSSL 3.5.1 1 Jul 2025\0"
ZLIB = b"\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0incorrect header check\0"
FFI = b"\0ffi_prep_cif failed\0"


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        ("openssl", OPENSSL, "3.5.1"),
        ("openssl", b"\0libssl.so.3\0OpenSSL_version\0", None),  # somebody who looks for it
        ("zlib", ZLIB, "1.3.1"),
        ("zlib", b"\0incorrect header check\0001.3.2\0", "1.3.2"),
        ("zlib", b"\0libz.so.1\x001.3.1\0", None),
        ("expat", b"\0expat_2.7.3\0", "2.7.3"),
        ("mpdecimal", b"\0libmpdec: internal error in x\x004.0.1\0", "4.0.1"),
        ("libyaml", b"\x000.2.5\0", None),
        ("libyaml", b"did not find expected <document start>\x000.2.5\0", "0.2.5"),
        ("libffi", FFI, ""),
        ("libffi", FFI + b"\0libffi.so.8\0", None),
        ("libffi", FFI + b"\0libffi-8.dll\0", None),
        ("libffi", FFI + b"\0" + b"3.11.15\0", ""),  # of the Python that it was made with
        ("gcc", OPENSSL + ZLIB + FFI, None),
    ],
)
def test_what_a_file_has_linked_in_is_seen_in_its_bytes(
    name: str, content: bytes, version: str | None
) -> None:
    assert inventory.linked(name, content) == version


FIXED = struct.pack("<IIII", 0xFEEF04BD, 0x10000, 3 << 16 | 4, 8 << 16)


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        ("openssl", OPENSSL, "3.5.1"),
        ("libffi", b"\x003.5.2\0", "3.5.2"),
        ("libffi", b"MZ" + FIXED, "3.4.8"),
        ("libffi", b"MZ", ""),
        ("gcc", b"\x7fELF" + FIXED, ""),
    ],
)
def test_a_library_s_own_file_says_its_version(name: str, content: bytes, version: str) -> None:
    assert inventory.version_of(name, content) == version


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libcrypto.so.3", "openssl"),
        ("libssl-3-x64.dll", "openssl"),
        ("libssl.3.dylib", "openssl"),
        ("libz.so.1", "zlib"),
        ("libzstd.so.1", "zstd"),
        ("VCRUNTIME140_1.dll", "visual-c-runtime"),
        ("libffi-8.dll", "libffi"),
        ("_ssl.so", None),
        ("libpython3.13.so.1.0", None),
    ],
)
def test_a_library_is_known_by_its_file_s_name(file: str, name: str | None) -> None:
    assert inventory.library_of(file) == name


def test_a_library_s_version_may_be_told_by_another_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "libssl.so.3").write_bytes(b"\x7fELF")
    (tmp_path / "libcrypto.so.3").write_bytes(OPENSSL)
    there = inventory.Inventory()
    names = ("libssl.so.3", "libcrypto.so.3")
    there.take([(name, str(tmp_path / name), "BINARY") for name in names])
    found = {each.purl: each.files for each in there.components.values()}
    assert found["pkg:generic/openssl@3.5.1"] == {f"_internal/{name}" for name in names}


def test_a_file_that_nobody_knows_stops_the_build(tmp_path: Path) -> None:
    strange = tmp_path / "libstrange.so.1"
    strange.write_bytes(b"\x7fELF")
    with pytest.raises(SystemExit, match=r"inventory.py must say what .*libstrange.so.1 is"):
        inventory.Inventory().take([("libstrange.so.1", str(strange), "BINARY")])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["License-Expression: MIT OR Apache-2.0"], "MIT OR Apache-2.0"),
        (["License: Apache-2.0"], "Apache-2.0"),
        (["License: MIT License"], "MIT"),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["License: Dual License", "Name: python-dateutil"], "Apache-2.0 OR BSD-3-Clause"),
        (["License: see the file"], None),
        (["License: Copyright (c) 2015, somebody"], None),
        ([], None),
    ],
)
def test_a_wheel_s_licence_is_said_in_spdx_s_words_or_stops_the_build(
    lines: list[str], said: str | None
) -> None:
    named = [] if "Name: " in str(lines) else ["Name: some"]
    metadata = email.message_from_string("\n".join([*named, *lines]))
    if said is not None:
        assert inventory.licence(metadata) == said
        return
    with pytest.raises(SystemExit, match=r"inventory.py must say what licence some has"):
        inventory.licence(metadata)


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@a.example")
    done = subprocess.run(
        ["git", *author, "-C", folder, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_of_the_sources_own_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.setattr(commit_of, "_ROOT", checkout)
    git(tmp_path, "init", "-q")  # somebody's, around it
    assert commit_of.commit() == ""
    git(checkout, "init", "-q")
    assert commit_of.commit() == ""
    (checkout / "file").write_text("one")
    git(checkout, "add", "file")
    git(checkout, "commit", "-q", "-m", "one")
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "other").write_text("not kept")
    assert commit_of.commit() == commit
    (checkout / "file").write_text("two")
    assert commit_of.commit() == f"{commit}-dirty"
