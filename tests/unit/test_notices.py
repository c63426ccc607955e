"""THIRD-PARTY-NOTICES: the licence of each thing that the program has inside."""

from __future__ import annotations

import importlib
import re
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from devtools import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILD = Path(__file__).resolve().parents[2] / "build"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The modules: of notices, and of the inventory."""
    monkeypatch.syspath_prepend(BUILD)
    yield importlib.import_module("notices"), importlib.import_module("inventory")
    for name in ("notices", "inventory"):
        sys.modules.pop(name)


def found(*components: Any) -> SimpleNamespace:
    return SimpleNamespace(program=None, components={each.purl: each for each in components})


def test_each_library_that_the_inventory_knows_has_a_text(
    parts: tuple[ModuleType, ModuleType],
) -> None:
    notices, inventory = parts
    known = [inventory._upstream(name, "1.0") for name in inventory.LIBRARIES]
    text = notices.text(found(*known, inventory._python()))
    for each in known:
        assert f"\n{each.name} 1.0: {each.licence}\n" in text
    for words in (
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
        "GCC RUNTIME LIBRARY EXCEPTION",
        "Stefan Krah",
        "Thai Open Source Software Center",
        "Anthony Green",
        "Jean-loup Gailly",
        "Apache License\n",
    ):
        assert words in text


def test_a_library_that_a_wheel_has_of_a_distribution_is_told_with_its_text(
    parts: tuple[ModuleType, ModuleType],
) -> None:
    notices, inventory = parts
    # As auditwheel lists what it has put into a wheel for musl: libgcc, and the wheel itself.
    listed = {
        "components": [
            {"name": "libgcc", "version": "14.2.0-r6", "purl": "pkg:apk/alpine/libgcc@14.2.0-r6"},
            {"name": "some", "version": "1.0", "purl": "pkg:pypi/some@1.0?file_name=some.whl"},
        ]
    }
    made = inventory.Component("some", "1.0", "Apache-2.0", "pkg:pypi/some@1.0")
    made.within = inventory.parts_of(listed, made.purl)
    (part,) = made.within
    licence = "GPL-3.0-or-later WITH GCC-exception-3.1"
    assert part["licenses"] == [{"expression": licence}]
    assert part["cpe"] == "cpe:2.3:a:gnu:gcc:14.2.0:*:*:*:*:*:*:*"
    assert f"\nlibgcc 14.2.0-r6 (of some 1.0): {licence}\n" in notices.text(found(made))


def test_each_package_of_the_program_brings_its_text(
    parts: tuple[ModuleType, ModuleType],
) -> None:
    notices, inventory = parts
    names = re.findall(r"^([a-z0-9-]+)==", lock.file(lock.PROGRAM).read_text(), re.MULTILINE)
    installed = []
    for name in (*names, "pyinstaller", "ziglang"):
        try:
            installed.append(inventory._packaged(metadata.distribution(name)))
        except metadata.PackageNotFoundError:  # of another system
            continue
    assert len(installed) > 20
    text = notices.text(found(*installed))
    for each in installed:
        assert each.texts, each.name
        assert f"\n{each.name} {each.version}: {each.licence}\n" in text
        for part in each.within:
            assert f"\n{part['name']} {part['version']} (of {each.name} {each.version}): " in text
    assert "GNU LIBRARY GENERAL PUBLIC LICENSE" not in text  # Zig's glibc, which nothing links


def test_a_text_is_there_once_below_the_names_of_all_that_have_it(
    parts: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    notices, inventory = parts
    one, other = (inventory.Component(n, "1", "MIT", f"pkg:pypi/{n}@1") for n in ("a", "b"))
    (tmp_path / "one").write_bytes(b"\xef\xbb\xbfDo what you want. \r\n\r\n")
    (tmp_path / "other").write_bytes(b"Do what you want.\n")
    (tmp_path / "more").write_bytes(b"Thanks to Ren\xe9\n")
    one.texts = (tmp_path / "one",)
    other.texts = (tmp_path / "other",)
    text = notices.text(found(one, other))
    assert text.count("Do what you want.") == 1
    assert "\na 1: MIT\nb 1: MIT\n" in text
    other.texts = (tmp_path / "other", tmp_path / "more")
    text = notices.text(found(one, other))
    assert text.count("Do what you want.") == 2
    assert "Thanks to René\n" in text


@pytest.mark.parametrize(
    ("purl", "licence"),
    [
        ("pkg:pypi/rare@1", "MIT"),
        ("pkg:generic/rare@1", "BSD-3-Clause"),
        ("pkg:deb/debian/rare@1?arch=amd64", "Apache-2.0 AND MIT"),
        ("pkg:generic/cargo-pem@1/", "LicenseRef-rare"),
    ],
)
def test_what_has_no_text_stops_the_build_with_one_line(
    purl: str, licence: str, parts: tuple[ModuleType, ModuleType]
) -> None:
    notices, inventory = parts
    rare = inventory.Component("rare", "1", licence, purl)
    with pytest.raises(SystemExit) as ended:
        notices.text(found(rare))
    said = str(ended.value)
    assert said.startswith(f"build/notices.py has no text for rare 1 ({licence}): put it into ")
    assert "\n" not in said


def test_what_a_maker_has_linked_in_needs_a_text_as_well(
    parts: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    notices, inventory = parts
    (tmp_path / "LICENSE").write_text("Do what you want.\n")
    made = inventory.Component("made", "2", "MIT", "pkg:pypi/made@2")
    made.texts = (tmp_path / "LICENSE",)
    crate: dict[str, Any] = {"name": "crate", "version": "1", "purl": "pkg:cargo/crate@1"}
    for licences in ([], [{"expression": "MIT"}], [{"license": {"id": "MIT"}}]):
        made.within = [crate | {"licenses": licences}]
        with pytest.raises(SystemExit, match=r"no text for crate 1 \((unknown|MIT)\)"):
            notices.text(found(made))
    for expression in ("MIT OR Apache-2.0", "(Apache-2.0 OR MIT) AND Unicode-3.0"):
        made.within = [crate | {"licenses": [{"expression": expression}]}]
        text = notices.text(found(made))
        assert f"\ncrate 1 (of made 2): {expression}\n" in text
        assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in text
        assert ("UNICODE LICENSE V3" in text) == ("Unicode" in expression)
