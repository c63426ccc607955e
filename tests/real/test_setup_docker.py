"""docker pulls and builds with nothing done before but ``credlatch setup docker``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.clients import holders_of
from support.components import need

if TYPE_CHECKING:
    from support.clients import Docker
    from support.home import Home
    from support.program import Program
    from support.registry import Registry
    from support.secret_service import SecretService

CONFIG = ".docker/config.json"
ODD = '{ "HttpHeaders":{"X":"y"},\n\n   "detachKeys" : "ctrl-e,e" }'
REFUSED = "no basic auth credentials"


def log_in(home: Home, registry: Registry) -> None:
    """Keep the login where rattler's store has it."""
    login = {"username": registry.user, "password": registry.secret}
    home.write_rattler({registry.host: {"BasicHTTP": login}})


def done(program: Program, *words: str) -> str:
    answer = program("setup", *words, "--yes")
    assert answer.code == 0, answer
    return answer.out.decode()


def test_it_pulls_after_setup_and_not_after_undo(
    docker: Docker, registry: Registry, published: str, frozen: Program
) -> None:
    home = docker.home
    log_in(home, registry)
    config = home.write(CONFIG, ODD)
    assert REFUSED in docker.refused("pull", published)
    assert registry.secret not in done(frozen, "docker")
    docker("pull", published)
    docker("rmi", published)
    done(frozen, "docker", "--undo")
    assert config.read_text() == ODD
    assert REFUSED in docker.refused("pull", published)
    assert holders_of(registry.secret, registry.user, home.path) == [
        home.path / ".rattler/credentials.json"
    ]


def test_for_all_registries_login_and_logout_are_ours(
    docker: Docker, registry: Registry, published: str, frozen: Program
) -> None:
    done(frozen, "docker", "--all-hosts")
    docker.login(registry.host, registry.user, registry.secret)
    assert registry.host in docker.home.read_rattler()
    docker("pull", published)
    docker("logout", registry.host)
    assert docker.home.read_rattler() == {}
    # docker has written its file anew meanwhile: what is ours goes, and what is docker's stays.
    done(frozen, "docker", "--undo")
    if (docker.home.path / CONFIG).exists():
        assert "credsStore" not in docker.config


def test_what_another_helper_keeps_is_pulled_through_us(
    docker: Docker,
    registry: Registry,
    published: str,
    frozen: Program,
    secret_service: SecretService,
) -> None:
    need("docker-credential-secretservice")
    docker.configure(credsStore="secretservice")
    docker.login(registry.host, registry.user, registry.secret)
    before = (docker.home.path / CONFIG).read_bytes()
    (item,) = secret_service.items()
    assert registry.secret in item.secret

    done(frozen, "docker", "--host", registry.host, "--chain")
    docker("pull", published)
    docker("rmi", published)
    answer = frozen.docker("get", registry.host).json()
    assert (answer["Username"], answer["Secret"]) == (registry.user, registry.secret)

    done(frozen, "docker", "--undo")
    assert (docker.home.path / CONFIG).read_bytes() == before
    docker("pull", published)
    docker("rmi", published)

    done(frozen, "docker", "--all-hosts", "--chain")
    docker("pull", published)
    docker("rmi", published)
    assert frozen.docker("list").json() == {registry.host: registry.user}
    docker("logout", registry.host)
    assert secret_service.items() == []
    assert REFUSED in docker.refused("pull", published)


def test_buildkit_pulls_its_private_base_image(
    buildkit: Docker, registry: Registry, published: str, frozen: Program
) -> None:
    docker = buildkit
    log_in(docker.home, registry)
    # Where there is no login at all, docker asks whichever helper it finds.
    config = docker.home.write(CONFIG, '{"auths": {"o.example": {}}}')
    docker.home.write("context/Dockerfile", f"FROM {published}\nLABEL built=yes\n")
    build = "build", "--pull", "--network=none", "context"
    assert "401 Unauthorized" in docker.refused(*build)
    said = done(frozen, "buildkit")
    assert "this is docker's wiring" in said
    docker(*build)
    done(frozen, "buildkit", "--undo")
    assert config.read_text() == '{"auths": {"o.example": {}}}'


@pytest.mark.parametrize("text", ['{"auths": ', "[]"])
def test_what_docker_itself_does_not_read_is_left(
    docker: Docker, registry: Registry, frozen: Program, text: str
) -> None:
    log_in(docker.home, registry)
    path = docker.home.write(CONFIG, text)
    answer = frozen("setup", "docker", "--yes")
    assert answer.code == 1
    assert answer.err.startswith(f"credlatch: {path} cannot be changed as JSON: ")
    assert path.read_text() == text
    assert "config.json" in docker.attempt("images").said
