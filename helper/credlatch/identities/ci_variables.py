"""Which CI a job runs in, and what that gives for an identity token."""

from __future__ import annotations

import json
import re
from hashlib import sha256

from credlatch import url as urls
from credlatch.auth.ci_tokens import (
    AZURE,
    AzureToken,
    GitHubToken,
    IdentityToken,
    ProgramToken,
)
from credlatch.credential import Secret
from credlatch.errors import RequestError, StoreError
from credlatch.identities import token as tokens
from credlatch.rules.exchange import Identity
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.rules import Rule

    Detector = Callable[[str | None, Identity, Caller], IdentityToken]

_NOT_IN_NAMES = re.compile(r"[^A-Z0-9_]|^[^A-Z_]")


def identity_token(rule: Rule, audience: str | None, caller: Caller) -> IdentityToken | None:
    """What gives the identity token that a rule means; None: this is no job that has one.

    Args:
        rule: names the place, or none: then the first CI of the table counts whose job this is.
        audience: for whom it is to be.
        caller: whose variables and files count.

    Raises:
        StoreError: it is such a job, and gets no identity token.
    """
    meant = rule.identity or Identity()
    if meant.file is not None or meant.variable is not None:
        held = tokens.read(meant, caller)
        return None if held is None else IdentityToken(*held, audience)
    for name, (mark, detect) in CIS.items():
        if meant.ci in {None, name} and caller.get(mark) is not None:
            if audience is None and name in _ASKED:
                raise StoreError(
                    f"{rule.where} does not say for whom an identity is asked: add audience"
                )
            return detect(audience, meant, caller)
    return None


def _github(audience: str | None, meant: Identity, caller: Caller) -> IdentityToken:  # noqa: ARG001
    url, token = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
    secret, server = caller.get(token), caller.get(url)
    if secret is None or server is None:
        raise StoreError(
            "GitHub Actions gives this job no identity token: add `permissions: id-token: write` "
            "to it (a pull request from a fork never has that)"
        )
    return GitHubToken("GitHub Actions", Secret(secret), audience, _server(url, server))


def _gitlab(audience: str | None, meant: Identity, caller: Caller) -> IdentityToken:  # noqa: ARG001
    name = f"{_NOT_IN_NAMES.sub('_', (audience or '').upper())}_ID_TOKEN"
    token = caller.get(name)
    if token is None:
        raise StoreError(
            f"GitLab gives this job no identity token for {audience}: add "
            f"`id_tokens: {{{name}: {{aud: '{audience}'}}}}` to it"
        )
    return IdentityToken(name, Secret(token.strip()), audience)


def _buildkite(audience: str | None, meant: Identity, caller: Caller) -> IdentityToken:  # noqa: ARG001
    words = ("buildkite-agent", "oidc", "request-token", "--audience", audience or "")
    return _printed("Buildkite", "BUILDKITE", words, audience, caller)


def _circleci(audience: str | None, meant: Identity, caller: Caller) -> IdentityToken:  # noqa: ARG001
    claims = json.dumps({"aud": audience})
    words = ("circleci", "run", "oidc", "get", "--claims", claims, "--root-issuer")
    return _printed("CircleCI", "CIRCLE", words, audience, caller)


def _printed(
    place: str, prefix: str, words: tuple[str, ...], audience: str | None, caller: Caller
) -> IdentityToken:
    """What a CI's program prints: kept for the job, which its variables tell apart from others."""
    if programs.found(words[0], caller.environ) is None:
        raise StoreError(f"{place} gives this job no identity token: {words[0]} is not on PATH")
    job = sorted(pair for pair in caller.environ.items() if pair[0].startswith(prefix))
    asked = ProgramToken(place, Secret(sha256(repr(job).encode()).hexdigest()), audience)
    asked.words = words
    return asked


def _azure(audience: str | None, meant: Identity, caller: Caller) -> IdentityToken:
    url, token = "SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN"
    secret, server = caller.get(token), caller.get(url)
    if secret is None or server is None:
        raise StoreError(
            f"Azure DevOps gives this step no identity token, as {token if server else url} is not "
            "set: add `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}` to it"
        )
    asked = AzureToken("Azure DevOps", Secret(secret), audience or AZURE, _server(url, server))
    asked.connection = meant.connection
    return asked


def _bitbucket(audience: str | None, meant: Identity, caller: Caller) -> IdentityToken:  # noqa: ARG001
    name = "BITBUCKET_STEP_OIDC_TOKEN"
    token = caller.get(name)
    if token is None:
        raise StoreError("Bitbucket gives this step no identity token: add `oidc: true` to it")
    return IdentityToken(name, Secret(token.strip()), audience)


def _server(name: str, text: str) -> str:
    """The URL in a variable: https, or on this machine."""
    try:
        server = urls.absolute(text)
    except RequestError as error:
        raise StoreError(
            f"{name} names no server ({error}): leave it as the CI has set it"
        ) from None
    if server.scheme == "s3" or not (server.may_carry_credentials or server.may_be_loopback):
        raise StoreError(
            f"{name} names {server.shown}, and an identity is asked for over https alone: "
            "leave it as the CI has set it"
        )
    return server.text


# By the word that a rule says: the variable that marks a job, and what the job has.
CIS: dict[str, tuple[str, Detector]] = {
    "github": ("GITHUB_ACTIONS", _github),
    "buildkite": ("BUILDKITE", _buildkite),
    "gitlab": ("GITLAB_CI", _gitlab),
    "circleci": ("CIRCLECI", _circleci),
    "azure": ("TF_BUILD", _azure),
    "bitbucket": ("BITBUCKET_BUILD_NUMBER", _bitbucket),
}
_ASKED = ("github", "gitlab", "buildkite", "circleci")  # which make one for an audience
