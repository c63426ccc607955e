"""What is known of each tool's wiring: the one table.

``setup`` writes by it, and whoever checks a wiring reads it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace

from credlatch import cargo_indexes
from credlatch.setup import names, places, precedence
from credlatch.setup.places import Place
from credlatch.stores import docker, pixi_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.setup.formats import Format, Key, Value
    from credlatch.url import Url

ALL = "*"  # all hosts, where helpers that we ask in turn are written down
DOCKER_PROGRAM = "docker-credential-credlatch"
KEYRING = "keyring"
WRAPPER = "tools/credlatch"  # in a Bazel workspace: bazel/README.md
_DOCKER = "credlatch"  # Docker puts docker-credential- before it
_GO = ("credlatch goauth", "netrc")  # the second is Go's default, which naming another ends
_GIT = "!credlatch git"  # a shell's command line
_GIT_BESIDE = "!credlatch git --read-only"  # git has each of its helpers keep what one has given
IN_WORKSPACE = "%workspace%/"  # Bazel's word for the workspace's root


@dataclass(frozen=True, kw_only=True)
class Tool:
    """How a tool is wired.

    Attributes:
        name: what ``setup`` calls it.
        serves: what else reads the same configuration, for a person.
        commands: its own programs: where one is on PATH, it is there.
        program: what the tool starts, by name.
        place: the user's configuration.
        project: a project's, where there is such a thing.
        keys: the settings for a host; nothing, where the tool cannot name it. None: there is one
            setting, for all hosts.
        all_key: the setting for all other hosts.
        all_place: where that is, when it is elsewhere.
        value: what a setting must be, from the place it is in.
        beside: what it must be where the tool itself asks others after us; None: the same.
        is_ours: whether a setting leads to us.
        outranked: the setting that does not count any more for a host with one of its own.
        named: whether that is meant for the very host; None: never.
        within: the settings for parts of what one is for, which it would end; None: there are none.
        ports: whether its settings for a host tell ports apart.
        adds: whether ours is added to its helpers, as it asks all of them: the last one first.
        chain: under which name a helper that was there is written down, to be asked after us;
            empty: the tool itself asks one after the other; None: it cannot have two.
        offer: what the setting for all hosts would be good for, where hosts are wired.
        keeps: what the tool has us keep.
        consequences: what else changes with the setting for all hosts.
        hints: what a person must know besides.
        advice: what there is to know of one place.
        variable: a variable that outranks the configuration.
        done_by: the tool whose wiring it is, where it has none of its own.
    """

    name: str
    serves: str
    commands: tuple[str, ...]
    program: str
    place: Callable[[Caller], Place]
    project: Callable[[Caller], Place] | None = None
    keys: Callable[[Url], tuple[Key, ...]] | None = None
    all_key: Key
    all_place: Callable[[Caller], Place] | None = None
    value: Callable[[Place], Value]
    beside: Value | None = None
    is_ours: Callable[[Value], bool]
    outranked: Callable[[Format, str, Key], Value | None] | None = None
    named: Callable[[Format, str, Key], bool] | None = None
    within: Callable[[Format, str, Key], dict[str, tuple[str, ...]]] | None = None
    ports: bool = False
    adds: bool = False
    chain: str | None = None
    offer: str = ""
    keeps: str = ""
    consequences: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    advice: Callable[[Place, Caller], list[str]] | None = None
    variable: str = ""
    done_by: str = ""


def _always(value: Value) -> Callable[[Place], Value]:
    return lambda _: value


def _bazel_helper(place: Place) -> str:
    """The workspace's wrapper where it has one: then nobody else needs us on PATH.

    On Windows Bazel starts no scripts, and looks for a file of exactly that name.
    """
    if sys.platform == "win32":
        return f"{names.PROGRAM}.exe"
    folder = os.path.dirname(place.path)
    has = places.is_workspace(folder) and _has_wrapper(folder)
    return f"{IN_WORKSPACE}{WRAPPER}" if has else names.PROGRAM


def _bazel_advice(place: Place, caller: Caller) -> list[str]:
    """Who else builds the workspace around, and with which helper."""
    root = places.workspace(caller)
    if root is None:
        return []
    wrapper, of_project = _has_wrapper(root), place.path == places.bazel_project(caller).path
    if wrapper and not of_project:
        return [f"{root} has {WRAPPER}: --project wires that, for everybody who builds it"]
    if of_project and not wrapper:
        return [f"whoever builds this needs credlatch on PATH, or {WRAPPER} in the workspace"]
    return []


def _has_wrapper(folder: str) -> bool:
    # There is no script that Windows itself would start by this name.
    return sys.platform != "win32" and os.access(os.path.join(folder, WRAPPER), os.X_OK)


_PIXI_CONDA = "conda channels need no wiring: pixi reads the logins from the store that we read too"
_USER_NAME = "it asks for a password where the index's URL has a user name: https://USER@HOST/…"
_KEEPS = "{} goes into rattler's store: the system's keyring, or a private file"


_DOCKER_CONSEQUENCES = (
    "logins that config.json holds in the clear are still used, and go when docker logs in again",
    "a classic docker build asks for each login that is listed; podman and buildah take no notice",
)
_BY_DOCKER = Tool(
    name="docker",
    serves="docker, buildx, compose, and what else reads Docker's config.json",
    commands=("docker", "docker-compose", "buildctl"),
    program=DOCKER_PROGRAM,
    place=lambda caller: Place(docker.config_file(caller), "json", is_private=True),
    keys=names.docker_keys,
    all_key=("credsStore",),
    value=_always(_DOCKER),
    is_ours=names.is_credlatch,
    outranked=lambda form, text, _: form.get(text, ("credsStore",)),
    ports=True,
    chain="docker",
    offer="docker login elsewhere writes passwords into config.json: "
    "--all-hosts makes credlatch the credsStore, for all registries",
    keeps=_KEEPS.format("what docker login is told for these"),
    consequences=_DOCKER_CONSEQUENCES,
)
_BY_PODMAN = Tool(
    name="podman",
    serves="podman, buildah, skopeo",
    commands=("podman", "buildah", "skopeo"),
    program=DOCKER_PROGRAM,
    place=places.containers,
    keys=names.containers_keys,
    all_key=precedence.REGISTRIES_KEY,
    all_place=places.registries,
    value=lambda place: _DOCKER if place.format == "json" else (precedence.AUTH_FILES, _DOCKER),
    is_ours=names.has_credlatch,
    outranked=precedence.system_helpers,
    ports=True,
    chain="docker",
    keeps=_KEEPS.format("what podman login is told for these"),
)

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="bazel",
            serves="Bazel, and other clients of its protocol that read a .bazelrc",
            commands=("bazel", "bazelisk"),
            program=names.PROGRAM,
            place=lambda caller: Place(caller.in_home(".bazelrc"), "bazelrc"),
            project=places.bazel_project,
            keys=names.bazel_keys,
            all_key=("",),
            value=_bazel_helper,
            is_ours=names.is_credlatch,
            outranked=precedence.wider_pattern,
            chain="bazel",
            consequences=(
                "Bazel itself reads no netrc any more, and heeds no rule's own auth",
                "credlatch is started for each URL of every host",
            ),
            hints=("what another helper has said Bazel keeps for half an hour, or until shutdown",),
            advice=_bazel_advice,
        ),
        _BY_DOCKER,
        _BY_PODMAN,
        replace(
            _BY_PODMAN,
            name="containers",
            serves="podman, buildah and skopeo have one configuration",
            done_by="podman",
        ),
        replace(
            _BY_DOCKER,
            name="buildkit",
            serves="BuildKit takes registries' logins through its client, "
            "from Docker's config.json",
            done_by="docker",
        ),
        Tool(
            name="uv",
            serves="uv",
            commands=("uv",),
            program=KEYRING,
            place=lambda caller: Place(
                caller.path("UV_CONFIG_FILE") or caller.config("uv", "uv.toml"), "toml"
            ),
            project=places.uv_project,
            all_key=("keyring-provider",),
            value=_always(names.SUBPROCESS),
            is_ours=names.is_subprocess,
            hints=(f'uv: {_USER_NAME}, or authenticate = "always" for that index',),
            variable="UV_KEYRING_PROVIDER",
        ),
        Tool(
            name="pip",
            serves="pip from 23.1",
            commands=("pip", "pip3"),
            program=KEYRING,
            place=places.pip,
            all_key=("global", "keyring-provider"),
            value=_always(names.SUBPROCESS),
            is_ours=names.is_subprocess,
            hints=(f"pip: in older versions {_USER_NAME}",),
            variable="PIP_KEYRING_PROVIDER",
        ),
        Tool(
            name="pixi",
            serves="pixi's PyPI dependencies",
            commands=("pixi",),
            program=KEYRING,
            place=lambda caller: Place(pixi_config.user_file(caller), "toml"),
            project=places.pixi_project,
            all_key=("pypi-config", "keyring-provider"),
            value=_always(names.SUBPROCESS),
            is_ours=names.is_subprocess,
            hints=(f"pixi: for a PyPI index {_USER_NAME}", _PIXI_CONDA),
        ),
        Tool(
            name="git",
            serves="git over https",
            commands=("git",),
            program=names.PROGRAM,
            place=places.git,
            project=places.git_project,
            keys=names.git_keys,
            all_key=("",),
            value=_always((_GIT,)),
            beside=(_GIT_BESIDE,),
            is_ours=names.first_is_credlatch,
            outranked=precedence.git_former,
            named=precedence.git_named,
            within=precedence.git_within,
            chain="",
            keeps=_KEEPS.format("a password that git asks a person for"),
        ),
        Tool(
            name="cargo",
            serves="cargo from 1.74",
            commands=("cargo",),
            program=names.PROGRAM,
            place=lambda caller: Place(cargo_indexes.config(caller), "toml"),
            all_key=("registry", "global-credential-providers"),
            value=_always(("cargo:token", names.PROGRAM)),  # cargo's default, and us
            is_ours=names.has_credlatch,
            adds=True,
            chain="",
            keeps=_KEEPS.format("what cargo login is told"),
            advice=precedence.other_providers,
        ),
        Tool(
            name="go",
            serves="Go from 1.24, for module proxies and go get over https",
            commands=("go",),
            program=names.PROGRAM,
            place=places.go,
            all_key=("GOAUTH",),
            value=_always(_GO),
            is_ours=names.first_is_credlatch,
            chain="",
            variable="GOAUTH",
        ),
    )
}
