"""``docker-credential-credlatch ACTION``, also as ``credlatch docker ACTION``."""

from __future__ import annotations

from credlatch import answers
from credlatch.commands import streams
from credlatch.errors import CredlatchError
from credlatch.protocols import docker

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
        whole = _answer(action, caller)
    except CredlatchError as error:
        whole = answers.docker_failure(error, caller)
    return streams.reply(whole)


def _answer(action: str, caller: Caller) -> answers.Answer:
    if action == "get":
        return answers.get(answers.DOCKER, streams.read_stdin(), caller)
    from credlatch.stores import order
    from credlatch.stores.rattler import RattlerStore

    out = b""
    if action == "list":
        # Clients write nothing, or a word that means nothing, and may not close the pipe.
        others = order.chained(caller)
        logins = {} if others is None else others.logins()
        out = docker.render_list({**logins, **RattlerStore(caller).logins()})
    elif action == "store":
        key, login = docker.parse_store(streams.read_stdin())
        RattlerStore(caller).save(key, login)
    else:
        # What was not there is gone as well: skopeo 1.9.3 crashes on anything but success.
        key = docker.parse_key(streams.read_stdin())
        RattlerStore(caller).delete(key)
        if (others := order.chained(caller)) is not None:
            others.delete(key)
    return answers.success(out, caller)
