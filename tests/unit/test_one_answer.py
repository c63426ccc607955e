"""One URL has one answer, whichever client asks, and its trace says where that is from.

Stores and URLs are made up from a seed. Each secret is put in one place alone, so that it tells
where an answer has come from.
"""

from __future__ import annotations

import json
from base64 import b64decode
from random import Random
from typing import TYPE_CHECKING

import pytest

from credlatch import answers, clients
from credlatch.caller import Caller
from credlatch.errors import CredlatchError
from credlatch.resolve import Resolver
from credlatch.secrets import wanted
from credlatch.secrets.source import Says, Source
from credlatch.stores.order import ORDER, PROJECT
from support.callers import FakeKeyring
from support.found import sure
from support.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credlatch.answers import Answer
    from credlatch.resolve import Outcome
    from support.chains import Chained

CASES = 200
USERS = ("alice", "bob")
HOSTS = ("h.example.com", "x.h.example.com")
FAILED = "failed"
ASKED_IN_VAIN = {"nothing", "near miss", "broken"}


class Case:
    """Stores with logins in them, and a URL to ask for.

    Attributes:
        user: who is named in it; None: nobody.
        put: the store, the place and the user of each secret; a token is nobody's.
        logins: stores, and users whose logins they hold for the whole host and port.
        own: likewise, where they are seen by nobody who asks for another user's.
        spoilt: whether a store cannot be read.
        special: whether rattler's store has what only a client finds that sends logins.
    """

    def __init__(self, seed: int, folder: Path, *, empty: bool = False) -> None:
        self.random = Random(seed)  # noqa: S311 - a generator of test cases
        self.home = Home(folder / "home")
        self.project = folder / "project"
        self.project.mkdir()
        self.keyring = FakeKeyring()
        self.put: dict[str, tuple[str, str, str]] = {}
        self.logins: set[tuple[str, str]] = set()
        self.own: set[tuple[str, str]] = set()
        self.spoilt = False
        self.special = False
        self.host = self.random.choice(HOSTS)
        self.port = self.random.choice(("", "", "", ":8443"))
        self.path = self.random.choice(("", "/", "/x", "/x/y"))
        self.user = self.random.choice((None, None, *USERS, *USERS, "carol"))
        density = self.random.choice((0.1, 0.2, 0.5))
        for store in (environment, rattler, uv, posit, netrc, docker, keyring, project):
            if not empty and self.random.random() < density:
                store(self)

    @property
    def url(self) -> str:
        """The URL without a user's name."""
        return f"https://{self.host}{self.port}{self.path}"

    @property
    def named(self) -> str:
        """The URL with the user's name."""
        return self.url if self.user is None else self.url.replace("//", f"//{self.user}@")

    def secret(self, store: str, location: str, of: str) -> str:
        """A secret for one place."""
        secret = f"{store} {of} {len(self.put)}".replace(" ", "-")
        self.put[secret] = (store, location, of)
        return secret

    def users(self) -> list[str]:
        """One or two users, in whatever order."""
        return self.random.sample(USERS, self.random.randint(1, 2))

    def broken(self, name: str) -> bool:
        """Whether a store's file has been written that nobody can read."""
        if self.random.random() < 0.1:
            self.home.write(name, "{???")
            self.spoilt = True
            return True
        return False

    def caller(self) -> Caller:
        own = {"CARGO_REGISTRIES_OWN_INDEX": f"sparse+{self.named}"}
        return Caller({**self.home.env, **own}, str(self.project))


def environment(case: Case) -> None:
    host = case.host.replace(".", "_").upper() + case.port.replace(":", "_")
    if case.random.random() < 0.5:
        name = f"CREDLATCH_TOKEN_{host}"
        case.home.env[name] = case.secret("environment", name, "token")
        return
    case.home.env[f"CREDLATCH_USERNAME_{host}"] = user = case.random.choice(USERS)
    case.logins.add(("environment", user))
    name = f"CREDLATCH_PASSWORD_{host}"
    case.home.env[name] = case.secret("environment", name, user)


def rattler(case: Case) -> None:
    file = ".rattler/credentials.json"
    if not case.broken(file):
        _, entries = _rattler(case, "rattler", file)
        case.home.write(file, json.dumps(entries))


def _rattler(case: Case, store: str, location: str) -> tuple[list[str], dict[str, object]]:
    places = [*HOSTS, "*.h.example.com", f"{case.host}/x", f"docker://{case.host}"]
    keys = case.random.sample(places, case.random.randint(1, 2))
    case.special = case.special or any("/" in key for key in keys)
    entries: dict[str, object] = {}
    for key in keys:
        of = case.random.choice(("token", *USERS))
        if of == "token":
            entries[key] = {"BearerToken": case.secret(store, location, of)}
            continue
        for at, user in enumerate(case.users()):
            login = {"username": user, "password": case.secret(store, location, user)}
            entries[f"{user}@{key}" if at else key] = {"BasicHTTP": login}
            if key == case.host and not (at and case.port):
                (case.own if at else case.logins).add((store, user))
    if case.random.random() < 0.5:
        case.own |= set() if case.port else {(store, "alice")}
        login = {"username": "alice", "password": case.secret(store, location, "alice")}
        entries[f"alice@{case.host}"] = {"BasicHTTP": login}
    return keys, entries


def uv(case: Case) -> None:
    file = ".local/share/uv/credentials/credentials.toml"
    if case.broken(file):
        return
    text = ""
    for service in case.random.sample(("", "/x", "/x/y"), case.random.randint(1, 2)):
        for user in case.users():
            password = case.secret("uv", file, user)
            if not service:
                case.logins.add(("uv", user))
            text += f'[[credential]]\nservice = "https://{case.host}{case.port}{service}"\n'
            text += f'username = "{user}"\npassword = "{password}"\n'
    case.home.write(file, text)


def posit(case: Case) -> None:
    file = ".ppm/tokens.toml"
    token = case.secret("posit", file, "token")
    text = f'[[connections]]\naddress = "https://{case.host}"\ntoken = "{token}"\n'
    case.home.write(file, f'{text}auth_type = "sso"\n')


def netrc(case: Case) -> None:
    machines = [f"machine {case.host}" for _ in range(case.random.randint(0, 2))]
    machines += ["default"] * case.random.randint(0, 1)
    lines = []
    for machine in machines:
        user = case.random.choice(USERS)
        case.logins.add(("netrc", user))
        lines.append(f"{machine} login {user} password {case.secret('netrc', '.netrc', user)}\n")
    case.home.write(".netrc", "".join(lines))


def docker(case: Case) -> None:
    file = ".docker/config.json"
    if case.broken(file):
        return
    auths = {}
    for key in case.random.sample((f"{case.host}{case.port}", f"{case.host}{case.port}/x"), 1):
        user = case.random.choice(USERS)
        auths[key] = {"username": user, "password": case.secret("docker", file, user)}
    case.home.write(file, json.dumps({"auths": auths}))


def keyring(case: Case) -> None:
    service = f"{case.host}{case.port}"
    for user in case.users():
        secret = case.secret("keyring", f"the keyring (service {service})", user)
        case.keyring.items.append((service, user, secret))
        case.own.add(("keyring", user))


def project(case: Case) -> None:
    _, entries = _rattler(case, "pixi-project", "auth.json")
    for name, text in {
        "pixi.toml": "[workspace]\n",
        ".pixi/config.toml": 'authentication-override-file = "auth.json"\n',
        "auth.json": json.dumps(entries),
    }.items():
        path = case.project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def _of_header(text: str) -> str:
    scheme, _, value = text.strip().partition(" ")
    return b64decode(value).decode().partition(":")[2] if scheme == "Basic" else value


def _words(case: Case) -> bytes:
    return clients.pack([case.named])


def _bazel(case: Case) -> bytes:
    return json.dumps({"uri": case.named}).encode()


def _bazel_s(out: str) -> str | None:
    headers = json.loads(out)["headers"]
    return _of_header(headers["Authorization"][0]) if headers else None


def _git(case: Case) -> bytes:
    lines = ["protocol=https", f"host={case.host}{case.port}", f"path={case.path.lstrip('/')}"]
    lines += [] if case.user is None else [f"username={case.user}"]
    return "".join(f"{line}\n" for line in lines).encode()


def _git_s(out: str) -> str | None:
    return dict(line.split("=", 1) for line in out.splitlines()).get("password")


def _keyring(case: Case) -> bytes:
    if case.user is None:
        return clients.pack(["--mode", "creds", "get", case.url])
    return clients.pack(["get", case.url, case.user])


def _cargo(case: Case) -> bytes:
    registry = {"index-url": f"sparse+{case.named}"}
    return json.dumps({"v": 1, "registry": registry, "kind": "get"}).encode()


def _cargo_s(out: str) -> str | None:
    answer = json.loads(out)
    return _of_header(answer["Ok"]["token"]) if "Ok" in answer else None


CLIENTS: dict[str, tuple[Callable[[Case], bytes], Callable[[str], str | None]]] = {
    "bazel": (_bazel, _bazel_s),
    "header": (_words, lambda out: _of_header(out.partition(": ")[2])),
    "cargo": (_cargo, _cargo_s),
    "git": (_git, _git_s),
    "keyring": (_keyring, lambda out: out.splitlines()[-1]),
    "token": (_words, str.strip),
    "goauth": (_words, lambda out: _of_header(out.partition(": ")[2])),
    "docker": (
        lambda case: f"{case.host}{case.port}".encode(),
        lambda out: json.loads(out).get("Secret") if out.startswith("{") else None,
    ),
}
BY_LOGIN = {"git", "keyring", "token"}


def by_secrets(case: Case) -> str | None:
    """What a build is given."""
    one = wanted.secret(f"id=t,url={case.named},as=token")
    try:
        found = Source(one, case.home.env, Says(lambda _: None)).find()
    except CredlatchError:
        return FAILED
    return None if found is None else found.decode()


def secret_in(answer: Answer, read: Callable[[str], str | None]) -> str | None:
    """What a client reads in its answer."""
    if answer.failure is not None:
        return FAILED
    return read(answer.out.decode()) if answer.out else None


def check(case: Case, outcome: Outcome, secret: str | None) -> None:
    """A trace is one of an answer, and names the place that the secret is from."""
    trace = outcome.trace
    assert [step.store for step in trace] == [name for name, _ in ORDER]
    came = [step.came for step in trace]
    if secret in {None, FAILED}:
        assert set(came) <= ASKED_IN_VAIN
        assert (secret == FAILED) == ("broken" in came)
        return
    at = came.index("found")
    assert set(came[:at]) <= ASKED_IN_VAIN
    assert set(came[at + 1 :]) <= {"not asked"}
    assert trace[at].store != PROJECT or "broken" not in came
    entry = sure(trace[at].entry)
    store, location, _ = case.put[str(secret)]
    assert trace[at].store == store
    assert location in entry.location


def check_every(case: Case, answer: Answer, outcome: Outcome) -> set[str]:
    """Who asks every store gets the same answer, and what it hides; all that came of it."""
    assert answer.request is not None
    every = Resolver(case.caller()).outcome(answer.request, every=True).trace
    asked = [step.came for step in outcome.trace if step.came != "not asked"]
    assert [step.came for step in every][: len(asked)] == asked
    for step in every[len(asked) :]:
        assert step.came in {"shadowed", *ASKED_IN_VAIN}
        if step.came == "shadowed":
            assert step.entry is not None
            assert case.put[sure(step.entry.credential).secret.reveal()][0] == step.store
    return {step.came for step in every}


def check_near_misses(case: Case, outcome: Outcome) -> None:
    """A near miss says why, and no secret; another user's login is one."""
    for step in outcome.trace:
        shown = " ".join(step.reasons())
        assert not [secret for secret in case.put if secret in shown]
        assert shown or step.came not in {"near miss", "broken"}
        others = {user for store, user in case.logins if store == step.store} - {case.user}
        if case.user is not None and others and step.came == "nothing":
            pytest.fail(f"{step.store} does not tell of its login of {others}")


@pytest.mark.parametrize("quarter", range(4))
def test_all_clients_agree_and_the_trace_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quarter: int
) -> None:
    seen: set[str] = set()
    for seed in range(quarter, CASES, 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        case = Case(seed, folder)
        monkeypatch.chdir(case.project)
        opened = "credlatch.system.keyring.open_keyring"
        monkeypatch.setattr(opened, lambda *_, kept=case.keyring, **__: kept)
        given: dict[str, str | None] = {"secrets": by_secrets(case)}
        for name, (ask, read) in CLIENTS.items():
            answer = answers.get(clients.CLIENTS[name], ask(case), case.caller())
            if name == "goauth" and case.user is not None:
                assert answer.request is None  # Go looks up no answer for a URL with a user
                continue
            given[name] = secret_in(answer, read)
            outcome = answer.outcome
            assert outcome is not None
            check(case, outcome, given[name])
            seen |= check_every(case, answer, outcome)
            if not sure(answer.request).registry:
                check_near_misses(case, outcome)
        given.pop("docker")  # its key names no user, and a registry has a rule of its own
        if case.user is not None:
            theirs = {each for each, (*_, of) in case.put.items() if of in {case.user, "token"}}
            assert set(given.values()) <= {None, FAILED, *theirs}, (seed, given)
            if case.user in {user for _, user in case.logins | case.own}:
                assert None not in given.values(), (seed, given)
            assert case.spoilt or FAILED not in given.values(), (seed, given)
        logins = {given[name] for name in BY_LOGIN}
        headers = {given[name] for name in given.keys() - BY_LOGIN}
        assert len(logins) == len(headers) == 1, (seed, given)
        if case.user is not None or not case.special:
            assert logins == headers, (seed, given)
    assert seen == {"found", "shadowed", *ASKED_IN_VAIN}


def test_a_chained_helper_s_login_of_another_user_is_no_answer(
    tmp_path: Path, chains: Chained
) -> None:
    case = Case(0, tmp_path, empty=True)
    case.home = chains.home
    login = json.dumps({"ServerURL": case.host, "Username": "bob", "Secret": "of bob"})
    chains.helper("docker-credential-other", login=login)
    chains.chain(docker={f"{case.host}{case.port}": "other"})
    for case.user, secret in (("bob", "of bob"), ("alice", None)):
        assert by_secrets(case) == secret
        for name, (ask, read) in CLIENTS.items():
            if name not in {"docker", "goauth"}:
                answer = answers.get(clients.CLIENTS[name], ask(case), case.caller())
                assert secret_in(answer, read) == secret, name


def test_what_a_client_cannot_be_given_is_a_near_miss_in_its_trace(tmp_path: Path) -> None:
    case = Case(0, tmp_path, empty=True)
    auths = {f"{case.host}{case.port}": {"registrytoken": "t"}}
    case.home.write(".docker/config.json", json.dumps({"auths": auths}))
    for name, came in (("header", "found"), ("token", "near miss")):
        answer = answers.get(clients.CLIENTS[name], CLIENTS[name][0](case), case.caller())
        assert answer.outcome is not None
        assert [step.came for step in answer.outcome.trace if step.store == "docker"] == [came]
        assert (answer.status == 0) == (answer.resolution is not None) == (came == "found")
        assert answer.failure is answer.outcome.failure
