"""Azure's systems through the frozen program: as Bazel, Docker, pip and the agent ask it."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest

from support.azure_servers import (
    CLIENT,
    CLIENT_SECRET,
    DEVOPS,
    LOGIN,
    NOBODY,
    PACKAGES,
    REGISTRY,
    STORAGE,
    TENANT,
    Azure,
    Issuer,
    claims_of,
)

if TYPE_CHECKING:
    from support.agent import Agent
    from support.home import Home
    from support.internet import Internet
    from support.program import Program

FEED = f"https://{PACKAGES}/org/_packaging/feed/pypi/simple/"
BLOB = "https://account.blob.core.windows.net/cache"
MANIFEST = f"https://{REGISTRY}/v2/team/one/manifests/latest"


@pytest.fixture
def azure(internet: Internet, home: Home) -> Azure:
    """Azure, and an application's client secret in the home's environment."""
    home.env |= {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    home.env["AZURE_CLIENT_SECRET"] = CLIENT_SECRET
    return Azure(internet, Issuer())


def bearer(header: str | None) -> dict[str, object]:
    """What the token in a header says."""
    return claims_of((header or "").removeprefix("Bearer "))


def test_bazel_docker_and_pip_are_answered_for_an_application(
    frozen: Program, home: Home, azure: Azure
) -> None:
    assert bearer(frozen.bazel(FEED).authorization)["aud"] == DEVOPS
    answer = frozen.bazel(BLOB).json()
    assert set(answer["headers"]) == {"Authorization", "x-ms-version", "x-ms-blob-type"}
    assert bearer(answer["headers"]["Authorization"][0])["aud"] == STORAGE
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) < answer["expires"]
    manifest = frozen.bazel(MANIFEST).json()["headers"]
    assert bearer(manifest["Authorization"][0])["repository"] == "team/one"
    login = frozen.docker("get", REGISTRY).json()
    assert (login["Username"], claims_of(login["Secret"])["aud"]) == (NOBODY, REGISTRY)
    user, password = frozen("keyring", "--mode=creds", "get", FEED).out.decode().splitlines()
    assert user == "VssSessionToken"
    assert claims_of(password)["aud"] == DEVOPS
    home.env["AZURE_DEVOPS_EXT_PAT"] = "a-pat"
    basic = base64.b64encode(b"VssSessionToken:a-pat").decode()
    assert frozen.bazel(FEED).authorization == f"Basic {basic}"
    assert "a-pat" in azure.pats


def test_a_federated_token_and_no_secret(frozen: Program, home: Home, azure: Azure) -> None:
    assert azure.issuer is not None
    file = home.write("identity-token", azure.issuer.token())
    home.env |= {"AZURE_FEDERATED_TOKEN_FILE": str(file), "AZURE_CLIENT_SECRET": ""}
    assert bearer(frozen.bazel(FEED).authorization)["aud"] == DEVOPS


def test_the_agent_gets_a_token_once_for_many_calls(
    agent: Agent,
    internet: Internet,
    azure: Azure,  # noqa: ARG001 - it is there
) -> None:
    agent.warm()
    got = {json.dumps(agent.program.bazel(MANIFEST).json()["headers"]) for _ in range(8)}
    assert len(got) == 1
    assert len(internet.to(LOGIN)) == 1
    paths = [visit.path for visit in internet.to(REGISTRY)]
    assert paths == ["/oauth2/exchange", "/v2/", "/oauth2/token"]


def test_an_expired_secret_is_one_line(frozen: Program, azure: Azure) -> None:
    azure.secrets[CLIENT_SECRET] = 7000222
    answer = frozen.bazel(FEED)
    assert answer.code == 1
    assert "AADSTS7000222: the client secret has expired" in answer.err
    assert "az ad app credential reset" in answer.err
    assert answer.err.count("\n") == 1
    public = frozen.bazel(BLOB)
    assert public.json()["headers"] == {}
    assert "AADSTS7000222" in public.err


def test_the_frozen_program_has_azure_s_sdk(each_form: Program) -> None:
    each_form.home.env["AZURE_TOKEN_CREDENTIALS"] = "AzureCliCredential"
    said = each_form("sdk", "azure", stdin=json.dumps({"scope": "a/.default"}).encode())
    assert said.json()["error"] == "absent"
    assert "`az login`" in said.json()["message"]
    assert said.err == ""


def test_a_machine_s_identity_is_asked_in_the_frozen_program_too(
    frozen: Program, internet: Internet, azure: Azure
) -> None:
    internet.hosts["169.254.169.254"] = azure.metadata
    frozen.home.env["AZURE_TOKEN_CREDENTIALS"] = "ManagedIdentityCredential"
    scope = "https://storage.azure.com/.default"
    said = frozen("sdk", "azure", stdin=json.dumps({"scope": scope}).encode())
    assert claims_of(said.json()["token"])["aud"] == STORAGE
    internet.hosts["169.254.169.254"] = None
    began = time.monotonic()
    silent = frozen("sdk", "azure", stdin=json.dumps({"scope": scope}).encode())
    assert silent.json()["error"] == "absent"
    assert time.monotonic() - began < 30  # it takes two seconds; the machine may be busy
