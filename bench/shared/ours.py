"""credlatch as it is measured: in both forms, with and without its agent; and all its peers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from bench.shared.ground import FOLDER, SINGLE
from bench.shared.natives import python, secret_service, store, true, tweag, uv
from bench.shared.peers import (
    DOCKER,
    FILE,
    HOST,
    KEYRING,
    PASSWORD,
    USER,
    Absent,
    Peer,
    Question,
    bazel,
    checked,
    parted,
    timed,
)

from support.scripted_bao import Answer, ScriptedBao, kept

if TYPE_CHECKING:
    from bench.shared.ground import Ground

    from support.home import Home
    from support.secret_service import SecretService

UVS_STORE = "folder, agent off, uv's store"
FLEET = "folder + agent, a worker of a fleet"
_DAY = 86_400  # seconds
FORMS = [(form, agent) for form in (FOLDER, SINGLE) for agent in (True, False)]


def label(form: str, *, agent: bool) -> str:
    """What tables and pictures call credlatch in one of its forms."""
    return f"{form} + agent" if agent else f"{form}, agent off"


def credlatch(ground: Ground, form: str, held: str, *, agent: bool) -> Peer:
    """credlatch, with a login where rattler keeps it.

    In a file, it is asked by Bazel, and no keyring is there, as in CI; in the keyring by Docker;
    in both by both, and the peer's own call is Bazel's.

    Raises:
        RuntimeError: it answers wrongly, its agent does not come up, or there is no keyring.
    """
    shown = label(form, agent=agent)
    home = ground.home(f"{held[0]}{len(held)}-{form[0]}{agent:d}", agent=agent)
    program = ground.forms[form]
    warm = ground.agent(form, home) if agent else None
    words, question = [str(program), "get"], bazel()
    if held != FILE:
        keyring = ground.keyring()
        if keyring is None:
            raise RuntimeError("there is no keyring to store a login in")
        helper = home.path / "docker-credential-credlatch"
        helper.symlink_to(program)
        home.env |= keyring.env
        _log_in(str(helper), home, keyring)
        if held == KEYRING:
            words, question = [str(helper), "get"], DOCKER
    if held != KEYRING:
        home.write_rattler({HOST: {"BasicHTTP": {"username": USER, "password": PASSWORD}}})
    call = timed(shown, held, words, question, home)
    return checked(Peer(shown, held, call, warm, ours=True), question)


def _log_in(helper: str, home: Home, keyring: SecretService) -> None:
    """Store a login in rattler's keyring item.

    Raises:
        RuntimeError: it went to rattler's file.
    """
    store(helper, home)
    if not keyring.items(service="rattler") or (home.path / ".rattler/credentials.json").exists():
        raise RuntimeError("credlatch did not store the login in the keyring")


def in_uvs_store(ground: Ground) -> Peer:
    """The folder without its agent, with the login in uv's own file.

    Raises:
        RuntimeError: it answers wrongly.
    """
    home = ground.home("uvs")
    rows = f'service = "https://{HOST}/"\nusername = "{USER}"\npassword = "{PASSWORD}"\n'
    home.write(".local/share/uv/credentials/credentials.toml", f"[[credential]]\n{rows}")
    call = timed(UVS_STORE, FILE, [str(ground.forms[FOLDER]), "get"], bazel(), home)
    return checked(Peer(UVS_STORE, FILE, call, ours=True), bazel())


def in_fleet(ground: Ground) -> Peer:
    """The folder and its agent, on a machine that reads a shared token of an engine's.

    Raises:
        RuntimeError: it answers wrongly, or its agent does not come up.
    """
    home = ground.home("fleet", agent=True)
    warm = ground.agent(FOLDER, home)
    token = {"access_token": PASSWORD, "expires_at": int(time.time()) + _DAY, "gen": 1}
    bao = ground.running(ScriptedBao(*[Answer(200, kept(token, 1))] * 100))
    home.env["BAO_TOKEN"] = PASSWORD
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{HOST}"\naddress = "{bao.url}"\naccess = "access/ci/pypi"\n',
    )
    call = timed(FLEET, FILE, [str(ground.forms[FOLDER]), "get"], bazel(), home)
    warm.warm_up(call)
    answer = json.loads(call.output())
    headers = {"Authorization": [f"Bearer {PASSWORD}"]}
    question = Question(bazel().stdin, {"headers": headers, "expires": answer.get("expires")})
    return checked(Peer(FLEET, FILE, call, warm, ours=True), question)


def _in_keyring(ground: Ground, form: str, *, agent: bool) -> Peer | Absent:
    if ground.keyring() is None:
        return Absent(label(form, agent=agent), KEYRING, "no gnome-keyring")
    return credlatch(ground, form, KEYRING, agent=agent)


def everyone(ground: Ground) -> tuple[list[Peer], list[Absent]]:
    """All programs, those with a login in a file first; and those that are not there."""
    return parted(
        [
            true(ground),
            python(ground),
            uv(ground),
            tweag(ground),
            *(credlatch(ground, form, FILE, agent=agent) for form, agent in FORMS),
            in_uvs_store(ground),
            in_fleet(ground),
            secret_service(ground),
            *(_in_keyring(ground, form, agent=agent) for form, agent in FORMS),
        ]
    )
