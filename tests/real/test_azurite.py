"""Azurite takes the headers that the frozen program gives: to read, and as Bazel's cache."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from support.azure_servers import CLIENT, CLIENT_SECRET, LOGIN, STORAGE, TENANT, Azure
from support.azurite import HOST, Azurite, azurite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home
    from support.internet import Internet
    from support.program import Program

ROOT = f"https://{HOST}"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite") / "place") as server:
        yield server


@pytest.fixture
def azure(internet: Internet, home: Home, storage: Azurite) -> Azure:
    """Entra, and the account with a container that is public and one that is not."""
    home.env |= {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    home.env["AZURE_CLIENT_SECRET"] = CLIENT_SECRET
    azure = Azure(internet)
    internet.hosts[HOST] = storage.answer
    owner = {"Authorization": f"Bearer {azure.token(STORAGE)}", "x-ms-version": "2021-12-02"}
    for name, more in (("cache", {}), ("shared", {"x-ms-blob-public-access": "blob"})):
        assert storage.ask("PUT", f"/{name}?restype=container", owner | more, b"")[0] in {201, 409}
    blob = owner | {"x-ms-blob-type": "BlockBlob"}
    assert storage.ask("PUT", "/shared/a.tar", blob, b"public")[0] == 201
    return azure


def headers(program: Program, url: str) -> dict[str, str]:
    """What Bazel is given for a URL."""
    answer: dict[str, Any] = program.bazel(url).json()
    return {name: value for name, (value,) in answer["headers"].items()}


def test_one_answer_for_a_container_reads_and_writes_bazel_s_cache(
    frozen: Program, storage: Azurite, azure: Azure
) -> None:
    assert azure.lifetime > 60
    given = headers(frozen, f"{ROOT}/cache")
    assert storage.ask("GET", "/cache/ac/1", given)[0] == 404
    assert storage.ask("PUT", "/cache/ac/1", given, b"result")[0] == 201
    status, _, body = storage.ask("GET", "/cache/ac/1", given)
    assert (status, body) == (200, b"result")
    assert storage.ask("GET", "/cache/ac/1")[0] == 403


def test_a_private_blob_is_read_with_the_headers_and_a_public_one_without(
    frozen: Program, storage: Azurite, internet: Internet, azure: Azure
) -> None:
    owner = headers(frozen, f"{ROOT}/cache")
    assert storage.ask("PUT", "/cache/b%20c%2Bd.tar", owner, b"private")[0] == 201
    given = headers(frozen, f"{ROOT}/cache/b%20c%2Bd.tar")
    assert set(given) == {"Authorization", "x-ms-version"}
    assert storage.ask("GET", "/cache/b%20c%2Bd.tar", given)[2] == b"private"
    asked = len(internet.to(LOGIN))
    for name in ("a.tar", "missing.tar"):
        assert headers(frozen, f"{ROOT}/shared/{name}") == {}
    assert storage.ask("GET", "/shared/a.tar")[2] == b"public"
    assert len(internet.to(LOGIN)) == asked
    assert azure.fails is None


@pytest.mark.parametrize("claims", [{"aud": "https://other.example"}, {"exp": 1}, {"iss": "me"}])
def test_the_emulator_refuses_what_is_no_token_for_it(
    storage: Azurite, azure: Azure, claims: dict[str, Any]
) -> None:
    token = azure.token(STORAGE, **claims)
    given = {"Authorization": f"Bearer {token}", "x-ms-version": "2021-12-02"}
    assert storage.ask("GET", f"/cache/{time.time_ns()}", given)[0] == 403
