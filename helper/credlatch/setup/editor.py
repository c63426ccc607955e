"""A configuration while settings are put in."""

from __future__ import annotations

from contextlib import contextmanager

from credlatch.errors import SetupError
from credlatch.setup import formats, texts
from credlatch.setup.changes import FileChange, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from credlatch.caller import Caller
    from credlatch.setup.formats import Format, Key, Value
    from credlatch.setup.places import Place

    T = TypeVar("T")


class Editor:
    """A configuration, and the settings that are put in.

    Args:
        place: the configuration.
        caller: whose it is.

    Attributes:
        found: the file as it was found.
        text: what it says by now; None: it is not there.
        settings: those that were put in, the first one first.

    Raises:
        SetupError: it cannot be read; of every method: it is not what its tool reads, or cannot be
            changed in one place.
    """

    wrong = "{} cannot be changed as {}: {}: mend it, or change it by hand"

    def __init__(self, place: Place, caller: Caller) -> None:
        self.found = texts.read(place.path)
        self.text = self.found.text
        self.settings: list[Setting] = []
        self.format = formats.named(place.format, caller)
        self._place = place

    def get(self, key: Key) -> Value | None:
        """What a setting is."""
        with self.clear():
            return self.format.get(self.text or "", key)

    def ask(self, rule: Callable[[Format, str, Key], T] | None, key: Key) -> T | None:
        """What a rule of a tool's says of a setting; None where it has no such rule."""
        with self.clear():
            return None if rule is None else rule(self.format, self.text or "", key)

    def put(self, key: Key, value: Value) -> None:
        """Put a setting in."""
        setting = Setting(key, value, self.get(key))
        with self.clear():
            self.text = self.format.put(self.text or "", key, value)
        self.settings.append(setting)

    def change(self) -> FileChange:
        """What that is, as a change of the file."""
        place = self._place
        return FileChange(
            self.found, self.text, place.format, self.settings, is_private=place.is_private
        )

    @contextmanager
    def clear(self) -> Iterator[None]:
        """Have what the format says of a text as one line for a person."""
        try:
            yield
        except ValueError as error:
            raise SetupError(self.wrong.format(self.found.path, self.format.name, error)) from None
