"""What this machine owes the engine: a token that came and is not known to be kept yet.

A file of the user's own for each login, 0600, written before the engine is told and removed when it
has it. A process that is killed in between leaves it to the next one.
"""

from __future__ import annotations

from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet.steps import Record, Refreshed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.system.atomic_write import AtomicWrite

_ROOM = 16 * 1024  # bytes: more than two tokens take


class Journal:
    """One login's; the lock of who settles it is the caller's to hold.

    Args:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._pending: AtomicWrite | None = None

    def reserve(self) -> None:
        """Make room, before anything is sent.

        Raises:
            OSError: nothing could be kept.
        """
        from credlatch.system.atomic_write import AtomicWrite

        if self._pending is None:
            self._pending = AtomicWrite(self.path, _ROOM)

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
        except OSError:
            return False  # the engine is told all the same
        return True

    def recall(self) -> Record | None:
        """What is written down; None: nothing.

        Raises:
            StoreError: it cannot be read, or is not ours.
        """
        import json

        from credlatch.system import files

        text = files.read(self.path)
        if not text:
            return None
        try:
            kept = json.loads(text)
            spent, gen, problem = kept["spent"], kept["gen"], kept["problem"]
            tokens = [kept["entry"]["OAuth"][name] for name in ("access_token", "refresh_token")]
        except (ValueError, LookupError, TypeError, RecursionError):
            tokens, spent, gen, problem = [], None, None, None
        texts = [spent, problem, *tokens]
        if not isinstance(gen, int) or not all(isinstance(each, str) for each in texts):
            raise StoreError(
                f"{self.path} is damaged, which may hold a login's next refresh token: look at it, "
                "or remove it and log in again"
            )
        life = kept.get("life")
        life = float(life) if isinstance(life, int | float) else None
        return Record(Secret(spent), gen, Refreshed(kept["entry"], problem, life))

    def forget(self) -> None:
        """Remove it."""
        from credlatch.system import writable

        writable.remove(self.path)

    def close(self) -> None:
        """Give back the room that was made."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.abandon()
