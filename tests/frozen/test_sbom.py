"""The bill of materials names all that the program has in it, and nothing else."""

from __future__ import annotations

import ctypes
import decimal
import marshal
import platform
import pyexpat
import re
import sys
import zipfile
from collections import Counter
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.bindings._rust import openssl

from credlatch import __version__
from support import bills
from support.installed import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program


@pytest.fixture(scope="module")
def dist(folder: Path) -> Path:
    return folder.parent.parent


@pytest.fixture(scope="module")
def bill(dist: Path) -> dict[str, Any]:
    return bills.read(dist)


@pytest.fixture(scope="module")
def all_of_it(dist: Path) -> list[dict[str, Any]]:
    return bills.components(dist)


def test_it_is_what_the_program_has_in_it(dist: Path) -> None:
    bills.see_that_it_is_valid(dist)
    bills.see_that_nothing_of_the_moment_or_the_machine_is_in_it(dist, sys.prefix)
    bills.see_that_each_file_is_in_exactly_one_component(dist)
    bills.see_that_each_component_is_there_and_says_what_it_is(dist)


def modules(all_of_it: list[dict[str, Any]], file: str) -> Counter[str]:
    """The modules in a file that are of others, and how many components say so."""
    return Counter(
        place["symbol"]
        for each in all_of_it
        for place in each.get("evidence", {}).get("occurrences", ())
        if place["location"].endswith(f"/{file}") and "symbol" in place
    )


def once(names: set[str]) -> Counter[str]:
    return Counter(dict.fromkeys(names, 1))


def test_each_module_of_others_is_in_exactly_one_component(
    folder: Path, all_of_it: list[dict[str, Any]]
) -> None:
    from PyInstaller.archive.readers import CArchiveReader, ZlibArchiveReader

    inside = folder.parent / "_internal"
    archive = ZlibArchiveReader(str(inside / "modules.pyz"))
    found = {name for name, entry in archive.toc.items() if entry[0] != 3}  # a bare namespace
    ours = {name for name in found if name.partition(".")[0] == "credlatch"}
    assert "credlatch.doctor" in ours  # what no call imports, no call reads
    assert "credlatch.resolve" not in ours
    assert modules(all_of_it, "modules.pyz") == once(found - ours)
    with zipfile.ZipFile(inside / "base_library.zip") as library:
        names = {name.removesuffix(".pyc").replace("/", ".") for name in library.namelist()}
    names = {name.removesuffix(".__init__") for name in names}
    assert modules(all_of_it, "base_library.zip") == once(names)
    packed = CArchiveReader(str(inside / PROGRAM)).extract("credlatch_own")
    own: dict[str, Any] = {}
    exec(marshal.loads(packed), own)  # noqa: S102, S302 - the program's own
    others = {name for name in own["CODES"] if name.partition(".")[0] != "credlatch"}
    assert "pyimod01_archive" in others
    assert modules(all_of_it, PROGRAM) == once(others)


def test_each_library_has_the_version_that_it_tells_itself(
    folder: Path, bill: dict[str, Any]
) -> None:
    found = {each["name"]: each for each in bill["components"]}
    told = {each["name"]: each.get("version") for each in bill["components"]}
    inside = folder.parent / "_internal"
    for name, library, asks in (
        ("openssl", "libcrypto.so.3", "OpenSSL_version"),
        ("zlib", "libz.so.1", "zlibVersion"),
    ):
        asked = getattr(ctypes.CDLL(str(inside / library)), asks)
        asked.restype = ctypes.c_char_p
        assert told[name] in asked(0).decode().split()
    assert f"expat_{told['expat']}" == pyexpat.EXPAT_VERSION
    assert told["mpdecimal"] == decimal.__libmpdec_version__
    assert told["cpython"] == platform.python_version()
    linked = {part["purl"] for part in found["cryptography"]["components"] if "purl" in part}
    assert f"pkg:generic/openssl@{openssl.openssl_version_text().split()[1]}" in linked
    for each in bill["components"]:
        if each["purl"].startswith("pkg:pypi/"):
            assert each["version"] == metadata.version(each["name"])


def test_no_wheel_is_in_it_that_the_program_does_not_ask_for(bill: dict[str, Any]) -> None:
    wheels = {each["name"].lower() for each in bill["components"] if "pkg:pypi/" in each["purl"]}
    assert {"httpx", "msgspec", "botocore", "azure-identity"} <= wheels
    # What is here for the tests, and libraries of the program would take.
    assert wheels & {"attrs", "pyyaml", "backports.tarfile", "packaging", "pytest"} == set()


def test_the_licence_of_each_component_is_told(folder: Path, bill: dict[str, Any]) -> None:
    text = (folder.parent / "_internal/THIRD-PARTY-NOTICES").read_text(encoding="utf-8")
    for each in bill["components"]:
        own = f"{each['name']} {each.get('version', '')}".rstrip()
        assert f"\n{own}: {each['licenses'][0]['expression']}\n" in text
        for part in each["components"]:
            if part["type"] != "file":
                assert f"\n{part['name']} {part['version']} (of {own}): " in text
    blocks = re.split(r"\n={80}\n((?:.+\n)+)={80}\n", text)
    assert len(blocks) > 20
    assert all(len(said.strip()) > 200 for said in blocks[2::2])
    assert sys.prefix not in text


def test_the_version_names_the_build_the_commit_and_the_libraries(
    each_form: Program, bill: dict[str, Any]
) -> None:
    first, *others = each_form("--version").out.decode().splitlines()
    told = dict(line.split(": ", 1) for line in others)
    program = bill["metadata"]["component"]
    properties = {each["name"]: each["value"] for each in program["properties"]}
    assert first == f"credlatch {__version__}"
    assert list(told) == ["build", "commit", "python", "libraries"]
    assert told["build"] == properties["credlatch:build"]
    assert told["commit"] == properties["credlatch:commit"]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", told["commit"])
    assert told["python"] == platform.python_version()
    versions = {
        f"{each['name']} {each['version']}" for each in bill["components"] if "version" in each
    }
    said = set(told["libraries"].split(", "))
    assert versions - said == {f"cpython {told['python']}"}
    assert {each.partition(" (of ")[0] for each in said - versions} == {
        f"openssl {openssl.openssl_version_text().split()[1]}"
    }
