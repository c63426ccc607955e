"""The launcher for macOS, which Zig compiles and links on any system: both machines, both forms."""

from __future__ import annotations

import importlib
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.page import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

BUILD = "0123456789abcdef"
# mach-o/loader.h and mach/machine.h
MAGIC, EXECUTES, PIE = 0xFEEDFACF, 2, 0x200000
MACHINES = {"x86_64": 0x01000007, "aarch64": 0x0100000C}
DYLIB, SIGNATURE = 0xC, 0x1D


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(ROOT / "build")
    yield importlib.import_module("launcher")
    sys.modules.pop("launcher")


def commands(program: bytes) -> dict[int, list[bytes]]:
    """The load commands of a Mach-O file, by their kinds."""
    found: dict[int, list[bytes]] = {}
    count, at = struct.unpack_from("<I", program, 16)[0], 32
    for _ in range(count):
        kind, size = struct.unpack_from("<II", program, at)
        found.setdefault(kind, []).append(program[at : at + size])
        at += size
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_it_is_a_program_of_that_machine_that_needs_the_system_alone(
    machine: str, launcher: ModuleType, tmp_path: Path
) -> None:
    payload = tmp_path / "payload"
    payload.write_bytes(b"what it carries" * 100)
    for carried in (None, payload):
        built = launcher._built(BUILD, tmp_path / "work", f"{machine}-macos", carried)
        program = Path(built).read_bytes()
        magic, processor, _, kind, *_, flags = struct.unpack_from("<7I", program)
        assert (magic, processor, kind, flags & PIE) == (MAGIC, MACHINES[machine], EXECUTES, PIE)
        assert BUILD.encode() in program
        assert (payload.read_bytes() in program) == (carried is not None)
        assert str(tmp_path).encode() not in program
        said = commands(program)
        (needed,) = said[DYLIB]
        assert needed[24:].rstrip(b"\0") == b"/usr/lib/libSystem.B.dylib"
        # Without any signature that machine runs nothing.
        assert machine == "x86_64" or len(said[SIGNATURE]) == 1
