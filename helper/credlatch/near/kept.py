"""Logins that stores have for nearly the same URL: another name, scheme, port, path or user."""

from __future__ import annotations

import time
from copy import copy

from credlatch import near, registry
from credlatch import request as requests
from credlatch import url as urls
from credlatch.credential import Basic
from credlatch.errors import AmbiguousError, CredlatchError, RequestError
from credlatch.near import hosts, remedies
from credlatch.stores import PRESIGNED
from credlatch.stores.order import ANONYMOUS, CHAINED, IDENTITY, ORDER, PROJECT
from credlatch.stores.rattler import ASIDE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores import Entry, Store
    from credlatch.stores.steps import Step
    from credlatch.url import Url

# Whom to ask for another URL would start programs, or mint something; a project's is nobody's own.
_NOT_ASKED = (CHAINED, IDENTITY, PROJECT, ANONYMOUS, "s3")
_MOST = 20  # keys of one store that are tried
_FURTHEST = 6  # of the sums of weights
_WEIGHTS = {"user": 1, "path": 2, "scheme": 2, "port": 3}


def found(request: Request, caller: Caller, trace: Iterable[Step]) -> Iterator[NearMiss]:
    """What each store has for nearly the same URL, and what it has passed over."""
    steps = {step.store: step for step in trace}
    for name, open_store in ORDER:
        if name in _NOT_ASKED or not request.rule.allows(name):
            continue
        told: list[NearMiss] = []
        try:
            told += _of_store(name, open_store(caller), request, steps.get(name))
        except (CredlatchError, OSError, ValueError):
            continue  # it is broken, and the trace says so
        yield from told
        step = steps.get(name)
        if step is not None and not told:
            yield from _passed_over(step, request)


def _passed_over(step: Step, request: Request) -> Iterator[NearMiss]:
    """What the store itself has said."""
    for why, location in step.near if request.url is not None else ():
        is_signed = why == PRESIGNED
        fix = ""
        if not is_signed and request.url is not None:
            fix = remedies.log_in("docker" if request.registry else step.store, request.url)
        yield near.NearMiss(
            step.store,
            kept=location if is_signed else "a login",
            location=location,
            why=f"it {why}",
            advice="nothing is to be done: the URL itself is the credential" if is_signed else "",
            fix=fix,
            rank=near.MEANT + 2,
        )


def _of_store(
    name: str, store: Store | None, request: Request, step: Step | None
) -> Iterator[NearMiss]:
    asked = request.url
    if store is None or asked is None or asked.scheme == "s3":  # a bucket is no host
        return
    tried = set()
    heeds_port = request.registry or name not in {"rattler", "netrc"}
    variants = [*_listed(store, asked, heeds_port=heeds_port), *_without_listing(asked)]
    variants = [each for each in variants if each.far is not None]
    for each in sorted(variants, key=lambda each: each.far or 0)[:_MOST]:
        key = (each.url.text, each.url.username)
        if key in tried:
            continue
        tried.add(key)
        try:
            entry = store.look(_like(request, each.url))
        except AmbiguousError as error:
            yield _miss(name, each, None, request, str(error))
            continue
        except CredlatchError:
            continue
        if entry is not None and not (step is not None and _is(entry, step.entry)):
            yield _miss(name, each, entry, request)


def _is(entry: Entry, asked: Entry | None) -> bool:
    """Whether an entry is the one that the trace tells of: its key names no scheme, or no port."""
    return asked is not None and (entry.location, entry.handle, entry.expires) == (
        asked.location,
        asked.handle,
        asked.expires,
    )


def _miss(
    name: str, variant: _Variant, entry: Entry | None, request: Request, why: str = ""
) -> NearMiss:
    asked = request.url or variant.url
    login = None if entry is None else entry.credential
    far, why, fix = variant.far or 0, why or variant.why, ""
    if not variant.is_any_user:
        other = variant.url.netloc if request.registry else variant.url.shown
        advice = f"use {other}, or log in for this one"
        if remedies.in_the_clear(variant.url):
            advice = "nothing is sent there in plain http: log in for this one"
        fix = remedies.log_in("docker" if request.registry else name, asked)
    elif isinstance(login, Basic):
        whose = login.username or "nobody"
        why = f"is {whose}'s, the URL names {asked.username}"
        advice = f"put {whose}@ into the URL, or leave the name out"
    else:
        advice = "leave the name out of the URL"
    if entry is not None and entry.grant is None and 0 < (entry.expires or 0) <= time.time():
        why += "; and it has ended"
    return near.NearMiss(
        name,
        kept=variant.shown,
        location=name if entry is None else entry.location,
        why=why,
        advice=advice,
        fix=fix,
        rank=(near.MEANT if far <= hosts.WWW else near.NEAR) + far,
    )


def _like(request: Request, url: Url) -> Request:
    """The same question for another URL."""
    if request.registry:
        from credlatch.protocols import docker

        like = docker.parse_get(url.text.removesuffix("/").encode())
    elif request.key_first:
        like = requests.for_login(url, login=request.login)
    else:
        like = requests.for_url(url, login=request.login)
    like.rule, like.method = request.rule, request.method
    return like


class _Variant:
    """A URL that nearly is the one that is asked for.

    Attributes:
        url: which.
        shown: what there is, as its store has it.
        far: how far it is from what was asked for; None: too far.
        why: what is another, in words.
        is_any_user: whether it is the same but for the user name that was asked for.
    """

    def __init__(self, asked: Url, url: Url, shown: str) -> None:
        self.url = url
        self.shown = shown
        self.is_any_user = url.text == asked.text and url.username is None
        self.far, self.why = _difference(asked, url)


def _without_listing(asked: Url) -> Iterator[_Variant]:
    """What is tried of each store: a keyring does not say what it has."""
    others = []
    if asked.username is not None:
        other = copy(asked)
        other.username = None
        others.append(other)
    names = []
    if asked.may_be_loopback:
        names = [name for name in ("localhost", "127.0.0.1", "[::1]") if name != asked.host]
    elif not asked.is_ip:
        names = [asked.host[4:] if asked.host.startswith("www.") else f"www.{asked.host}"]
    for host in names:
        text = f"{asked.scheme}://{host}:{asked.port}{asked.path}"
        others += _parsed(text, asked.username)
    scheme = "http" if asked.scheme == "https" else "https"
    others += _parsed(f"{scheme}://{asked.netloc}{asked.path}", asked.username)
    for other in others:
        yield _Variant(asked, other, other.shown)


def _parsed(text: str, username: str | None) -> Iterator[Url]:
    try:
        url = urls.parse(text)
    except RequestError:
        return
    url.username = username
    yield url


def _listed(store: Store, asked: Url, *, heeds_port: bool) -> Iterator[_Variant]:
    """What a store says that it has."""
    for key, _ in store.entries():
        if hosts.may_be_near(asked.host, key.removeprefix(ASIDE)):
            yield from _meant(key.removeprefix(ASIDE), asked, heeds_port=heeds_port)


def _meant(key: str, asked: Url, *, heeds_port: bool) -> Iterator[_Variant]:
    """The URL that a key is for, with what it does not name as it was asked for."""
    if key.startswith((registry.CARGO, "s3://")) or not key:
        return
    has_scheme = "://" in key
    try:
        kept = urls.parse(key if has_scheme else f"{asked.scheme}://{key}")
    except RequestError:
        return
    if hosts.distance(asked.host, kept.host) is None or kept.scheme == "s3":
        return
    host = kept.host
    if host.startswith("*."):
        # Whatever is below it: what was asked for, with the domain that it has.
        host = ".".join([*asked.host.split(".")[: -host.count(".")], host[2:]])
    port = asked.port if kept.default_port and not heeds_port else kept.port
    is_below = f"{asked.path}/".startswith(f"{kept.path.rstrip('/')}/")
    netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    text = f"{kept.scheme}://{netloc}{asked.path if is_below else kept.path}"
    shown = kept.shown if has_scheme else f"{kept.netloc}{kept.path if kept.path != '/' else ''}"
    users = [asked.username, None] if kept.username is None else [kept.username]
    for whose in dict.fromkeys(users):
        for url in _parsed(text, whose):
            yield _Variant(asked, url, shown)


def _difference(asked: Url, kept: Url) -> tuple[int | None, str]:
    """How far another URL is from what was asked for, and in which words; None: too far, or not."""
    far = hosts.distance(asked.host, kept.host)
    if far is None:
        return None, ""
    words = [] if far == hosts.SAME else [f"another host name: {kept.host}, not {asked.host}"]
    if kept.scheme != asked.scheme:
        words.append(f"another scheme: {kept.scheme}, not {asked.scheme}")
        far += _WEIGHTS["scheme"]
    if kept.port != asked.port and not (kept.default_port and asked.default_port):
        other = "no port" if kept.default_port else f"another port: {kept.port}"
        words.append(f"{other}, not {asked.port}")
        far += _WEIGHTS["port"]
    if kept.path != asked.path:
        words.append(f"for {kept.path} alone, not for {asked.path}")
        far += _WEIGHTS["path"]
    if kept.username != asked.username:
        words.append(f"of the user {kept.username or 'that it names'}, not {asked.username}")
        far += _WEIGHTS["user"]
    return (far if words and far <= _FURTHEST else None), ", ".join(words)
