"""What must hold for every input of every parser: see ``target``."""

from fuzz import clients, files, formats, servers, texts, words
from fuzz.target import TARGETS, Target

__all__ = ["TARGETS", "Target", "clients", "files", "formats", "servers", "texts", "words"]
