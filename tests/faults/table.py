"""All scenarios."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from faults.programs import Asking, KeyringLogins, Launched, Serving, Starting, Unpacking
from faults.scenarios import (
    FRESH,
    INDEX,
    OLD,
    SECRET,
    FirstLogin,
    Get,
    Install,
    Logins,
    Renewal,
    Scenario,
    Secrets,
    Setup,
    Typed,
)
from support.logins import OAuthLogin, PyxLogin
from support.storm import bazel, docker

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Program
    from support.token_server import TokenServer


def scenarios(program: Program, single: Path, server: TokenServer) -> list[Scenario]:
    """All of them, in one home, to be used one after the other."""
    home = program.home
    program.put_on_path()
    home.hide("keyring")
    saved: dict[str, object] = {"ServerURL": "new.example.com", "Username": "ada", "Secret": FRESH}
    index: dict[str, object] = {"v": 1, "registry": {"index-url": INDEX}}
    words = {
        word: ("keyring", word, f"https://{host}.example.com", "ada")
        for word, host in (("set", "new"), ("del", "gone"), ("get", "old"))
    }
    git = f"protocol=https\nhost=new.example.com\nusername=ada\npassword={FRESH}\n"
    git_old = f"protocol=https\nhost=gone.example.com\nusername=ada\npassword={SECRET}\n"
    netrc = f"machine netrc.example.com login ada password {SECRET}\n"
    rattler = json.dumps(OLD)
    no_trial = ("--no-check",)
    # Each tool's configuration, and what is in it before.
    wired = {
        "docker": (".docker/config.json", '{"auths": {}}\n'),
        "bazel": (".bazelrc", "build --jobs=2\n"),
        "uv": (".config/uv/uv.toml", "offline = false\n"),
        "pip": (".config/pip/pip.conf", "[global]\ntimeout = 60\n"),
        "pixi": (".pixi/config.toml", "tls-no-verify = false\n"),
        "cargo": (".cargo/config.toml", "[net]\nretry = 3\n"),
        "git": (".gitconfig", "[user]\n\tname = Ada\n"),
        "podman": (".config/containers/registries.conf", 'short-name-mode = "enforcing"\n'),
        "go": (".config/go/env", "GOFLAGS=-v\n"),
    }
    return [
        FirstLogin(program, "docker-store-first", ("docker", "store"), saved),
        Logins(program, "docker-store", ("docker", "store"), saved),
        Logins(program, "docker-erase", ("docker", "erase"), "gone.example.com"),
        Logins(program, "git-store", ("git", "store"), git),
        Logins(program, "git-erase", ("git", "erase"), git_old),
        Logins(program, "keyring-set", words["set"], FRESH),
        Logins(program, "keyring-del", words["del"]),
        Logins(
            program,
            "cargo-login",
            ("--cargo-plugin",),
            json.dumps({**index, "kind": "login", "token": FRESH, "args": []}) + "\n",
        ),
        Logins(
            program,
            "cargo-logout",
            ("--cargo-plugin",),
            json.dumps({**index, "kind": "logout", "args": []}) + "\n",
        ),
        Typed(
            program, "login-token", ("login", "new.example.com", *no_trial, "--token-stdin"), FRESH
        ),
        Typed(program, "logout", ("logout", "gone.example.com", "--yes")),
        Logins(program, "docker-list", ("docker", "list"), writes=False),
        Renewal(program, "renewal-oauth", OAuthLogin(home, server), server),
        Renewal(program, "renewal-pyx", PyxLogin(home, server), server),
        Get(program, "get-netrc", bazel("https://netrc.example.com/"), ".netrc", netrc),
        Get(
            program,
            "get-rattler",
            bazel("https://token.example.com/"),
            ".rattler/credentials.json",
            rattler,
        ),
        Get(program, "get-docker", docker("old.example.com"), ".rattler/credentials.json", rattler),
        *(Setup(program, tool, {name: was}, "--all-hosts") for tool, (name, was) in wired.items()),
        *(Setup(program, tool, {name: was}, "--undo") for tool, (name, was) in wired.items()),
        Secrets(program),
        Secrets(program, "--fifo"),
        KeyringLogins(program, "bus-docker-store", ("docker", "store"), saved),
        KeyringLogins(program, "bus-docker-erase", ("docker", "erase"), "gone.example.com"),
        KeyringLogins(program, "bus-keyring-set", words["set"], FRESH),
        KeyringLogins(program, "bus-keyring-del", words["del"]),
        KeyringLogins(program, "bus-keyring-get", words["get"], writes=False),
        Launched(program),
        Asking(program),
        Unpacking(program, single, is_there=False),
        Unpacking(program, single, is_there=True),
        Starting(program),
        Serving(program),
        Install(program, "install"),
        Install(program, "uninstall"),
    ]
