"""Set-ups that are broken: each is named, and what is printed mends it, run as it is printed.

Most are what people have reported of credential helpers, or have met when they tried this one.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.doctor import checks, keyring
from credlatch.protocols import docker
from credlatch.request import for_url
from credlatch.resolve import Resolver
from support.callers import caller_of
from support.diagnosis import on_path, pasted, problems
from support.home import Home
from support.jwt import make_jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credlatch.caller import Caller
    from credlatch.doctor.finding import Finding

LOGIN = {"BasicHTTP": {"username": "u", "password": "s3cret"}}
TOKEN = {"BearerToken": "s3cret"}
NETRC = "machine r.example login u password s3cret\n"
UV = ".local/share/uv/credentials/credentials.toml"
UV_LOGIN = '[[credential]]\nservice = "https://r.example/"\nusername = "u"\npassword = "s3cret"\n'
DOCKER, PODMAN = ".docker/config.json", ".config/containers/auth.json"
AUTHS = '{"auths": {"r.example": {"auth": "%s"}}}'
ENDED = make_jwt(1_700_000_000)
KEYRING = {
    "uv": (".config/uv/uv.toml", 'keyring-provider = "subprocess"\n'),
    "pip": (".config/pip/pip.conf", "[global]\nkeyring-provider = subprocess\n"),
}
GIT = '[credential "https://r.example"]\n\thelper =\n\thelper = !{} git\n'


@dataclass(frozen=True)
class SetUp:
    """One that is broken.

    Attributes:
        build: makes it.
        said: a part of the line that names it.
        asks: what there is a credential for afterwards: a URL, or a registry's key.
        types: what a person types where they are asked.
        writes: what they make of the file that their editor opens.
        tools: the tools that are there.
    """

    build: Callable[[Home], object]
    said: str
    asks: str = "https://r.example/simple/"
    types: str = ""
    writes: str | None = None
    tools: tuple[str, ...] = ()


def both(*builds: Callable[[Home], object]) -> Callable[[Home], object]:
    """Several things, one after the other."""
    return lambda home: [build(home) for build in builds]


def file(name: str, text: str, mode: int = 0o600) -> Callable[[Home], object]:
    """A file in the home."""
    return lambda home: home.write(name, text.replace("$HOME", str(home.path)), mode)


def variables(**values: str) -> Callable[[Home], object]:
    """Variables."""
    return lambda home: home.env.update(
        {name: value.replace("$HOME", str(home.path)) for name, value in values.items()}
    )


def rattler(**entries: object) -> Callable[[Home], object]:
    """Logins of pixi's."""
    return lambda home: home.write_rattler(
        {name.replace("_", "."): e for name, e in entries.items()}
    )


def wired(tool: str, *, link: bool = True) -> Callable[[Home], object]:
    """A tool that starts keyring, with the link that setup makes."""

    def build(home: Home) -> None:
        home.write(*KEYRING[tool])
        if link:
            (home.path / "bin/keyring").symlink_to("credlatch")

    return build


def other_keyring(folder: str, *, first: bool) -> Callable[[Home], object]:
    """A program of the same name elsewhere."""

    def build(home: Home) -> None:
        path = home.write(f"{folder}/keyring", "#!/bin/sh\nexit 1\n", 0o755)
        if first:
            home.path_begins_with(path.parent)
        else:
            home.env["PATH"] += f"{os.pathsep}{path.parent}"

    return build


def without(name: str) -> Callable[[Home], object]:
    """A program gone from PATH."""
    return lambda home: (home.path / "bin" / name).unlink()


def dangling(name: str) -> Callable[[Home], object]:
    """A link to an installation that was moved."""

    def build(home: Home) -> None:
        (home.path / "bin" / name).unlink()
        (home.path / "bin" / name).symlink_to(home.path / "old/lib/credlatch/current/credlatch")

    return build


def dead_socket(home: Home) -> None:
    """What an ssh -R has left."""
    path = Path(tempfile.mkdtemp(prefix="cl-", dir="/tmp")) / "s"
    home.env["CREDLATCH_AGENT"] = str(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


HELPERS = '{"credHelpers": {"r.example": "credlatch"}}'
SETUPS = {
    "docker is wired without the registry's port": SetUp(
        both(file(DOCKER, HELPERS), lambda home: home.write_rattler({"r.example:5000": LOGIN})),
        "wires r.example, and the login is for r.example:5000",
        "r.example:5000",
        tools=("docker",),
    ),
    "podman is wired without the registry's port": SetUp(
        both(file(PODMAN, HELPERS), lambda home: home.write_rattler({"r.example:5000": LOGIN})),
        "wires r.example, and the login is for r.example:5000",
        "r.example:5000",
        tools=("podman",),
    ),
    "a virtual environment's keyring is in front": SetUp(
        both(wired("uv"), other_keyring("proj/.venv/bin", first=True), file(".netrc", NETRC)),
        "proj/.venv/bin/keyring before ours",
        tools=("uv",),
    ),
    "there is no keyring": SetUp(
        both(wired("pip", link=False), file(".netrc", NETRC)),
        "there is no keyring on PATH, which pip would start",
        tools=("pip",),
    ),
    "another keyring is found": SetUp(
        both(wired("pip", link=False), other_keyring("other", first=False), file(".netrc", NETRC)),
        "other/keyring before ours",
        tools=("pip",),
    ),
    "Docker's helper is missing": SetUp(
        both(
            file(DOCKER, HELPERS), without("docker-credential-credlatch"), rattler(r_example=LOGIN)
        ),
        "docker-credential-credlatch is not on PATH",
        "r.example",
        tools=("docker",),
    ),
    "Docker's helper leads nowhere": SetUp(
        both(
            file(DOCKER, HELPERS), dangling("docker-credential-credlatch"), rattler(r_example=LOGIN)
        ),
        "docker-credential-credlatch is a link to",
        "r.example",
        tools=("docker",),
    ),
    "uv is told otherwise by a variable": SetUp(
        both(wired("uv"), variables(UV_KEYRING_PROVIDER="disabled"), file(".netrc", NETRC)),
        "UV_KEYRING_PROVIDER is 'disabled', and outranks",
        tools=("uv",),
    ),
    "pip is told to read nothing": SetUp(
        both(wired("pip"), variables(PIP_CONFIG_FILE=os.devnull), file(".netrc", NETRC)),
        "with which pip reads no file",
        tools=("pip",),
    ),
    "go is told otherwise by a variable": SetUp(
        both(
            file(".config/go/env", "GOAUTH=credlatch goauth; netrc\n"),
            variables(GOAUTH="off"),
            file(".netrc", NETRC),
        ),
        "GOAUTH is 'off', and outranks",
        tools=("go",),
    ),
    "a project switches the keyring off": SetUp(
        both(
            wired("uv"), file("uv.toml", 'keyring-provider = "disabled"\n'), file(".netrc", NETRC)
        ),
        "uv.toml says keyring-provider = 'disabled'",
        tools=("uv",),
    ),
    "Bazel starts a program that was moved": SetUp(
        both(
            file(".bazelrc", "common --credential_helper=*.r.example=$HOME/old/credlatch\n"),
            file(".netrc", NETRC),
        ),
        "old/credlatch, which is not there",
        tools=("bazel",),
    ),
    "git starts a program that was moved": SetUp(
        both(file(".gitconfig", GIT.format("$HOME/old/credlatch")), file(".netrc", NETRC)),
        "old/credlatch, which is not there",
        tools=("git",),
    ),
    "git's own helper is left out": SetUp(
        both(
            file(".gitconfig", f"[credential]\n\thelper = store\n{GIT.format('credlatch')}"),
            file(".netrc", NETRC),
        ),
        "where git's store is no longer asked",
        tools=("git",),
    ),
    "a workspace's wrapper cannot be run": SetUp(
        both(
            file("MODULE.bazel", ""),
            file("tools/credlatch", "#!/bin/sh\n"),
            file(
                ".bazelrc", "common --credential_helper=*.r.example=%workspace%/tools/credlatch\n"
            ),
            file(".netrc", NETRC),
        ),
        "tools/credlatch, which cannot be run",
        tools=("bazel",),
    ),
    "Docker has a helper of its own for a host": SetUp(
        both(
            file("bin/docker-credential-pass", "#!/bin/sh\nexit 1\n", 0o755),
            file(DOCKER, '{"credsStore": "credlatch", "credHelpers": {"r.example": "pass"}}'),
            rattler(r_example=LOGIN),
        ),
        "for r.example it asks pass, and not credlatch",
        "r.example",
        tools=("docker",),
    ),
    "Docker's store is a program of another system": SetUp(
        both(file(DOCKER, '{"credsStore": "desktop.exe"}'), rattler(r_example=LOGIN)),
        "names docker-credential-desktop.exe, which is not on PATH",
        "r.example",
        tools=("docker",),
    ),
    "pixi's file is cut off": SetUp(
        file(".rattler/credentials.json", '{"r.example": {"BearerToken": "s3cret"'),
        "is not JSON",
        writes=json.dumps({"r.example": TOKEN}),
    ),
    "an entry of pixi's is damaged": SetUp(
        rattler(r_example={"BearerToken": ["s3cret"]}),
        "the entry 'r.example'",
        writes=json.dumps({"r.example": TOKEN}),
    ),
    "pixi's key is a URL": SetUp(
        lambda home: home.write_rattler({"https://r.example/": TOKEN}),
        "'https://r.example/' in",
    ),
    "pixi's key is in upper case": SetUp(
        lambda home: home.write_rattler({"R.Example": TOKEN}), "'R.Example' in"
    ),
    "others may read a netrc": SetUp(
        file(".netrc", NETRC, 0o644), "can be read by other users: chmod 600"
    ),
    "a netrc names a port": SetUp(
        file(".netrc", NETRC.replace("r.example", "r.example:8443")),
        "'machine r.example:8443' never matches",
    ),
    "a netrc has a slip": SetUp(
        file(".netrc", NETRC.replace("password", "pasword")), "'pasword' is no keyword"
    ),
    "a netrc's quotes are not closed": SetUp(
        file(".netrc", NETRC.replace("s3cret", '"s3cret')), "'password' has no value", writes=NETRC
    ),
    "uv's file is damaged": SetUp(
        file(UV, f"{UV_LOGIN}\n[[credential]]\nservice = 'x\n"), "is damaged", writes=UV_LOGIN
    ),
    "Posit's file is not TOML": SetUp(
        both(file(".ppm/tokens.toml", "[[connections]\n"), file(".netrc", NETRC)),
        "tokens.toml is not TOML",
        writes="",
    ),
    "Docker's own login is damaged": SetUp(
        file(DOCKER, AUTHS % "zzz"), "is damaged", "r.example", writes=AUTHS % "dTpzM2NyZXQ="
    ),
    "Docker's configuration is not JSON": SetUp(
        both(file(DOCKER, '{"auths": {},}'), file(".netrc", NETRC)), "is not JSON", writes="{}"
    ),
    "RATTLER_AUTH_FILE is gone": SetUp(
        both(rattler(r_example=TOKEN), variables(RATTLER_AUTH_FILE="$HOME/gone")),
        "RATTLER_AUTH_FILE is",
    ),
    "NETRC is gone": SetUp(both(file(".netrc", NETRC), variables(NETRC="$HOME/gone")), "NETRC is"),
    "DOCKER_CONFIG is gone": SetUp(
        both(file(DOCKER, AUTHS % "dTpzM2NyZXQ="), variables(DOCKER_CONFIG="$HOME/gone")),
        "DOCKER_CONFIG is",
        "r.example",
    ),
    "UV_CREDENTIALS_DIR is gone": SetUp(
        both(file(UV, UV_LOGIN), variables(UV_CREDENTIALS_DIR="$HOME/gone")),
        "UV_CREDENTIALS_DIR is",
    ),
    "a variable is in lower case": SetUp(
        variables(CREDLATCH_TOKEN_r_example="s3cret"), "it is to be CREDLATCH_TOKEN_R_EXAMPLE"
    ),
    "a variable is spelt as the host": SetUp(
        lambda home: home.env.update({"CREDLATCH_TOKEN_MY-HOST.EXAMPLE": "s3cret"}),
        "it is to be CREDLATCH_TOKEN_MY__HOST_EXAMPLE",
        "https://my-host.example/",
    ),
    "a user name has no password": SetUp(
        variables(CREDLATCH_USERNAME_R_EXAMPLE="u"),
        "is set without CREDLATCH_PASSWORD_R_EXAMPLE",
        types="s3cret",
    ),
    "a password has no user name": SetUp(
        variables(CREDLATCH_PASSWORD_R_EXAMPLE="s3cret"),
        "is set without CREDLATCH_USERNAME_R_EXAMPLE",
        types="u",
    ),
    "a variable's token has ended, and hides a login": SetUp(
        both(variables(CREDLATCH_TOKEN_R_EXAMPLE=ENDED), file(".netrc", NETRC)),
        "r.example: this login has ended, and netrc has another one",
    ),
    "a bus is announced that has gone": SetUp(
        both(variables(DBUS_SESSION_BUS_ADDRESS="unix:path=$HOME/gone"), file(".netrc", NETRC)),
        "DBUS_SESSION_BUS_ADDRESS",
    ),
    "a forwarded agent has gone": SetUp(
        both(dead_socket, file(".netrc", NETRC)), "no answer from CREDLATCH_AGENT="
    ),
    "CREDLATCH_AGENT is a word that means nothing": SetUp(
        both(variables(CREDLATCH_AGENT="yes"), file(".netrc", NETRC)), "CREDLATCH_AGENT is 'yes'"
    ),
    "a rule names no store": SetUp(
        both(
            file(
                ".config/credlatch/config.toml",
                '[[rule]]\nurl = "https://r.example"\nuse = ["netcr"]\n',
            ),
            file(".netrc", NETRC),
        ),
        "there is no store or system 'netcr'",
        writes='[[rule]]\nurl = "https://r.example"\nuse = ["netrc"]\n',
    ),
    "a helper that is asked after us has gone": SetUp(
        both(
            file(".config/credlatch/chain.json", '{"docker": {"*": "gone"}}'), file(".netrc", NETRC)
        ),
        "docker-credential-gone, which is not there",
        writes="{}",
    ),
    "a file is in the place of a store's folder": SetUp(
        both(file(".rattler", ""), file(".netrc", NETRC)), ".rattler is no folder"
    ),
    "a folder of XDG's is relative": SetUp(
        both(variables(XDG_DATA_HOME="data"), file(UV, UV_LOGIN)), "XDG_DATA_HOME is 'data'"
    ),
}


def every_check(caller: Caller) -> Iterable[Finding]:
    """All of them, but those that ask token servers: there are none."""
    return checks.findings(caller, offline=True)


def is_answered(home: Home, asks: str) -> bool:
    """Whether a client has a credential."""
    request = for_url(urls.parse(asks)) if "://" in asks else docker.parse_get(asks.encode())
    return Resolver(caller_of(home), renews=False).resolve(request) is not None


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine where nobody has a session."""
    monkeypatch.setattr(keyring, "_bus_of_session", str)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", SETUPS)
def test_a_broken_set_up_is_named_and_mended(home: Home, name: str) -> None:
    broken = SETUPS[name]
    on_path(home, *broken.tools)
    assert problems(every_check, home) == []
    broken.build(home)
    found = problems(every_check, home)
    (cause,) = [each for each in found if broken.said in each.what]
    assert "s3cret" not in repr(found)
    mends = (
        f"import sys; open(sys.argv[1], 'w').write({broken.writes!r})"
        if broken.writes is not None
        else ""
    )
    pasted(cause.fix, home, broken.types, mends)
    assert problems(every_check, home) == []
    assert is_answered(home, broken.asks)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "name",
    [
        "others may read a netrc",
        "a netrc names a port",
        "an entry of pixi's is damaged",
        "Docker's helper leads nowhere",
        "a virtual environment's keyring is in front",
        "a file is in the place of a store's folder",
    ],
)
def test_whatever_a_folder_is_called_a_fix_is_about_it_and_runs_nothing_else(
    tmp_path: Path, name: str
) -> None:
    home = Home(tmp_path / "it's $(touch oops) `touch oops` & a;touch oops #\\")
    test_a_broken_set_up_is_named_and_mended(home, name)
    assert not [*tmp_path.rglob("oops")]


def test_there_are_thirty_of_them() -> None:
    assert len(SETUPS) >= 30
