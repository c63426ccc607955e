"""A diagnosis: what all checks have found, which program has made it, and what was mended."""

from __future__ import annotations

import os
import platform
import sys

from credlatch import __version__
from credlatch.doctor import checks
from credlatch.doctor.finding import FAIL, WARN
from credlatch.errors import CredlatchError
from credlatch.lines import printable
from credlatch.structs import msgspec
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.doctor.finding import Finding

_LONGEST = 4_000  # characters of a text


class Program(msgspec.Struct, frozen=True):
    """Which program has looked, and where it runs.

    Attributes:
        version: its version.
        build: the build's identity; None: from source, or a wheel.
        path: the program's file.
        system: the operating system and the machine.
        libc: the C library and its version; empty where that is not told.
    """

    version: str
    build: str | None
    path: str
    system: str
    libc: str


class Line(msgspec.Struct, frozen=True):
    """One finding.

    Attributes:
        severity: ok, off, warn or fail.
        subject: what it is about.
        what: what there is, or what is wrong.
        fix: what mends it, for a shell; None: nothing that is known.
        safe: whether --fix does that.
    """

    severity: str
    subject: str
    what: str
    fix: str | None
    safe: bool


class Report(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        program: as above.
        version: of this form.
        findings: in the order of the checks, as it is after what was mended.
        fixed: what was done.
        not_fixed: what could not be, and why.
        to_fix: how many things do not work.
        warnings: how many may surprise somebody.
    """

    version: int
    program: Program
    findings: list[Line]
    fixed: list[str]
    not_fixed: list[str]
    to_fix: int
    warnings: int


def made(caller: Caller, *, offline: bool, fix: bool) -> Report:
    """Look at everything; mend first what is safe to, where that is wanted."""
    found = list(checks.findings(caller, offline=offline))
    fixed: list[str] = []
    failed: list[str] = []
    if fix:
        for each in found:
            if each.repair is not None:
                _mend(each, fixed, failed)
        if fixed:
            found = list(checks.findings(caller, offline=offline))
    shown = list(dict.fromkeys(_line(each) for each in found))
    counts = [sum(each.severity == one for each in shown) for one in (FAIL, WARN)]
    return Report(1, _program(), shown, fixed, failed, *counts)


def _mend(found: Finding, fixed: list[str], failed: list[str]) -> None:
    try:
        done = found.repair() if found.repair is not None else ""
        if done not in fixed:
            fixed.append(printable(done, _LONGEST))
    except CredlatchError as error:
        failed.append(printable(f"{found.fix}: {error}", _LONGEST))
    except OSError as error:
        failed.append(printable(f"{found.fix}: {reason(error)}", _LONGEST))


def _line(found: Finding) -> Line:
    # With other characters in the place of those that no terminal shows, it may mean another file.
    plain = found.fix.isprintable() and len(found.fix) <= _LONGEST
    return Line(
        found.severity,
        found.subject,
        printable(found.what.removesuffix(f": {found.fix}"), _LONGEST),
        found.fix if found.fix and plain else None,
        found.repair is not None,
    )


def _program() -> Program:
    build = sys._xoptions.get("utf8 credlatch")
    frozen = getattr(sys, "frozen", False)
    return Program(
        __version__,
        build if isinstance(build, str) else None,
        printable(sys.executable if frozen else os.path.realpath(sys.argv[0]), _LONGEST),
        f"{platform.system()} {platform.machine()}".strip(),
        " ".join(filter(None, platform.libc_ver())),
    )
