"""One file for each format of configuration: text in, text out, no I/O.

A setting is found by its key, whatever that is in the format, and has one value or several. Each
edit is in one place of the text, and nothing else changes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.caller import Caller

    Key = tuple[str, ...]
    Value = str | tuple[str, ...]


# What a format's own tool makes beside its file while it changes that: git's lockfile.h.
LOCKS = {"git": ".lock"}


class FormatError(ValueError):
    """A text is not what its tool reads, or cannot be edited in one place."""


class Format(ABC):
    """A format.

    Every method raises ValueError, saying why, where the text is not what the tool reads, or
    cannot be edited without changing more than one setting.

    Attributes:
        name: what it is called, for a person.
    """

    name: str

    @abstractmethod
    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is; None where it is not set."""

    def beside(self, text: str, key: Key) -> dict[str, Value]:  # noqa: ARG002 - see below
        """The settings whose keys differ from one in the last part alone, by that part.

        None by default: of a format in which no tool has settings for hosts.
        """
        return {}

    @abstractmethod
    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it, in the place of what it was."""

    def put_back(self, text: str, key: Key, old: Value | None) -> str:
        """The text with a setting as it was before ours was put in, which is still there.

        What was made for it alone, and holds nothing any more, goes too.
        """
        return self._without(text, key) if old is None else self.put(text, key, old)

    @abstractmethod
    def _without(self, text: str, key: Key) -> str:
        """The text without a setting."""

    def _proven(self, after: str, key: Key, value: Value) -> str:
        """A text with a setting in it, if it is read as that."""
        if self.get(after, key) != value:
            raise FormatError("it cannot be changed in one place")
        return after


def named(name: str, caller: Caller) -> Format:
    """A format by its name."""
    from credlatch.setup.formats import bazelrc, git_config, go_env, ini_text, json_text, toml_text

    formats: dict[str, Format] = {
        "bazelrc": bazelrc.Bazelrc(),
        "git": git_config.GitConfig(caller),
        "go": go_env.GoEnv(),
        "ini": ini_text.IniText(),
        "json": json_text.JsonText(),
        "toml": toml_text.TomlText(),
    }
    return formats[name]


def newline(text: str) -> str:
    """How the text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def lines(text: str) -> list[str]:
    """The lines, each with its end; other characters that break lines elsewhere do not here."""
    return re.findall(r".*\n|.+", text)


def alike(some: Sequence[str], others: Sequence[str]) -> int:
    """How many characters, or lines, both begin with."""
    pairs = zip(some, others, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(some), len(others)))


def value_in(document: object, key: Key, table: str) -> Value | None:
    """What a setting is in a document as a parser gives it; None where it is not set.

    Args:
        document: what was parsed.
        key: the setting.
        table: what the format calls that in which it is looked up.

    Raises:
        FormatError: it is something else, or what should have it is no such thing.
    """
    for at, name in enumerate(key):
        if not isinstance(document, dict):
            raise FormatError(f"{'.'.join(key[:at])} is not {table}")
        document = document.get(name)
        if document is None:
            return None
    if isinstance(document, str):
        return document
    if isinstance(document, list) and all(isinstance(each, str) for each in document):
        return tuple(document)
    raise FormatError(f"{'.'.join(key)} is neither a text nor a list of texts")
