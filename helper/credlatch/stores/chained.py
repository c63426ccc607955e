"""Credential helpers that were there before us, asked when no other store has an answer.

``credlatch setup --chain`` writes them down, in ``chain.json`` in our configuration folder: for
each protocol the hosts, and the helper's name or path. ``*`` is for all hosts.

    {"docker": {"registry.example.com": "ecr-login", "*": "pass"},
     "bazel": {"*.example.com": "/opt/company/helper"}}

Each is asked as its client asked it: Docker's by the client's own key, Bazel's by the URL. One of
Docker's for all hosts answers Docker's clients only, and one for a named host everybody; Bazel's
answer all but Docker's clients.
"""

from __future__ import annotations

import os
import sys

from credlatch import quick_json, registry
from credlatch.errors import ElsewhereError, ProgramError, StoreError
from credlatch.stores import Entry, Store, chained_answers
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

    Chain = dict[str, str]

ALL = "*"
PATIENCE = 5.0  # seconds for a helper: a whole call has nine, and there may be several
_LEAST = 0.2  # seconds without which none is begun
MARK = "CREDLATCH_CHAINED"  # in the environment of what we ask, which may ask us in turn
OURSELVES = "credlatch"
_MOST = 1024 * 1024  # bytes of an answer
_PREFIX = "docker-credential-"


def path_of(caller: Caller) -> str:
    """Where it is written down which helpers to ask."""
    return caller.config("credlatch", "chain.json")


class ChainedStore(Store):
    """The helpers that are written down."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._asked: dict[tuple[str, str], Entry | None] = {}

    def look(self, request: Request) -> Entry | None:
        """What a helper of Docker's has under a Docker's client's own key, or any for a URL."""
        if not request.registry:
            return super().look(request)
        helper = self.helper_of(request.keys, or_all=True)
        entry = None if helper is None else self._docker(helper, request.keys[0])
        if entry is None and request.url is not None:
            entry = self._of_docker(request.url)
        return entry

    def find(self, url: Url) -> Entry | None:
        """What a helper of Bazel's has for a URL, or one of Docker's for its host."""
        if url.scheme == "s3" or url.host.startswith("*."):
            return None
        helper = _for_host(self._chain("bazel"), url.host)
        entry = None if helper is None else self._bazel(helper, url)
        return self._of_docker(url) if entry is None else entry

    def _of_docker(self, url: Url) -> Entry | None:
        keys = registry.spellings(url)
        helper = self.helper_of((*registry.below(url), *keys), or_all=False)
        return None if helper is None else self._docker(helper, keys[0])

    def files(self) -> tuple[str, ...]:
        """Where they are written down."""
        return (path_of(self._caller),)

    def helpers(self) -> list[str]:
        """The programs that are asked, by their names or paths; each once.

        Raises:
            StoreError: what is written down cannot be read.
        """
        named = [_program(each) for each in self._chain("docker").values() if each != OURSELVES]
        return list(dict.fromkeys((*named, *self._chain("bazel").values())))

    def logins(self) -> dict[str, str]:
        """The keys that chained helpers of Docker's list, with their user names.

        A helper that fails is warned of.
        """
        found: dict[str, str] = {}
        for helper in dict.fromkeys(self._chain("docker").values()):
            try:
                usernames = chained_answers.listed(self._run(helper, "list", b"").out)
            except (StoreError, ValueError) as error:
                self._caller.warn(f"{_PREFIX}{helper} does not list its logins: {error}")
                continue
            found |= {
                key: username
                for key, username in usernames.items()
                if self.helper_of(_spellings(key), or_all=True) == helper
            }
        return found

    def delete(self, key: str) -> None:
        """Have a chained helper of Docker's forget a login.

        Raises:
            StoreError: it does not.
        """
        helper = self.helper_of(_spellings(key), or_all=True)
        if helper is None:
            return
        done = self._run(helper, "erase", key.encode())
        if done.status and not chained_answers.is_not_found(done.out):
            reason = chained_answers.failure(done.out, done.said, done.status)
            raise StoreError(f"{_PREFIX}{helper} still has the login for {key}: {reason}")

    def _chain(self, protocol: str) -> Chain:
        chains = self._caller.document(path_of(self._caller), _parse, lambda _: False) or {}
        return chains.get(protocol, {})

    def helper_of(self, keys: tuple[str, ...], *, or_all: bool) -> str | None:
        """Docker's helper that is written down for the first of these keys that has one.

        Args:
            keys: Docker's names for a registry.
            or_all: whether one for all hosts counts.
        """
        chain = self._chain("docker")
        names = (*keys, ALL) if or_all else keys
        helper = next((chain[name] for name in names if name in chain), OURSELVES)
        return None if helper == OURSELVES else helper

    def _docker(self, helper: str, key: str) -> Entry | None:
        # A client's key and the URL that it stands for are mostly one question.
        if (helper, key) not in self._asked:
            self._asked[helper, key] = self._docker_login(helper, key)
        return self._asked[helper, key]

    def _docker_login(self, helper: str, key: str) -> Entry | None:
        done, location = self._run(helper, "get", key.encode()), f"{_PREFIX}{helper}"
        if done.status:
            if chained_answers.is_not_found(done.out):
                return None
            reason = chained_answers.failure(done.out, done.said, done.status)
            raise StoreError(f"{location} failed for {key}: {reason}")
        try:
            login = chained_answers.login(done.out)
        except ValueError as error:
            raise StoreError(f"what {location} says of {key} is no login: {error}") from None
        return Entry(login, location, remedy=f"log in again, so that {location} has a fresh one")

    def _bazel(self, helper: str, url: Url) -> Entry | None:
        request = f'{{"uri":{quick_json.quote(url.text)}}}'.encode()
        done = self._run(helper, "get", request)
        if done.status:
            reason = chained_answers.failure(b"", done.said, done.status)
            raise StoreError(f"{helper} failed for {url.shown}: {reason}")
        try:
            credential, expires = chained_answers.headers(done.out)
        except ValueError as error:
            raise StoreError(f"what {helper} says of {url.shown} is no answer: {error}") from None
        return None if credential is None else Entry(credential, helper, expires=expires)

    def _run(self, helper: str, action: str, stdin: bytes) -> programs.Done:
        """Ask a helper; raises ElsewhereError for a guest, whose session a helper may need."""
        name = _program(helper)
        if self._caller.is_guest:
            raise ElsewhereError(f"{name} is another program")
        path = name if os.path.isabs(name) else programs.found(name, self._caller.environ)
        written = path_of(self._caller)
        if path is None:
            raise StoreError(f"{name} is not on PATH: install it, or take it out of {written}")
        if programs.is_same(path, sys.executable):
            raise StoreError(f"{path} is credlatch itself: take it out of {written}")
        if self._caller.author(written) is not None:
            path = _of_the_system(path, written)
        patience = self._caller.left(PATIENCE)
        if patience < _LEAST:
            raise StoreError(f"no time was left to ask {path}: try again")
        try:
            done = programs.ask([path, action], stdin, self._caller, patience, **{MARK: "1"})
        except ProgramError as error:
            raise StoreError(f"{error}: see to it, or take it out of {written}") from None
        if len(done.out) > _MOST:
            raise StoreError(f"{path} answers with {len(done.out)} bytes")
        return done


def _program(helper: str) -> str:
    """What a helper's program is called, or its path."""
    return helper if os.path.isabs(helper) else f"{_PREFIX}{helper}"


def _of_the_system(path: str, written: str) -> str:
    """A program that another user's file names (sudo), by its name without links.

    Nobody but us may be able to put anything in its place.
    """
    from credlatch.system import owners

    path = os.path.realpath(path)
    if not owners.only_we_change(path):
        raise StoreError(f"{path} is not run: {written} is another user's, and so is it")
    return path


def _for_host(chain: Chain, host: str) -> str | None:
    """Bazel's rule: the host, else the longest ``*.`` pattern, which is for its parent too."""
    labels = host.split(".")
    names = [host, *("*." + ".".join(labels[at:]) for at in range(len(labels))), ALL]
    return next((chain[name] for name in names if name in chain), None)


def _spellings(key: str) -> tuple[str, ...]:
    url = registry.parse(key)
    return (key,) if url is None else (key, *registry.below(url), *registry.spellings(url))


def _is_helper(name: object) -> bool:
    return isinstance(name, str) and programs.is_name(name)


def _parse(text: str, path: str) -> dict[str, Chain]:
    try:
        chains = quick_json.loads(text) if text and not text.isspace() else {}
    except ValueError as error:
        raise StoreError(f"{path} is not JSON ({error}): mend it, or remove it") from None
    found: dict[str, Chain] = {}
    for protocol, chain in (chains if isinstance(chains, dict) else {"": None}).items():
        if not isinstance(chain, dict) or not all(map(_is_helper, chain.values())):
            raise StoreError(f"{path} is not made of hosts and helpers: mend it, or remove it")
        found[protocol] = chain
    return found
