"""A registry that sends its clients to a token server: identity tokens, and tokens that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.dockerd import BASE
from support.logins import FIRST, oauth

if TYPE_CHECKING:
    from support.clients import Docker
    from support.home import Home
    from support.program import Program
    from support.registry import TokenRegistry
    from support.registry_tokens import RegistryTokens
    from support.token_server import TokenServer
    from support.tool import Tool


def _refresh_tokens(tokens: RegistryTokens) -> set[str]:
    """The refresh tokens that were posted; nobody may have asked in any other way."""
    assert set(tokens.grants()) == {"refresh_token"}
    return {request.form["refresh_token"] for request in tokens.requests}


def test_docker_pushes_and_pulls_with_the_identity_token_that_login_stored(
    docker: Docker, token_registry: TokenRegistry, frozen: Program
) -> None:
    registry, tokens = token_registry, token_registry.tokens
    docker.configure(credsStore="credlatch")
    docker.login(registry.host, registry.user, registry.secret)
    assert tokens.grants() == ["GET"]
    stored = frozen.docker("get", registry.host).json()
    assert stored["Username"] == "<token>"
    assert stored["Secret"].startswith("identity-")
    assert docker.home.read_rattler() == {
        registry.host: {"BasicHTTP": {"username": "<token>", "password": stored["Secret"]}}
    }

    image = f"{registry.host}/team/app:1"
    docker("tag", BASE, image)
    tokens.requests.clear()
    docker("push", image)
    assert _refresh_tokens(tokens) == {stored["Secret"]}

    docker("rmi", image)
    tokens.requests.clear()
    docker("pull", image)
    assert _refresh_tokens(tokens) == {stored["Secret"]}

    docker("logout", registry.host)
    docker("rmi", image)
    docker.refused("pull", image)
    assert tokens.grants()[-1] == "GET"


def test_skopeo_reads_with_the_identity_token_that_docker_stored(
    docker: Docker,
    skopeo: Tool,
    token_registry: TokenRegistry,
    token_image: str,
    frozen: Program,
) -> None:
    registry, tokens = token_registry, token_registry.tokens
    docker.configure(credsStore="credlatch")
    docker.login(registry.host, registry.user, registry.secret)
    tokens.requests.clear()
    skopeo.home.write("auth.json", f'{{"credHelpers":{{"{registry.host}":"credlatch"}}}}')
    skopeo("inspect", "--tls-verify=false", f"docker://{token_image}")
    assert _refresh_tokens(tokens) == {frozen.docker("get", registry.host).json()["Secret"]}


def test_docker_pulls_with_an_oauth_login_that_has_ended_after_one_renewal(
    docker: Docker,
    token_registry: TokenRegistry,
    token_image: str,
    token_server: TokenServer,
    home: Home,
) -> None:
    tokens = token_registry.tokens
    tokens.admits = lambda user, secret: (
        (user, secret) == ("__token__", token_server.current_access_token)
    )
    home.write_rattler({"127.0.0.1": oauth(token_server, -60)})
    docker.configure(credsStore="credlatch")
    docker("pull", token_image)
    docker("pull", token_image)
    assert [post.form["refresh_token"] for post in token_server.posts("/token")] == [FIRST]
    assert set(tokens.grants()) == {"GET"}
    written = home.read_rattler()["127.0.0.1"]["OAuth"]
    assert written["access_token"] == token_server.current_access_token
    assert written["refresh_token"] != FIRST
