"""``docker-credential-credlatch ACTION``, also as ``credlatch docker ACTION``."""

from __future__ import annotations

from credlatch.commands import streams
from credlatch.errors import CredlatchError, RequestError
from credlatch.protocols import docker
from credlatch.resolve import Resolver
from credlatch.stores.rattler import RattlerStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status. Errors go to standard output, as the protocol has it."""
    if len(args) != 1 or args[0] not in docker.ACTIONS:
        streams.answer(f"{docker.USAGE}\n".encode())
        return 1
    action = args[0]
    if action == "version":
        streams.answer(docker.render_version())
        return 0
    try:
        if action == "list":
            # Clients write nothing, or a word that means nothing, and may not close the pipe.
            return _answer(docker.render_list(RattlerStore(caller).logins()), caller)
        return respond(action, streams.read_stdin(), caller)
    except CredlatchError as error:
        return _fail(error, caller)


def respond(action: str, stdin: bytes, caller: Caller) -> int:
    """Answer ``get``, ``store`` or ``erase``.

    Raises:
        CredlatchError: there is no answer.
    """
    if action == "store":
        key, login = docker.parse_store(stdin)
        RattlerStore(caller).save(key, login)
        return _answer(b"", caller)
    if action == "erase":
        # What was not there is gone as well: skopeo 1.9.3 crashes on anything but success.
        RattlerStore(caller).delete(docker.parse_key(stdin))
        return _answer(b"", caller)
    request = docker.parse_get(stdin)
    resolution = Resolver(caller).resolve(request)
    if resolution is None:
        raise RequestError(docker.NOT_FOUND)
    return _answer(docker.render_get(request.keys[0], resolution), caller)


def get(stdin: bytes, caller: Caller) -> int:
    """Answer ``credlatch get`` with a key on standard input."""
    try:
        return respond("get", stdin, caller)
    except CredlatchError as error:
        return _fail(error, caller)


def _answer(data: bytes, caller: Caller) -> int:
    streams.say(*caller.warnings)
    streams.answer(data)
    return 0


def _fail(error: CredlatchError, caller: Caller) -> int:
    streams.say(*caller.warnings)
    # The three wire texts stand alone; everything else says who speaks.
    text = str(error)
    if text in {docker.NOT_FOUND, docker.NO_SERVER_URL, docker.NO_USERNAME}:
        streams.answer(f"{text}\n".encode())
    else:
        streams.say(text, descriptor=1)
    return error.exit_status
