"""A real sshd on loopback, and a tunnel for a Unix socket through it."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.components import need
from support.daemon import running

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def forwarded(here: Path, there: Path, folder: Path) -> Iterator[None]:
    """``ssh -R there:here`` to a server of the test's own, for as long as the block.

    Args:
        here: the socket on this side.
        there: the socket that sshd makes on the other.
        folder: where keys and logs go.
    """
    sshd, ssh, keygen = need("sshd"), need("ssh"), need("ssh-keygen")
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = _free_port()
    config = folder / "sshd_config"
    config.write_text(_CONFIG.format(port=port, folder=folder))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, which must be there
    options = {
        "UserKnownHostsFile": folder / "known",
        "StrictHostKeyChecking": "accept-new",
        "IdentitiesOnly": "yes",
        "ExitOnForwardFailure": "yes",
    }
    command = [ssh, "-F", "none", "-N", "-p", str(port), "-i", str(folder / "user")]
    command += [f"-o{name}={value}" for name, value in options.items()]
    command += ["-R", f"{there}:{here}", f"{getpass.getuser()}@127.0.0.1"]
    with running([sshd, "-D", "-e", "-f", str(config)], folder / "sshd.log") as server:
        server.until(lambda: "Server listening" in server.said() or None)
        with running(command, folder / "ssh.log") as client:
            client.until(lambda: there.exists() or None)
            yield
