"""``credlatch keyring``, also as ``keyring``: in the place of Python's, for pip, uv and pixi."""

from __future__ import annotations

from credlatch import logins, streams
from credlatch.credential import Secret
from credlatch.errors import RequestError
from credlatch.lines import unmarked
from credlatch.people import typed
from credlatch.protocols import keyring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


def run(args: list[str], caller: Caller) -> int:
    """Do what the words say; the exit status.

    Raises:
        UsageError: they are wrong.
        CredlatchError: it cannot be done.
    """
    if keyring.wants_help(args):
        streams.answer(keyring.USAGE.encode())
        return 0
    call = keyring.parse(args)
    try:
        if call.operation == "set":
            logins.keep(caller, call.url, call.username or "", _password(call, caller))
        elif not logins.forget(caller, call.url, call.username, None):
            streams.say(f"no login of {call.username} is kept for {call.url.shown}")
            return 1
    finally:
        streams.say_warnings(caller)
    return 0


def _password(call: keyring.Call, caller: Caller) -> Secret:
    """What standard input says, asked for where a person sits; one newline at its end is not it."""
    if streams.is_terminal(0):
        return Secret(typed.secret(f"Password for '{call.username}' in '{call.url.shown}': "))
    data = unmarked(streams.read_stdin(caller))
    if not data:
        # As at a terminal: nobody has said anything, and a password that is kept must not be lost.
        raise RequestError("no password came on standard input: write it there, with a newline")
    if data.endswith(b"\n"):
        data = data[:-1].removesuffix(b"\r")
    try:
        return Secret(data.decode())
    except UnicodeDecodeError:
        raise RequestError("the password is not UTF-8") from None
