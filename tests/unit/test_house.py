"""The house as CONTRIBUTING.md draws it: who may import whom, and what is drawn in the files."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

import credlatch
from credlatch import errors
from credlatch.caller import Caller
from credlatch.errors import CredlatchError, UsageError
from credlatch.sdk import EXTRAS
from credlatch.stores.order import ORDER

ROOT = Path(credlatch.__file__).parent
MODULES = {
    ".".join(["credlatch", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}

# A room, and the rooms that it must not reach into.
_DOORS = ("cli", "commands", "agent", "answers")
_ABOVE = (*_DOORS, "listing", "near", "explain", "fixes", "secrets", "setup", "doctor", "people")
_BELOW = ("resolve", "protocols", "request", "stores", *_ABOVE)
FORBIDDEN = {
    "protocols": ("stores", "renew", "system", "caller", "shared_cache", *_ABOVE),
    "stores": ("resolve", "protocols", "request", *_ABOVE),
    "identities": ("resolve", "protocols", "secrets", "setup", "people", *_DOORS),
    "rules": ("stores", "renew", "auth", "identities", "secrets", "setup", "people", *_DOORS),
    "sdk": ("rules", "identities", "auth", "renew", "secrets", "setup", *_BELOW),
    "auth": (
        "sdk",
        "resolve",
        "protocols",
        "request",
        "stores",
        "renew",
        "system",
        "caller",
        *_ABOVE,
    ),
    "fleet": ("sdk", "resolve", "protocols", *_ABOVE),
    "renew": ("sdk", "caller", "shared_cache", "fleet", *_BELOW),
    "system": ("renew", "fleet", "caller", "shared_cache", *_BELOW),
    "caller": _BELOW,
    "shared_cache": ("caller", *_BELOW),
    "url": ("stores", "system", "credential", "caller", "registry", *_ABOVE),
    "credential": ("stores", "system", "url", "caller", "auth", *_ABOVE),
    "registry": ("stores", "system", "credential", "caller", *_ABOVE),
    "resolve": ("protocols", *_ABOVE),
    "listing": ("renew", "secrets", "setup", "people", "doctor", *_DOORS),
    "explain": ("cli", "commands", "secrets", "install", "doctor", "people"),
    "near": ("explain", "resolve", "renew", "secrets", "setup", "doctor", "people", *_DOORS),
    "fixes": (
        "renew",
        "stores",
        "resolve",
        "protocols",
        "request",
        "listing",
        "near",
        "explain",
        "secrets",
        "setup",
        "doctor",
        "people",
        *_DOORS,
    ),
    "renewing": ("resolve", "protocols", *_ABOVE),
    "oci": ("renew", "caller", "system", *_BELOW),
    "answers": ("cli", "commands", "agent", "secrets", "setup", "people"),
    "clients": ("cli", "agent", "answers", "secrets", "setup", "people"),
    "logins": ("cli", "commands", "agent", "protocols", "secrets", "setup", "people"),
    "agent": ("cli", "commands", "secrets", "setup", "doctor", "people"),
    "secrets": (
        "protocols",
        "stores",
        "renew",
        "logins",
        "install",
        "setup",
        "doctor",
        "people",
        *_DOORS,
    ),
    "setup": (
        "resolve",
        "protocols",
        "request",
        "renew",
        "install",
        "secrets",
        "doctor",
        "people",
        *_DOORS,
    ),
    "login": ("protocols", "identities", "secrets", "install", "sdk", "people", "doctor", *_DOORS),
    "doctor": ("cli", "commands", "answers", "protocols", "logins", "secrets", "people"),
    "install": ("renew", *_BELOW),
    "commands": ("cli",),
    "people": ("resolve", "protocols", "request", "stores", "renew", "setup", "doctor", *_DOORS),
}


def imports(path: Path) -> set[str]:
    """What a module imports when it runs: not what is there for the type checker only."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_no_room_reaches_upward(module: str) -> None:
    room = module.split(".")[1] if "." in module else ""
    reached = {name.split(".")[1] for name in imports(MODULES[module]) if "credlatch." in name}
    assert reached & set(FORBIDDEN.get(room, ())) == set()


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_too_long_to_be_read_at_once(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) < 300


def test_only_one_module_sends_anything_over_the_network() -> None:
    senders = {"httpx", "requests", "urllib.request", "http.client"}
    found = {
        module
        for module, path in MODULES.items()
        if not module.startswith("credlatch.sdk.")
        and any(name in senders or name.split(".")[0] in senders for name in imports(path))
    }
    assert found == {"credlatch.renew.http"}


def test_only_one_module_imports_msgspec_which_crashes_without_what_that_sees_to() -> None:
    found = {module for module, path in MODULES.items() if "msgspec" in imports(path)}
    assert found == {"credlatch.structs"}, "say `from credlatch.structs import msgspec`"


def test_only_that_module_has_msgspec_read_anything_which_two_threads_may_not_do_at_once() -> None:
    readers = {"msgspec.convert", "msgspec.json.decode", "msgspec.json.Decoder"}
    found = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in readers
    }
    assert found == {"credlatch.structs"}, "call its `decoded` or `converted`"


def test_only_the_agent_the_keyring_a_login_and_metrics_use_sockets() -> None:
    found = {
        module
        for module, path in MODULES.items()
        if {"socket", "_socket"} & {name.split(".")[0] for name in imports(path)}
    }
    # One module asks the system's resolver for names, which is in the module of that name.
    asks = "credlatch.system.addresses"
    found.remove(asks)
    nodes = ast.walk(ast.parse(MODULES[asks].read_text()))
    used = [ast.unparse(each) for each in nodes if isinstance(each, ast.Attribute)]
    assert {each for each in used if each.startswith("socket.")} == {
        "socket.getaddrinfo",
        "socket.SOCK_STREAM",
    }
    found.remove("credlatch.system.visitors")  # for metrics, and a browser that comes back
    found.remove("credlatch.system.keyring.bus")  # which leads to the caller's own keyring
    assert {module.split(".")[1] for module in found} == {"agent"}
    assert not [module for module in found if "AF_INET" in MODULES[module].read_text()]


KEYRINGS = {"macos": "darwin", "windows": "win32"}  # below system/keyring; all others are Linux's
WINDOWS = "credlatch.people.windows_console"  # imported there alone
NAMES = {"win32ctypes": "pywin32-ctypes"}  # where a distribution is not called as what it gives
MARKERS = {
    "": ("darwin", "linux", "win32"),
    "sys_platform != 'linux'": ("darwin", "win32"),
    "sys_platform == 'linux'": ("linux",),
    "sys_platform == 'win32'": ("win32",),
}


@pytest.mark.parametrize("system", ["darwin", "linux", "win32"])
def test_what_is_imported_is_what_is_declared(system: str) -> None:
    project = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text())["project"]
    rows = [row.partition(";") for row in project["dependencies"]]
    declared = {row.partition(">")[0] for row, _, on in rows if system in MARKERS[on.strip()]}
    roots: set[str] = set()
    for module, path in MODULES.items():
        room, _, name = module.rpartition(".")
        if room == "credlatch.sdk" or (module == WINDOWS and system != "win32"):
            continue
        if room != "credlatch.system.keyring" or KEYRINGS.get(name, "linux") == system:
            roots |= {name.split(".")[0] for name in imports(path)}
    others = roots - sys.stdlib_module_names - {"credlatch"}
    assert {NAMES.get(name, name) for name in others} == declared


@pytest.mark.parametrize(("name", "extra"), EXTRAS.items())
def test_an_sdk_is_an_extra_and_imported_in_its_own_file_alone(name: str, extra: str) -> None:
    project = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text())["project"]
    wanted = {row.partition(">")[0] for row in project["optional-dependencies"][extra]}
    roots = {row.replace("-", ".").partition(".")[0] for row in wanted}
    importing = {
        module
        for module, path in MODULES.items()
        if {each.split(".")[0] for each in imports(path)} & roots
    }
    assert importing <= {f"credlatch.sdk.{name}"}


def test_nobody_asks_for_whichever_keyring_is_installed() -> None:
    for path in MODULES.values():
        nodes = ast.walk(ast.parse(path.read_text()))
        called = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
        assert not [name for name in called if name.endswith("get_keyring")]


def test_every_error_ends_with_1_but_wrong_usage() -> None:
    found = vars(errors).values()
    kinds = [kind for kind in found if isinstance(kind, type) and issubclass(kind, CredlatchError)]
    assert {kind.exit_status for kind in kinds if kind is not UsageError} == {1}
    assert UsageError.exit_status == 2


def test_the_order_of_the_stores() -> None:
    caller = Caller({"HOME": "/nowhere", "PYX_API_KEY": "k"}, "/")
    names = [name for name, open_store in ORDER if open_store(caller) is not None]
    assert names == [
        "environment", "pyx-key", "rattler", "s3", "uv", "pyx", "posit", "netrc", "docker",
        "keyring", "identity", "anonymous",
    ]  # fmt: skip
