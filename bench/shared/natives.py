"""The helpers that credlatch is compared with, and the floor of any Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.shared.ground import ROOT
from bench.shared.peers import (
    BASIC,
    DOCKER,
    FILE,
    HOST,
    KEYRING,
    NOTHING,
    NOWHERE,
    PASSWORD,
    USER,
    Absent,
    Peer,
    Question,
    bazel,
    checked,
    timed,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bench.shared.ground import Ground

    from support.home import Home

TRUE = "/bin/true"
PYTHON = "python -I -S -c pass"
UV = "uv auth helper"
DOCKER_HELPER = "docker-credential-secretservice"
TWEAG = "credential-helper"  # tweag's, as its Go package is called
TWEAG_AGENT = "tweag's credential-helper + agent"
_GRPC = "google.bytestream.ByteStream"  # the path of a URL that it takes for a remote cache's


def true(ground: Ground) -> Peer:
    """What any process costs."""
    call = timed(TRUE, NOWHERE, [TRUE], NOTHING, ground.home("true"))
    return checked(Peer(TRUE, NOWHERE, call), NOTHING)


def python(ground: Ground) -> Peer:
    """What any Python costs that does nothing."""
    # Not the link in an environment, which first has to look where it is.
    words = [os.path.realpath(sys.executable), *PYTHON.split()[1:]]
    call = timed(PYTHON, NOWHERE, words, NOTHING, ground.home("python"))
    return checked(Peer(PYTHON, NOWHERE, call), NOTHING)


def uv_path() -> Path | None:
    """The newest uv among those that ``./dev`` has installed."""
    there = (ROOT / ".scratch" / "tools").glob("uv-*/bin/uv")
    versions = {tuple(map(int, path.parts[-3][3:].split("."))): path for path in there}
    return versions[max(versions)] if versions else None


def uv(ground: Ground) -> Peer | Absent:
    """uv, with a login in its own file, asked by Bazel."""
    path = uv_path()
    if path is None:
        return Absent(UV, FILE, "not installed")
    home = ground.home("uv")
    login = ("auth", "login", f"https://{HOST}", "--username", USER, "--password", PASSWORD)
    subprocess.run([path, *login], env=home.env, cwd=home.path, check=True, capture_output=True)
    # The feature's name only keeps a warning away.
    words = [str(path), "--preview-features", "auth-helper", *UV.split()[1:]]
    call = timed(UV, FILE, [*words, "--protocol=bazel", "get"], bazel(), home)
    return checked(Peer(UV, FILE, call), bazel())


def tweag_path() -> str | None:
    """Tweag's helper, as ``./dev bench`` has built it, or on PATH."""
    built = ROOT / ".scratch" / "tools" / "bin" / TWEAG
    return str(built) if built.exists() else shutil.which(TWEAG)


def tweag(ground: Ground) -> Peer | Absent:
    """Tweag's helper, whose agent has the answer, asked by Bazel for a URL of the kind it knows."""
    path = tweag_path()
    if path is None:
        return Absent(TWEAG_AGENT, FILE, "its sources cannot be had")
    home = ground.home("tweag")
    home.env["SECRET"] = f"{USER}:{PASSWORD}"
    secret = {"source": "env", "name": "SECRET", "binding": "default"}
    config = {"auth_method": "basic_auth", "lookup_chain": [secret]}
    rule = {"host": HOST, "helper": "remoteapis", "config": config}
    home.write(".tweag-credential-helper.json", json.dumps({"urls": [rule]}))
    ground.at_end(lambda: _stop(path, home))
    question = Question(bazel(_GRPC).stdin, {"headers": {"authorization": [BASIC]}})
    call = timed(TWEAG_AGENT, FILE, [path, "get"], question, home)
    return checked(Peer(TWEAG_AGENT, FILE, call), question)


def _stop(helper: str, home: Home) -> None:
    subprocess.run([helper, "agent-shutdown"], env=home.env, cwd=home.path, check=True)


def secret_service(ground: Ground) -> Peer | Absent:
    """Docker's own helper, with a login in its own item of the keyring."""
    path, keyring = shutil.which(DOCKER_HELPER), ground.keyring()
    if path is None or keyring is None:
        missing = "not installed" if path is None else "no gnome-keyring"
        return Absent(DOCKER_HELPER, KEYRING, missing)
    home = ground.home("native")
    home.env |= keyring.env
    store(path, home)
    call = timed(DOCKER_HELPER, KEYRING, [path, "get"], DOCKER, home)
    return checked(Peer(DOCKER_HELPER, KEYRING, call), DOCKER)


def store(helper: str, home: Home) -> None:
    """Have a helper of Docker's protocol store the login that is asked for later.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    login = json.dumps(DOCKER.answer).encode()
    subprocess.run([helper, "store"], input=login, env=home.env, cwd=home.path, check=True)


def versions() -> list[str]:
    """Which of them are here, each with its version."""
    found = []
    if (path := uv_path()) is not None:
        found.append(f"uv {path.parts[-3][3:]}")
    if (helper := tweag_path()) is not None:
        said = subprocess.run([helper, "version"], capture_output=True, text=True, check=True)
        found.append(f"tweag's {TWEAG} {said.stdout.strip()}")
    if (helper := shutil.which(DOCKER_HELPER)) is not None:
        said = subprocess.run([helper, "version"], capture_output=True, text=True, check=True)
        found.append(f"{DOCKER_HELPER} {said.stdout.split()[-1]}")
    return found
