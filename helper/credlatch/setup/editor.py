"""A configuration while settings are put in."""

from __future__ import annotations

from credlatch.errors import SetupError
from credlatch.setup import formats, texts
from credlatch.setup.changes import FileChange, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.formats import Key, Value
    from credlatch.setup.places import Place
    from credlatch.setup.tools import Tool


class Editor:
    """A configuration, and the settings that are put in.

    Args:
        place: the configuration.
        caller: whose it is.

    Attributes:
        found: the file as it was found.
        text: what it says by now.
        settings: those that were put in, the first one first.

    Raises:
        SetupError: it cannot be read; of every method: it is not what its tool reads, or cannot be
            changed in one place.
    """

    def __init__(self, place: Place, caller: Caller) -> None:
        self.found = texts.read(place.path)
        self.text = self.found.text or ""
        self.settings: list[Setting] = []
        self._place = place
        self._format = formats.named(place.format, caller)

    def get(self, key: Key) -> Value | None:
        """What a setting is."""
        try:
            return self._format.get(self.text, key)
        except ValueError as error:
            raise self._malformed(error) from None

    def outranked(self, tool: Tool, key: Key) -> Value | None:
        """What does not count any more once a setting is there."""
        if tool.outranked is None:
            return None
        try:
            return tool.outranked(self._format, self.text, key)
        except ValueError as error:
            raise self._malformed(error) from None

    def is_named(self, tool: Tool, key: Key) -> bool:
        """Whether what does not count any more is meant for the very host of a setting."""
        if tool.named is None:
            return False
        try:
            return tool.named(self._format, self.text, key)
        except ValueError as error:
            raise self._malformed(error) from None

    def within(self, tool: Tool, key: Key) -> dict[str, tuple[str, ...]]:
        """What a setting would end for a part of what it is for."""
        if tool.within is None:
            return {}
        try:
            return tool.within(self._format, self.text, key)
        except ValueError as error:
            raise self._malformed(error) from None

    def put(self, key: Key, value: Value) -> None:
        """Put a setting in."""
        old = self.get(key)
        try:
            after = self._format.put(self.text, key, value)
        except ValueError as error:
            raise self._malformed(error) from None
        self.settings.append(Setting(key, value, old))
        self.text = after

    def change(self) -> FileChange:
        """What that is, as a change of the file."""
        place = self._place
        return FileChange(
            self.found, self.text, place.format, self.settings, is_private=place.is_private
        )

    def _malformed(self, error: ValueError) -> SetupError:
        name = self._format.name
        return SetupError(
            f"{self.found.path} cannot be changed as {name}: {error}: mend it, or change it by hand"
        )
