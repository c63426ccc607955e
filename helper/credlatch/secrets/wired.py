"""Where each tool's command line takes its secrets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain

from credlatch.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER_VARIABLE = "CREDLATCH_SECRETS"
# Words that run the command behind them.
_BEFORE = frozenset({"doas", "env", "ionice", "nice", "nohup", "sudo", "time", "timeout"})


@dataclass(slots=True, frozen=True)
class _Tool:
    """One tool's command line.

    Attributes:
        builds: its commands that take ``--secret``.
        valued: options before the command whose value is a word of its own.
        bakes: those that take ``--set``.
        own: those whose files say where their secrets are.
        elsewhere: options, and variables, that send the build elsewhere, for which secrets are
            copied to the disk.
    """

    builds: tuple[str, ...]
    valued: str
    bakes: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    elsewhere: str = ""


_DOCKER = _Tool(
    ("build", "image build", "builder build", "buildx build", "buildx b"),
    "-c --context --config -H --host -l --log-level --tlscacert --tlscert --tlskey --builder",
    bakes=("buildx bake", "buildx f", "bake"),
    own=("compose",),
)
_BUILDX = _Tool(("build", "b"), "--builder", bakes=("bake", "f"))
_PODMAN = _Tool(
    ("build", "image build", "buildx build"),
    "--cgroup-manager --conmon --connection -c --events-backend --hooks-dir --identity "
    "--imagestore --log-level --module --namespace --network-cmd-path --network-config-dir --out "
    "--root --runroot --runtime --runtime-flag --ssh --storage-driver --storage-opt --tmpdir "
    "--url --volumepath",
    own=("compose",),
    # Once, when it begins, into a file in the build's context.
    elsewhere="--remote -r --connection -c --url CONTAINER_HOST CONTAINER_CONNECTION",
)
_BUILDAH = _Tool(
    ("build", "bud", "build-using-dockerfile"),
    "--default-mounts-file --log-level --registries-conf --registries-conf-dir --root --runroot "
    "--short-name-alias-conf --storage-driver --storage-opt --userns-gid-map --userns-uid-map",
)
_BUILDCTL = _Tool(
    ("build", "b"),
    "--addr --log-format --timeout --tlscacert --tlscert --tlsdir --tlskey --tlsservername",
)
_TOOLS = {
    "docker": _DOCKER,
    "docker-buildx": _BUILDX,
    "buildx": _BUILDX,
    "podman": _PODMAN,
    "buildah": _BUILDAH,
    "buildctl": _BUILDCTL,
}


def wired(words: Sequence[str], given: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The command line with the secrets in it.

    One that is not known has them in the folder that the variable FOLDER_VARIABLE names: a script,
    or a tool whose own files name their secrets, as compose's do.

    Args:
        words: the command line.
        given: the secrets, each as ``--secret`` takes it (docker-build(1)).
        environ: the environment that it will have.

    Raises:
        UsageError: the tool is known, and its command takes no secrets, or does not keep them.
    """
    start = _start(words)
    tool = _TOOLS.get(os.path.basename(words[start]))
    if tool is None:
        return list(words)
    _refuse_elsewhere(tool, *(name for name in environ if environ[name]))
    said: list[str] = []
    at = start + 1
    while at < len(words):
        word = words[at]
        at += 1
        option, _, value = word.partition("=")
        if value != "false":
            _refuse_elsewhere(tool, option)
        if word in tool.valued.split():
            at += 1
        elif not word.startswith("-"):
            said.append(word)
            command = " ".join(said)
            if command in tool.builds:
                added = [("--secret", each) for each in given]
                return [*words[:at], *chain(*added), *words[at:]]
            if command in tool.bakes:
                added = [("--set", f"*.secrets+={each}") for each in given]
                return [*words[:at], *chain(*added), *words[at:]]
            if command in tool.own:
                return list(words)
            if not any(known.startswith(f"{command} ") for known in tool.builds + tool.bakes):
                break
    name = " ".join([os.path.basename(words[start]), *said])
    raise UsageError(
        f"{name[:60]!r} takes no secrets: a build does; a script finds them in ${FOLDER_VARIABLE}"
    )


def _refuse_elsewhere(tool: _Tool, *names: str) -> None:
    for name in names:
        if name in tool.elsewhere.split():
            raise UsageError(
                f"a podman that builds elsewhere ({name}) copies secrets to the disk, into the "
                "build's context: build where podman runs"
            )


def _start(words: Sequence[str]) -> int:
    """Where the tool's own name stands."""
    if os.path.basename(words[0]) in _BEFORE:
        for at, word in enumerate(words):
            if os.path.basename(word) in _TOOLS:
                return at
    return 0
