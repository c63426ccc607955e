"""What can go wrong, as a tree.

Every message is one line that a person can act on: what failed, where, and what to do. No message
holds a secret, and none of these reaches a user as a traceback.
"""

from __future__ import annotations


class CredlatchError(Exception):
    """The root: anything that ends a call with one clear line.

    Attributes:
        exit_status: what the process ends with, 1 unless the program was used wrongly.
    """

    exit_status = 1


class UsageError(CredlatchError):
    """The program was called in a way that it does not know."""

    exit_status = 2


class RequestError(CredlatchError):
    """The client's request is not what its protocol says."""


class AnswerError(CredlatchError):
    """Standard output does not take the answer."""


class RefusedError(CredlatchError):
    """Answering would send a credential where it must not go."""


class ElsewhereError(CredlatchError):
    """A process that serves others cannot do what the caller's own process could."""


class AgentError(CredlatchError):
    """The agent hangs, or there can be none; no call for a credential ever ends so."""


class PlaceError(CredlatchError):
    """The program's own files cannot be put where they were to be."""


class SecretsError(CredlatchError):
    """The command that secrets were wanted for is not run, or not given one of them."""


class NotKeptError(CredlatchError):
    """A login is not kept: its host refuses it, or could not be asked."""


class ProgramError(CredlatchError):
    """Another program that is to be asked cannot be."""


class SetupError(CredlatchError):
    """A tool's configuration cannot be changed as asked; nothing has been."""


class StoreError(CredlatchError):
    """A store holds, or may hold, what was asked for, and cannot give it."""


class AmbiguousError(StoreError):
    """A store has more than one answer, and nothing says which is meant."""


class UnusableError(StoreError):
    """What a store has cannot be sent: it has ended, or makes no header or login."""


class LockedError(StoreError):
    """A lock could not be had in time, or what is in its place is no lock."""


class AbsentError(StoreError):
    """A store that the surroundings announce is not there: no reason to fail, one to warn."""


class RenewalError(CredlatchError):
    """A renewal failed; the same call may succeed later."""


class LoginError(RenewalError):
    """A renewal failed for good: the message names the command that logs in again."""
