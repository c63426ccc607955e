"""``credlatch secrets … -- COMMAND``: a build with secrets that stay fresh as long as it runs."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack

import click

from credlatch import streams
from credlatch.errors import SecretsError, UsageError
from credlatch.people.command import Command, passes_caller
from credlatch.secrets import shapes, wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.caller import Caller
    from credlatch.secrets.secret_file import SecretFile
    from credlatch.secrets.source import Says, Source
    from credlatch.secrets.wanted import Wanted
    from credlatch.shared_cache import SharedCache

_STDERR = 2
_NOT_FOUND = 127  # what shells, env and timeout report for a command that is not there


_FORM = "id=NAME,url=URL[,as=SHAPE]"


@click.command(
    "secrets",
    cls=Command,
    help="Run a build with secrets that are fresh at every mount, however long it takes.",
    epilog=f"Shapes: {', '.join(shapes.SHAPES)}. In a Dockerfile: docs/secrets.md.",
    options_metavar="[OPTIONS] --",
    context_settings={"allow_interspersed_args": False},
    examples=(
        "credlatch secrets --secret id=pip,url=https://pypi.example.com/simple/,as=netrc -- \\",
        "  docker build .",
    ),
)
@click.option(
    "--secret",
    "files",
    multiple=True,
    metavar=_FORM,
    help="A secret in a file; as=token unless said otherwise.",
)
@click.option(
    "--as-env",
    multiple=True,
    metavar=_FORM,
    help="A secret in a variable NAME, which does not change any more.",
)
@click.option(
    "--http-auth",
    multiple=True,
    metavar="HOST",
    help="For BuildKit's ADD https://HOST/... (since 0.23).",
)
@click.option(
    "--git-auth",
    multiple=True,
    metavar="HOST",
    help="For BuildKit's git contexts and ADD of https://HOST/....git.",
)
@click.option(
    "--allow-missing", is_flag=True, help="Leave out a secret for which there is no credential."
)
@click.option(
    "--fifo", is_flag=True, help="FIFOs also where the kernel could hold readers, as Linux can."
)
@click.argument("words", metavar="COMMAND...", nargs=-1, type=click.UNPROCESSED)
@passes_caller
def COMMAND(  # noqa: N802, PLR0913 - as all commands are called; it has as many options
    caller: Caller,
    *,
    files: Sequence[str],
    as_env: Sequence[str],
    http_auth: Sequence[str],
    git_auth: Sequence[str],
    allow_missing: bool,
    fifo: bool,
    words: Sequence[str],
) -> int:
    """Run a command with its secrets; its exit status.

    Raises:
        UsageError: the options are wrong.
        CredlatchError: a secret cannot be had, or the command not be run.
    """
    every = [
        *map(wanted.secret, files),
        *map(wanted.variable, as_env),
        *map(wanted.for_http, http_auth),
        *map(wanted.for_git, git_auth),
    ]
    if not words:
        raise UsageError("after -- there is no command: see credlatch secrets --help")
    names = [each.id for each in every]
    if not names:
        raise UsageError("no secrets are asked for: see credlatch secrets --help")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two secrets are called {name!r}: give each a name of its own")
    if sys.platform == "win32":
        raise SecretsError("secrets need FIFOs, which Windows has not: run the build in WSL")
    program = shutil.which(words[0], path=caller.environ.get("PATH"))
    if program is None:
        streams.say(
            f"{words[0][:200]} is not on PATH, or no program: name the build's command after --"
        )
        return _NOT_FOUND
    from credlatch.secrets import child

    status = _run(every, program, words, caller, fifo=fifo, allow_missing=allow_missing)
    return child.die_of(-status) if status < 0 else status


def _run(
    every: Sequence[Wanted],
    program: str,
    words: Sequence[str],
    caller: Caller,
    *,
    fifo: bool,
    allow_missing: bool,
) -> int:
    if sys.platform == "win32":
        raise NotImplementedError
    from credlatch.secrets import child, folder
    from credlatch.secrets.source import Says
    from credlatch.secrets.wired import FOLDER_VARIABLE, wired
    from credlatch.shared_cache import SharedCache
    from credlatch.system import memory
    from credlatch.system.environment import environment_without_loader
    from credlatch.system.files import reason

    says = Says(streams.say)
    wired(words, [], caller.environ)  # what cannot be wired is said before anything is done
    try:
        _fill_closed_streams()
    except OSError as error:
        raise SecretsError(
            f"{os.devnull} cannot be opened ({reason(error)}): this needs a whole /dev"
        ) from None
    with ExitStack() as until_the_end:
        place = ""
        if not all(each.in_environment for each in every):
            place = until_the_end.enter_context(folder.private(caller))
        memory.forbid_dumps()
        shared = SharedCache()
        until_the_end.callback(shared.close)
        sources, variables = _found(every, caller, says, shared, allow_missing=allow_missing)
        given = [f"id={name},env={name}" for name in variables]
        given += [f"id={name},src={os.path.join(place, name)}" for name in sources]
        if place:
            variables[FOLDER_VARIABLE] = place
        blocked = until_the_end.enter_context(child.taken())
        files = {
            name: _file(os.path.join(place, name), source, says, fifo=fifo)
            for name, source in sources.items()
        }

        def look() -> None:
            for file in files.values():
                file.look()

        # Docker before 23 builds without BuildKit, and without secrets, unless it is told.
        ours = environment_without_loader(caller.environ)
        environ = {"DOCKER_BUILDKIT": "1", **ours, **variables}
        before = len(says.said)
        status = child.run(program, wired(words, given, environ), environ, blocked, look)
        for file in files.values():
            file.close()
        for source in sources.values():
            source.end()
        if os.isatty(_STDERR):
            says.again(before)  # what builds draw in a terminal goes over our lines
        unread: dict[str, list[str]] = {}
        for name, source in sources.items():
            if not files[name].answered:
                unread.setdefault(source.wanted.unread, []).append(repr(name))
        for why, names in unread.items():
            says(f"nobody has read the secret {', '.join(names)}: {why}")
        return status


def _found(
    every: Sequence[Wanted],
    caller: Caller,
    says: Says,
    shared: SharedCache,
    *,
    allow_missing: bool,
) -> tuple[dict[str, Source], dict[str, str]]:
    """What there is a credential for, by its id: secrets for files, and those for variables."""
    from credlatch.secrets.source import Source

    sources: dict[str, Source] = {}
    variables: dict[str, str] = {}
    for each in every:
        source = Source(each, caller.environ, says, shared=shared)
        first = source.first()
        if first is None:
            if not allow_missing:
                raise SecretsError(f"{source.missing}, or leave it out with --allow-missing")
            says(f"{source.missing}; it is left out")
        elif not each.in_environment:
            sources[each.id] = source
        elif b"\0" in first:
            raise SecretsError(
                f"the secret {each.id!r} has a NUL, which no variable can hold: have it as a file"
            )
        else:
            variables[each.id] = first.decode()
    return sources, variables


def _fill_closed_streams() -> None:
    """Keep what is opened from now on from being written to as a stream that came closed."""
    if sys.platform == "win32":
        raise NotImplementedError
    while (descriptor := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= _STDERR:
        pass
    os.close(descriptor)


def _file(path: str, source: Source, says: Says, *, fifo: bool) -> SecretFile:
    """The secret's file; SecretsError: it cannot be made."""
    from credlatch.secrets.fifo import Fifo
    from credlatch.secrets.leased_file import LeasedFile
    from credlatch.system.files import reason

    name = source.wanted.id

    def lost(error: OSError) -> None:
        says(f"the secret {name!r} is lost: {path}: {reason(error)}")

    def left() -> None:
        says(f"the reader of the secret {name!r} went away before it had all of it")

    if not fifo:
        try:
            return LeasedFile(path, source.for_reader, lost)
        except OSError:
            pass  # not Linux, or a kernel that imitates it
    try:
        return Fifo(path, source.for_reader, lost, left)
    except OSError as error:
        raise SecretsError(
            f"{path} cannot be made ({reason(error)}): set XDG_RUNTIME_DIR to another folder"
        ) from None
