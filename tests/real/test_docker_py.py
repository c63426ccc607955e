"""docker-py: its client of the helper protocol, and a pull with what it reads there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from docker.api import APIClient
from docker.auth import load_config
from docker.credentials import CredentialsNotFound, Store
from docker.errors import APIError

if TYPE_CHECKING:
    from pathlib import Path

    from support.dockerd import Dockerd
    from support.home import Home
    from support.registry import Registry


@pytest.fixture
def store(helper: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Store:
    """docker-py's view of the helper."""
    assert helper.exists()
    # docker-py looks for the helper on its own PATH, and runs it in our environment and the home's.
    for name in set(os.environ) - set(home.env):
        if not name.startswith("PYTEST_"):
            monkeypatch.delenv(name)
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    return Store("credlatch")


def test_what_is_stored_is_what_get_answers_until_it_is_erased(store: Store) -> None:
    store.erase("registry.example")  # succeeds where nothing is
    for user, secret in (("user", "old"), ("other", "new")):
        store.store("registry.example", user, secret)
        login = {"ServerURL": "registry.example", "Username": user, "Secret": secret}
        assert store.get("registry.example") == login
    store.erase("registry.example")
    with pytest.raises(CredentialsNotFound):
        store.get("registry.example")


def test_list_gives_every_key_as_it_was_stored(store: Store) -> None:
    keys = {
        "https://index.docker.io/v1/": "sakuya",
        "registry.example:5000": "reimu",
        "https://registry.example/": "marisa",
        "pycreds_test_1f2e": "alice",
    }
    assert store.list() == {}
    for key, user in keys.items():
        store.store(key, user, "secret")
    assert store.list() == keys


@pytest.mark.parametrize(
    ("user", "secret"),
    [
        ("üser", "pässwörd €"),
        ("用户", "密码🔑"),
        ("u", 'quote " backslash \\ colon : slash /'),
        ("u", "  spaces around  "),
        ("u", "ab" * 50_000),
    ],
    ids=["latin", "beyond the basic plane", "punctuation", "spaces", "100 kB"],
)
def test_every_character_of_user_and_secret_comes_back(
    store: Store, user: str, secret: str
) -> None:
    store.store("registry.example", user, secret)
    found = store.get("registry.example")
    assert (found["Username"], found["Secret"]) == (user, secret)


@pytest.mark.parametrize("config", ["credsStore", "credHelpers"])
def test_docker_auth_resolves_a_registry_through_the_helper(
    store: Store, home: Home, config: str
) -> None:
    store.store("registry.example:5000", "user", "pass")
    value = '"credlatch"' if config == "credsStore" else '{"registry.example:5000":"credlatch"}'
    path = home.write(".docker/config.json", f'{{"{config}":{value}}}')
    loaded = load_config(str(path))
    found = loaded.resolve_authconfig("registry.example:5000")
    assert (found["Username"], found["Password"]) == ("user", "pass")
    assert loaded.resolve_authconfig("elsewhere.example") is None


def test_docker_auth_takes_an_identity_token_for_one(store: Store, home: Home) -> None:
    store.store("registry.example", "<token>", "identity")
    path = home.write(".docker/config.json", '{"credsStore":"credlatch"}')
    found = load_config(str(path)).resolve_authconfig("registry.example")
    assert found["IdentityToken"] == "identity"


def test_docker_auth_finds_docker_hub_when_no_registry_is_named(store: Store, home: Home) -> None:
    store.store("docker.io", "bob", "hub-secret")
    path = home.write(".docker/config.json", '{"credsStore":"credlatch"}')
    found = load_config(str(path)).resolve_authconfig(None)
    assert (found["Username"], found["Password"]) == ("bob", "hub-secret")


def test_docker_py_pulls_a_private_image(
    store: Store,
    home: Home,
    dockerd: Dockerd,
    registry: Registry,
    published: str,
) -> None:
    home.write(".docker/config.json", '{"credsStore":"credlatch"}')
    client = APIClient(base_url=dockerd.host, version="auto")
    try:
        with pytest.raises(APIError, match="no basic auth credentials"):
            client.pull(published)
        store.store(registry.host, registry.user, registry.secret)
        client.pull(published)
        assert published in client.inspect_image(published)["RepoTags"]
    finally:
        client.close()
