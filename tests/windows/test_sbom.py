"""The Windows program's bill of materials, which two machines have made together."""

from __future__ import annotations

import os
import re
from pathlib import Path

from credlatch import __version__
from support import bills
from support.wine import DIST, Windows, build


def test_it_is_what_the_program_has_in_it() -> None:
    bills.see_that_it_is_valid(DIST)
    python = str(Path(os.environ["WINDOWS_PYTHON"]).parent)
    bills.see_that_nothing_of_the_moment_or_the_machine_is_in_it(DIST, python)
    bills.see_that_each_file_is_in_exactly_one_component(DIST)
    bills.see_that_each_component_is_there_and_says_what_it_is(DIST)


def test_it_has_what_only_windows_has_and_what_the_launcher_has_linked_in() -> None:
    found = {each["name"]: each for each in bills.components(DIST)}
    assert {"visual-c-runtime", "pywin32-ctypes", "openssl", "libffi"} <= set(found)
    for name in ("mingw-w64", "ziglang"):
        places = [each["location"] for each in found[name]["evidence"]["occurrences"]]
        assert places == ["credlatch.d/credlatch.exe"]
    assert not {"musl", "secretstorage", "jeepney"} & set(found)


def test_the_version_names_the_build_the_commit_and_the_libraries(folder: Windows) -> None:
    said = bills.read(DIST)
    first, *others = folder("--version").out.decode().splitlines()
    told = dict(line.split(": ", 1) for line in others)
    properties = {
        each["name"]: each["value"] for each in said["metadata"]["component"]["properties"]
    }
    assert first == f"credlatch {__version__}"
    assert told["build"] == properties["credlatch:build"] == build()
    assert told["commit"] == properties["credlatch:commit"]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", told["commit"])
    versions = {
        f"{each['name']} {each['version']}" for each in said["components"] if "version" in each
    }
    assert versions - set(told["libraries"].split(", ")) == {f"cpython {told['python']}"}
