"""What there is to undo: byte for byte where nobody has changed a file since, else our part."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field

from credlatch.errors import CredlatchError, SetupError
from credlatch.setup import links, record
from credlatch.setup.changes import without
from credlatch.setup.editor import Editor
from credlatch.setup.places import Place
from credlatch.stores import chained
from credlatch.system import owners
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.changes import FileChange
    from credlatch.setup.record import FileStep, Record

_EMPTY = frozenset({"", "{}"})  # what is left of a file that held nothing but ours


@dataclass
class Undoing:
    """What is to be done, and what a person is told of it.

    Attributes:
        files: the files that change.
        link: a link that is to go, or None.
        folders: what goes too, if nothing else is in it; the innermost is last.
        notes: what stays, and why.
    """

    files: list[FileChange] = field(default_factory=list)
    link: links.Link | None = None
    folders: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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
            if file.path not in there:
                there[file.path] = _Former(Place(file.path, file.format), caller)
            made.notes += there[file.path].undo(file)
            made.folders = [*file.folders, *made.folders]
        link = step.link
        if link is None or not link.made or made.link is not None:
            continue
        needed = {other.path for other in record.links_beside(steps.path)}
        if link.path not in needed and links.is_ours(link.path, link.text):
            made.link = link
    for former in there.values():
        if former.text != former.found.text:
            former.found.see_that_it_may_change()
            made.files.append(former.change())
    return made


def _see_whose(steps: Record) -> None:
    for step in steps.steps:
        link, paths = (
            step.link,
            [each for file in step.files for each in (file.path, *file.folders)],
        )
        # A name of ours beside the program, where root has installed it for all, is no other's.
        if link is not None and not links.is_name_of_ours(link.path, link.text):
            paths.append(link.path)
        for path in paths:
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


class _Former(Editor):
    """A file on its way back."""

    wrong = "{} was changed since, and cannot be changed back as {}: {}: take credlatch out by hand"

    def undo(self, step: FileStep) -> list[str]:
        """Take back what a step has done; what stays, and why."""
        notes: list[str] = []
        now = None if self.text is None else record.digest(self.text)
        if self.text is None or now == step.before:
            return notes  # it was about to be done, and was not
        if now == step.after:
            text = without(self.text, step.splices)
            if record.digest(text) == step.before:
                self.text = text if step.existed else None
                return notes
        # Somebody has changed it since.
        for setting in step.settings:
            there = self.get(setting.key)
            if there == setting.value:
                with self.clear():
                    self.text = self.format.put_back(self.text, setting.key, setting.old)
            elif there is not None:
                what = setting.key[-1] or "all hosts"
                notes.append(f"{self.found.path} says something else of {what} since: it stays")
        if not step.existed and "".join(self.text.split()) in _EMPTY:
            self.text = None
        return notes
