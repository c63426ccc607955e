"""The frozen program under another name, as a link on PATH has it."""

from __future__ import annotations

from support.program import Program


def called_as(name: str, program: Program) -> Program:
    """The same program, in the same home, called by a name that says what it is to do."""
    link = program.link_as(name) / name
    return Program([str(link)], program.home, link.parent / "links")
