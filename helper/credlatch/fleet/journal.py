"""What this machine owes the engine: a token that came and is not known to be kept yet.

A folder of the user's own for each login, and in it a file for each renewal, 0600: written before
the engine is told, and removed when it has it. A process that is killed in between leaves it to the
next one. No two write the same file, so that none needs a lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time

from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet.steps import Record, Refreshed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.system.atomic_write import AtomicWrite

_ENDING = ".renewed"
_OLD = 3600.0  # seconds: far more than a renewal takes
_ROOM = 16 * 1024  # bytes: more than two tokens take


class Journal:
    """One login's, as one process or thread writes it.

    Args:
        folder: its folder, which is made.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._pending: AtomicWrite | None = None
        self._name = ""  # what is to be removed
        self._reserved = ""

    def reserve(self) -> None:
        """Make room, before anything is sent.

        Raises:
            OSError: nothing could be kept.
        """
        from credlatch.system.atomic_write import AtomicWrite

        if self._pending is None:
            self._reserved = f"{self.folder}/{secrets.token_hex(8)}{_ENDING}"
            self._pending = AtomicWrite(self._reserved, _ROOM)

    def remember(self, record: Record) -> bool:
        """Write it down; whether it is."""
        import json

        kept = {
            "spent": record.spent.reveal(),
            "gen": record.gen,
            **record.fresh._asdict(),
        }
        try:
            self.reserve()
            pending, self._pending = self._pending, None
            if pending is not None:
                pending.commit(json.dumps(kept).encode())
                self._name = self._reserved
        except OSError:
            return False  # the engine is told all the same
        return True

    def recall(self) -> Record | None:
        """What is written down, of whatever process; None: nothing.

        Raises:
            StoreError: it cannot be read, or is not ours.
        """
        from credlatch.system import files

        try:
            names = sorted(os.listdir(self.folder))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be read: {files.reason(error)}") from None
        for name in names:
            path = f"{self.folder}/{name}"
            if name.endswith(_ENDING):
                text = files.read(path)
                if text is not None:  # else whoever wrote it has just removed it
                    self._name = path
                    return _record(text, path)
            elif name.startswith("."):
                _tidy(path)
        return None

    def forget(self) -> None:
        """Remove what was written, or found, last."""
        from credlatch.system import writable

        name, self._name = self._name, ""
        if name:
            with contextlib.suppress(OSError):  # it is found again, and does no harm
                writable.remove(name)

    def close(self) -> None:
        """Give back the room that was made."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.abandon()


def _record(text: str, path: str) -> Record:
    import json

    try:
        kept = json.loads(text)
        spent, gen, problem = kept["spent"], kept["gen"], kept["problem"]
        tokens = [kept["entry"]["OAuth"][name] for name in ("access_token", "refresh_token")]
    except (ValueError, LookupError, TypeError, RecursionError):
        tokens, spent, gen, problem, kept = [], None, None, None, {}
    texts = [spent, problem, *tokens]
    if not isinstance(gen, int) or not all(isinstance(each, str) for each in texts):
        raise StoreError(
            f"{path} is damaged, which may hold a login's next refresh token: look at it, or "
            "remove it and log in again"
        )
    life = kept.get("life")
    life = float(life) if isinstance(life, int | float) else None
    return Record(Secret(spent), gen, Refreshed(kept["entry"], problem, life))


def _tidy(path: str) -> None:
    """Remove the room that a killed process made, and never used."""
    with contextlib.suppress(OSError):
        if time.time() - os.lstat(path).st_mtime > _OLD:
            os.remove(path)
