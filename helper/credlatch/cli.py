"""The command line: the name we are called by and the first word choose a command.

A command's module is imported when it is chosen, because a build tool starts this program hundreds
of times and pays for every import.
"""

from __future__ import annotations

import os
import sys

from credlatch import __version__
from credlatch.errors import CredlatchError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller

INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended
USAGE = """\
usage: credlatch get          answer Bazel (a JSON request on standard input) or Docker (a key)
       credlatch bazel get    answer Bazel
       credlatch docker get|store|erase|list|version
                              answer Docker, as docker-credential-credlatch does
       credlatch git get|store|erase
                              answer git: credential.helper '!credlatch git'
       credlatch keyring get SERVICE USER
                              answer pip, uv and pixi, as keyring does
       credlatch header URL   the headers for curl: credlatch header URL | curl -H @- URL
       credlatch token [--user] URL
                              the password or token alone, or the user name
       credlatch agent status|stop|log|forward
                              the process that keeps answers warm
       credlatch setup TOOL   have bazel, docker, podman, git, uv, pip or pixi ask credlatch
       credlatch secrets [--secret id=NAME,url=URL,as=SHAPE]... -- COMMAND...
                              a build with secrets that stay fresh
       credlatch install|uninstall [--prefix FOLDER]
                              put the program in place, or take it away
       credlatch --version | --help

Bazel:   bazel build --credential_helper=credlatch //...
Docker:  {"credsStore": "credlatch"} in ~/.docker/config.json, with
         docker-credential-credlatch on PATH
"""


def main() -> int:
    """Run one call; the exit status: 0 answered, 1 could not, 2 used wrongly."""
    from credlatch.caller import Caller

    _no_core_dump()
    # The agent may have used up a part of the time, or all of it.
    client = sys.modules.get("credlatch.agent.client")
    caller = Caller(began=None if client is None else client.began)
    _say_who_has_not_answered(caller)
    program = os.path.basename(sys.argv[0]).removesuffix(".exe")
    docker = program.startswith("docker-credential-") or sys.argv[1:2] == ["docker"]
    try:
        return _run(program, sys.argv[1:], caller)
    except CredlatchError as error:
        _report(str(error), docker=docker)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if "CREDLATCH_DEBUG" in os.environ:
            raise
        _report(
            f"internal error: {type(error).__name__}; please report it, with what "
            "CREDLATCH_DEBUG=1 in the environment shows (look through it for secrets first)",
            docker=docker,
        )
        return 1
    finally:
        _warm()


def _report(line: str, *, docker: bool) -> None:
    """One line, where the client shows it: Docker shows standard output."""
    from credlatch.commands import streams

    streams.say(line, descriptor=1 if docker else 2)


def _say_who_has_not_answered(caller: Caller) -> None:
    # The quick client has asked, if there was somebody to ask, and found no answer.
    client = sys.modules.get("credlatch.agent.client")
    if client is not None and client.warning is not None:
        caller.warn(client.warning)


def _run(program: str, args: list[str], caller: Caller) -> int:
    if program.startswith("docker-credential-"):
        from credlatch.commands import docker

        return docker.run(args, caller)
    if program == "keyring" or program.startswith("git-credential-"):
        return _command(program.partition("-")[0])(args, caller)
    match args:
        case ["get"]:
            return _get(caller)
        case ["get", *_]:
            args = ["bazel", *args[1:]]  # how it is used is the same
        case ["--version" | "-V" | "-v"]:
            return _print(f"credlatch {__version__}\n")
        case ["--help" | "-h" | "help"]:
            return _print(USAGE)
        case []:
            return _usage()
    return _command(args[0])(args[1:], caller)


def _command(word: str) -> Callable[[list[str], Caller], int]:
    """What runs a command.

    Raises:
        UsageError: there is no such command.
    """
    match word:
        case "bazel":
            from credlatch.commands import bazel

            return bazel.run
        case "docker":
            from credlatch.commands import docker

            return docker.run
        case "git" | "keyring":
            from credlatch.commands import git, keyring

            return git.run if word == "git" else keyring.run
        case "header" | "token":
            from credlatch.commands import header, token

            return header.run if word == "header" else token.run
        case "agent":
            from credlatch.commands import agent

            return agent.run
        case "secrets":
            from credlatch.commands import secrets

            return secrets.run
        case "install" | "uninstall":
            from credlatch.commands import install

            return install.install if word == "install" else install.uninstall
        case "setup":
            from credlatch.commands import setup

            return setup.run
    raise UsageError(f"there is no command {word[:40]!r}: see credlatch --help")


def _get(caller: Caller) -> int:
    """Docker and Bazel both say ``get``; what follows on standard input tells them apart."""
    from credlatch import answers
    from credlatch.commands import streams

    stdin = streams.read_stdin(caller)
    return streams.reply(answers.get(answers.protocol_of(stdin), stdin, caller))


def _warm() -> None:
    """After a ``get`` that this process has served itself, have an agent for the next one.

    Run from source there is none: it would go on with code that has since been changed.
    """
    build = sys._xoptions.get("utf8 credlatch")
    if sys.platform == "win32" or not isinstance(build, str):
        return
    from credlatch.agent import client

    if client.question(sys.argv) is not None:
        from credlatch.agent import start

        start.start(os.environb, build, _first_call)


def _first_call() -> str:
    """What the log is to say of the call that starts the agent, which was answered before."""
    from credlatch.agent import log
    from credlatch.commands import streams

    return "" if streams.replied is None else log.line(log.call(streams.replied))


def _usage() -> int:
    from credlatch.commands import streams

    streams.write(2, USAGE.encode())
    return UsageError.exit_status


def _print(text: str) -> int:
    from credlatch.commands import streams

    streams.answer(text.encode())
    return 0


def _no_core_dump() -> None:
    """A crash must not write secrets to a file: as ``agent.client.forbid_cores``, which says why.

    That module is not there when this one runs from source, and would cost more than these lines.
    """
    if sys.platform != "win32":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        soft = 1 if hard and sys.platform == "linux" else 0
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
