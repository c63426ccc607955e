"""The command line of Python's ``keyring``, as pip, uv, pixi and people call it.

    keyring get SERVICE USER                              the password
    keyring --mode creds get SERVICE [USER]               the user name, and the password
    keyring --output json …                               the same as a JSON object
    keyring set SERVICE USER                              keep what standard input says
    keyring del SERVICE USER                              forget it

Options may stand anywhere, with ``=`` or without. What is found goes to standard output, and the
exit status is 0; nothing found is nothing said and 1; wrong usage is 2.
"""

from __future__ import annotations

from credlatch import clients, quick_json
from credlatch import request as requests
from credlatch import url as urls
from credlatch.errors import RequestError, StoreError, UsageError
from credlatch.protocols import NEAR, Protocol, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Secret
    from credlatch.resolve import Resolution

USAGE = """\
usage: keyring [--mode password|creds] [--output plain|json] get SERVICE [USER]
       keyring set SERVICE USER      keep a password, which standard input says
       keyring del SERVICE USER      forget it

This is credlatch's: SERVICE is a URL or a host, and any login that credlatch knows is found.
"""
_CHOICES = {"--mode": ("password", "creds"), "--output": ("plain", "json")}
_OF_PYTHON = ("--keyring-path", "--keyring-backend", "--list-backends", "--disable", "-p", "-b")


class Call:
    """One call.

    Attributes:
        operation: ``get``, ``set`` or ``del``.
        url: what the service names, with the user name; https where it is a bare host.
        username: whose login; None: anybody's.
        with_username: whether the user name is wanted too.
        as_json: whether JSON is wanted.
    """

    def __init__(self, words: list[str], mode: str, output: str) -> None:
        self.operation, service, *rest = words
        self.username = rest[0] if rest and rest[0] else None
        self.with_username = mode == "creds"
        self.as_json = output == "json"
        # Whatever names a host names it for https; any other word is a host that nobody knows.
        self.url = urls.parse(service if "://" in service else f"https://{service}")
        if self.url.scheme == "s3":
            raise RequestError("a keyring has logins for web servers, and s3: is none")
        self.url.username = self.username or self.url.username


def wants_help(args: list[str]) -> bool:
    """Whether a call asks how it is done."""
    options = args[: args.index("--")] if "--" in args else args
    return "-h" in options or "--help" in options


def parse(args: list[str]) -> Call:
    """A call, from its arguments.

    Raises:
        UsageError: they are wrong.
        RequestError: the service is neither a URL nor a name that a host could have.
    """
    words, chosen = _sorted(args)
    mode, output = chosen.get("--mode", "password"), chosen.get("--output", "plain")
    operation = words[0] if words else ""
    if operation == "diagnose":
        raise UsageError(_not_python("diagnose"))
    if operation not in {"get", "set", "del"}:
        raise UsageError("the operation must be get, set or del: see keyring --help")
    least = 2 if operation == "get" and mode == "creds" else 3
    if not least <= len(words) <= 3:  # noqa: PLR2004 - operation, service, user name
        needed = "a service" if least == 2 else "a service and a user name"  # noqa: PLR2004
        raise UsageError(f"{operation} needs {needed}: see keyring --help")
    if operation != "get" and not words[2]:
        raise UsageError(f"{operation} needs a user name that is not empty: see keyring --help")
    return Call(words, mode, output)


def _sorted(args: list[str]) -> tuple[list[str], dict[str, str]]:
    """The words, and what the options choose."""
    words: list[str] = []
    chosen: dict[str, str] = {}
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            return [*words, *rest], chosen
        if not arg.startswith("-") or arg == "-":
            words.append(arg)
            continue
        name, equals, value = arg.partition("=")
        if name in _OF_PYTHON:
            raise UsageError(_not_python(name))
        choices = _CHOICES.get(name)
        if choices is None:
            raise UsageError(f"there is no option {name[:40]!r}: see keyring --help")
        value = value if equals else next(rest, "")
        if value not in choices:
            raise UsageError(f"{name} is one of {', '.join(choices)}: see keyring --help")
        chosen[name] = value
    return words, chosen


def _not_python(what: str) -> str:
    return f"{what} is for Python's keyring, and this is credlatch's: python -m keyring has it"


def render(call: Call, resolution: Resolution) -> bytes:
    """The answer to ``get``.

    Raises:
        StoreError: lines cannot hold it.
    """
    username, password = resolution.credential.login(call.url.host)
    username = call.url.username or username
    if call.as_json:
        return _as_json(username if call.with_username else None, password)
    text = password.reveal()
    if call.with_username:
        if set(username + text) & set("\n\r\0"):
            raise StoreError(
                f"the login from {resolution.location} has a line break or a NUL, which lines "
                "cannot hold: ask with --output json"
            )
        text = f"{username}\n{text}"
    return f"{text}\n".encode()


def _as_json(username: str | None, password: Secret) -> bytes:
    quote = quick_json.quote
    known = "" if username is None else f'"username": {quote(username)}, '
    return f'{{{known}"password": {quote(password.reveal())}}}\n'.encode()


def _question(asked: bytes) -> Question:
    call = parse(clients.unpack(asked))
    if call.operation != "get":
        raise UsageError("the operation must be get")
    request = requests.for_login(call.url)
    return Question(request, lambda found: render(call, found), status=1, told=NEAR)


PROTOCOL = Protocol(_question)
