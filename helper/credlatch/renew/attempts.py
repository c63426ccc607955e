"""What is remembered of a grant that was sent: a note on disk that holds no secret.

The lock keeps two processes from sending a grant at once; the note keeps the next one from sending
it again. Its name is a digest of the grant; it says when the grant was sent and what came of it.
"""

from __future__ import annotations

import hashlib
import os
import time

from credlatch.errors import LoginError, RenewalError
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.credential import Secret
    from credlatch.grant import Grant

STORM = 3.0  # seconds for which a failure is shared by those who waited for its outcome
REFUSAL = 60.0  # seconds for which a server's no is not asked for again; forever, of a single use
SETTLING = 10.0  # seconds in which a server may still be acting on a request that got no answer
_KEPT = 90 * 86_400.0  # seconds after which a note is of no more use
_SENT, _FAILED, _REFUSED = "sent", "failed", "refused"


class Attempt:
    """The note about one grant.

    Args:
        caller: whose cache folder it is in.
        grant: what is sent.
        secret: the grant's next secret, when the note is about that one.
    """

    def __init__(self, caller: Caller, grant: Grant, secret: Secret | None = None) -> None:
        what = f"{grant.server}\n{(secret or grant.secret).reveal()}"
        digest = hashlib.sha256(what.encode(errors="surrogatepass")).hexdigest()
        self._folder = caller.cache("credlatch", "attempts")
        self._path = f"{self._folder}/{digest}"
        self._grant = grant

    def check(self) -> None:
        """See whether the grant may be sent now.

        Raises:
            LoginError: it may never be sent again.
            RenewalError: it was sent a moment ago.
        """
        try:
            with open(self._path, encoding="utf-8", errors="replace") as note:
                state, _, rest = note.read().partition("\n")
                message = rest.partition("\n")[0]
                age = time.time() - os.fstat(note.fileno()).st_mtime
        except OSError:
            return
        server, advice = self._grant.shown, self._grant.advice
        if state == _REFUSED and (self._grant.single_use or 0 <= age < REFUSAL):
            raise LoginError(message)
        if state == _FAILED and 0 <= age < STORM:
            raise RenewalError(message)
        if state == _SENT and self._grant.single_use:
            raise LoginError(
                f"a renewal at {server} was cut off before its answer came, and its refresh token "
                f"is good for one use only: {advice}"
            )
        if state == _SENT and 0 <= age < SETTLING:
            raise RenewalError(
                f"a renewal at {server} was cut off {age:.0f} s ago: try again in a moment"
            )

    def sent(self) -> None:
        """Note, durably, that the grant is about to be sent.

        Raises:
            RenewalError: it cannot be noted, and the grant is good for one use only.
        """
        try:
            self._write(_SENT, "")
        except OSError as error:
            if self._grant.single_use:
                raise RenewalError(
                    f"{self._folder} cannot be written ({files.reason(error)}), so that a renewal "
                    "that is cut off could not be remembered: make it writable"
                ) from None

    def failed(self, error: RenewalError) -> None:
        """Note that the server refused it, or that it was never sent."""
        try:
            self._write(_REFUSED if isinstance(error, LoginError) else _FAILED, str(error))
        except OSError:
            return

    def ended(self) -> None:
        """Forget the note: the grant was exchanged, and what came back has been kept."""
        try:
            files.remove(self._path)
        except OSError:
            return

    def _write(self, state: str, message: str) -> None:
        # Cache folders are shared by programs, so this one is made private by itself.
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._sweep()
        files.AtomicWrite(self._path).commit(f"{state}\n{message}\n".encode())

    def _sweep(self) -> None:
        with os.scandir(self._folder) as notes:
            for note in notes:
                try:
                    old = time.time() - note.stat().st_mtime > _KEPT
                except FileNotFoundError:
                    continue  # another process has just ended its own
                if old:
                    files.remove(note.path)
