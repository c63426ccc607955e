"""A wanted secret's bytes: resolved, renewed and put into shape anew, each time."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from credlatch import request as requests
from credlatch.caller import Caller
from credlatch.errors import CredlatchError, LockedError, LoginError, RenewalError, SecretsError
from credlatch.lines import line
from credlatch.resolve import Resolver
from credlatch.secrets import shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from credlatch.credential import Secret
    from credlatch.secrets.wanted import Wanted
    from credlatch.shared_cache import SharedCache

MAX_SIZE = 512_000  # bytes of a secret: BuildKit takes no larger one (MaxSecretSize)
# What a reader finds who is let through without us, because we were killed or too slow.
UNANSWERED = b"credlatch: this secret has not been answered\n"
# Seconds for which a renewal that may yet succeed is tried again, while a reader waits. One try
# takes up to nine more, and after 45 Linux lets a reader go on without us (lease-break-time).
PATIENCE = 25.0
PAUSE = 1.0  # seconds between two tries
LAST = 15.0  # seconds for which the end waits for a renewal: it takes less, whatever happens


class Says:
    """Lines for a person, from several threads, none of them twice.

    Args:
        say: writes one.

    Attributes:
        said: what has been said.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.said: list[str] = []
        self._say = say
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        """Say a line, unless it has been said."""
        with self._lock:
            if text not in self.said:
                self.said.append(text)
                self._say(text)

    def again(self, since: int) -> None:
        """Say once more all that was said after the first so many lines."""
        with self._lock:
            for text in self.said[since:]:
                self._say(text)


class Source:
    """Where a secret comes from.

    Args:
        wanted: which it is.
        environ: the environment that the stores are found by.
        says: takes warnings, and why a reader gets nothing.
        patience: seconds for which a renewal is tried again.
        shared: what all readings of a process leave for each other: a connection to the keyring.

    Attributes:
        wanted: as above.
    """

    def __init__(
        self,
        wanted: Wanted,
        environ: Mapping[str, str],
        says: Says,
        patience: float = PATIENCE,
        shared: SharedCache | None = None,
    ) -> None:
        self.wanted = wanted
        self._environ = environ
        self._says = says
        self._patience = patience
        self._shared = shared
        self._changed = threading.Condition()
        self._at_work = 0
        self._ended = False

    def find(self) -> bytes | None:
        """The secret as it is now; None when no store knows a credential for its URL.

        Raises:
            CredlatchError: it cannot be had, or not have that shape.
        """
        wanted = self.wanted
        request = requests.for_url(wanted.url, login=shapes.needs_login(wanted.shape))
        caller = Caller(self._environ, shared=self._shared)
        try:
            with self._work():
                resolution = Resolver(caller).resolve(request)
        finally:
            caller.close()
            for warning in caller.warnings:
                self._says(warning)
        if resolution is None:
            return None
        try:
            made = shapes.made(wanted.shape, resolution.credential, wanted.url, wanted.index)
            return _encoded(made)
        except ValueError as error:
            raise SecretsError(
                f"the credential from {resolution.location} does not go as {wanted.shape}: {error}"
            ) from None

    def first(self) -> bytes | None:
        """The secret before the command is started; None when there is no credential for it.

        Raises:
            SecretsError: it cannot be had.
        """
        try:
            return self.find()
        except CredlatchError as error:
            raise SecretsError(f"the secret {self.wanted.id!r}: {error}") from None

    @property
    def missing(self) -> str:
        """What to tell a person for whom no store has a credential."""
        from credlatch import near

        wanted = self.wanted
        request = requests.for_url(wanted.url, login=shapes.needs_login(wanted.shape))
        caller = Caller(self._environ, shared=self._shared)
        nearest = "".join(f"; {miss.told}" for miss in near.misses(request, caller)[:1])
        url = wanted.url.shown
        return (
            f"the secret {wanted.id!r}: no store has a credential for {url}{nearest}: log in there"
        )

    def for_reader(self) -> bytes:
        """What a reader gets: the secret, or what makes its build fail.

        An empty secret would be none, and a build go on as nobody. More than BuildKit takes makes
        it fail, and say so; others get what opens nothing, as does BuildKit where it would go on.
        """
        try:
            found = self._patiently()
            reason = self.missing if found is None else ""
        except CredlatchError as error:
            found, reason = None, f"the secret {self.wanted.id!r} cannot be renewed: {error}"
        except Exception as error:  # noqa: BLE001 - a reader must not wait for ever
            found, reason = (
                None,
                f"the secret {self.wanted.id!r}: internal error: {type(error).__name__}",
            )
        if found is not None:
            return found
        if not self._ended:
            self._says(reason)
        return refusal(reason) if self.wanted.refusal is None else self.wanted.refusal

    def end(self) -> None:
        """Begin no more renewals, and wait for one that is under way.

        A login whose refresh token is good for one use would be lost with its answer.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._at_work, LAST)

    @contextmanager
    def _work(self) -> Iterator[None]:
        """What must come to its end, unless that has come before."""
        with self._changed:
            if self._ended:
                raise SecretsError("the command has ended")
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def _patiently(self) -> bytes | None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self.find()
            except LoginError:
                raise
            except (LockedError, RenewalError):
                if time.monotonic() + PAUSE > deadline:
                    raise
            with self._changed:
                self._changed.wait_for(lambda: self._ended, PAUSE)


def _encoded(secret: Secret) -> bytes:
    data = secret.reveal().encode()
    if not data:
        raise ValueError("it is empty")
    if len(data) > MAX_SIZE:
        raise ValueError(f"it has {len(data)} bytes, and a build takes {MAX_SIZE} at most")
    return data


def refusal(reason: str) -> bytes:
    """What stands in a secret's place, for a person to find and for BuildKit to refuse."""
    return line(reason).ljust(MAX_SIZE + 1, b"\n")
