"""Stores and identities, each with a file of its tool's that says anything at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from credlatch import cargo_indexes, registry
from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import CredlatchError, SetupError
from credlatch.identities import IdentityStore
from credlatch.renew import notes
from credlatch.resolve import Resolver
from credlatch.setup import record
from credlatch.stores import pixi_config
from credlatch.stores.chained import ChainedStore
from credlatch.stores.docker import DockerStore
from credlatch.stores.environment import EnvironmentStore
from credlatch.stores.fleet import FleetStore
from credlatch.stores.netrc import NetrcStore
from credlatch.stores.posit import PositStore
from credlatch.stores.pyx import PyxStore, digest
from credlatch.stores.rattler import RattlerStore
from credlatch.stores.s3 import S3Store
from credlatch.stores.uv import UvStore
from credlatch.system import files
from fuzz.target import MARK, TARGETS, one_of, safe, target, told
from support.jwt import make_jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.request import Request
    from credlatch.stores import Entry, Store

_FOLDER = tempfile.TemporaryDirectory(prefix="credlatch-fuzz-")  # gone when the process ends
HOME = Path(_FOLDER.name)
_HOME = str(HOME)
TOKEN = make_jwt(4_000_000_000)
_PLAIN = "https://h.example/simple/x"
_SHARE = 0.1  # of a store: the parsers below it are targets themselves
_NONE = -1  # the descriptor of what is in memory alone


class _Alone(Caller):
    """A caller without a keyring."""

    def keyring(self) -> None:
        """There is none: what is asked for is in the file."""


class Asked(NamedTuple):
    """One file, and who reads it.

    Attributes:
        path: below the home; empty: it is a variable of the environment.
        opened: the store.
        url: what is asked for.
        words: what such a file is made of.
        seeds: such files.
        env: what else the environment says; with an empty path, the first variable has the input.
    """

    path: str
    opened: Callable[[Caller], Store]
    url: str
    words: str
    seeds: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()


@contextmanager
def _saying(asked: str, home: str, data: bytes) -> Iterator[None]:
    """Have one file read as these bytes, by the code that reads it; no other is in that home.

    The disk has no part in it: what it says of a file is always the same, and takes longer than all
    else.
    """
    real, read = files.opened, files._read_all

    def opened(path: str, named: Callable[[str], None] | None = None) -> files.Reading | None:
        if path != asked:
            return None if path.startswith(home) else real(path, named)
        status = os.stat_result((0o100600, 1, 1, 1, os.geteuid(), 0, len(data), 0, 0, 0))
        return files.Reading(path, _NONE, status, told=True)

    def read_all(descriptor: int, limit: int) -> bytes:
        return data[: limit + 1] if descriptor == _NONE else read(descriptor, limit)

    files.opened, files._read_all = opened, read_all
    try:
        yield
    finally:
        files.opened, files._read_all = real, read


def _ask(case: Asked, home: str, data: bytes) -> None:
    """Each question that a store is asked has an answer, or an error of ours."""
    env = {"HOME": home, "USERPROFILE": home, **dict(case.env)}
    path = f"{home}/{case.path}" if case.path else ""
    if not case.path:
        # What no environment can have, it has not.
        env[case.env[0][0]] = data.replace(b"\0", b"").decode(errors="surrogateescape")
    with _saying(path, home, data):
        caller = _Alone(env, home)
        request = one_of((*_questions(case.url), None), data)
        if request is None:
            _list(case.opened(caller))
        else:
            _resolve(caller, case, request)
    for line in caller.warnings:
        assert MARK not in line, line


def _resolve(caller: Caller, case: Asked, request: Request) -> None:
    outcome = Resolver(caller, (("store", case.opened),), renews=False).outcome(request)
    if outcome.failure is not None:
        told(outcome.failure)
    for step in outcome.trace:
        _see(step.entry, request)
        assert MARK not in "".join(step.reasons())


def _list(store: Store) -> None:
    try:
        for key, entry in store.entries():
            assert isinstance(key, str)
            _see(entry, None)
    except CredlatchError as error:
        told(error)


@cache
def _questions(url: str) -> tuple[Request, ...]:
    parsed = urls.parse(url)
    return (
        requests.for_url(parsed),
        requests.for_login(urls.parse(url.replace("https://", "https://bob@"))),
        requests.Request(parsed, (parsed.netloc, *registry.spellings(parsed)), registry=True),
    )


def _see(entry: Entry | None, request: Request | None) -> None:
    if entry is None:
        return
    assert entry.expires is None or isinstance(entry.expires, int)
    assert MARK not in f"{entry.location} {entry.remedy} {entry.handle} {entry!r}"
    safe(entry.credential, "h.example")
    if entry.grant is not None and request is not None:
        entry.grant.cache_key(request)
        assert MARK not in f"{entry.grant!r} {entry.grant.shown}"


_JSON = '{ } [ ] : , " \\ \\ud800 \\u0000 0 -1 1e999 true false null ␣ ␊ ""'
_USER = f'{{"access_token":"{MARK}","refresh_token":"{MARK}"}}'
_KEYS = "client_id client_secret refresh_token private_key type audience token_url"
FILES = {
    "netrc": Asked(
        ".netrc",
        NetrcStore,
        _PLAIN,
        'machine default login password account macdef h.example bob # " \\ ␣ ␊ ␀',
        (f"machine h.example login bob password {MARK}\n", f"default password {MARK}\n"),
    ),
    "uv": Asked(
        ".local/share/uv/credentials/credentials.toml",
        UvStore,
        _PLAIN,
        '[[credential]] service␣=␣ "https://h.example/" username password token scheme "bearer" '
        '= " \\ expires-at 2026-11-22T00:00:00Z 0001-01-01T00:00:00+23:59 ␣ ␊ # bob @ % http://',
        (
            (
                '[[credential]]\nservice = "https://h.example/"\nusername = "bob"\n'
                f'password = "{MARK}"'
            ),
            (
                f'[[credential]]\nservice = "https://h.example/simple"\nscheme = "bearer"\n'
                f'token = "{MARK}"\nexpires-at = 2030-01-01T00:00:00Z\n'
            ),
        ),
    ),
    "posit": Asked(
        ".ppm/tokens.toml",
        PositStore,
        _PLAIN,
        '[[connections]] address token auth_type = "https://h.example" " \\ ␣ ␊ # sso 1 [ ] {',
        (f'[[connections]]\naddress = "https://h.example"\ntoken = "{MARK}"\nauth_type = "sso"\n',),
    ),
    "rattler": Asked(
        ".rattler/credentials.json",
        RattlerStore,
        _PLAIN,
        _JSON + ' "h.example" "*.example" "BearerToken" "BasicHTTP" "OAuth" "CondaToken" '
        '"username" "password" "token_endpoint" "s3://bucket" "S3Credentials"',
        (
            f'{{"h.example":{{"BasicHTTP":{{"username":"bob","password":"{MARK}"}}}}}}',
            (
                f'{{"*.example":{{"OAuth":{{"access_token":"{MARK}","token_endpoint":"https://t.e/",'
                f'"client_id":"c","refresh_token":"{MARK}","expires_at":1}}}}}}'
            ),
        ),
    ),
    "rattler_s3": Asked(
        ".rattler/credentials.json",
        lambda caller: S3Store(caller, RattlerStore(caller)),
        "https://bucket.s3.eu-west-1.amazonaws.com/a/b",
        _JSON
        + ' "s3://bucket" "S3Credentials" "access_key_id" "secret_access_key" "session_token"',
        (
            (
                '{"s3://bucket":{"S3Credentials":{"access_key_id":"A","secret_access_key":'
                f'"{MARK}","session_token":null}}}}}}'
            ),
        ),
    ),
    "pyx": Asked(
        f".local/share/pyx/credentials/{digest('https://h.example/')}/tokens.json",
        PyxStore,
        _PLAIN,
        _JSON + f' "access_token" "refresh_token" {TOKEN}',
        (_USER, f'{{"access_token":"{TOKEN}","refresh_token":null}}'),
        (("PYX_API_URL", "https://h.example"),),
    ),
    "docker": Asked(
        ".docker/config.json",
        DockerStore,
        "https://h.example/v2/",
        _JSON + ' "auths" "h.example" "https://h.example/v1/" "auth" "AUTH" "identitytoken" '
        '"registrytoken" "username" "password" Ym9iOng= === "credsStore"',
        (
            '{"auths":{"h.example":{"auth":"Ym9iOnMzY3IzdE1BUks="}}}',
            f'{{"auths":{{"https://h.example/v1/":{{"identitytoken":"{MARK}"}}}}}}',
            f'{{"auths":{{"h.example":{{"registrytoken":"{MARK}","username":"b","password":"x"}}}}}}',
        ),
    ),
    "containers": Asked(
        ".config/containers/auth.json",
        DockerStore,
        "https://h.example/v2/ns/repo/manifests/latest",
        _JSON + ' "auths" "h.example/ns/repo" "h.example" "auth" Ym9iOng= "identitytoken"',
        ('{"auths":{"h.example/ns":{"auth":"Ym9iOnMzY3IzdE1BUks="}}}',),
    ),
    "chain": Asked(
        ".config/credlatch/chain.json",
        ChainedStore,
        _PLAIN,
        _JSON + ' "docker" "bazel" "h.example" "*.example" "*" "/nonexistent/helper"',
        ('{"docker":{"*":"/nonexistent/helper"},"bazel":{"*.example":"/nonexistent/x"}}',),
    ),
    "fleet": Asked(
        ".config/credlatch/fleet.toml",
        FleetStore,
        _PLAIN,
        "[[fleet]] [fleet.auth] url address access login mount namespace role engine one-path auth "
        'method file variable identity audience "https://h.example/" "https://bao.example" '
        '"worker" "renewer" "kubernetes" "approle" "jwt" "a/b" ".." true = " [ ] { } , '
        "' ␣ ␊ # ~/x",
        (
            (
                '[[fleet]]\nurl = "https://h.example/"\naddress = "https://bao.example"\n'
                'access = "a/b"\nauth = {method = "approle", role = "r", file = "/nonexistent"}\n'
            ),
            (
                '[[fleet]]\nurl = ["https://h.example/simple", "https://*.example.com"]\n'
                'engine = "kubernetes"\naccess = "a"\nlogin = "b"\nrole = "renewer"\n'
            ),
            '[[fleet]]\nurl = "https://h.example"\none-path = true\nlogin = "x"\n',
        ),
        (("BAO_TOKEN", MARK), ("VAULT_ADDR", "https://vault.example")),
    ),
    "gh": Asked(
        ".config/gh/hosts.yml",
        IdentityStore,
        "https://github.com/a/b",
        "github.com: users: user: oauth_token: git_protocol: bob: : ' \" - # ␣␣ ␣␣␣␣ ␊ null ~",
        (
            (
                f"github.com:\n    users:\n        bob:\n            oauth_token: {MARK}\n"
                f"    oauth_token: {MARK}\n    user: bob\n"
            ),
        ),
    ),
    "glab": Asked(
        ".config/glab-cli/config.yml",
        IdentityStore,
        "https://gitlab.com/a/b",
        "hosts: gitlab.com: token: is_oauth2: 'true' oauth2_expiry_date: 13␣Mar␣23␣15:47␣GMT "
        "99999999999999999999 api_host: container_registry_domains: use_keyring: ' \" - # ␣␣ ␊ ,",
        (
            (
                f"hosts:\n  gitlab.com:\n    token: {MARK}\n    is_oauth2: 'true'\n"
                "    oauth2_expiry_date: 13 Mar 23 15:47 GMT\n"
            ),
        ),
    ),
    "jfrog": Asked(
        ".jfrog/jfrog-cli.conf.v6",
        IdentityStore,
        "https://acme.jfrog.io/artifactory/api/pypi/x/simple/",
        _JSON + ' "servers" "serverId" "url" "https://acme.jfrog.io/" "user" "password" '
        '"accessToken" "isDefault" "enc" "artifactoryUrl"',
        (
            (
                '{"servers":[{"serverId":"a","url":"https://acme.jfrog.io/","user":"b","accessToken":'
                f'"{MARK}","isDefault":true}}],"version":"6"}}'
            ),
            f'{{"servers":[{{"url":"https://acme.jfrog.io/","user":"b","password":"{MARK}"}}]}}',
        ),
    ),
    "anaconda": Asked(
        ".anaconda/keyring",
        IdentityStore,
        "https://repo.anaconda.cloud/repo/org/x",
        _JSON + ' "Anaconda␣Cloud" "anaconda.com" "anaconda.cloud" "api_key" "repo_tokens" eyJ',
        (
            '{"Anaconda Cloud":{"anaconda.cloud":"eyJhcGlfa2V5IjoiczNjcjN0TUFSSyJ9"}}',
            '{"Anaconda Cloud":{"anaconda.com":"eyJyZXBvX3Rva2VucyI6W3sidG9rZW4iOiJ4In1dfQ=="}}',
        ),
    ),
    "cloudsmith": Asked(
        ".config/cloudsmith/credentials.ini",
        IdentityStore,
        "https://dl.cloudsmith.io/basic/a/b/python/simple/",
        "[default] [profile:x] api_key = : # ; ␣ ␊ ␍␊",
        (f"[default]\napi_key = {MARK}\n",),
    ),
    "google_adc": Asked(
        ".config/gcloud/application_default_credentials.json",
        IdentityStore,
        "https://eu-python.pkg.dev/p/r/simple/",
        _JSON + ' "type" "authorized_user" "service_account" "external_account" '
        '"impersonated_service_account" "universe_domain" "credential_source" "source_credentials" '
        '"service_account_impersonation_url" "https://sts.googleapis.com/v1/token" "file" "url" '
        + " ".join(f'"{each}"' for each in _KEYS.split()),
        (
            (
                f'{{"type":"authorized_user","client_id":"c","client_secret":"{MARK}","refresh_token":'
                f'"{MARK}"}}'
            ),
            (
                '{"type":"external_account","audience":"//iam.googleapis.com/x","subject_token_type":'
                '"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/'
                'token","credential_source":{"file":"/nonexistent"}}'
            ),
            (
                f'{{"type":"service_account","private_key":"{MARK}","client_email":"a@b","token_uri":'
                '"https://oauth2.googleapis.com/token"}'
            ),
        ),
    ),
    "aws_credentials": Asked(
        ".aws/credentials",
        IdentityStore,
        "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/",
        '[default] [profile␣a] aws_access_key_id aws_secret_access_key role_arn = ] [ # ; ␣ ␊ ␍ "',
        (f"[default]\naws_access_key_id = A\naws_secret_access_key = {MARK}\n",),
    ),
    "codeartifact": Asked(
        ".config/python_keyring/keyringrc.cfg",
        IdentityStore,
        "https://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/x/simple/",
        "[codeartifact] [codeartifact␣domain=d] aws_access_key_id aws_secret_access_key "
        "profile_name token_duration = 900 ² 99999 % %(a)s # ; ␣ ␊ ␊␣",
        (
            (
                f"[codeartifact domain=d]\naws_access_key_id = A\naws_secret_access_key = {MARK}\n"
                "token_duration = 900\n"
            ),
        ),
    ),
    "pixi_config": Asked(
        ".pixi/config.toml",
        lambda caller: S3Store(caller, RattlerStore(caller)),
        "https://bucket.minio.example/a",
        "authentication-override-file s3-options [s3-options.bucket] endpoint-url region "
        'force-path-style "https://minio.example" true false = " [ ] { } \' ␣ ␊ # ~/x ../x',
        (
            (
                '[s3-options.bucket]\nendpoint-url = "https://minio.example"\nregion = "x"\n'
                "force-path-style = false\n"
            ),
            'authentication-override-file = "/nonexistent"\n',
        ),
    ),
    "pixi_override": Asked(
        ".pixi/config.toml",
        RattlerStore,
        _PLAIN,
        "authentication-override-file = \" / ~/x ../x . \\u0000 \\u0001 é ' # ␣ ␊",
        ('authentication-override-file = "/nonexistent"\n',),
    ),
    "env_azure_feeds": Asked(
        "",
        IdentityStore,
        "https://pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/",
        _JSON + ' "endpointCredentials" "endpoint" "username" "password" '
        '"https://pkgs.dev.azure.com/org/_packaging/feed/" a:b',
        (
            (
                '{"endpointCredentials":[{"endpoint":"https://pkgs.dev.azure.com/org/_packaging/feed/'
                f'nuget/v3/index.json","username":"u","password":"{MARK}"}}]}}'
            ),
        ),
        (("VSS_NUGET_EXTERNAL_FEED_ENDPOINTS", ""),),
    ),
    "env_token": Asked(
        "",
        EnvironmentStore,
        _PLAIN,
        "␣ ␊ ␍ é : \x7f \x01 eyJ .",
        (MARK, TOKEN, f" {MARK}\n"),
        (("CREDLATCH_TOKEN_H_EXAMPLE", ""),),
    ),
    "env_aws_end": Asked(
        "",
        IdentityStore,
        "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/",
        "2026 - 11 T : Z + ␣ 0001 9999 23:59 W53 é",
        ("2026-11-22T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-11-22"),
        (
            ("AWS_CREDENTIAL_EXPIRATION", ""),
            ("AWS_ACCESS_KEY_ID", "A"),
            ("AWS_SECRET_ACCESS_KEY", MARK),
        ),
    ),
    "env_s3_secret": Asked(
        "",
        IdentityStore,
        "https://bucket.s3.eu-west-1.amazonaws.com/a",
        "␣ ␊ é : \xff + / = A",
        (MARK,),
        (("AWS_SECRET_ACCESS_KEY", ""), ("AWS_ACCESS_KEY_ID", "A")),
    ),
    "env_ado_token": Asked(
        "",
        IdentityStore,
        "https://pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/",
        "␣ ␊ é : \x7f \ud800".replace("\ud800", "\xff"),
        (MARK,),
        (("AZURE_DEVOPS_EXT_PAT", ""),),
    ),
    "env_gitlab": Asked(
        "",
        IdentityStore,
        "https://gitlab.example/api/v4/projects/1/packages/pypi/simple",
        "https:// http:// gitlab.example /api/v4 : 443 8443 @ # ? [ ] \\ ␣ é",
        ("https://gitlab.example/api/v4", "https://gitlab.example:443/"),
        (("CI_API_V4_URL", ""), ("CI_JOB_TOKEN", MARK), ("GITLAB_CI", "true")),
    ),
    "env_jfrog_url": Asked(
        "",
        IdentityStore,
        "https://art.example/artifactory/api/pypi/x/simple/",
        "https:// http:// art.example /artifactory : 443 @ # ? [ ] \\ ␣ é",
        ("https://art.example", "https://art.example/artifactory/"),
        (("JF_URL", ""), ("JF_ACCESS_TOKEN", MARK)),
    ),
}


def _add(name: str, case: Asked) -> None:
    home = HOME / name
    home.mkdir()
    if case.path:
        (home / case.path).parent.mkdir(parents=True, exist_ok=True)
        (home / case.path).touch(0o600)  # what asks whether there is one

    @target(f"store_{name}", case.words, case.seeds, share=_SHARE)
    def _store(data: bytes) -> None:
        _ask(case, str(home), data)


for _name, _case in FILES.items():
    _add(_name, _case)


@target(
    "cargo_config",
    '[registries.a] [source.b] index registry = "sparse+https://h.example/" " [ ] { } ␣ ␊ # 1',
    ['[registries.a]\nindex = "sparse+https://h.example/index/"\n[source.b]\nregistry = "x"\n'],
)
def _cargo_config(data: bytes) -> None:
    """Which indexes cargo's configuration names."""
    with _saying(f"{_HOME}/.cargo/config.toml", _HOME, data):
        caller = _Alone({"HOME": _HOME}, _HOME)
        try:
            found = cargo_indexes._named(caller)
        except CredlatchError as error:
            return told(error)
    assert all(len(place) == 2 for place in found)
    return None


@target(
    "pixi_setting",
    'authentication-override-file = " \' [ ] ␣ ␊ # ~/x \\u0061 """',
    ['authentication-override-file = "/x"\n'],
)
def _pixi_setting(data: bytes) -> None:
    """A path, or nothing, or what is wrong."""
    try:
        assert isinstance(pixi_config.setting(data.decode(errors="replace"), "path"), str)
    except CredlatchError as error:
        told(error)


@target(
    "renewal_notes",
    "0123456789abcdef failed refused open 1795000000.000 inf nan 1e999 -1 ␣ ␊ _ é",
    ["0123 failed 1795000000.000 the server is not ready\n"],
)
def _renewal_notes(data: bytes) -> None:
    """What another process left: what is no note of ours is none."""
    found = notes._parse(data.decode(errors="replace"))
    for each in found.values():
        assert isinstance(each.at, float)
    kept = notes.Notes(found)
    assert bool(kept) == bool(found)


@target(
    "setup_record",
    '{ } [ ] : , " "version" "steps" "path" "format" "before" "after" "splices" "settings" 1 null',
    ['{"version":1,"steps":[]}'],
)
def _setup_record(data: bytes) -> None:
    """What ``setup`` has done is read, or cannot be."""
    path = f"{_HOME}/record.json"
    with _saying(path, _HOME, data):
        try:
            assert isinstance(record.Record(path).steps, list)
        except SetupError as error:
            told(error)


assert set(FILES) <= {name.removeprefix("store_") for name in TARGETS}
