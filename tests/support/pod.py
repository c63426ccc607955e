"""A pod, as far as a program in it can tell: its service account, its volumes, its user."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.program import TIMEOUT
from support.users import owned

if TYPE_CHECKING:
    from pathlib import Path

    from support.kubernetes import Kubernetes

USER = 65_532  # as fleet/kubernetes.yaml has it
# In a mount namespace of its own, the account's files are where the kubelet has them.
_ENTER = (
    "mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && "
    'cp -a "$1" /run/secrets/kubernetes.io/serviceaccount && shift && '
    f'exec setpriv --reuid {USER} --regid {USER} --clear-groups -- "$@"'
)


class Pod:
    """One pod; for root on Linux.

    Args:
        place: a folder that everybody may enter; the pod's is made there.
        name: the pod's.
        kubernetes: the cluster.
        namespace: that it is in.
        token: of its service account.
        settings: what is in its ``fleet.toml``.

    Attributes:
        journal: the volume that its home is.
        env: what it is started with.
    """

    def __init__(
        self, place: Path, name: str, kubernetes: Kubernetes, namespace: str, token: str,
        settings: str,
    ) -> None:  # fmt: skip
        folder = place / name
        folder.mkdir()
        folder.chmod(0o755)
        authority = kubernetes.authority.file.read_text()
        account = {"token": token, "ca.crt": authority, "namespace": namespace}
        self._account = _projected(folder / "account", account)
        self.journal = folder / "journal"  # an emptyDir with an fsGroup
        self.journal.mkdir()
        owned(self.journal, 0, USER).chmod(0o2777)
        volume = _projected(folder / "settings", {"fleet.toml": settings})
        host, port = kubernetes.url.removeprefix("https://").split(":")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.journal),
            "CREDLATCH_FLEET": str(volume / "fleet.toml"),
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
        }

    def words(self, *words: str) -> list[str]:
        """What starts a program in it."""
        shell = ("sh", "-e", "-c", _ENTER, "pod", str(self._account))
        return [need("unshare"), "--mount", "--propagation", "private", *shell, *words]

    def call(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        done = subprocess.run(
            self.words(*words), input=stdin, env=self.env, capture_output=True, text=True,
            timeout=TIMEOUT, check=False, cwd="/",
        )  # fmt: skip
        if done.stderr.startswith("unshare:"):
            pytest.skip(f"there can be no mount namespace here: {done.stderr.strip()}")
        return done


def _projected(folder: Path, files: dict[str, str]) -> Path:
    """A volume as the kubelet makes it, to be replaced at once: everything is a link."""
    within = folder / "..2026_11_22_18_00_00.1"
    within.mkdir(parents=True)
    folder.chmod(0o1777)
    for name, content in files.items():
        (within / name).write_text(content)
        owned(within / name, 0, USER).chmod(0o640)
        (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data").symlink_to(within.name)
    return folder
