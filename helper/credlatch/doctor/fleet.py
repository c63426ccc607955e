"""Logins that machines share: the settings, and each engine as this machine may use it."""

from __future__ import annotations

import time

from credlatch import clock
from credlatch.doctor import servers
from credlatch.doctor.finding import FAIL, OK, WARN, Finding
from credlatch.errors import CredlatchError, StoreError
from credlatch.fixes import mending, shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.fleet.engine import Engine, Found
    from credlatch.fleet.opening import Target
    from credlatch.fleet.settings import Row

SUBJECT = "fleet"
_WRITES = {"create", "update"}
_OK, _FORBIDDEN = 200, 403  # HTTP statuses
_APART = 5.0  # seconds by which the clocks of two nodes may differ


def check(caller: Caller) -> Iterator[Finding]:
    """What is wrong with ``fleet.toml``, and with what the environment adds."""
    from credlatch.fleet import environment, settings

    if not settings.there(caller):
        return
    path = settings.path(caller)
    try:
        found = settings.read(caller)
    except StoreError as error:
        yield Finding(FAIL, SUBJECT, str(error), *mending.of(path, str(error)))
        return
    if found is None:
        return
    for problem in found.problems:
        yield Finding(FAIL, SUBJECT, problem, shell.edited(path, mending.line_in(problem)))
    if name := environment.skips_verification(caller.environ):
        what = f"{name} is not heeded: who answers in the engine's place would get the login"
        yield Finding(WARN, SUBJECT, what, shell.unset(name))
    if not found.problems:
        many = len(found.rows)
        yield Finding(OK, SUBJECT, f"{path}: {many} login{'s' * (many != 1)}")


def check_engines(caller: Caller) -> Iterator[Finding]:
    """Each engine, asked as a call of this machine would ask it; nothing is written."""
    from credlatch.fleet import opening, settings

    if not settings.there(caller):
        return
    found = settings.read(caller)
    seen: set[str] = set()
    for row in [] if found is None else found.rows:
        try:
            meant = opening.Target(row, caller)
            if meant.login_key not in seen:
                seen.add(meant.login_key)
                yield from _leader(meant, caller)
                yield from _clocks(meant)
            yield from _row(row, meant, caller)
        except CredlatchError as error:
            yield Finding(FAIL, SUBJECT, str(error))


def _row(row: Row, meant: Target, caller: Caller) -> Iterator[Finding]:
    from credlatch.fleet import opening

    said = row.said
    engine = opening.opened(meant, meant.path, caller)
    found = engine.read()
    yield from _token(row, engine, found)
    yield from servers.clock_of([(found.ahead, meant.server.partition("://")[2])])
    if said.role == "renewer" or said.one_path:
        yield from _renewer(row, meant, caller)
    elif said.login is not None:
        try:
            opening.opened(meant, said.login, caller).read()
        except StoreError:
            return  # as it should be
        yield Finding(
            WARN,
            SUBJECT,
            f"this worker may read {row.login_name}, where the refresh token is: have its policy "
            "name the path of the access token alone",
        )


def _token(row: Row, engine: Engine, found: Found) -> Iterator[Finding]:
    """What is there for clients."""
    value = found.value or {}
    if row.said.one_path:
        entry = value.get("entry")
        value = (entry.get("OAuth") if isinstance(entry, dict) else None) or {}
    if not value.get("access_token"):
        log_in = shell.command("credlatch", "login", "--fleet", row.url)
        yield Finding(WARN, SUBJECT, f"{engine.place} has no token yet", log_in)
        return
    ends = clock.moment(value.get("expires_at"))
    left = None if ends is None else ends + found.ahead - time.time()
    if left is None:
        yield Finding(OK, SUBJECT, f"{engine.place}: a token without an end")
    elif left > 0:
        yield Finding(OK, SUBJECT, f"{engine.place}: a token that ends in {clock.span(left)}")
    else:
        yield Finding(
            FAIL,
            SUBJECT,
            f"{engine.place}: its token ended {clock.span(-left)} ago, and nobody has renewed it: "
            "see the log of `credlatch fleet renew`",
        )


def _renewer(row: Row, meant: Target, caller: Caller) -> Iterator[Finding]:
    """The login, and what the policies give this machine."""
    from credlatch.fleet import opening
    from credlatch.fleet import value as values
    from credlatch.fleet.replies import json_of

    engine = opening.opened(meant, str(row.said.login), caller)
    value = engine.read().value
    login = values.login(value)
    log_in = shell.command("credlatch", "login", "--fleet", row.url)
    if login is None:
        yield Finding(FAIL, SUBJECT, f"{engine.place} has no login", log_in)
    elif login.dead:
        yield Finding(FAIL, SUBJECT, f"the login in {engine.place} has ended: {login.dead}", log_in)
    elif login.failed:
        yield Finding(WARN, SUBJECT, f"{engine.place} was not renewed: {login.failed}")
    else:
        yield Finding(OK, SUBJECT, f"{engine.place}: a login")
    if not opening.is_kv(meant):
        return
    _, access = opening.logged_in(meant, caller)
    paths = [f"{row.said.mount}/data/{row.said.login}"]
    if row.said.access is not None:
        paths.append(f"{row.said.mount}/data/{row.said.access}")
    answer = access.ask("POST", "sys/capabilities-self", {"paths": paths})
    body = json_of(answer) or {}  # few policies grant it
    may = body.get("data", body) if answer.status == _OK else {}
    for path in paths:
        granted = {each for each in may.get(path, []) if isinstance(each, str)}
        if granted and "root" not in granted and not granted >= _WRITES:
            what = f"this renewer may not write {path}: its policy is to grant create and update"
            yield Finding(FAIL, SUBJECT, what)
        if granted & {"delete", "root", "sudo"}:
            what = f"this renewer may delete {path}, which it never does: its policy gives too much"
            yield Finding(WARN, SUBJECT, what)
    access.keep_alive()  # which looks at a token that was given
    if access.is_renewable:
        answer = access.ask("POST", "auth/token/renew-self", {})
        if answer.status == _FORBIDDEN:
            yield Finding(
                WARN,
                SUBJECT,
                f"the token of this renewer may not renew itself at {meant.server}: its policy is "
                'to have path "auth/token/renew-self" { capabilities = ["update"] }',
            )


def _leader(meant: Target, caller: Caller) -> Iterator[Finding]:
    """Whether anything could be written: tokens are read without a leader, too."""
    from credlatch.fleet import opening
    from credlatch.fleet.replies import json_of

    if not opening.is_kv(meant):
        return
    server, _ = opening.logged_in(meant, caller)
    answer = server.ask("GET", "sys/leader")
    said = json_of(answer) or {}
    if answer.status == _OK and said.get("ha_enabled") and not said.get("leader_address"):
        what = f"{meant.server} has no leader now: tokens are read, and nothing is renewed"
        yield Finding(FAIL, SUBJECT, what)


def _clocks(meant: Target) -> Iterator[Finding]:
    """Whether the nodes that are named agree on the time, by which they say how old a claim is."""
    from credlatch.fleet import opening
    from credlatch.fleet.engine import EngineDownError
    from credlatch.fleet.server import Server

    if not opening.is_kv(meant) or len(meant.addresses) == 1:
        return
    ahead: list[tuple[float, str]] = []
    for address in meant.addresses:
        try:
            answer = Server((address,), None, meant.tls).ask("GET", "sys/health?standbyok=true")
        except EngineDownError:
            continue  # there are others
        if (date := answer.headers.get("date")) is not None:
            ahead.append((clock.ahead(date, answer.at), address))
    (least, late), (most, early) = min(ahead, default=(0.0, "")), max(ahead, default=(0.0, ""))
    if most - least >= _APART:
        apart = clock.span(round(most - least))
        what = (
            f"the clocks of {late} and {early} are {apart} apart, and a renewal may be taken over "
            "too early, or late: have NTP set both"
        )
        yield Finding(FAIL, SUBJECT, what)
