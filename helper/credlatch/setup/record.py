"""What ``setup`` has done, kept so that ``--undo`` can take it back.

One file for each tool and place, in our data folder, for this user alone. It holds the changes and
digests of the files before and after, and nothing else of what is in them: they may hold secrets.
"""

from __future__ import annotations

import hashlib
import json
import os

from credlatch.errors import SetupError, StoreError
from credlatch.setup.changes import Setting, splices
from credlatch.system import files, owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.setup.changes import FileChange
    from credlatch.setup.formats import Value
    from credlatch.setup.links import Link

_VERSION = 1


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


class FileStep:
    """What was done to one file at one time.

    Attributes:
        path: the file.
        format: the name of its format.
        existed: whether it was there.
        before: the digest of what it said; that of nothing where it was not there.
        after: the digest of what it says.
        settings: those that were put in.
        splices: where its text was changed.
        folders: what was made for it, the outermost first.
    """

    __slots__ = (
        "after", "before", "existed", "folders", "format", "path", "settings", "splices"
    )  # fmt: skip

    def __init__(self, stored: dict[str, Any]) -> None:
        self.path: str = stored["path"]
        self.format: str = stored["format"]
        self.existed: bool = stored["existed"]
        self.before: str = stored["before"]
        self.after: str = stored["after"]
        self.folders: list[str] = stored["folders"]
        self.splices = [(at, was, now) for at, was, now in stored["splices"]]
        self.settings = [
            Setting(
                tuple(each["key"]),
                _value(each["value"]),
                None if each["old"] is None else _value(each["old"]),
            )
            for each in stored["settings"]
        ]


class Step:
    """What was done at one time.

    Attributes:
        files: what was done to files.
        link: the name of a program that was needed, and what it leads to; None: none was.
        made_link: whether ``setup`` has made it, then or before.
    """

    __slots__ = ("files", "link", "made_link")

    def __init__(self, stored: dict[str, Any]) -> None:
        self.files = [FileStep(each) for each in stored["files"]]
        link = stored["link"]
        self.link: tuple[str, str] | None = None if link is None else (link["path"], link["text"])
        self.made_link = link is not None and bool(link["made"])


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
        try:
            text = self._read()
            self._stored: list[dict[str, Any]] = [] if text is None else _steps(text)
            self.steps = [Step(each) for each in self._stored]
        except (StoreError, ValueError, KeyError, TypeError) as error:
            what = str(error) if isinstance(error, StoreError) else f"{path} is damaged"
            raise SetupError(
                f"{what}: remove it; what was done can then be undone by hand only"
            ) from None

    def _read(self) -> str | None:
        file = files.opened(self.path)
        if file is None:
            return None
        with file:
            self.by = owners.other(file.status.st_uid)
            return file.text()

    def add(self, changes: list[FileChange], link: Link | None, *, made_link: bool) -> None:
        """Write down what is about to be done.

        Raises:
            OSError: it cannot be written.
        """
        kept = None
        if link is not None:
            kept = {"path": link.path, "text": link.text, "made": made_link}
        step = {"files": [_file(change) for change in changes], "link": kept}
        self.write([*self._stored, step])

    def drop_last(self) -> None:
        """Forget what was about to be done, and was not.

        Raises:
            OSError: it cannot be written.
        """
        self.write(self._stored)

    def write(self, steps: list[dict[str, Any]]) -> None:
        """Keep these steps, and no file where there are none.

        Raises:
            OSError: they cannot be written.
        """
        if not steps:
            files.remove(self.path)
            return
        data = json.dumps({"version": _VERSION, "steps": steps}, indent=1).encode()
        files.AtomicWrite(self.path).commit(data)


def paths(folder: str) -> list[str]:
    """The records in a folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [
        os.path.join(folder, name)
        for name in names
        if name.endswith(".json") and not name.startswith(".")
    ]


def others(path: str) -> list[Record]:
    """The records beside one."""
    # By the name: on Windows one folder has several spellings.
    folder, name = os.path.split(path)
    return [Record(each) for each in paths(folder) if os.path.basename(each) != name]


def _steps(text: str) -> list[dict[str, Any]]:
    stored = json.loads(text)
    if stored["version"] != _VERSION:
        raise ValueError("of another version")
    steps: list[dict[str, Any]] = stored["steps"]
    return steps


def _file(change: FileChange) -> dict[str, Any]:
    return {
        "path": change.found.path,
        "format": change.format,
        "existed": change.before is not None,
        "before": digest(change.before or ""),
        "after": digest(change.after or ""),
        "folders": change.found.missing_folders(),
        "splices": splices(change.before or "", change.after or ""),
        "settings": [
            {"key": each.key, "value": each.value, "old": each.old} for each in change.settings
        ],
    }


def _value(stored: Any) -> Value:
    return stored if isinstance(stored, str) else tuple(stored)
