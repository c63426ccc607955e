"""Where each tool's command line takes its secrets."""

from __future__ import annotations

import pytest

from credlatch.errors import UsageError
from credlatch.secrets.wired import wired

FILE = "id=t,src=/run/x/t"
VARIABLE = "id=V,env=V"
ENVIRON = {"PATH": "/bin", "CONTAINER_HOST": ""}
FLAGS = f"--secret {FILE} --secret {VARIABLE}"
SETS = f"--set *.secrets+={FILE} --set *.secrets+={VARIABLE}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("docker build .", "docker build {flags} ."),
        ("/usr/bin/docker build -t x .", "/usr/bin/docker build {flags} -t x ."),
        ("docker image build .", "docker image build {flags} ."),
        ("docker builder build .", "docker builder build {flags} ."),
        ("docker buildx build .", "docker buildx build {flags} ."),
        ("docker buildx b .", "docker buildx b {flags} ."),
        ("docker buildx --builder build build .", "docker buildx --builder build build {flags} ."),
        ("docker -H build --debug build .", "docker -H build --debug build {flags} ."),
        ("docker --host=tcp://h build .", "docker --host=tcp://h build {flags} ."),
        ("docker --context image build", "docker --context image build {flags}"),
        ("docker-buildx build .", "docker-buildx build {flags} ."),
        ("docker buildx bake app", "docker buildx bake {sets} app"),
        ("docker bake", "docker bake {sets}"),
        ("podman build .", "podman build {flags} ."),
        ("podman --root build image build .", "podman --root build image build {flags} ."),
        ("podman --remote=false build .", "podman --remote=false build {flags} ."),
        ("buildah bud .", "buildah bud {flags} ."),
        ("buildah --storage-driver vfs build .", "buildah --storage-driver vfs build {flags} ."),
        ("buildctl build --opt x=y", "buildctl build {flags} --opt x=y"),
        ("buildctl --addr unix:///x b", "buildctl --addr unix:///x b {flags}"),
        ("sudo -E docker build .", "sudo -E docker build {flags} ."),
        ("nohup docker build .", "nohup docker build {flags} ."),
        ("env A=b /usr/bin/podman build", "env A=b /usr/bin/podman build {flags}"),
        # Their own files say where secrets are.
        ("docker compose build app", "docker compose build app"),
        ("docker compose -f x.yaml up --build", "docker compose -f x.yaml up --build"),
        ("docker-compose build", "docker-compose build"),
        # Not known: a script, which finds them in the folder.
        ("./build.sh build", "./build.sh build"),
        ("make docker build", "make docker build"),
        ("sudo make", "sudo make"),
    ],
)
def test_secrets_go_where_the_command_takes_them(words: str, expected: str) -> None:
    whole = expected.format(flags=FLAGS, sets=SETS).split()
    assert wired(words.split(), [FILE, VARIABLE], ENVIRON) == whole


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("docker run build", "docker run"),
        ("docker", "docker"),
        ("docker image ls", "docker image ls"),
        ("docker --debug", "docker"),
        ("docker --host", "docker"),
        ("podman push build", "podman push"),
        ("buildah from x", "buildah from"),
        ("buildctl prune", "buildctl prune"),
        ("sudo docker push build", "docker push"),
    ],
)
def test_a_command_that_takes_none_is_said(words: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        wired(words.split(), [FILE], ENVIRON)
    assert f"{named!r} takes no secrets" in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        "podman --remote build .",
        "podman -r build .",
        "podman --log-level debug --connection vm build .",
        "podman -c vm build .",
        "sudo podman --url=unix:///x build .",
    ],
)
def test_a_podman_that_would_copy_secrets_to_the_disk_gets_none(words: str) -> None:
    with pytest.raises(UsageError, match="copies secrets to the disk, into the build's context"):
        wired(words.split(), [FILE], ENVIRON)


@pytest.mark.parametrize("name", ["CONTAINER_HOST", "CONTAINER_CONNECTION"])
def test_variables_send_a_build_elsewhere_too_but_podmans_alone(name: str) -> None:
    environ = {name: "ssh://vm"}
    with pytest.raises(UsageError, match=name):
        wired(["podman", "build", "."], [FILE], environ)
    assert wired(["docker", "build"], [], environ) == ["docker", "build"]
    assert wired(["buildah", "build"], [], environ) == ["buildah", "build"]


def test_without_secrets_nothing_is_added() -> None:
    assert wired(["docker", "build", "."], [], {}) == ["docker", "build", "."]
