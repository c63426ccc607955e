"""What there is to undo: byte for byte where nobody has changed a file since, else our part."""

from __future__ import annotations

import os
from contextlib import suppress

from credlatch.errors import CredlatchError, SetupError
from credlatch.setup import formats, links, record, texts
from credlatch.setup.changes import FileChange, without
from credlatch.stores import chained
from credlatch.system import owners
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.changes import Setting
    from credlatch.setup.formats import Format
    from credlatch.setup.record import FileStep, Record
    from credlatch.setup.texts import Found

_EMPTY = frozenset({"", "{}"})  # what is left of a file that held nothing but ours


class Undoing:
    """What is to be done, and what a person is told of it.

    Attributes:
        files: the files that change.
        link: a link that is to go, or None.
        folders: what goes too, if nothing else is in it; the innermost is last.
        notes: what stays, and why.
    """

    def __init__(self) -> None:
        self.files: list[FileChange] = []
        self.link: links.Link | None = None
        self.folders: list[str] = []
        self.notes: list[str] = []


def undoing(steps: Record, caller: Caller) -> Undoing:
    """What undoes all steps of a record, the last one first.

    Raises:
        SetupError: a file is not what can be read, our part of it cannot be told from others', or
            another user's record names what is not theirs.
    """
    _see_whose(steps)
    made = Undoing()
    there: dict[str, _Former] = {}
    for step in reversed(steps.steps):
        for file in step.files:
            former = there.get(file.path)
            if former is None:
                form = formats.named(file.format, caller)
                former = there[file.path] = _Former(texts.read(file.path), file.format, form)
            former.undo(file)
            made.folders = [*file.folders, *made.folders]
        link = step.link
        if link is None or not link.made or made.link is not None:
            continue
        if links.is_ours(link.path, link.text) and not _is_needed(link.path, steps):
            made.link = links.Link(link.path, link.text, is_there=True)
    for former in there.values():
        made.notes += former.notes
        if former.text != former.found.text:
            former.found.see_that_it_may_change()
            made.files.append(FileChange(former.found, former.text, former.format))
    return made


def _see_whose(steps: Record) -> None:
    for step in steps.steps:
        # A name of ours beside the program, where root has installed it for all, is no other's.
        link = step.link
        ours = link is None or links.is_name_of_ours(link.path, link.text)
        made = [] if ours or link is None else [link.path]
        for path in (*made, *(each for file in step.files for each in (file.path, *file.folders))):
            try:
                owners.real_path(path, steps.by)
            except OSError as error:
                raise SetupError(f"{steps.path} names {path}: {reason(error)}") from None


def still_wired(caller: Caller) -> list[tuple[str, str]]:
    """The words after ``credlatch setup`` that would undo something, and the file that it is in.

    What cannot be read is passed over.
    """
    found = []
    for path in record.paths(record.folder(caller)):
        tool, project, _ = os.path.basename(path).removesuffix(".json").partition("-")
        words = f"{tool} --project --undo" if project else f"{tool} --undo"
        with suppress(CredlatchError):
            made = undoing(record.Record(path), caller)
            found += [(words, change.found.path) for change in made.files]
    chain = chained.path_of(caller)
    return [each for each in found if each[1] != chain]


def _is_needed(path: str, steps: Record) -> bool:
    """Whether another tool's wiring needs a link."""
    return any(
        step.link is not None and step.link.path == path
        for other in record.others(steps.path)
        for step in other.steps
    )


class _Former:
    """A file on its way back."""

    def __init__(self, found: Found, name: str, form: Format) -> None:
        self.found = found
        self.text = found.text
        self.format = name
        self.notes: list[str] = []
        self._form = form

    def undo(self, step: FileStep) -> None:
        if self.text is None:
            return
        now = record.digest(self.text)
        if now == step.before:
            return  # it was about to be done, and was not
        if now == step.after:
            text = without(self.text, step.splices)
            if record.digest(text) == step.before:
                self.text = text if step.existed else None
                return
        for setting in step.settings:
            self._put_back(setting)
        if not step.existed and "".join(self.text.split()) in _EMPTY:
            self.text = None

    def _put_back(self, setting: Setting) -> None:
        """Undo one setting in a file that somebody has changed since."""
        text = self.text or ""
        try:
            now = self._form.get(text, setting.key)
            if now == setting.value:
                self.text = self._form.put_back(text, setting.key, setting.old)
            elif now is not None:
                self.notes.append(
                    f"{self.found.path} says something else of {setting.key[-1] or 'all hosts'} "
                    "since: it stays"
                )
        except ValueError as error:
            raise SetupError(
                f"{self.found.path} was changed since, and cannot be changed back "
                f"as {self._form.name}: {error}: take credlatch out by hand"
            ) from None
