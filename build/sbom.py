"""The bill of materials, in CycloneDX 1.6 (ECMA-424), of what inventory.py has found.

credlatch.spec uses it. No time and no number made up at random is in it: equal builds give equal
bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import inventory
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

    from inventory import Component, Inventory

FOLDER = "credlatch.d"


def versions(found: Inventory, commit: str, work: Path) -> tuple[str, str, str]:
    """What ``--version`` says below the program's own line and the build's (commands/version.py).

    Args:
        found: what is in the folder form.
        commit: of the sources.
        work: where it is written.

    Returns:
        a data file, as PyInstaller takes it.
    """
    others = [each for each in found.components.values() if each is not found.program]
    (python,) = [each for each in others if each.name == "cpython"]
    known = {f"{each.name} {each.version}" for each in others if each.version}
    known |= {
        f"{part['name']} {part['version']} (of {each.name})"
        for each in others
        for part in each.within
        if str(part["purl"]).startswith("pkg:generic/")
    }
    known.remove(f"{python.name} {python.version}")
    lines = {
        "commit": commit or "unknown",
        "python": python.version,
        "libraries": ", ".join(sorted(known, key=str.lower)),
    }
    path = work / "versions.txt"
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    path.write_text(text, encoding="utf-8", newline="\n")
    found.program.files.add(f"{inventory.INTERNAL}/{path.name}")
    return (path.name, str(path), "DATA")


def write(found: Inventory, dist: Path, identity: str, commit: str) -> None:
    """Write it beside the program, once both forms are there.

    Args:
        found: what is in the folder form.
        dist: the folder that has both forms.
        identity: the build's.
        commit: of the sources.

    Raises:
        SystemExit: a file of the folder form is nobody's, or one is missing.
    """
    folder = dist / FOLDER
    hashes = {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in folder.rglob("*")
        if path.is_file()
    }
    owned = sorted(file for each in found.components.values() for file in each.files)
    if owned != sorted(hashes):
        raise SystemExit(f"build/sbom.py: {set(owned) ^ set(hashes)}: not there, or nobody's")
    single = next(path for path in dist.iterdir() if path.stem == "credlatch" and path.is_file())
    others = sorted(
        (each for each in found.components.values() if each is not found.program),
        key=lambda each: each.purl,
    )
    program = _component(found.program, hashes)
    program["type"] = "application"
    program["components"].append(_file(single.name, _sha256(single)))
    program["pedigree"] = {"commits": [{"uid": commit.removesuffix("-dirty")}]} if commit else {}
    said = {"credlatch:build": identity, "credlatch:commit": commit or "unknown"}
    program["properties"] = [{"name": name, "value": value} for name, value in said.items()]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "build"}], "component": program},
        "components": [_component(each, hashes) for each in others],
        "dependencies": _dependencies(found.program, others),
    }
    (dist / "credlatch.cdx.json").write_text(
        json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )


def _component(one: Component, hashes: dict[str, str]) -> dict[str, Any]:
    """A component: its files with their hashes, and where it is a part of another's."""
    told: dict[str, Any] = {"type": "library", "bom-ref": one.purl, "name": one.name}
    told |= {"version": one.version} if one.version else {}
    told |= {"licenses": [{"expression": one.licence}]}
    told |= {"cpe": one.cpe} if one.cpe else {}
    told |= {"purl": one.purl}
    files = [_file(f"{FOLDER}/{name}", hashes[name]) for name in sorted(one.files)]
    told |= {"components": [*one.within, *files]}
    places = [
        {"location": f"{FOLDER}/{part.file}"} | ({"symbol": part.module} if part.module else {})
        for part in sorted(one.parts)
    ]
    return told | ({"evidence": {"occurrences": places}} if places else {})


def _file(name: str, sha256: str) -> dict[str, Any]:
    return {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": sha256}]}


def _dependencies(program: Component, others: list[Component]) -> list[dict[str, Any]]:
    """Who needs whom: the program all that is there, a wheel what its metadata name."""
    wheels = {
        canonicalize_name(each.name): each for each in others if each.purl.startswith("pkg:pypi/")
    }
    rows: list[dict[str, Any]] = [
        {"ref": program.purl, "dependsOn": [each.purl for each in others]}
    ]
    for each in others:
        wanted = {canonicalize_name(Requirement(line).name) for line in each.needs}
        needed = sorted(wheels[name].purl for name in wanted & set(wheels))
        rows.append({"ref": each.purl, "dependsOn": needed})
    return rows


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
