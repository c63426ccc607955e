"""What each client would get: asked by its own protocol, through the code that answers it."""

from __future__ import annotations

import json

from credlatch import answers, registry
from credlatch import clients as table
from credlatch.credential import TOKEN_USER
from credlatch.explain.asking import Asking
from credlatch.explain.model import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.answers import Answer
    from credlatch.caller import Caller
    from credlatch.url import Url

# The tools that a question may be asked as, and the client that each is.
AS = {
    "bazel": "bazel",
    "docker": "docker",
    "podman": "docker",
    "pip": "keyring",
    "uv": "keyring",
    "pixi": "keyring",
    "git": "git",
    "go": "goauth",
    "cargo": "cargo",
}
# What is told of a URL, and who asks in that way.
_TOLD = {"bazel": "Bazel", "docker": "docker", "keyring": "pip, uv", "git": "git", "goauth": "Go"}


def asked(client: str, text: str) -> bytes:
    """What a client writes, or says, that asks for a URL or a key."""
    return _ASKED[client](text)


def _bazel(text: str) -> bytes:
    return json.dumps({"uri": text}).encode()


def _docker(text: str) -> bytes:
    return text.encode()


def _keyring(text: str) -> bytes:
    return table.pack(["--mode", "creds", "--output", "json", "get", text])


def _git(text: str) -> bytes:
    scheme, _, rest = text.partition("://")
    authority, _, path = rest.partition("/")
    username, _, host = authority.rpartition("@")
    lines = [("protocol", scheme), ("host", host), ("path", path)]
    lines += [("username", username.partition(":")[0])] if username else []
    return "".join(f"{name}={value}\n" for name, value in lines).encode()


def _goauth(text: str) -> bytes:
    return table.pack([text])


def _cargo(text: str) -> bytes:
    return json.dumps({"v": 1, "registry": {"index-url": text}, "kind": "get"}).encode()


_ASKED: dict[str, Callable[[str], bytes]] = {
    "bazel": _bazel,
    "docker": _docker,
    "keyring": _keyring,
    "git": _git,
    "goauth": _goauth,
    "cargo": _cargo,
}


def all_for(url: Url, caller: Caller) -> list[Client]:
    """What each client gets that asks for a URL."""
    user = f"{url.username}@" if url.username else ""
    text = f"{url.scheme}://{user}{url.netloc}{url.target}"
    told = []
    for name, tools in _TOLD.items():
        if name == "goauth" and (url.scheme != "https" or url.username):
            continue  # it asks for nothing else
        wanted = _key(url) if name == "docker" else text
        told.append(one(name, tools, wanted, caller))
    return told


def _key(url: Url) -> str:
    """What Docker's clients call the registry."""
    return registry.HUB_KEY if registry.is_hub(url) else url.netloc


def one(name: str, tools: str, text: str, caller: Caller) -> Client:
    """What one client gets."""
    made: list[Asking] = []

    def resolver(caller: Caller) -> Asking:
        made.append(Asking(caller))
        return made[-1]

    answer = answers.get(table.CLIENTS[name], asked(name, text), caller, resolver)
    shown = text.partition("?")[0].rpartition("@")[2] if "://" not in text else _shown(text)
    told = Client(name, tools, shown, answer.status)
    if any(each.pending for each in made):
        told.pending, told.status = True, 0
        told.gets = "a token that is fetched when it asks"
    elif answer.resolution is not None:
        _READ[name](answer, told)
    elif answer.failure is not None or (answer.outcome and answer.outcome.failure):
        said = answer.failure or (answer.outcome and answer.outcome.failure)
        told.failure = str(said)
    return told


def _shown(text: str) -> str:
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}" + (
        f"/{rest.partition('/')[2].partition('?')[0]}" if "/" in rest else ""
    )


def _of_bazel(answer: Answer, told: Client) -> None:
    _headers(list(json.loads(answer.out)["headers"]), answer, told)


def _of_goauth(answer: Answer, told: Client) -> None:
    lines = answer.out.decode().split("\n\n")[1].splitlines() if answer.out else []
    _headers([line.partition(":")[0] for line in lines], answer, told)


def _headers(names: list[str], answer: Answer, told: Client) -> None:
    told.headers = names
    told.gets = f"the {'headers' if len(names) > 1 else 'header'} above"
    if answer.resolution is not None and told.name == "bazel":
        told.expires = answer.resolution.expires


def _of_docker(answer: Answer, told: Client) -> None:
    _login(json.loads(answer.out)["Username"], answer, told)


def _of_keyring(answer: Answer, told: Client) -> None:
    _login(json.loads(answer.out).get("username"), answer, told)


def _of_git(answer: Answer, told: Client) -> None:
    lines = [line.partition("=") for line in answer.out.decode().splitlines()]
    said = {name: value for name, _, value in lines}
    if "authtype" in said:
        told.gets = f"the token, as {said['authtype']}"
    else:
        _login(said.get("username"), answer, told)
    if said.get("password_expiry_utc", "").isdecimal():
        told.expires = int(said["password_expiry_utc"])


def _of_cargo(answer: Answer, told: Client) -> None:
    if b'"Ok"' in answer.out:
        told.gets = "the token, as Authorization"


def _login(user: str | None, answer: Answer, told: Client) -> None:
    told.user = user
    credential = None if answer.resolution is None else answer.resolution.credential
    is_token = credential is None or not credential.names_user or user == TOKEN_USER
    what = "token" if is_token else "password"
    told.gets = f"user {user}, the {what}" if user else f"the {what}"


_READ: dict[str, Callable[[Answer, Client], None]] = {
    "bazel": _of_bazel,
    "docker": _of_docker,
    "keyring": _of_keyring,
    "git": _of_git,
    "goauth": _of_goauth,
    "cargo": _of_cargo,
}
