"""What processes leave for each other beside the lock that they renew under.

One file for each lock, ``X.renewals`` beside ``X.lock``: whoever shares a store and its lock shares
it too, whatever the rest of their surroundings. A line for each grant whose fate is open, failed or
refused, and for each token that lives shortly:

    <digest> <state> <seconds since 1970 UTC> <message>

Digests, and no secrets. It is written under the lock and read without it, and is not there when
there is nothing to say.
"""

from __future__ import annotations

import time

from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Secret
    from credlatch.system.atomic_write import AtomicWrite

KEPT = 90 * 86_400.0  # seconds after which a note is of no more use
MOST = 256  # notes: the latest are kept
_LIMIT = 1024 * 1024  # bytes of a file that has some hundred
_ROOM = 4096  # bytes: more than a note takes
_MESSAGE = 1000  # characters


class Note:
    """What is remembered of a grant or a token.

    Attributes:
        state: a word.
        at: when it was written down, in seconds since 1970 UTC.
        message: a line for a person.
    """

    def __init__(self, state: str, at: float, message: str = "") -> None:
        self.state = state
        self.at = at
        self.message = message


def digest(kind: str, server: str, secret: Secret) -> str:
    """The name under which something is noted."""
    import hashlib  # only where there is something to be found: many wait for one renewal

    what = f"{kind}\n{server}\n{secret.reveal()}"
    return hashlib.sha256(what.encode(errors="surrogatepass")).hexdigest()


def path_of(lock: str) -> str:
    """The file beside a lock file."""
    return f"{lock.removesuffix('.lock')}.renewals"


class Notes:
    """Notes in this process's memory.

    Args:
        notes: what is noted.
    """

    path = ""

    def __init__(self, notes: dict[str, Note]) -> None:
        self._notes = notes

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._notes)

    def get(self, name: str) -> Note | None:
        """The note of that name."""
        return self._notes.get(name)

    def put(self, name: str, note: Note) -> None:
        """Change a note; ``write`` makes it last."""
        self._notes.pop(name, None)
        self._notes[name] = note

    def drop(self, name: str) -> None:
        """Forget a note, if it is there."""
        self._notes.pop(name, None)

    def write(self, *, again: bool = False) -> None:
        """Make the notes last: in memory they do."""

    def close(self) -> None:
        """Give back what was reserved for them: in memory nothing."""


class FileNotes(Notes):
    """The notes beside one lock file, as they were read first.

    Args:
        lock: the lock file.

    Raises:
        StoreError: they are there and cannot be read.
    """

    def __init__(self, lock: str) -> None:
        self.path = path_of(lock)
        self._pending: AtomicWrite | None = None
        super().__init__(_parse(files.read(self.path, limit=_LIMIT) or ""))

    def write(self, *, again: bool = False) -> None:
        """Make the notes durable. The lock is the caller's to hold.

        Args:
            again: whether to make room for a change of them, so that the next ``write`` does not
                fail for want of it.

        Raises:
            OSError: they could not be written.
        """
        data = self._data()
        pending, self._pending = self._pending, None
        try:
            if not data:
                from credlatch.system import writable

                writable.remove(self.path)
            elif pending is not None:
                pending.commit(data)
            else:
                from credlatch.system.atomic_write import AtomicWrite

                AtomicWrite(self.path).commit(data)
        finally:
            if pending is not None:
                pending.abandon()
        if again:
            from credlatch.system.atomic_write import AtomicWrite

            self._pending = AtomicWrite(self.path, len(data) + _ROOM)

    def close(self) -> None:
        """Give back the room that was made."""
        if self._pending is not None:
            self._pending.abandon()
            self._pending = None

    def _data(self) -> bytes:
        now = time.time()
        young = [(name, note) for name, note in self._notes.items() if now - note.at < KEPT]
        lines = [
            f"{name} {note.state} {note.at:.3f} {' '.join(note.message.split())[:_MESSAGE]}\n"
            for name, note in young[-MOST:]
        ]
        return "".join(lines).encode(errors="backslashreplace")


def _parse(text: str) -> dict[str, Note]:
    notes: dict[str, Note] = {}
    for line in text.split("\n"):
        name, _, rest = line.partition(" ")
        state, _, rest = rest.partition(" ")
        at, _, message = rest.partition(" ")
        try:
            notes[name] = Note(state, float(at), message)
        except ValueError:
            continue  # not a line of ours
    return notes
