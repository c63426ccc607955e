"""Parsers of a text alone, each beside a reader that others rely on."""

from __future__ import annotations

import base64
import configparser
import json
import re
import tomllib
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from credlatch import clock, go_json, jwt, oci, presigned, quick_json, registry, s3_hosts
from credlatch import request as requests
from credlatch import url as urls
from credlatch.auth import challenges
from credlatch.credential import Basic, Bearer, Secret, Token
from credlatch.errors import RequestError, StoreError
from credlatch.headers import Headers
from credlatch.identities import aws_keys, block_yaml, cloudsmith, glab
from credlatch.identities.table import SYSTEMS
from credlatch.rules import settings
from credlatch.stores import (
    Entry,
    chained_answers,
    netrc,
    netrc_text,
    posit,
    rattler_format,
    uv,
)
from credlatch.stores.netrc import _all_fields, _Netrc, _plain_fields
from credlatch.system.keyring import go_items
from fuzz.target import MARK, SPLIT, of_text, safe, target, told
from support.jwt import make_jwt

JSON = '{ } [ ] : , " \\ 0 -1 1e999 1.5 9007199254740993 true false null NaN \\ud800 \\u017f "" ␣ ␊'


def _refused(constant: str) -> None:
    raise ValueError(constant)


@target("json", JSON, ['{"a":[1,2.5,null,"x\\n"]}', '"\\ud800"', "[" * 60 + "]" * 60])
@of_text
def _json(text: str) -> None:
    """As the standard library reads it; objects as pairs, too."""
    for pairs in (False, True):
        hook = tuple if pairs else None
        try:
            theirs = json.loads(text, object_pairs_hook=hook, parse_constant=_refused)
        except (ValueError, RecursionError):
            theirs = ValueError
        try:
            ours = quick_json.loads(text, pairs=pairs)
        except ValueError as error:
            told(error)
            ours = ValueError
        assert repr(ours) == repr(theirs)
    assert json.loads(quick_json.quote(text)) == text


@target("go_json", JSON + ' auth AUTH "Auth":', ['{"Auth":"x","AUTH":null,"aut\\u0068":"y"}'])
@of_text
def _go_json(text: str) -> None:
    """By names in any case, the last value that is one."""
    try:
        said = go_json.loads(text)
    except ValueError as error:
        told(error)
        return
    found = go_json.fields(said, "auth", "keys")
    assert (found is None) == (not isinstance(said, tuple))
    for name in ("auth", "keys"):
        every = go_json.values(said, name)
        real = [each for each in every if each is not None]
        assert (found or {}).get(name) == (real[-1] if real else None)


@target("jwt", ". ey - _ = eyJhbGciOiJub25lIn0 e30", [make_jwt(4_000_000_000), "eyJ.e30."])
@of_text
def _jwt(text: str) -> None:
    """As base64 and JSON have it; times are whole, and none that a client could not write."""
    said = jwt.claims(text)
    for moment in jwt.moments(text):
        assert moment is None or (type(moment) is int and 0 <= moment <= clock.LATEST)
        assert moment is None or clock.timestamp(moment).endswith("Z")
    if said is None:
        return
    _, payload, _ = text.split(".")
    padded = payload + "=" * (-len(payload) % 4)
    assert repr(said) == repr(json.loads(base64.urlsafe_b64decode(padded)))


_URL = (
    "https:// http:// s3:// // / ? # @ : . .. %2e %2F %00 [ ] [::1] [::ffff:127.0.0.1] \\ ␣ * *. "
    "127.0.0.1 127.1 0x7f 1.2.3.4 localhost example.com EXAMPLE.com. xn--bcher-kva bücher ß "
    "\u3002 \uff11 "
    ":443 :80 :0 :65536 user user:pass@ \uff20 \u2044 \u2024 l\u017f \u212a _ - % ␀ ␊"
)


@target(
    "url",
    _URL,
    ["https://user:pass@example.com:443/a/../b?q#f", "http://[::1]:80/", "s3://bucket/x", "a.b:1"],
)
@of_text
def _url(text: str) -> None:
    """Whoever parses it finds the same host, and it is the same parsed again."""
    try:
        url = urls.parse(text)
    except RequestError as error:
        return told(error)
    again = urls.parse(url.text)
    assert (again.text, again.origin, again.path) == (url.text, url.origin, url.path)
    assert url.covers(url)
    assert url.path.isascii()
    assert url.path.startswith("/")
    assert url.target.startswith("/")
    assert url.host.isascii()
    assert url.host == url.host.lower()
    assert "@" not in url.netloc
    if url.scheme != "s3" and not url.host.startswith("*."):
        split = urlsplit(url.text)
        assert (split.hostname, split.port or url.port) == (url.host, url.port)
        # What sends: it has to speak to the host that the credential is for.
        sends = httpx.URL(url.text)
        assert sends.raw_host.decode().strip("[]") == url.host
        assert (sends.scheme, sends.port or url.port) == (url.scheme, url.port)
        if "://" in text:  # and with what the client has, from which it sends itself
            try:
                theirs = httpx.URL(text)
            except httpx.InvalidURL:
                return None
            host = theirs.raw_host.decode().strip("[]").lower()
            assert urls.undotted(host) == url.host or ":" in url.host, host
    return None


@target(
    "url_rooms",
    _URL + " /v2/ /manifests/ /blobs/ /token amazonaws.com s3. r2.cloudflarestorage.com pkg.dev "
    "github.com /releases/assets/1 dev.azure.com blob.core.windows.net X-Amz-Signature= ?sig=",
    [
        "https://bucket.s3.eu-west-1.amazonaws.com/a/b?versionId=1",
        "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/a/b/manifests/latest",
        "https://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/x/simple/",
        "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/simple/",
        "https://api.github.com/repos/a/b/releases/assets/1",
        "https://account.blob.core.windows.net/c/b?sv=1&sig=x",
    ],
)
@of_text
def _url_rooms(text: str) -> None:
    """All that looks at a URL before a store is asked."""
    try:
        url = urls.parse(text)
    except RequestError:
        return
    for system in SYSTEMS:
        module = __import__(f"credlatch.identities.{system.name}", fromlist=["claims"])
        if module.claims(url):
            assert url.scheme in {"https", "s3"}, system.name
        module.anonymous(url)
    request = requests.for_url(url)
    assert request.url is url
    place = s3_hosts.place(url)
    assert place is None or isinstance(place.bucket, str)
    assert isinstance(presigned.is_presigned(url), bool)
    name = oci.repository(url)
    assert name is None or (name and oci.scope(name))
    oci.is_manifest(url)
    for key in (*registry.spellings(url), *registry.below(url)):
        meant = registry.parse(key)
        assert meant is None or meant.host == url.host or registry.is_hub(url), key


@target(
    "registry_keys",
    "https:// http:// docker.io index.docker.io registry-1.docker.io /v1/ /v2/ / : :443 :80 @ ? # "
    "r.example R.EXAMPLE ns/repo localhost 127.0.0.1 [::1] access-token refresh-token cargo:",
    ["https://index.docker.io/v1/", "r.example:443", "http://localhost:5000", "r.example/ns/repo"],
)
@of_text
def _registry_keys(text: str) -> None:
    """What is the same key means the same origin, from both sides."""
    same = registry.alike(text)
    assert same[0] == text
    url = registry.parse(text)
    older = registry.older(text)
    assert older is None or isinstance(older, str)
    if url is None:
        assert same == (text,)
        return
    for key in same[1:]:
        meant = registry.parse(key)
        if meant is None:
            assert "://" in url.path, key  # a key that equals itself alone
            continue
        is_same = meant.origin == url.origin or (registry.is_hub(meant) and registry.is_hub(url))
        # Without a scheme a key means https, and http on this machine; a port is the scheme's own.
        places = {(each.host, each.default_port or each.port) for each in (meant, url)}
        ports = {(each.host, each.port) for each in (meant, url)}
        assert is_same or (url.may_be_loopback and 1 in (len(places), len(ports))), key
    assert not url.username


@target(
    "netrc",
    'machine default login user password account macdef MACHINE # " \\ \\" \\n h.example '
    "H.EXAMPLE. other.example bob ␣ ␊ ␊␊ ␍␊ ␀ \xa0 \u2028 [::1] ::1",
    [
        (
            f"machine h.example login bob password {MARK}\nmachine other.example\n login b\n "
            f"password {MARK}\n"
        ),
        f'default login anonymous password "{MARK} x"\n',
        f"macdef init\ncd /\n\nmachine h.example login bob password {MARK}\n",
    ],
)
@of_text
def _netrc(text: str) -> None:
    """What is found quickly is what is found by reading all; no word that is told is a value."""
    for keyword, value in netrc_text.fields(text):
        assert keyword in netrc_text.KEYWORDS or not keyword
        assert value is None or "\0" not in value
    everything = list(netrc.entries(_all_fields(text), lambda _: None))
    names = {urls.undotted(e.name.lower()) for e in everything if e.name and e.name.isascii()}
    for host in ("h.example", *(name for name in sorted(names)[:1] if ":" not in name)):
        quick = _Netrc(text, "path").look(host, None)
        odd: list[str] = []
        plain = _plain_fields(text, text.lower(), host)
        if plain is not None:
            of_host = [
                (each.name, each.login)
                for each in netrc.entries(_all_fields(text), odd.append)
                if each.name is not None and netrc.is_host(each.name, host)
            ]
            assert [(each.name, each.login) for each in netrc.entries(plain, odd.append)] == of_host
        for word in (*quick.odd, *odd):
            assert word in netrc_text.KEYWORDS or word == "the beginning", word


_TOML = (
    '[[credential]] [[connections]] [ ] = ␣=␣ " """ \'\'\' \\ \\u0068 # service username password '
    "token scheme basic bearer address auth_type expires-at 2026-11-22T00:00:00Z 0001-01-01 1 true "
    "https://h.example/ https://other.example ␣ ␊ ␍␊ { } , ."
)


@target(
    "toml_tables",
    _TOML,
    [
        (
            f'[[credential]]\nservice = "https://h.example/"\nusername = "b"\npassword = "{MARK}"\n'
            f'\n[[credential]]\nservice = "https://other.example/"\ntoken = "{MARK}"\n'
        ),
        f'[[connections]]\naddress = "https://h.example"\ntoken = "{MARK}"\nauth_type = "sso"\n',
    ],
)
@of_text
def _toml_tables(text: str) -> None:
    """What is parsed in part is what TOML's own parser has."""
    for kind in (uv._Credentials, posit._Connections):
        try:
            whole: Any = tomllib.loads(text).get(kind.array)
        except (ValueError, RecursionError):
            whole = None
        tables = kind(text, "path")
        for host in ("", "h.example", "[::1]"):
            try:
                found = tables.about(host)
            except StoreError as error:
                told(error)
                continue
            if isinstance(whole, list):
                of_host = [
                    each for each in whole if isinstance(each, dict) and host in str(each).lower()
                ]
                for each in of_host:
                    assert repr(each) in map(repr, found)
                for table in found:
                    assert table is None or repr(table) in map(repr, whole)


_YAML = (
    "github.com: gitlab.com: hosts: users: user: oauth_token: token: git_protocol: : :␣ - -␣ --- # "
    "' \" '' \\ ~ null Null !!null !!str & * | > { } [ ] % @ ` ? ␣ ␣␣ ␣␣␣␣ ␊ ␍␊ \ufeff \t true 1 "
    "bob https x:y"
)


class _Texts(yaml.SafeLoader):
    """Scalars as they stand, but for null."""


_Texts.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag == "tag:yaml.org,2002:null"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@target(
    "block_yaml",
    _YAML,
    [
        (
            f"github.com:\n    users:\n        bob:\n            oauth_token: {MARK}\n"
            f"    git_protocol: https\n    oauth_token: {MARK}\n    user: bob\n"
        ),
        f"host: gitlab.com\nhosts:\n  gitlab.com:\n    token: !!null {MARK}\n    user: 'b''b'\n",
    ],
)
@of_text
def _block_yaml(text: str) -> None:
    """Where YAML's own parser reads it as well, nothing that is read says something else."""
    try:
        ours = block_yaml.parse(text, "path")
    except StoreError as error:
        return told(error)
    if "!!" in text:  # what older versions of glab have left means what it means to glab
        return None
    try:
        theirs = yaml.load(text, _Texts)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError):
        return None
    _same_yaml(ours, theirs, text)
    return None


def _same_yaml(ours: Any, theirs: Any, text: str) -> None:
    if ours is None:
        return  # kept as unreadable
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in block_yaml._NULL:
                continue  # no name of anything that is looked up
            if key in theirs:
                _same_yaml(value, theirs[key], text)
            else:
                assert not _has_text(value) or not _is_plain(text), (ours, theirs)
        return
    assert (ours or None) == (theirs or None) or not _is_plain(text), (ours, theirs)


def _has_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_plain(text: str) -> bool:
    return text.isascii()


@target(
    "challenges",
    'Bearer Basic Digest realm= service= scope= " \\ , = == ␣ \t https://auth.example/token abc== '
    "é",
    [
        'Bearer realm="https://auth.example/token",service="r.example",scope="a:b:pull"',
        'Basic realm="x, y", Bearer realm="a\\"b"',
        "Negotiate abc==, NTLM",
    ],
)
@of_text
def _challenges(text: str) -> None:
    """What is read can be written, and is read as the same."""
    found = challenges.parse(text)
    assert sum(len(each.parameters) for each in found) <= text.count("=")
    written = []
    for each in found:
        quoted = ", ".join(
            f'{name}="{re.sub(r"(.)", _escaped, value, flags=re.DOTALL)}"'
            for name, value in each.parameters.items()
        )
        written.append(f"{each.scheme} {each.token68 or quoted}".strip())
    again = challenges.parse(", ".join(written))
    if len(", ".join(written)) <= challenges.MAX_LENGTH:
        assert [(e.scheme, e.parameters, e.token68) for e in again] == [
            (e.scheme, e.parameters, e.token68) for e in found
        ]


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] in '"\\' else found[1]


_INI = (
    "[default] [profile␣a] [a] [ ] = : # ; aws_access_key_id role_arn sso_session "
    "credential_process "
    'api_key [profile:x] token ␣ ␊ ␍␊ ␊␣␣ \t " % %(a)s'
)


@target(
    "aws_ini",
    _INI,
    [
        f"[default]\naws_access_key_id = A\naws_secret_access_key = {MARK}\n",
        "[profile a]\nrole_arn = x\ns3 =\n  endpoint_url = y\n[sso-session b]\nsso_region = z\n",
    ],
)
@of_text
def _aws_ini(text: str) -> None:
    """Each profile that AWS's own reader sees, with each of its keys that gives keys."""
    ours = aws_keys._parsed(text, "path").keys
    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read_string(text.replace("\r\n", "\n").replace("\r", "\n"))  # as a file is read
    except configparser.Error:
        return
    for section in parser.sections():
        words = section.split()
        if not section.isascii() or set(section) & set('"]') or not words:
            continue
        if len(words) == 1 or (len(words) == 2 and words[0] == "profile"):
            keys = {name for name in parser.options(section) if name in aws_keys._GIVES}
            assert keys <= ours.get(words[-1], set()), section


@target("cloudsmith_ini", _INI, [f"[default]\napi_key = {MARK}\n", f"[profile:x]\napi_key={MARK}"])
@of_text
def _cloudsmith_ini(text: str) -> None:
    """Where its own program reads a key, ours is that or none."""
    ours = cloudsmith._keys(text, "path")
    assert all("\n" not in value for value in ours.values())


@target(
    "rules",
    "[[rule]] [rule.exchange] [rule.headers] url use forbid account header scheme endpoint "
    "region = "
    '" ["netrc"] [ ] true false "https://h.example/" "*.h.example" "X-Key" identity audience '
    "␣ ␊ # kind subject 1 { }",
    [
        (
            '[[rule]]\nurl = "https://h.example/a"\nuse = ["netrc"]\n[[rule]]\n'
            'url = "*.x.example"\n'
            "forbid = true\n"
        ),
        (
            '[[rule]]\nurl = "https://h.example"\nheader = "X-Key"\nscheme = ""\naccount = "bob"\n'
            '[rule.headers]\nX-A = "b"\n'
        ),
    ],
)
@of_text
def _rules(text: str) -> None:
    """Nothing is raised: what is wrong is told by its line; what a workspace says only narrows."""
    lines = len(text.splitlines())
    for parse in (settings.parse, settings.parse_workspace):
        found = parse(text, "path")
        for problem in found.all_problems(("netrc",)):
            assert 0 <= problem.line <= max(1, lines)
            assert MARK not in problem.shown("path")
        for place, rule, _ in (*found.rules, *found.narrowed().rules):
            assert found.held(place) is not None
            assert rule.where
        if parse is settings.parse_workspace:
            for _, rule, _ in found.rules:
                assert (rule.endpoint, rule.header, rule.profile, rule.exchange) == (None,) * 4


@target(
    "chained_answers",
    JSON + ' "ServerURL": "Username": "Secret": "headers": "Authorization": ["Bearer␣x"] '
    '["Basic␣YTpi"] "expires": "2026-11-22T00:00:00Z" "0001-01-01T00:00:00+23:59"',
    [
        f'{{"ServerURL":"x","Username":"b","Secret":"{MARK}"}}',
        f'{{"headers":{{"Authorization":["Bearer {MARK}"]}},"expires":"2030-01-01T00:00:00Z"}}',
        '{"headers":{"X-A":["b","c"],"Y":["d"]},"expires":"0001-01-01T00:00:00Z"}',
    ],
)
def _chained_answers(data: bytes) -> None:
    """What another helper answers is a credential, or an error that does not repeat it."""
    for read in (chained_answers.login, chained_answers.listed, chained_answers.headers):
        try:
            found = read(data)
        except chained_answers.OddAnswerError as error:
            told(error)
            continue
        if isinstance(found, tuple):
            safe(found[0], "h.example")
            assert found[1] is None or 0 <= found[1] <= clock.LATEST
        elif not isinstance(found, dict):
            safe(found, "h.example")
    assert chained_answers.failure(data, "", 1)


def rattler_entry(value: object, key: str) -> Entry | None:
    """What rattler's store makes of a value, seen to be safe; None: it is damaged, and says so."""
    try:
        entry = rattler_format.read(value, key, "path", "h.example")
    except StoreError as error:
        told(error)
        return None
    safe(entry.credential, "h.example")
    return entry


@target(
    "rattler_values",
    JSON + ' "BearerToken": "BasicHTTP": "CondaToken": "S3Credentials": "OAuth": "username": '
    '"password": "access_token": "token_endpoint": "client_id": "refresh_token": "expires_at": ',
    [
        f'{{"BearerToken":"{MARK}"}}',
        f'{{"BasicHTTP":{{"username":"b","password":"{MARK}"}}}}',
        (
            f'{{"OAuth":{{"access_token":"{MARK}","token_endpoint":"https://t.example/","client_id":'
            f'"c","refresh_token":"{MARK}","expires_at":null,"scopes":["a"]}}}}'
        ),
        f'{{"S3Credentials":{{"access_key_id":"A","secret_access_key":"{MARK}","session_token":null}}}}',
    ],
)
@of_text
def _rattler_values(text: str) -> None:
    """What is kept for a host is an entry or damaged; what is written is read as the same."""
    try:
        value = quick_json.loads(text)
    except ValueError:
        return
    for key in ("h.example", "cargo:sparse+https://h.example/", "*.anaconda.org"):
        entry = rattler_entry(value, key)
        if entry is None:
            continue
        assert entry.expires is None or 0 <= entry.expires <= clock.LATEST
        if isinstance(entry.credential, Basic):
            stored = rattler_format.stored(entry.credential)
            again = quick_json.loads(rattler_format.dumped({"h": stored}).decode())
            assert again == {"h": stored}


@target(
    "go_items",
    "go-keyring-encoded: go-keyring-base64: 00 ff e4 YQ== = ␊ é 쎤",
    [f"go-keyring-base64:{base64.b64encode(MARK.encode()).decode()}", "go-keyring-encoded:6162"],
)
@of_text
def _go_items(text: str) -> None:
    """An item is a text, or none."""
    found = go_items._decoded(Secret(text))
    assert found is None or found.reveal()


@target(
    "dates",
    "Sun, 22 Nov 2026 26 07:00:00 07:00 GMT UTC +0000 -2359 99999999999999999999 0 Mar 13 : ␣ -1 ²",
    ["Sun, 22 Nov 2026 07:00:00 GMT", "13 Mar 23 15:47 GMT", "2026-11-22T07:00:00Z"],
)
@of_text
def _dates(text: str) -> None:
    """What says when is a moment, or says nothing."""
    assert isinstance(clock.ahead(text, 1_795_000_000.0), float)
    for found in (glab._moment(text), uv._end(text), chained_answers._moment(text)):
        assert found is None or isinstance(found, int)
    try:
        aws_keys._end(text)
    except StoreError as error:
        told(error)


@target(
    "headers",
    "X-A Authorization : ␣ é ␊ ␍ ␀ \x7f Bearer ␟",
    [f"X-Key{SPLIT}{MARK}", f"Authorization{SPLIT}Bearer {MARK}"],
)
@of_text
def _headers(text: str) -> None:
    """No name and no value that is given ends a header, or begins another one."""
    name, _, value = text.partition(SPLIT)
    safe(Token(Secret(value), name, ""), "h.example")
    safe(Bearer(Secret(value)), "h.example")
    safe(Headers({name: Secret(value)}), "h.example")
