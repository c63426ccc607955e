"""Every spelling of a registry's key finds the registry's login, and nobody else's."""

from __future__ import annotations

import pytest

from credlatch import registry
from credlatch import url as urls
from credlatch.protocols import docker

HUB = "https://index.docker.io/v1/"
HUB_NAMES = [
    "index.docker.io", "docker.io", "registry-1.docker.io", "https://index.docker.io",
    "https://index.docker.io/", "https://index.docker.io/v1", "https://registry-1.docker.io",
    "https://registry-1.docker.io/v2/", "https://docker.io", "docker.io:443", "Docker.io",
]  # fmt: skip


def asked(key: str) -> tuple[str, ...]:
    """The keys that a Docker client's key is looked up by."""
    return docker.parse_get(key.encode()).keys


@pytest.mark.parametrize("key", [HUB, *HUB_NAMES])
def test_the_hub_s_login_is_found_by_each_of_its_names(key: str) -> None:
    # Stored by docker/cli, by podman, by crane, and by whoever typed the registry's own name.
    for stored in (HUB, "docker.io", *HUB_NAMES[:-1]):
        if stored != "https://index.docker.io/v1":  # no client's key, though it is understood
            assert stored in asked(key), stored


@pytest.mark.parametrize(
    ("key", "first"),
    [
        (HUB, [HUB]),
        ("docker.io", ["docker.io", HUB]),
        # crane's
        ("index.docker.io/ns/repo",
         ["index.docker.io/ns/repo", "index.docker.io/ns", "index.docker.io", HUB]),
    ],
)  # fmt: skip
def test_docker_s_own_key_for_the_hub_is_asked_for_first(key: str, first: list[str]) -> None:
    assert list(asked(key)[: len(first)]) == first


@pytest.mark.parametrize("name", ["refresh-token", "access-token"])
def test_a_device_login_s_tokens_are_found_only_by_their_own_names(name: str) -> None:
    key = f"{HUB}{name}"
    assert asked(key) == (key,)
    assert all(key not in asked(other) for other in [HUB, *HUB_NAMES])


@pytest.mark.parametrize(
    "key",
    [
        "notdocker.io", "docker.io.evil.example", "auth.docker.io", "https://hub.docker.com/",
        "docker.io:5000", "http://index.docker.io/v1/",
    ],
)  # fmt: skip
def test_nobody_else_gets_the_hub_s_login(key: str) -> None:
    assert not {HUB, "docker.io", "index.docker.io", "https://docker.io"} & set(asked(key))


# What each client of facts/docker.md sends for one registry: docker and podman, nerdctl, docker-py.
SAME_HTTPS = [
    "r.example", "r.example:443", "https://r.example", "https://r.example/",
    "https://r.example:443", "https://r.example/v1/", "https://r.example/v2/", "R.Example",
]  # fmt: skip


@pytest.mark.parametrize("key", SAME_HTTPS)
@pytest.mark.parametrize("stored", SAME_HTTPS[:-1])
def test_every_spelling_finds_every_other(key: str, stored: str) -> None:
    assert stored in asked(key)


@pytest.mark.parametrize(
    "key", ["r.example:5000", "https://r.example:5000", "https://r.example:5000/v2/"]
)
def test_a_port_is_part_of_the_name(key: str) -> None:
    assert {"r.example:5000", "https://r.example:5000", "https://r.example:5000/v1/"} <= set(
        asked(key)
    )
    assert not {"r.example", "https://r.example", "r.example:443"} & set(asked(key))
    assert "r.example:5000" not in asked("r.example")


@pytest.mark.parametrize(
    "key", ["http://r.example", "http://r.example:443", "http://r.example/", "http://r.example/ns"]
)
def test_a_key_for_plain_http_finds_only_what_was_stored_under_it(key: str) -> None:
    assert asked(key) == (key,)


def test_plain_http_and_https_on_this_machine_are_two_servers() -> None:
    assert {"localhost:5000", "http://localhost:5000"} <= set(asked("http://localhost:5000"))
    assert "https://localhost:5000" not in asked("http://localhost:5000")
    assert "http://localhost:5000" not in asked("localhost:5000")


@pytest.mark.parametrize(
    ("key", "fallbacks"),
    [
        ("r.example/ns/repo", ["r.example/ns/repo", "r.example/ns", "r.example"]),
        ("r.example:5000/ns/repo", ["r.example:5000/ns/repo", "r.example:5000/ns"]),
        ("https://r.example/ns", ["https://r.example/ns", "r.example/ns", "r.example"]),
        ("https://r.example/v2/ns/repo", ["https://r.example/v2/ns/repo", "r.example/ns/repo"]),
    ],
)
def test_a_repository_s_key_falls_back_step_by_step_to_the_registry_s(
    key: str, fallbacks: list[str]
) -> None:
    assert list(asked(key)[: len(fallbacks)]) == fallbacks
    assert asked(key).count("r.example") == (":5000" not in key)
    assert asked(key).count("r.example:5000") == (":5000" in key)
    assert "r.example/n" not in asked(key)


def test_a_registry_s_key_does_not_find_what_is_for_a_part_of_it() -> None:
    assert not [key for key in asked("r.example") if "ns" in key]
    assert "r.example" in asked("r.example/ns/repo@sha256:0123")  # a digest is no user name
    assert "https://[::1]:5000" in asked("[::1]:5000")


@pytest.mark.parametrize(
    "key",
    ["my key", "*.example.com", "s3://bucket", "https://", "a..b", "ftp://r.example", "127.1"],
)
def test_what_is_no_registry_only_equals_itself(key: str) -> None:
    assert registry.parse(key) is None
    assert asked(key) == (key,)


@pytest.mark.parametrize(
    "key",
    [
        "{}@r.example", "r.example@{}", "r.example:443@{}", "a@{}@r.example", "@r.example",
        "{}?@r.example", "r.example?@{}", "{}#@r.example", "r.example#@{}", "r.example/?x",
        "r.example\\@{}", "r.example%2f@{}", "https:{}@r.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["", "https://", "HTTPS://"])
def test_what_programs_cut_different_hosts_out_of_only_equals_itself(key: str, scheme: str) -> None:
    key = scheme + key.format("o.example")
    assert registry.parse(key) is None
    assert asked(key) == (key,)


def test_below_a_bucket_there_are_no_keys() -> None:
    url = urls.parse("s3://bucket/key")
    assert registry.spellings(url) == ()
    assert registry.below(url) == ()


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("https://r.example/", ()),
        ("https://r.example/v2/", ()),
        ("https://r.example/v1", ()),
        ("https://r.example/v2/ns/repo/manifests/x", "r.example/ns/repo"),
        ("https://r.example/ns/repo/", "r.example/ns/repo"),
        ("https://r.example:5000/a/../ns/repo", "r.example:5000/ns/repo"),
        ("https://docker.io/library/x", "docker.io/library"),
    ],
)
def test_the_part_of_a_registry_that_a_url_is_in(url: str, keys: str | tuple[()]) -> None:
    below = registry.below(urls.parse(url))
    assert keys in below if keys else below == ()
