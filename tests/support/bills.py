"""A program's bill of materials, and what has to hold of each."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

if TYPE_CHECKING:
    from pathlib import Path

NAME = "credlatch.cdx.json"
# A library whose bytes do not say its version, where a wheel has it linked in.
UNKNOWN = {"libffi"}


def read(dist: Path) -> dict[str, Any]:
    """What it says, of a folder with both forms."""
    said: dict[str, Any] = json.loads((dist / NAME).read_text(encoding="utf-8"))
    return said


def components(dist: Path) -> list[dict[str, Any]]:
    """Ours, and all others."""
    said = read(dist)
    return [said["metadata"]["component"], *said["components"]]


def see_that_it_is_valid(dist: Path) -> None:
    """CycloneDX 1.6."""
    text = (dist / NAME).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def see_that_nothing_of_the_moment_or_the_machine_is_in_it(dist: Path, python: str) -> None:
    """Nor the folder of the Python that has built it."""
    said, text = read(dist), (dist / NAME).read_text(encoding="utf-8")
    assert "serialNumber" not in said
    assert "timestamp" not in said["metadata"]
    assert not re.search(r'"(?:file://)?/|[A-Z]:\\', text)
    assert python not in text


def see_that_each_file_is_in_exactly_one_component(dist: Path) -> None:
    """By its hash."""
    named = [
        (part["name"], part["hashes"])
        for each in components(dist)
        for part in each["components"]
        if part["type"] == "file"
    ]
    singles = [path for path in dist.iterdir() if path.stem == "credlatch" and path.is_file()]
    files = [path for path in (dist / "credlatch.d").rglob("*") if path.is_file()]
    there = [
        (
            path.relative_to(dist).as_posix(),
            [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}],
        )
        for path in (*files, *singles)
    ]
    assert len(singles) == 1
    assert sorted(named, key=str) == sorted(there, key=str)


def see_that_each_component_is_there_and_says_what_it_is(dist: Path) -> None:
    """Its files or places, licence, version and package URL."""
    for each in components(dist):
        files = [part["name"] for part in each["components"] if part["type"] == "file"]
        places = [place["location"] for place in each.get("evidence", {}).get("occurrences", ())]
        assert files or places, each["name"]
        assert all((dist / place).is_file() for place in (*files, *places))
        linked_in = [part for part in each["components"] if part["type"] != "file"]
        for part in (each, *linked_in):
            url = PackageURL.from_string(part["purl"])
            assert part["licenses"], part["name"]
            assert part.get("version") or part["name"] in UNKNOWN, part["name"]
            assert url.version == part.get("version") or url.type == "deb", part["name"]
