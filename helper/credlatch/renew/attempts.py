"""What is remembered of a grant that was sent.

The lock keeps two processes from sending a grant at once; a note beside the lock keeps the next one
from sending it again, and tells it what came of it: everybody reads the first cause, for as long as
it holds.
"""

from __future__ import annotations

import time

from credlatch import clock
from credlatch.errors import LoginError, RenewalError, StoreError
from credlatch.renew.notes import Note, Notes, digest
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Auth, TokenResponse
    from credlatch.renew.cache import FileLock
    from credlatch.renew.tokens import KeptToken
    from credlatch.stores import Entry

STORM = 3.0  # seconds for which a failure is shared by those who waited for its outcome
REFUSAL = 60.0  # seconds for which a server's no is not asked for again; forever, of a single use
SETTLING = 10.0  # seconds in which a server may still be acting on a request that got no answer
_SHORT = 1_000.0  # seconds: of what lives longer, nothing need be remembered
_SENT, _FAILED, _OPEN, _REFUSED, _FETCHED = "sent", "failed", "open", "refused", "fetched"
LONGEST = 600  # characters of a cause
_SHORTEST = 4  # characters of a secret that is looked for in a text


class Attempt:
    """The notes about an entry's grant and token.

    Args:
        lock: the lock under which the entry is renewed.
        entry: what is to be renewed.
        grant: its grant.
    """

    def __init__(self, lock: FileLock | KeptToken, entry: Entry, grant: Auth) -> None:
        self._entry = entry
        self._grant = grant
        self._sent = grant.secret  # what the note is about
        self._secrets = [grant.secret]
        self._unreadable = ""
        try:
            self._notes = lock.notes()
        except StoreError as error:
            self._notes = Notes({})
            self._unreadable = str(error)

    def fetched(self) -> float | None:
        """When the entry's token was fetched, in seconds since 1970 UTC, if that is remembered."""
        token = self._entry.credential
        if not self._notes or token is None:
            return None
        note = self._notes.get(digest("token", self._grant.server, token.secret))
        return None if note is None or note.at > time.time() else note.at

    def last(self) -> Note | None:
        """How the grant fared when it was last sent, and there is no fresh token since."""
        return self._notes.get(self._name()) if self._notes else None

    def check(self, *, held: bool) -> None:
        """See whether the grant may be sent now.

        Args:
            held: whether the lock is held by us. Else, whoever has sent it may be waiting for the
                answer.

        Raises:
            LoginError: it may never be sent again.
            RenewalError: it was sent a moment ago, or what came of that cannot be read.
        """
        single_use = self._grant.single_use
        if self._unreadable and single_use:
            raise RenewalError(f"{self._unreadable}: it tells what has been sent")
        note = self._notes.get(self._name()) if self._notes else None
        if note is None:
            return
        age = time.time() - note.at
        if note.state == _REFUSED and (single_use or 0 <= age < REFUSAL):
            raise LoginError(_aged(note.message, age))
        if 0 <= age < {_FAILED: STORM, _OPEN: SETTLING}.get(note.state, 0.0):
            raise RenewalError(_aged(note.message, age))
        if note.state != _SENT or not held:
            return
        # Noted, so that hundreds who wait need not take the lock in turn to see it.
        cut_off = f"a renewal at {self._grant.shown} was cut off before its outcome was known"
        if single_use:
            raise self._ended(_REFUSED, LoginError(self._used_up(cut_off)), note.at)
        if 0 <= age < SETTLING:
            again = RenewalError(f"{cut_off}: try again in a moment")
            raise self._ended(_OPEN, again, note.at)

    def sent(self) -> None:
        """Note, durably, that the grant is about to be sent, and make room for the outcome.

        Raises:
            RenewalError: it cannot be noted, and the grant is good for one use only.
        """
        self._notes.put(self._name(), Note(_SENT, time.time()))
        try:
            self._notes.write(again=True)
        except OSError as error:
            self.unsent()
            if self._grant.single_use:
                raise RenewalError(
                    f"{self._notes.path} cannot be written ({files.reason(error)}), so that a "
                    "renewal that is cut off could not be remembered: make its folder writable"
                ) from None

    def unsent(self) -> None:
        """Forget the note: nothing was sent, for a reason that is this call's own."""
        self._notes.drop(self._name())
        self._write()

    def answered(self, fresh: TokenResponse) -> None:
        """Keep what was answered out of every text."""
        self._secrets += [fresh.token, *([fresh.refresh_token] if fresh.refresh_token else [])]

    def failed(self, error: RenewalError, *, spent: bool = False) -> RenewalError:
        """Note that there is no fresh token, and why; the error that everybody is to read.

        Args:
            error: the cause.
            spent: whether the server may have acted on the grant, though there is no token.
        """
        text = self._without_secrets(str(error))
        if isinstance(error, LoginError):
            return self._ended(_REFUSED, LoginError(text))
        if spent and self._grant.single_use:
            return self._ended(_REFUSED, LoginError(self._used_up(text)))
        if spent:
            return self._ended(_OPEN, RenewalError(f"{text}: try again"))
        return self._ended(_FAILED, RenewalError(text))

    def useless(self, error: RenewalError, fresh: TokenResponse) -> RenewalError:
        """Note that a token came that cannot be used; the error that everybody is to read.

        Where another refresh token came with it, that one is kept, and the note is about it.
        """
        if fresh.refresh_token is None:
            return self.failed(error, spent=self._grant.single_use)
        self._notes.drop(self._name())
        self._sent = fresh.refresh_token
        return self.failed(error)

    def renewed(self, fresh: TokenResponse) -> None:
        """Forget the note: the grant was exchanged, and what came back has been kept.

        When the token was fetched is remembered where it may make a difference.
        """
        now = time.time()
        self._notes.drop(self._name())
        server, old = self._grant.server, self._entry.credential
        if old is not None:
            self._notes.drop(digest("token", server, old.secret))
        if fresh.expires is None or fresh.expires - now < _SHORT:
            self._notes.put(digest("token", server, fresh.token), Note(_FETCHED, now))
        self._write()

    def close(self) -> None:
        """Give back the room that was made."""
        self._notes.close()

    def _name(self) -> str:
        return digest("grant", self._grant.server, self._sent)

    def _used_up(self, cause: str) -> str:
        return f"{cause}; its refresh token is good for one use only: {self._grant.remedy}"

    def _ended(self, state: str, error: RenewalError, at: float | None = None) -> RenewalError:
        self._notes.put(self._name(), Note(state, time.time() if at is None else at, str(error)))
        self._write()
        return error

    def _write(self) -> None:
        try:
            self._notes.write()
        except OSError:
            return  # what was noted before stands

    def _without_secrets(self, text: str) -> str:
        from urllib.parse import quote

        text = " ".join(text.split())[:LONGEST]
        for secret in self._secrets:
            plain = secret.reveal()
            for form in (plain, quote(plain, safe="", errors="replace")):
                if len(form) >= _SHORTEST:
                    text = text.replace(form, "****")
        return text


def _aged(message: str, age: float) -> str:
    """A failure as it is told later; those who waited for it read it as it was."""
    return message if age < SETTLING else f"{clock.span(age)} ago: {message}"
