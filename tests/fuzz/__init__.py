"""What must hold for every input of every parser: see ``target``."""

from fuzz import clients, files, fleets, formats, logins, parsers, servers, texts, words
from fuzz.target import TARGETS, Target

# Which fill the table.
_MODULES = (clients, files, fleets, formats, logins, parsers, servers, texts, words)
__all__ = ["TARGETS", "Target"]
