"""Google's own library with the same files, at the same servers: it sends what we send."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest
from google.auth import (
    aws,
    external_account_authorized_user,
    identity_pool,
    impersonated_credentials,
    transport,
)
from google.oauth2 import credentials, service_account

from support.found import header, sure
from support.google_servers import (
    ACTS,
    AWS,
    AWS_TYPE,
    SCOPE,
    SUBJECT,
    Google,
    aws_source,
    federated_file,
    impersonating_file,
    is_aws,
    service_account_file,
    user_file,
)
from support.google_user import GoogleUser
from support.internet import Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.home import Home
    from support.internet import Internet

AWS_ENVIRON = {
    "AWS_ACCESS_KEY_ID": AWS.id,
    "AWS_SECRET_ACCESS_KEY": AWS.secret.reveal(),
    "AWS_SESSION_TOKEN": AWS.token.reveal() if AWS.token else "",
    "AWS_REGION": "eu-west-1",
}
SOURCE = {"file": "subject"}
FIELD = {"type": "json", "subject_token_field_name": "value"}
FILES = {
    "a user": user_file(),
    "a workforce's user": user_file(
        type="external_account_authorized_user",
        token_url="https://sts.googleapis.com/v1/oauthtoken",
    ),
    "a key": service_account_file(),
    "a file": federated_file(SOURCE),
    "a file's field": federated_file({"file": "subject.json", "format": FIELD}),
    "a file, and another account": federated_file(
        SOURCE,
        service_account_impersonation_url=ACTS,
        service_account_impersonation={"token_lifetime_seconds": 1800},
    ),
    "AWS": federated_file(aws_source(), subject_token_type=AWS_TYPE),
    "a user, and another account": impersonating_file(user_file()),
    "a key, and another account": impersonating_file(service_account_file()),
}


class Answer(transport.Response):
    """What Google's library is answered."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self._said = status, headers, data

    @property
    def status(self) -> int:
        return self._said[0]

    @property
    def headers(self) -> Mapping[str, str]:
        return self._said[1]

    @property
    def data(self) -> bytes:
        return self._said[2]


class Sender(transport.Request):
    """Sends for Google's library, to the test's network without any network."""

    def __init__(self, internet: Internet) -> None:
        self.internet = internet
        self.visits: list[Visit] = []

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - nobody waits here
        **_: object,
    ) -> Answer:
        place = urllib.parse.urlsplit(url)
        sent = body.encode() if isinstance(body, str) else body or b""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        target = place.path + (f"?{place.query}" if place.query else "")
        host = place.hostname or ""
        visit = Visit(method, place.path, target, named, sent, place.scheme, host, 443)
        self.visits.append(visit)
        answer = self.internet.hosts[host]
        assert callable(answer)
        status, said, content = answer(visit)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return Answer(status, said, data)


def loaded(file: dict[str, Any]) -> Any:
    """What Google's library makes of a file; of a user's without a scope, as it was granted."""
    kind = file["type"]
    if kind == "authorized_user":
        user: Any = credentials.Credentials
        return user.from_authorized_user_info(file)
    if kind == "external_account_authorized_user":
        workforce: Any = external_account_authorized_user.Credentials
        return workforce.from_info(file)
    if kind == "service_account":
        account: Any = service_account.Credentials
        return account.from_service_account_info(file, scopes=[SCOPE])
    if kind == "external_account":
        of_aws = "environment_id" in file["credential_source"]
        external: Any = aws.Credentials if of_aws else identity_pool.Credentials
        return external.from_info(file, scopes=[SCOPE])
    acting: Any = impersonated_credentials.Credentials
    return acting.from_impersonated_service_account_info(file, scopes=[SCOPE])


def said(visit: Visit) -> tuple[object, ...]:
    """What a request says, but for what is another each time: moments, signatures, tokens."""
    if visit.headers.get("content-type") == "application/json":
        body: dict[str, Any] = visit.json
        body["delegates"] = body["delegates"] or []
    else:
        body = {**visit.form}
    if "assertion" in body:
        head, claims, _ = body.pop("assertion").split(".")
        body["head"] = json.loads(_decoded(head))
        body["claims"] = {
            name: value
            for name, value in json.loads(_decoded(claims)).items()
            if name not in {"iat", "exp"}
        }
    if body.get("subject_token_type") == AWS_TYPE:
        request = json.loads(urllib.parse.unquote(body.pop("subject_token")))
        assert is_aws(urllib.parse.quote(json.dumps(request)))
        body["signed"] = sorted(each["key"].lower() for each in request["headers"])
        body["method"], body["url"] = request["method"], request["url"]
    kind = visit.authorization.partition(" ")[0]
    proof = visit.authorization if kind == "Basic" else kind
    return visit.method, visit.url, body, proof


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize("kind", FILES)
def test_google_s_library_sends_the_same_to_the_same_servers(
    kind: str, home: Home, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    google_servers = Google(internet)
    home.write("subject", SUBJECT)
    home.write("subject.json", json.dumps({"value": SUBJECT}))
    monkeypatch.chdir(home.path)
    for name, value in AWS_ENVIRON.items():
        monkeypatch.setenv(name, value)
        home.env[name] = value
    user = GoogleUser(home)
    path = user.has(FILES[kind])
    ours = sure(header(user.outcome().resolution)).removeprefix("Bearer ")
    sender = Sender(internet)
    theirs = loaded(json.loads(path.read_text()))
    theirs.refresh(sender)
    assert google_servers.issued(theirs.token) == google_servers.issued(ours)
    assert [said(visit) for visit in internet.visits] == [said(visit) for visit in sender.visits]
