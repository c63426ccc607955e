"""What clients say, what they are told, and what processes of ours say to each other."""

from __future__ import annotations

import json
from typing import Any

from credlatch import answers, clients, go_json
from credlatch import url as urls
from credlatch.agent import wire
from credlatch.agent.forward import Hosts
from credlatch.caller import Caller
from credlatch.clients import CLIENTS
from credlatch.credential import Basic, Bearer, Credential, Secret
from credlatch.errors import CredlatchError, RequestError
from credlatch.lines import line
from credlatch.resolve import Resolution
from credlatch.secrets import shapes
from credlatch.stores import Entry
from fuzz.target import MARK, SPLIT, of_text, target, told

_URL = "https://h.example/a https:// http:// h.example /v2/ :443 @ bob: ? # % [::1] * \\ é "
_JSON = '{ } [ ] : , " \\ \\u0000 null 1 true ␣ ␊ \ufeff '
_CLIENTS = {
    "bazel": (
        _URL + _JSON + '"uri" "url"',
        ['{"uri":"https://h.example/a"}', '\ufeff{"uri":"https://bob:x@h.example/"}'],
    ),
    "docker": (_URL + _JSON, ["h.example", "https://index.docker.io/v1/\n", "[::1]:5000"]),
    "git": (
        _URL + "protocol= host= path= username= password= wwwauth[]= capability[]= state[]= = ␊ ␊␊ "
        "␍␊ ␀ Bearer Basic, authtype password_expiry_utc=",
        [
            "protocol=https\nhost=h.example\npath=a%20b\nwwwauth[]=Basic realm=x\n\n",
            f"capability[]=authtype\nprotocol=https\nhost=h.example:8443\npassword={MARK}\n",
        ],
    ),
    "keyring": (
        _URL + "get set del ␀ --mode creds --mode= --output json -- - diagnose --help ",
        ["get\0https://h.example/simple/\0bob", "--mode\0creds\0get\0h.example"],
    ),
    "goauth": (_URL + "␀", ["https://h.example/a/b", ""]),
    "cargo": (
        _URL + _JSON + '"v" "registry" "index-url" "sparse+https://h.example/" "kind" "get" "args" '
        '"--raw" "token" "name" "login-url" "registry+"',
        [
            (
                '{"v":1,"registry":{"index-url":"sparse+https://h.example/","name":"a"},"kind":"get",'
                '"args":["--raw"]}'
            ),
            (
                '{"v":1,"registry":{"index-url":"https://h.example/i"},"kind":"login","token":'
                f'"{MARK}"}}'
            ),
        ],
    ),
    "header": (_URL + "␀ --", ["https://h.example/"]),
    "token": (_URL + "␀ --user", ["--user\0https://h.example/"]),
}
assert set(_CLIENTS) == set(CLIENTS)  # a new protocol is fuzzed, too
_CREDENTIALS: tuple[Credential, ...] = (
    Basic("bob", Secret(f'"{MARK}é:\\')),
    Basic("b:b", Secret(f"{MARK}\n")),
    Bearer(Secret(MARK)),
    Bearer(Secret(f"{MARK}\r\nX-Evil: 1")),
)


def _add(name: str, words: str, seeds: list[str]) -> None:
    @target(f"client_{name}", words, seeds)
    def _client(data: bytes) -> None:
        protocol = CLIENTS[name].protocol()
        try:
            question = protocol.parse(data)
        except CredlatchError as error:
            if str(error):  # else it is one of the protocol's own answers
                told(error)
            out, err = protocol.failure(error)
            assert (out + err).count(b"\n") == 1
            return
        request = question.request
        for credential in _CREDENTIALS if request is not None else ():
            entry = Entry(credential, "path")
            url = None if request is None else request.url
            try:
                out = question.render(Resolution(credential, url, 1_800_000_000, "s", entry))
            except (ValueError, CredlatchError) as error:
                told(error)
            else:
                _reads(name, out)


def _reads(name: str, out: bytes) -> None:
    """An answer is what its client reads."""
    assert out.endswith(b"\n")
    if name in {"bazel", "docker", "cargo"}:
        assert isinstance(json.loads(out), dict)
        assert out.count(b"\n") == 1
    elif name in {"header", "goauth"}:
        assert b"X-Evil: 1" not in out.split(b"\n")
        assert b"\r" not in out
    elif name == "git":
        assert all(b"=" in row for row in out.split(b"\n")[:-1])


for _name, (_words, _seeds) in _CLIENTS.items():
    _add(_name, _words, _seeds)


@target(
    "docker_store",
    _JSON + ' "ServerURL" "serverurl" "Username" "Secret" h.example \\u017fecret',
    [f'{{"ServerURL":"h.example","Username":"bob","Secret":"{MARK}"}}'],
)
def _docker_store(data: bytes) -> None:
    """What ``docker login`` has kept: its three fields, or why not."""
    from credlatch.protocols import docker

    try:
        key, login = docker.parse_store(data)
    except RequestError as error:
        return told(error)
    said = go_json.fields(
        go_json.loads(data.decode().removeprefix("\ufeff")), "serverurl", "secret"
    )
    assert said is not None
    assert login.username
    assert (key, login.secret.reveal()) == (str(said["serverurl"]).strip(), said.get("secret", ""))
    return None


@target("bare", "{ [ h.example ␣ ␊ \ufeff get", ['{"uri":"https://h.example"}', "h.example"])
def _bare(data: bytes) -> None:
    """``credlatch get``, and requests that another process names by any name."""
    name, _, asked = data.partition(SPLIT.encode())
    for each in (b"", name):
        client = answers.client_named(each, asked)
        if client is not None:
            url = answers.url_of(client, asked)
            assert url is None or url.host
    words = [word for word in clients.unpack(data) if word]
    clients.question(["credlatch", *words])
    assert clients.unpack(clients.pack(["a", *words])) == ["a", *words]


@target(
    "wire",
    "CRED\x01 G F S L Q . - = ␀ ␀␀␀␀ ␀␀␀\x04 \x7f",
    [wire.request(wire.GET, b"bazel", b"/", b"", b"{}", b"A=b"), wire.answer(0, b"out", b"err")],
)
def _wire(data: bytes) -> None:
    """A frame is what it was made of, or none."""
    try:
        fields = wire.unpack(data)
    except ValueError:
        pass
    else:
        assert wire.pack(*fields) == data
    try:
        asks_for, length = wire.head(data[: wire.HEAD])
    except ValueError:
        return
    assert len(asks_for) == 1
    assert 0 <= length <= wire.LONGEST
    again = wire.request(asks_for, *(fields := [data[wire.HEAD :]]))
    assert wire.unpack(again[wire.HEAD :]) == fields


@target(
    "forwarded_hosts",
    "* *. : :* :443 h.example https:// http:// / @ ? [::1] é ␣",
    ["*.h.example:*"],
)
@of_text
def _forwarded_hosts(text: str) -> None:
    """What is forwarded is no more than what was named."""
    try:
        hosts = Hosts(text)
    except RequestError as error:
        return told(error)
    other = urls.parse("https://other.invalid/")
    assert not hosts.has(other) or text.startswith("*") or "other.invalid" in text.lower()
    assert not hosts.has(urls.parse("https://h.example.evil.invalid/")) or text.startswith("*")
    return None


@target("lines", "␣ ␊ ␍ ␀ \x1b[2J \u2028 \u202e é \ufffe", ["a line"])
@of_text
def _lines(text: str) -> None:
    """What is told is one line, which no terminal takes for anything else."""
    shown = line(text)
    assert shown.count(b"\n") == 1
    assert shown.endswith(b"\n")
    assert shown.decode()[:-1].isprintable()


@target("timeout", "0 1 9 . e - inf nan ␣ _ \u0661", ["9", "600", "1e2"])
@of_text
def _timeout(text: str) -> None:
    """A call ends in time, whatever its environment says."""
    caller = Caller({"CREDLATCH_TIMEOUT": text}, "/")
    assert 0 <= caller.left(1e9) <= 600


@target(
    "secret_shapes",
    "bob : ' \" \\ # ; $ ` ␣ ␊ ␍ ␀ é % @ / = <token> __token__",
    [f"bob{SPLIT}{MARK}", f"{SPLIT}{MARK}", f"<token>{SPLIT}{MARK}"],
)
@of_text
def _secret_shapes(text: str) -> None:
    """A login in a form that a tool reads is read as that login."""
    import configparser
    import io
    import netrc as theirs
    import shlex
    from urllib.parse import unquote, urlsplit

    username, _, password = text.partition(SPLIT)
    url = urls.parse("https://h.example/simple/")
    made: dict[str, str] = {}
    for shape in shapes.SHAPES:
        for credential in (Basic(username, Secret(password)), Bearer(Secret(password))):
            try:
                said = shapes.made(shape, credential, url).reveal()
            except ValueError as error:
                told(error)
            else:
                if isinstance(credential, Basic):
                    made[shape] = said
    if "url" in made:
        split = urlsplit(made["url"])
        assert (split.hostname, split.path) == ("h.example", "/simple/")
        assert unquote(split.username or "") == username
        assert unquote(split.password or "") == password
        assert shlex.split(made["uv.env"])[1] == f"UV_DEFAULT_INDEX={made['url']}"
        parser = configparser.RawConfigParser()
        parser.read_string(made["pip.conf"])
        assert parser["global"]["index-url"] == made["url"]
    if "netrc" in made and username and password:
        reader: Any = theirs.netrc.__new__(theirs.netrc)
        reader.hosts, reader.macros = {}, {}
        reader._parse("netrc", io.StringIO(made["netrc"]), False)  # as it reads a file
        found = reader.authenticators("h.example")
        assert found is not None
        assert (found[0], found[2]) == (username, password)
    if "config.json" in made:
        (entry,) = json.loads(made["config.json"])["auths"].values()
        assert entry["auth"] or entry["identitytoken"]
    if "credentials.json" in made:
        kept = json.loads(made["credentials.json"])["h.example"]["BasicHTTP"]
        assert kept == {"username": username, "password": password}
    if ".npmrc" in made:
        assert made[".npmrc"].count("\n") == 1
