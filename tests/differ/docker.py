"""``auths``, as docker/cli's library reads them, and as containers' library does."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from credlatch import registry
from differ import ours
from differ.cases import Answer, Case, Difference, Rule
from differ.peers.lines import Lines
from differ.rules import LAST_DOT, PLAIN, host_of, saying
from differ.words import Words
from support.components import need
from support.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

_HUB = "https://index.docker.io/v1/"
_HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")
_FIELDS = {
    "docker": ("auth", "identitytoken", "registrytoken", "password"),
    "containers": ("auth",),
}
FILES = {"docker": ".docker/config.json", "containers": ".config/containers/auth.json"}


class Auths(Lines):
    """The small program of tests/components/auths, which asks both libraries."""

    def __init__(self, home: Home) -> None:
        super().__init__([need("auths")], home.env, home.path)

    def logins(self, library: str, file: Path, keys: list[str]) -> list[Answer]:
        """What one of the libraries says for each key."""
        answers = self.ask({"file": str(file), "keys": keys})[library]
        return [_read(answer) for answer in answers]


def _read(answer: dict[str, Any]) -> Answer:
    if "contains http[s]:// prefix" in answer["error"]:
        return Answer()  # containers' library has no such keys
    if answer["error"]:
        return Answer(failed=answer["error"])
    found = [_login(login) for login in answer["logins"]]
    return Answer(found[0], also=frozenset(found))


def _login(login: dict[str, str]) -> str:
    if login["identitytoken"]:
        return f"Basic <token>:{login['identitytoken']}"
    if login["username"] or login["password"]:
        return f"Basic {login['username']}:{login['password']}"
    return f"Basic __token__:{login['registrytoken']}" if login["registrytoken"] else ""


def _spelled(key: str) -> str:
    """The usual spelling of a key: no port that is known, no dot at the end, the Hub's own."""
    scheme, mark, rest = key.rpartition("://")
    host, slash, path = rest.partition("/")
    host = re.sub(r":(0*443)?$", "", host)  # of http, too: docker/cli forgets a key's scheme
    if mark or (slash and path.strip("/") in {"", "v1", "v2"}):
        host = host.lower()  # a key in an older form, too, with a scheme or without
    if mark:
        host = host.removesuffix(":80") if scheme.lower() == "http" else host
    name, colon, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    if mark and "." in name[:-1] and not name.startswith("["):
        name = name.removesuffix(".")  # a name of one label is another with its dot
    host = f"{name}{colon}{port.lstrip('0')}"
    if host in _HUB_HOSTS and path.strip("/") in {"", "v1", "v2"}:
        return _HUB
    # Go's libraries take the brackets away with the scheme, and find nothing.
    return host if mark and host.startswith("[") else f"{scheme}{mark}{host}{slash}{path}"


def _one_spelling(case: Case) -> Case | None:
    """All keys spelt alike; of two that then are one, the asked one counts (JSON: the last)."""
    (asked,) = case.questions
    keys = [next(iter(json.loads(f"{{{entry}}}"))) for entry in case.entries]
    pairs = list(reversed(list(zip(keys, case.entries, strict=True))))
    pairs.sort(
        key=lambda pair: (
            pair[0] == asked,
            "://" not in pair[0],
            not pair[0].startswith("http://"),
            _spelled(pair[0]) == pair[0],
        )
    )
    entries = [json.dumps(_spelled(key)) + entry[len(json.dumps(key)) :] for key, entry in pairs]
    changed = case._replace(entries=tuple(entries), questions=(_asked_as(asked),))
    return changed if changed != case else None


def _is_empty(entry: str, fields: tuple[str, ...]) -> bool:
    """Whether there is nothing in an entry that a library knows."""
    (value,) = json.loads(f"{{{entry}}}").values()
    known = value.items() if isinstance(value, dict) else ()
    return not any(content for name, content in known if name.lower() in fields)


def _without_empty(fields: tuple[str, ...]) -> Callable[[Case], Case | None]:
    def changed(case: Case) -> Case | None:
        kept = tuple(entry for entry in case.entries if not _is_empty(entry, fields))
        return case._replace(entries=kept) if kept != case.entries else None

    return changed


def _asked_as(key: str) -> str:
    """The usual spelling of a key that is asked for."""
    url = registry.parse(key)
    if url is None:
        return key
    scheme = "http://" if key.startswith("http://") else ""
    return _spelled(f"{scheme}{url.netloc}{url.path if url.path != '/' else ''}")


def _for_a_part(difference: Difference) -> bool:
    """Whether a key is for a part of a registry: docker/cli has it for all of it."""
    keys = [entry.partition('": ')[0] for entry in difference.case.entries]
    return any("/" in key and "://" not in key for key in keys) and not difference.ours.failed


def _parts_alone(case: Case) -> Case | None:
    """The keys for parts of registries: docker/cli would rather take one for the whole."""
    keys = {entry: entry.partition('": ')[0] for entry in case.entries}
    kept = tuple(entry for entry, key in keys.items() if "/" in key and "://" not in key)
    return case._replace(entries=kept) if kept and kept != case.entries else None


def _no_host(difference: Difference) -> bool:
    """Whether the key that is asked for means no host, and so only equals itself."""
    return registry.parse(difference.question) is None and not difference.ours.failed


def _in_http(difference: Difference) -> bool:
    return difference.question.startswith("http://") and not difference.ours.failed


def _dotted(difference: Difference) -> bool:
    return host_of(f"https://{difference.question.rpartition('://')[2]}").endswith(".")


def _rules(library: str) -> tuple[Rule, ...]:
    return (
        PLAIN,
        Rule("a damaged entry", refused=saying("is damaged")),
        Rule("`auths`: a key for a part of a registry", refused=_for_a_part),
        Rule("`auths`: a key that means no host", refused=_no_host),
        Rule(
            "`auths`: a host's name that is not ASCII",
            refused=lambda one: not one.question.isascii(),
        ),
        Rule("`auths`: what is kept for https, over http", refused=_in_http),
        Rule("`auths`: an IPv6 address", refused=lambda one: "[" in one.question),
        Rule(LAST_DOT.title, refused=_dotted),
        Rule("`auths`: an empty entry", instead=_without_empty(_FIELDS[library])),
        Rule(
            "`auths`: what Docker's device login keeps",
            refused=lambda one: any('-token"' in entry for entry in one.case.entries),
        ),
        Rule("`auths`: one registry in several spellings", instead=_one_spelling),
        Rule("`auths`: a key for a part of a registry", instead=_parts_alone),
    )


class DockerFile:
    """One library and its file, asked in Docker's protocol."""

    share = 1.0

    def __init__(self, library: str, folder: Path, auths: Auths) -> None:
        self.name = f"auths-{library}"
        self.rules = _rules(library)
        self._library = library
        self._home = Home(folder / self.name)
        self._auths = auths

    def case(self, random: Random) -> Case:
        """A file, and keys."""
        words = Words(random)
        count = random.randint(0, 6)
        found = [_entry(words, number) for number in range(count)]
        entries = tuple({entry.partition('": ')[0]: entry for entry in found}.values())
        keys = (_key(words, words.port()) for _ in range(40))
        if self._library == "containers":
            # Its programs ask for `host[:port]` and for what is below that, and for no URL.
            keys = (self._registry("containers", key) for key in keys if "-token" not in key)
        return Case(entries, tuple(keys))

    def _write(self, case: Case) -> Path:
        text = f'{{"auths": {{{",".join(case.entries)}}}}}'
        return self._home.write(FILES[self._library], text)

    def theirs(self, case: Case) -> list[Answer]:
        """What the library says for a key, or else for the registry that the key is of."""
        file = self._write(case)
        found = self._asked(self._library, file, case)
        if self._library == "docker":
            # Containers' programs read Docker's file as well: what they send is not sent elsewhere.
            read = self._asked("containers", file, case)
            found = [
                one._replace(also=one.also | {one.sent, other.sent, *other.also})
                for one, other in zip(found, read, strict=True)
            ]
        return found

    def _asked(self, library: str, file: Path, case: Case) -> list[Answer]:
        registries = [self._registry(library, key) for key in case.questions]
        exact = self._auths.logins(library, file, list(case.questions))
        whole = self._auths.logins(library, file, registries)
        return [
            answer if answer.sent or len(answer.also) > 1 else other
            for answer, other in zip(exact, whole, strict=True)
        ]

    @staticmethod
    def _registry(library: str, key: str) -> str:
        """What a library's own programs ask for: ``host[:port]``, or containers' ``host/ns``."""
        mark = "://" in key
        host, slash, path = (key.partition("://")[2] if mark else key).partition("/")
        if host in _HUB_HOSTS:
            if key.endswith("-token"):
                return key  # `docker login` keeps more secrets below the Hub's key
            host = _HUB if library == "docker" else "docker.io"
        if library == "docker" or path.strip("/") in {"", "v1", "v2", "v1/users"}:
            return host
        return f"{host}{slash}{path}"

    def ours(self, case: Case) -> list[Answer]:
        """As Docker's clients ask."""
        self._write(case)
        return [ours.docker(self._home, key) for key in case.questions]


def _key(words: Words, port: str) -> str:
    """A key, as clients send them and as files have them."""
    if words.chance(12):
        return words.one(
            _HUB, *_HUB_HOSTS, "https://index.docker.io", "https://docker.io", "docker.io/ns/repo",
            f"{_HUB}refresh-token", f"{_HUB}access-token", "https://registry-1.docker.io/v2/",
        )  # fmt: skip
    name = words.host()
    host = f"{name}{port}"
    # Of an IPv6 address in a URL, Go's libraries keep the brackets here and drop them there.
    if words.chance(60) or name.startswith("["):
        return host
    if words.chance(40):
        return (name if port == ":443" else host) + words.one(
            "/ns/repo", "/ns", "/ns/repo/deep", "/n", "/"
        )
    start = words.one("https://", "https://", "http://")
    return start + host + words.one("", "/", "/v1/", "/v2/", "/v2", "/ns/repo", "/v1/users/")


def _entry(words: Words, number: int) -> str:
    password = words.secret(number)
    pair = f"{words.user()}:{password}"
    encoded = base64.b64encode(pair.encode()).decode()
    auth: dict[str, object] = {"auth": encoded}
    if words.odd():
        encoded = words.one(
            base64.encodebytes(pair.encode()).decode(), f"{encoded[:4]}\r\n{encoded[4:]}",
            base64.b64encode(pair.encode() + b"\0\0").decode(), encoded.rstrip("="), f" {encoded}",
            base64.b64encode(b"no colon").decode(), base64.b64encode(b":p").decode(), "###", "",
            base64.urlsafe_b64encode("ü?>:ÿ?>".encode()).decode(), encoded + "=",
            base64.b64encode(b"u:\xff").decode(), base64.b64encode(b"u:").decode(),
        )  # fmt: skip
        auth = {words.one("auth", "Auth", "AUTH"): encoded}
    if words.odd():
        auth |= {words.one("identitytoken", "IdentityToken"): f"i{number}"}
    if words.odd():
        auth |= {"registrytoken": f"r{number}"}
    if words.odd():
        auth |= {"username": "n", "password": f"w{number}"}
    if words.odd():
        auth.pop("auth", None)
    text = json.dumps(auth)
    if words.odd():
        text = words.one("{}", "null", '{"auth":null}', '{"auth":1}', '"x"', "[]", '{"email":"e"}')
    key = _key(words, words.one("", "", "", ":443", ":8443", ":5000"))
    return f"{json.dumps(key)}: {text}"
