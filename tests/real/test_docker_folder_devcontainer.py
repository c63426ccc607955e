"""docker/devcontainer: a container asks the machine that it runs on, and gets what it may have."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.components import need
from support.docker_folder import BLOCKS, FOLDER
from support.docker_folder_images import GLIBC
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.clients import Docker
    from support.home import Home
    from support.program import Program

FORWARD, ASK = (text.strip() for _, text in BLOCKS["Dev containers"])
HOSTS = ("registry.example.com", "pypi.example.com")


class Container:
    """A container made as devcontainer.json says.

    Args:
        docker: makes it.
        settings: what that file says, with this machine's variables in it.
    """

    def __init__(self, docker: Docker, settings: dict[str, Any]) -> None:
        self._docker = docker
        self._settings = settings
        mounts = [word for mount in settings["mounts"] for word in ("--mount", mount)]
        variables = [f"--env={name}={value}" for name, value in settings["containerEnv"].items()]
        command = ("run", "--detach", "--network=none", *mounts, *variables, GLIBC, "sleep", "600")
        self._id = docker(*command).out.decode().strip()

    def __call__(self, script: str) -> str:
        """Run a script in it, as a person would in its terminal; what that says."""
        path: str = self._settings["remoteEnv"]["PATH"]
        inside = self._docker("exec", self._id, "/bin/sh", "-c", "echo $PATH").out.decode().strip()
        path = path.replace("${containerEnv:PATH}", inside).replace("/home/vscode", "/root")
        done = self._docker("exec", f"--env=PATH={path}", self._id, "/bin/sh", "-ec", script)
        return done.said

    def end(self) -> None:
        """Remove it."""
        self._docker("rm", "--force", self._id)


def _settings(home: Home) -> dict[str, Any]:
    """The file, which may have comments (JSON with Comments), with ``${localEnv:…}`` filled in."""
    text = (FOLDER / "devcontainer/devcontainer.json").read_text()
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\$\{localEnv:(\w+)\}", lambda found: home.env[found[1]], text)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.fixture
def runtime(home: Home) -> Iterator[Path]:
    """A runtime folder with a short path, as a socket's must be."""
    with tempfile.TemporaryDirectory(prefix="cl-") as name:
        home.env["XDG_RUNTIME_DIR"] = name
        yield Path(name)


@pytest.fixture
def forwarding(frozen: Program, runtime: Path) -> Iterator[subprocess.Popen[str]]:
    """The README's command, in another terminal of the host, where credlatch is installed."""
    assert frozen("install").code == 0
    home = frozen.home
    home.write_rattler({host: {"BearerToken": f"t-{host}"} for host in (*HOSTS, "c.example")})
    assert FORWARD.split()[:3] == ["credlatch", "agent", "forward"]
    assert FORWARD.split()[3:] == list(HOSTS)
    program = home.path / ".local/bin" / FORWARD.split()[0]
    with subprocess.Popen(
        [program, *FORWARD.split()[1:]],
        env=home.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("forwarding ")
            assert str(runtime) in process.stdout.readline()
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT)


@pytest.fixture
def container(
    forwarding: subprocess.Popen[str], buildkit: Docker, glibc_image: str, home: Home
) -> Iterator[Container]:
    """The container."""
    assert forwarding.poll() is None
    assert glibc_image == GLIBC
    settings = _settings(home)
    subprocess.run(["sh", "-c", settings["initializeCommand"]], env=home.env, check=True)
    made = Container(buildkit, settings)
    try:
        made(settings["onCreateCommand"])
        made(settings["postCreateCommand"])
        yield made
    finally:
        made.end()


def test_the_container_gets_the_logins_of_the_named_hosts_and_no_others(
    container: Container,
) -> None:
    assert json.loads(container(ASK)) == {
        "headers": {"Authorization": ["Bearer t-pypi.example.com"]}
    }
    asked = ASK.replace("pypi.example.com", "c.example")
    assert json.loads(container(asked)) == {"headers": {}}
    helper = 'docker-credential-$(sed -n \'s/.*"registry.example.com": "\\(.*\\)"/\\1/p\' '
    said = container(f"printf registry.example.com | {helper} ~/.docker/config.json) get")
    assert json.loads(said)["Secret"] == "t-registry.example.com"


def test_what_it_has_of_the_host_is_a_socket_and_a_program(container: Container) -> None:
    said = container("ls /run /opt; env; cat /proc/mounts; test ! -e ~/.rattler")
    assert "t-" + HOSTS[0] not in said
    assert "credlatch.sock" in said
    assert container("touch /opt/credlatch/x 2>&1 || echo refused").endswith("refused\n")


def test_the_commands_for_scripts_get_the_same(container: Container) -> None:
    asked = "https://pypi.example.com/simple/"
    assert container(f"credlatch token {asked}") == "t-pypi.example.com\n"
    assert container(f"credlatch header {asked}") == "Authorization: Bearer t-pypi.example.com\n"
    said = container("credlatch token https://c.example/simple/ 2>&1 || echo none")
    assert said.endswith("none\n")


def test_without_the_command_the_container_is_not_made(home: Home, runtime: Path) -> None:
    assert not list(runtime.iterdir())
    done = subprocess.run(
        [need("sh"), "-c", _settings(home)["initializeCommand"]],
        env=home.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "first, in another terminal: credlatch agent forward HOST...\n"
