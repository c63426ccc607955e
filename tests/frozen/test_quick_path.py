"""What a call imports, name by name: a build tool starts it hundreds of times and pays for each.

Asked of the source tree in a bare interpreter, because the frozen program is the same modules in
the same order, and cannot be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import credlatch

if TYPE_CHECKING:
    from support.home import Home

HELPER = Path(credlatch.__file__).parent.parent
SECRET = {"BearerToken": "t"}

# Each costs more than all of ours together.
HEAVY = {
    "json", "re", "enum", "typing", "dataclasses", "contextlib", "pathlib", "argparse", "logging",
    "subprocess", "inspect", "base64", "urllib.parse", "ipaddress", "datetime", "tempfile",
    "tomllib", "tomlkit", "httpx", "msgspec", "keyring", "jeepney", "secretstorage", "filelock",
    "truststore", "ssl", "idna", "hashlib", "fcntl",
}  # fmt: skip

# Python itself has these when it starts with its `site`.
OS = {
    "__future__", "_collections_abc", "_stat", "genericpath", "os", "os.path", "posixpath", "stat",
}  # fmt: skip

START = OS | {
    "credlatch", "credlatch.cli", "credlatch.errors", "credlatch.caller",
    "credlatch.commands", "credlatch.commands.streams", "resource",
}  # fmt: skip

ASK = START | {
    "_json", "binascii", "time",
    "credlatch.clock", "credlatch.credential", "credlatch.jwt", "credlatch.protocols",
    "credlatch.quick_json", "credlatch.registry", "credlatch.renew", "credlatch.renew.margin",
    "credlatch.request", "credlatch.resolve", "credlatch.stores", "credlatch.stores.order",
    "credlatch.url",
}  # fmt: skip

ENVIRONMENT = {"credlatch.stores.environment", "credlatch.stores.pyx_realm"}

RATTLER = ENVIRONMENT | {
    "credlatch.grant", "credlatch.stores.pixi_config", "credlatch.stores.pyx",
    "credlatch.stores.pyx_digest", "credlatch.stores.rattler",
    "credlatch.stores.rattler_backends", "credlatch.stores.rattler_format", "credlatch.stores.uv",
    "credlatch.stores.toml_tables", "credlatch.system", "credlatch.system.files",
    "credlatch.system.keyring", "credlatch.system.locks",
}  # fmt: skip

EVERY_STORE = RATTLER | {
    "credlatch.stores.docker", "credlatch.stores.keyring", "credlatch.stores.netrc",
    "credlatch.stores.posit",
}  # fmt: skip

BAZEL = ASK | {"credlatch.commands.bazel", "credlatch.protocols.bazel"}
DOCKER = ASK | {"credlatch.commands.docker", "credlatch.protocols.docker"}

ASKING = """
import sys
before = set(sys.modules)
sys.path[:0] = [sys.argv.pop(1)]
from credlatch.cli import main
sys.argv[0] = "credlatch"
status = main()
after = set(sys.modules) - before
import json, os
os.write(2, json.dumps([status, sorted(after)]).encode())
"""


def imported(home: Home, *args: str, stdin: bytes) -> tuple[bytes, set[str]]:
    """What a call answers, and what it imported for that."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASKING, str(HELPER), *args],
        input=stdin,
        env=home.env,
        capture_output=True,
        timeout=60,
        check=True,
    )
    status, modules = json.loads(done.stderr)
    assert status == 0, done
    return done.stdout, set(modules)


def bazel(host: str) -> bytes:
    return json.dumps({"uri": f"https://{host}/simple/"}, separators=(",", ":")).encode()


def test_a_token_from_rattler_s_file(home: Home) -> None:
    home.write_rattler({"a.example": SECRET})
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{"Authorization":["Bearer t"]}}\n'
    assert modules - BAZEL - RATTLER == set()


def test_a_token_from_the_environment(home: Home) -> None:
    home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "t"
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{"Authorization":["Bearer t"]}}\n'
    assert modules - BAZEL - ENVIRONMENT == set()


@pytest.mark.parametrize("file", [".netrc", ".docker/config.json", ".rattler/credentials.json"])
def test_a_miss_after_all_stores(home: Home, file: str) -> None:
    contents = {
        ".netrc": "machine b.example login u password p\n",
        ".docker/config.json": '{"auths":{"b.example":{"auth":"dTpw"}}}',
        ".rattler/credentials.json": '{"b.example":{"BearerToken":"t"}}',
    }
    home.write(file, contents[file])
    answer, modules = imported(home, "get", stdin=bazel("a.example"))
    assert answer == b'{"headers":{}}\n'
    assert modules - BAZEL - EVERY_STORE == set()


def test_docker_s_key(home: Home) -> None:
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    answer, modules = imported(home, "docker", "get", stdin=b"r.example")
    assert json.loads(answer)["Username"] == "u"
    assert modules - DOCKER - RATTLER == set()


def test_docker_s_list(home: Home) -> None:
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})
    answer, modules = imported(home, "docker", "list", stdin=b"")
    assert answer == b'{"r.example":"u"}\n'
    assert modules - DOCKER - RATTLER == set()


def test_the_version(home: Home) -> None:
    _, modules = imported(home, "--version", stdin=b"")
    assert modules - START == set()


def test_none_of_these_lists_was_made_to_allow_what_is_heavy() -> None:
    assert HEAVY.isdisjoint(BAZEL | DOCKER | EVERY_STORE)
