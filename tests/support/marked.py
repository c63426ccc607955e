"""A marked secret in each place that credentials are found in, and each client's question."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

from credlatch.stores.pyx import digest
from support.canary import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.every_store import Home

HOST = "host.example"
URL = f"https://{HOST}/simple/x"
_IDENTITY = base64.b64encode(json.dumps({"api_key": MARK}).encode()).decode()
_HELPER = f"""#!/bin/sh
cat >/dev/null
case "$1" in
  get) echo '{{"ServerURL":"{HOST}","Username":"bob","Secret":"{MARK}"}}' ;;
  list) echo '{{"{HOST}":"bob"}}' ;;
esac
"""


class Marked(NamedTuple):
    """A place.

    Attributes:
        files: what is in which file, below the home.
        env: variables.
        url: what is asked for; a registry's host, where that is not Docker's too.
        signs: whether the secret makes a signature, and is told to nobody.
    """

    files: dict[str, str]
    env: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    url: str = URL
    signs: bool = False

    def put(self, home: Home) -> None:
        """Put it there."""
        for name, text in self.files.items():
            path = home.write(name, text.replace("$HOME", home.env["HOME"]))
            if text.startswith("#!"):
                path.chmod(0o700)
        home.env.update(self.env)


def _rattler(key: str, value: object) -> Marked:
    return Marked({".rattler/credentials.json": json.dumps({key: value})})


def _toml(array: str, **fields: str) -> str:
    return f"[[{array}]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in fields.items())


_UV = ".local/share/uv/credentials/credentials.toml"
_AUTH = base64.b64encode(f"bob:{MARK}".encode()).decode()
_S3 = {"access_key_id": "A", "secret_access_key": MARK, "session_token": None}
_PYX = f".local/share/pyx/credentials/{digest(f'https://{HOST}/')}/tokens.json"
PLACES = {
    "variable": Marked({}, {"CREDLATCH_TOKEN_HOST_EXAMPLE": MARK}),
    "variables": Marked(
        {}, {"CREDLATCH_USERNAME_HOST_EXAMPLE": "bob", "CREDLATCH_PASSWORD_HOST_EXAMPLE": MARK}
    ),
    "rattler login": _rattler(HOST, {"BasicHTTP": {"username": "bob", "password": MARK}}),
    "rattler token": _rattler(f"*.{HOST}", {"BearerToken": MARK}),
    "conda token": _rattler(HOST, {"CondaToken": MARK}),
    "s3 key": _rattler("s3://bucket", {"S3Credentials": _S3})._replace(
        url="https://bucket.s3.eu-west-1.amazonaws.com/a", signs=True
    ),
    "uv login": Marked(
        {_UV: _toml("credential", service=f"https://{HOST}/", username="bob", password=MARK)}
    ),
    "uv token": Marked(
        {_UV: _toml("credential", service=f"https://{HOST}/", scheme="bearer", token=MARK)}
    ),
    "pyx": Marked(
        {_PYX: json.dumps({"access_token": MARK, "refresh_token": None})},
        {"PYX_API_URL": f"https://{HOST}"},
    ),
    "posit": Marked(
        {
            ".ppm/tokens.toml": _toml(
                "connections", address=f"https://{HOST}", token=MARK, auth_type="sso"
            )
        }
    ),
    "netrc": Marked({".netrc": f"machine {HOST} login bob password {MARK}\n"}),
    "netrc default": Marked({".netrc": f'default login bob password "{MARK} x"\n'}),
    "docker": Marked({".docker/config.json": json.dumps({"auths": {HOST: {"auth": _AUTH}}})}),
    "docker identity": Marked(
        {".docker/config.json": json.dumps({"auths": {HOST: {"identitytoken": MARK}}})}
    ),
    "containers": Marked(
        {".config/containers/auth.json": json.dumps({"auths": {HOST: {"auth": _AUTH}}})}
    ),
    "chained helper": Marked(
        {
            ".config/credlatch/chain.json": json.dumps({"docker": {"*": "$HOME/bin/helper"}}),
            "bin/helper": _HELPER,
        }
    ),
    "gh": Marked(
        {".config/gh/hosts.yml": f"github.com:\n    oauth_token: {MARK}\n    user: bob\n"},
        url="https://github.com/a/b",
    ),
    "gh variable": Marked({}, {"GH_TOKEN": MARK}, url="https://api.github.com/x"),
    "glab": Marked(
        {".config/glab-cli/config.yml": f"hosts:\n  gitlab.com:\n    token: {MARK}\n"},
        url="https://gitlab.com/api/v4/x",
    ),
    "gitlab job": Marked(
        {},
        {"CI_JOB_TOKEN": MARK, "CI_API_V4_URL": f"https://{HOST}/api/v4", "GITLAB_CI": "true"},
        url=f"https://{HOST}/api/v4/x",
    ),
    "jfrog": Marked(
        {
            ".jfrog/jfrog-cli.conf.v6": json.dumps(
                {"servers": [{"serverId": "a", "url": f"https://{HOST}/", "accessToken": MARK}]}
            )
        }
    ),
    "cloudsmith": Marked(
        {".config/cloudsmith/credentials.ini": f"[default]\napi_key = {MARK}\n"},
        url="https://dl.cloudsmith.io/basic/a/b/",
    ),
    "anaconda": Marked(
        {".anaconda/keyring": json.dumps({"Anaconda Cloud": {"anaconda.cloud": _IDENTITY}})},
        url="https://repo.anaconda.cloud/repo/x",
    ),
    "azure devops": Marked(
        {},
        {"AZURE_DEVOPS_EXT_PAT": MARK},
        url="https://pkgs.dev.azure.com/o/_packaging/f/pypi/simple/",
    ),
    "aws keys": Marked(
        {},
        {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": MARK},
        url="https://bucket.s3.eu-west-1.amazonaws.com/a",
        signs=True,
    ),
    "entra secret": Marked(
        {},
        {"AZURE_TENANT_ID": "t.example", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": MARK},
        url="https://account.blob.core.windows.net/c/b",
        signs=True,
    ),
    "google login": Marked(
        {
            ".config/gcloud/application_default_credentials.json": json.dumps(
                {
                    "type": "authorized_user",
                    "client_id": "c",
                    "client_secret": MARK,
                    "refresh_token": MARK,
                }
            )
        },
        url="https://eu-python.pkg.dev/p/r/simple/",
        signs=True,
    ),
}


def _host(url: str) -> str:
    return url.split("/")[2]


def _git(url: str) -> bytes:
    path = url.split("/", 3)[3]
    return f"capability[]=authtype\nprotocol=https\nhost={_host(url)}\npath={path}\n\n".encode()


def _cargo(url: str) -> bytes:
    registry = {"index-url": f"sparse+{url}", "name": "a"}
    return json.dumps({"v": 1, "registry": registry, "kind": "get"}).encode() + b"\n"


# What each client says of a URL: its words, and what it writes to standard input.
CLIENTS: dict[str, tuple[tuple[str, ...], Callable[[str], bytes]]] = {
    "bazel": (("get",), lambda url: json.dumps({"uri": url}).encode()),
    "docker": (("docker", "get"), lambda url: _host(url).encode()),
    "git": (("git", "get"), _git),
    "keyring": (("keyring", "--mode", "creds", "get", "$URL"), lambda _: b""),
    "goauth": (("goauth", "$URL"), lambda _: b""),
    "cargo": (("cargo", "get"), _cargo),
    "header": (("header", "$URL"), lambda _: b""),
    "token": (("token", "$URL"), lambda _: b""),
}


def question(client: str, url: str) -> tuple[list[str], bytes]:
    """What a client says of a URL: its words, and its standard input."""
    words, stdin = CLIENTS[client]
    return [url if word == "$URL" else word for word in words], stdin(url)
