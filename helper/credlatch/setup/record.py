"""What ``setup`` has done, kept so that ``--undo`` can take it back.

One file for each tool and place, in our data folder, for this user alone. It holds the changes and
digests of the files before and after, and nothing else of what is in them: they may hold secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
from glob import escape, glob
from typing import Literal

from credlatch.errors import SetupError, StoreError
from credlatch.setup.changes import Setting, Splice, splices
from credlatch.setup.links import Link  # noqa: TC001 - msgspec looks for it here
from credlatch.structs import converted, msgspec
from credlatch.system import files, owners, writable
from credlatch.system.atomic_write import AtomicWrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.changes import FileChange


def folder(caller: Caller) -> str:
    """Where the records are."""
    return caller.data("credlatch", "setup")


def path_of(tool: str, project: str | None, caller: Caller) -> str:
    """The record of a tool, in the user's own place or in a project's."""
    mark = "" if project is None else f"-{hashlib.sha256(project.encode()).hexdigest()[:16]}"
    return f"{folder(caller)}/{tool}{mark}.json"


def digest(text: str) -> str:
    """What tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()


class FileStep(msgspec.Struct):
    """What was done to one file at one time.

    Attributes:
        path: the file.
        format: the name of its format.
        existed: whether it was there.
        before: the digest of what it said; that of nothing where it was not there.
        after: the digest of what it says.
        folders: what was made for it, the outermost first.
        splices: where its text was changed.
        settings: those that were put in.
    """

    path: str
    format: str
    existed: bool
    before: str
    after: str
    folders: list[str]
    splices: list[Splice]
    settings: list[Setting]


class Step(msgspec.Struct):
    """What was done at one time: to files, and with a link where one was needed."""

    files: list[FileStep]
    link: Link | None


class _Kept(msgspec.Struct):
    """All that is in a record."""

    version: Literal[1]
    steps: list[Step]


class Record:
    """The steps of one tool in one place, the first one first.

    Args:
        path: the record's file.

    Attributes:
        path: likewise.
        by: whose it is, where that is another user (sudo): what it names must be theirs.
        steps: the steps.

    Raises:
        SetupError: it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.by: int | None = None
        self.steps: list[Step] = []
        try:
            file = files.opened(path)
            if file is not None:
                with file:
                    self.by = owners.other(file.status.st_uid)
                    self.steps = converted(json.loads(file.text()), _Kept).steps
        except (StoreError, ValueError, RecursionError, msgspec.ValidationError) as error:
            what = str(error) if isinstance(error, StoreError) else f"{path} is damaged"
            raise SetupError(
                f"{what}: remove it; what was done can then be undone by hand only"
            ) from None

    def write(self, steps: list[Step]) -> None:
        """Keep these steps, and no file where there are none.

        Raises:
            OSError: they cannot be written.
        """
        if not steps:
            writable.remove(self.path)
            return
        # Not msgspec's own JSON: a path may have bytes that are no text.
        data = json.dumps(msgspec.to_builtins(_Kept(1, steps)), indent=1).encode()
        AtomicWrite(self.path).commit(data)


def paths(folder: str) -> list[str]:
    """The records in a folder."""
    return sorted(glob(os.path.join(escape(folder), "*.json")))


def others(path: str) -> list[Record]:
    """The records beside one."""
    # By the name: on Windows one folder has several spellings.
    folder, name = os.path.split(path)
    return [Record(each) for each in paths(folder) if os.path.basename(each) != name]


def links_beside(path: str) -> list[Link]:
    """The names that are needed by what is in the records beside one."""
    return [step.link for each in others(path) for step in each.steps if step.link is not None]


def file_step(change: FileChange) -> FileStep:
    """What is done to a file by a change."""
    before, after = change.found.text or "", change.after or ""
    return FileStep(
        path=change.found.path,
        format=change.format,
        existed=change.found.text is not None,
        before=digest(before),
        after=digest(after),
        folders=change.found.missing_folders(),
        splices=splices(before, after),
        settings=list(change.settings),
    )
