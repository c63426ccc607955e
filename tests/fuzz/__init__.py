"""What must hold for every input of every parser: see ``target``."""

from fuzz import clients, files, formats, logins, parsers, servers, texts, words
from fuzz.target import TARGETS, Target

_MODULES = (clients, files, formats, logins, parsers, servers, texts, words)  # which fill the table
__all__ = ["TARGETS", "Target"]
