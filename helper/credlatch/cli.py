"""The command line: a client's question (``clients``), or a person's command.

A command's module is imported when it is chosen, because a build tool starts this program hundreds
of times and pays for every import.
"""

from __future__ import annotations

import os
import sys

from credlatch import clients
from credlatch.agent import asked
from credlatch.errors import CredlatchError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.clients import Client

_IMPORTING = "<frozen importlib"  # how the files of importlib's code begin
INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended


def main() -> int:
    """Run one call; the exit status: 0 answered, 1 could not, 2 used wrongly."""
    from credlatch.caller import Caller

    if not hasattr(sys, "_MEIPASS"):  # the launcher has
        forbid_cores()
    began, warning = asked.take()
    client, words = clients.chosen(sys.argv)
    stream = 2 if client is None else client.stream
    try:
        # The agent may have used up a part of the time, or all of it.
        caller = Caller(began=began)
        if warning is not None:  # somebody was there to be asked, and has not answered
            caller.warn(warning)
        return _person(caller) if client is None else _serve(client, words, caller)
    except CredlatchError as error:
        _report(str(error), stream)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if "CREDLATCH_DEBUG" in os.environ:
            raise
        _report(
            _not_loaded(error)
            or _refused(error)
            or f"internal error: {type(error).__name__}; please report it, with what "
            "CREDLATCH_DEBUG=1 in the environment shows (look through it for secrets first)",
            stream,
        )
        return 1
    finally:
        _warm()


def _not_loaded(error: BaseException) -> str | None:
    """What to tell of a part of the program that cannot be loaded; None: that is not what failed.

    Whatever the system refuses meanwhile is raised by who imports something.
    """
    frame = error.__traceback__
    while frame is not None and not frame.tb_frame.f_code.co_filename.startswith(_IMPORTING):
        frame = frame.tb_next
    # Of an ImportError importlib has taken its own frames out.
    if frame is None and not isinstance(error, ImportError):
        return None
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    why = (cause and cause.strerror) or str(error) or type(error).__name__
    return f"a part of the program cannot be loaded ({why}): try again, or install it anew"


def _refused(error: BaseException) -> str | None:
    """What to tell where the system refuses what nobody has thought of; None: it does not."""
    if not isinstance(error, OSError):
        return None
    return (
        f"the system refuses what is needed ({error.strerror or type(error).__name__}): try again; "
        "CREDLATCH_DEBUG=1 in the environment shows where it happens"
    )


def forbid_cores() -> None:
    """Have a crash write no secret to a file, nor hand it to a program that collects cores.

    To Linux a limit of 0 means no file alone; 1 means no program either (do_coredump in
    fs/coredump.c), and is too small for a file. Where the hard limit is 0, it stays 0.
    """
    if sys.platform == "win32":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    soft = 1 if hard and sys.platform == "linux" else 0
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def _report(line: str, stream: int) -> None:
    """One line, where the client shows it."""
    from credlatch import streams

    streams.say(line, descriptor=stream)


def _serve(client: Client, words: list[str], caller: Caller) -> int:
    """Answer a client's question, or run what else it says."""
    asks = client.asks(words)
    if not asks and client.command:
        return client.run(words, caller)
    if not asks and words[-1:] in (["--help"], ["-h"]):
        return _print(client.protocol().usage)
    if not asks and client.gets:
        raise UsageError("get alone is needed, and a request on standard input: see get --help")
    from credlatch import answers, streams

    try:
        asked = streams.read_stdin(caller) if client.gets else clients.pack(words)
    except CredlatchError as error:
        return streams.reply(answers.failed(client, error, caller))
    return streams.reply(answers.get(client, asked, caller))


def _person(caller: Caller) -> int:
    """Run a command for people; or what our own processes say, which is to cost no more."""
    match sys.argv[1:]:
        case ["--version" | "-V" | "-v"]:
            from credlatch.commands import version

            return _print(version.text())
        case ["sdk", *words]:
            from credlatch.commands import sdk

            return sdk.run(words, caller)
        case ["agent", "serve", *words]:
            from credlatch.commands import serve

            return serve.run(words, caller)
    from credlatch.commands import app

    return app.run(sys.argv[1:], caller)


def _warm() -> None:
    """After a ``get`` that this process has served itself, have an agent for the next one.

    Run from source there is none: it would go on with code that has since been changed.
    """
    build = sys._xoptions.get("utf8 credlatch")
    if not isinstance(build, str):
        return
    if clients.question(sys.argv) is not None:
        try:
            from credlatch.agent import start

            start.start(build, _first_call)
        except Exception:  # the call has been answered: what cannot be loaded is no agent
            if "CREDLATCH_DEBUG" in os.environ:
                raise


def _first_call() -> str:
    """What the log is to say of the call that starts the agent, which was answered before."""
    from credlatch import streams
    from credlatch.agent import log

    return "" if streams.replied is None else log.line(log.call(streams.replied))


def _print(text: str) -> int:
    from credlatch import streams

    streams.answer(text.encode())
    return 0
