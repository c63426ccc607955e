"""``docker-credential-credlatch ACTION``, also as ``credlatch docker ACTION``."""

from __future__ import annotations

from credlatch import answers, registry, streams
from credlatch.clients import CLIENTS
from credlatch.errors import CredlatchError
from credlatch.protocols import docker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request

_HELP = "--help"
_SAME = {"-h": _HELP, "-v": "version", "--version": "version"}


def run(args: list[str], caller: Caller) -> int:
    """Answer one call; the exit status. Errors go to standard output, as the protocol has it."""
    action = _SAME.get(args[0], args[0]) if len(args) == 1 else ""
    if action not in docker.ACTIONS:
        streams.answer(f"{docker.USAGE}\n".encode())
        return 0 if action == _HELP else 1
    if action == "version":
        streams.answer(docker.render_version())
        return 0
    try:
        whole = _answer(action, caller)
    except CredlatchError as error:
        whole = answers.failed(CLIENTS["docker"], error, caller)
    return streams.reply(whole)


def _answer(action: str, caller: Caller) -> answers.Answer:
    from credlatch import docker_logins
    from credlatch.stores import order

    out = b""
    if action == "list":
        # Clients write nothing, or a word that means nothing, and may not close the pipe.
        others = order.chained(caller)
        logins = {} if others is None else others.logins()
        out = docker.render_list({**logins, **docker_logins.listed(caller)})
    elif action == "store":
        key, login = docker.parse_store(streams.read_stdin(caller))
        docker_logins.keep(caller, key, login)
    else:
        # What was not there is gone as well: skopeo 1.9.3 crashes on anything but success.
        sent = streams.read_stdin(caller)
        key = docker.parse_key(sent)
        docker_logins.forget(caller, key)
        if (others := order.chained(caller)) is not None:
            others.delete(key)
        _tell_what_stays(key, docker.parse_get(sent), caller)
    return answers.success(out, caller)


def _tell_what_stays(key: str, request: Request, caller: Caller) -> None:
    """Warn where a registry's login is still found: in another tool's store, which we only read."""
    # `docker logout HOST` erases http://HOST and https://HOST as well: once is enough.
    if "://" in key and key != registry.HUB_KEY:
        return
    from credlatch.resolve import Resolver
    from credlatch.stores.order import CHAINED, ORDER

    others = tuple(row for row in ORDER if row[0] != CHAINED)
    entry = Resolver(caller, others).standing(request)
    if entry is not None:
        caller.warn(
            f"{key} still gets what is in {entry.location}: another tool keeps that, and ends it"
        )
