"""Which token server a registry may send its clients to."""

from __future__ import annotations

import pytest

from credlatch import url as urls
from credlatch.auth import realms
from credlatch.errors import RenewalError
from support import lookalikes

# A registry, and the token servers that get its login.
OWN = [
    ("https://registry.example", "https://registry.example/token"),
    ("https://registry.example", "https://REGISTRY.example.:443/v2/token?account=x"),
    ("https://registry.example", "https://registry.example:5001/auth"),
    ("https://registry.example:5000", "https://registry.example/auth"),
    ("https://ghcr.io", "https://ghcr.io/token"),
    ("https://192.0.2.1", "https://192.0.2.1:5001/auth"),
    ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"),
    ("http://127.0.0.1:5000", "https://127.0.0.1:5001/token"),
    ("http://localhost:5000", "http://localhost:5001/token"),
    ("https://registry-1.docker.io", "https://auth.docker.io/token"),
    ("https://index.docker.io", "https://auth.docker.io/token"),
    ("https://docker.elastic.co", "https://docker-auth.elastic.co/auth"),
    ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
    ("https://registry.git.example.org", "https://git.example.org/jwt/auth"),
]
# Those that anybody may be asked without a login, and with it not.
OTHERS = [
    ("https://good.github.io", "https://evil.github.io/token"),
    ("https://registry.example", "https://evil.example/token"),
    ("https://registry.example", "https://registry.example.evil/token"),
    ("https://registry.example", "https://evilregistry.example/token"),
    ("https://registry.example", "https://auth.registry.example/token"),
    ("https://a.registry.example", "https://registry.example/token"),
    ("https://registry.example", "https://registry.exam\u03c1le/token"),
    ("https://evil.docker.io", "https://auth.docker.io/token"),
    ("https://registry-1.docker.io", "https://auth.docker.io:8443/token"),
    ("https://registry-1.docker.io:5000", "https://auth.docker.io/token"),
    ("https://registry-1.docker.io", "https://auth.docker.io.evil.example/token"),
    ("https://registry-1.docker.io", "https://docker-auth.elastic.co/auth"),
    ("https://registry.gitlab.com", "https://gitlab.com/evil/jwt/auth"),
    ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth/x"),
    ("https://registry.gitlab.com", "https://gitlab.com:8443/jwt/auth"),
    ("https://registry.gitlab.com:5000", "https://gitlab.com/jwt/auth"),
    ("https://myregistry.gitlab.com", "https://gitlab.com/jwt/auth"),
    ("https://registry.example", "https://gitlab.example/jwt/auth"),
    ("https://registry.registry.io", "https://io.example/jwt/auth"),
]
# Nobody is asked there, whoever would ask.
NOBODY = [
    ("https://registry.example", realm)
    for realm in (
        "http://registry.example/token", "http://evil.example/token", "http://127.0.0.1/token",
        "http://localhost:631/", "ftp://registry.example/", "file:///etc/passwd", "/token",
        "//registry.example/token", "registry.example/token", "token", "https://", "https:///token",
        "s3://registry.example/token", "https://user@registry.example/token",
        "https://user:p@registry.example/token", "https://@registry.example/token",
        "https://:p@registry.example/token", "https://registry.example@evil.example/token",
        "https://registry.example\\@evil.example/token", "https://registry.example/\r\nX: y",
        "https://127.1/token", "https://0x7f000001/token", "https://evil.example:99999/",
        "https://registry%2eexample/token", "https://evil.example/" + "a" * 70_000,
    )
] + [
    ("http://127.0.0.1:5000", "http://evil.example/token"),
    ("http://127.0.0.1:5000", "http://localhost:5001/token"),
    ("https://localhost:5000", "http://localhost:5001/token"),
]  # fmt: skip
# Services of this machine and of this network, which a registry elsewhere has no business to name.
INSIDE = [
    ("https://registry.example", realm)
    for realm in (
        "https://localhost/token", "https://127.0.0.1:8443/token", "https://[::1]/token",
        "https://x.localhost/token", "https://10.0.0.1/token", "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/latest",
    )
]  # fmt: skip


def may(registry: str, realm: str, endpoint: str | None = None, *, login: bool = True) -> bool:
    """Whether it is asked; then it is the server that the realm names."""
    url, said = urls.parse(f"{registry}/v2/a/blobs/x"), ""
    try:
        server = realms.token_server(url, realm, endpoint, with_login=login)
    except RenewalError as error:
        said = str(error)
    if not said:
        return server.origin == urls.parse(realm).origin
    assert url.netloc in said
    assert len(said) < 1000
    assert "user:" not in said
    return False


@pytest.mark.parametrize(("registry", "realm"), OWN)
def test_a_login_goes_to_the_registry_s_own_token_server(registry: str, realm: str) -> None:
    assert may(registry, realm)
    assert may(registry, realm, login=False)


@pytest.mark.parametrize(("registry", "realm"), OTHERS)
def test_it_goes_to_no_other_which_is_asked_without_one(registry: str, realm: str) -> None:
    assert not may(registry, realm)
    assert may(registry, realm, login=False)


@pytest.mark.parametrize(("registry", "realm"), NOBODY)
def test_nothing_is_sent_in_the_clear_or_to_what_is_no_url_of_a_server(
    registry: str, realm: str
) -> None:
    assert not may(registry, realm)
    assert not may(registry, realm, login=False)
    assert not may(registry, realm, realm)


@pytest.mark.parametrize(("registry", "realm"), INSIDE)
def test_a_registry_elsewhere_has_nobody_ask_this_machine_or_an_address(
    registry: str, realm: str
) -> None:
    assert not may(registry, realm)
    assert not may(registry, realm, login=False)


@pytest.mark.parametrize(
    ("registry", "realm"),
    [each for each in OWN if each[0].count(":") == 1 and "192" not in each[0]],
)
def test_a_thousand_hosts_that_look_like_a_token_server_get_no_login(
    registry: str, realm: str
) -> None:
    texts = lookalikes.of_host(realm)
    assert len(texts) == 1000
    # Another port of the registry's own host is its own.
    own = urls.parse(registry).host
    wrong = [each for each in texts if may(registry, each) and urls.parse(each).host != own]
    assert wrong == []


def test_settings_name_another_token_server() -> None:
    names = "https://registry.example", "https://tokens.example/v1/token"
    for endpoint in ("https://tokens.example", "https://tokens.example/v1", names[1]):
        assert may(*names, endpoint)
    for endpoint in ("https://tokens.example:444", "https://tokens.example/v2", "https://t", "x"):
        assert not may(*names, endpoint)
    assert not may(names[0], "http://tokens.example/", "http://tokens.example")
