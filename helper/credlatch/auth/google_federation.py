"""Google's workload identity federation: another identity, exchanged for an access token.

The file that ``gcloud iam workload-identity-pools create-cred-config`` writes says where that
identity is (google.aip.dev/auth/4117); Google's Security Token Service takes it (RFC 8693).
"""

from __future__ import annotations

from credlatch.auth import HttpRequest
from credlatch.auth.google import GoogleAuth
from credlatch.credential import Basic, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import CommandRequest, HttpResponse
    from credlatch.auth.google import Fetching
    from credlatch.credential import AccessKey

    Finding = Generator[HttpRequest | CommandRequest, HttpResponse, str]

PREFIX = "urn:ietf:params:oauth:"
AWS_TYPE = "urn:ietf:params:aws:token-type:aws4_request"
METADATA = 1.2  # seconds for an answer of a machine's own metadata service
_SUCCESS = 200


class Subject:
    """Where the other identity comes from.

    Attributes:
        secret: what it is asked with, or the identity itself; empty: nothing is needed.
        whose: what else tells it from another one.
        servers: the URLs that are asked for it.
    """

    def __init__(self, secret: Secret, whose: str = "", servers: tuple[str, ...] = ()) -> None:
        self.secret = secret
        self.whose = whose
        self.servers = servers

    def find(self, audience: str, now: float) -> Finding:  # noqa: ARG002 - for whom does not matter
        """The identity, as the Security Token Service takes it; raises as a flow."""
        yield from ()  # nothing
        return self.secret.reveal()


class UrlSubject(Subject):
    """An identity that a server gives, as that of GitHub's workflows.

    Attributes:
        headers: that it is asked with.
        field: of its JSON, where the identity is; empty: its text is the identity.
    """

    def __init__(self, url: str, headers: dict[str, str], field: str) -> None:
        asked = "\n".join(f"{name}: {value}" for name, value in headers.items())
        login = next((headers[name] for name in headers if name.lower() == "authorization"), "")
        super().__init__(Secret(login), f"{url}\n{asked}", (url,))
        self.headers = headers
        self.field = field

    def find(self, audience: str, now: float) -> Finding:  # noqa: ARG002 - the URL has all of it
        """One GET."""
        (url,) = self.servers
        metadata = METADATA if is_metadata(url) else None
        response = yield HttpRequest("GET", url, headers=self.headers, metadata=metadata)
        return found(_body(response, url), self.field)


class AwsSubject(Subject):
    """An identity of AWS: a signed request that tells who has signed it, and is not sent to AWS.

    Attributes:
        key: with which it is signed; None: the role of the machine, by its metadata service.
        region: of AWS; empty: that of the machine.
        check: the URL of the request, with ``{region}`` in it.
        places: the metadata service's URLs, of the region, of the role and of a session token.
    """

    def __init__(
        self, key: AccessKey | None, region: str, check: str, places: tuple[str, str, str]
    ) -> None:
        super().__init__(
            Secret("") if key is None else key.secret,
            "\n".join(
                (region, check)
                if key is None
                else (region, check, key.id, key.token.reveal() if key.token else "")
            ),
            tuple(filter(None, places)),
        )
        self.key = key
        self.region = region
        self.check = check
        self.places = places

    def find(self, audience: str, now: float) -> Finding:
        """Nothing is sent where the environment has a key and a region."""
        headers: dict[str, str] = {}
        of_region, of_role, of_session = self.places
        if of_session and not (self.key and self.region):
            asked = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
            response = yield HttpRequest("PUT", of_session, headers=asked, metadata=METADATA)
            headers = {"X-aws-ec2-metadata-token": _body(response, of_session)}
        region = self.region
        if not region:
            response = yield HttpRequest("GET", of_region, headers=headers, metadata=METADATA)
            region = _body(response, of_region)[:-1]  # without the letter of a zone
        if not region.isascii() or not region.replace("-", "").isalnum():
            raise ValueError("it is no name of a region")
        key = self.key or (yield from self._role(of_role, headers))
        return _signed(key, region, self.check, audience, now)

    def _role(
        self, url: str, headers: dict[str, str]
    ) -> Generator[HttpRequest, HttpResponse, AccessKey]:
        from credlatch.credential import AccessKey

        response = yield HttpRequest("GET", url, headers=headers, metadata=METADATA)
        role = _body(response, url)
        if not role.isascii() or not role.isprintable() or set(role) & set("/?# "):
            raise ValueError("it is no name of a role")
        place = f"{url.rstrip('/')}/{role}"
        response = yield HttpRequest("GET", place, headers=headers, metadata=METADATA)
        text = _body(response, place)
        parts = (found(text, name) for name in ("AccessKeyId", "SecretAccessKey", "Token"))
        name, secret, token = parts
        return AccessKey(name, Secret(secret), Secret(token))


class Federated(GoogleAuth):
    """An identity of somebody else's, and the exchange of it.

    Attributes:
        subject: where it comes from.
        kind: what it is, as RFC 8693 calls it (``subject_token_type``).
        audience: the provider at Google that takes it.
        client: the id and secret of an application; None: there is none.
        project: that is billed for a workforce's user; empty: none.
    """

    def __init__(  # noqa: PLR0913 - what its file has, all by name but what any has
        self,
        subject: Subject,
        server: str,
        remedy: str,
        *,
        kind: str,
        audience: str,
        client: tuple[str, Secret] | None = None,
        project: str = "",
    ) -> None:
        super().__init__(subject.secret, server, remedy)
        self.anonymous = not subject.secret
        self.subject = subject
        self.kind = kind
        self.audience = audience
        self.client = client
        self.project = project

    @property
    def who(self) -> str:
        """Whose identity, and for whom."""
        client = self.client[0] if self.client else ""
        return f"{self.kind}\n{self.audience}\n{client}\n{self.project}\n{self.subject.whose}"

    def servers(self) -> tuple[str, ...]:
        """Where the identity comes from, and where it goes."""
        return (self.server, *self.subject.servers)

    def fetch(self, now: float) -> Fetching:
        """What the identity takes, and one POST."""
        subject = yield from self.subject.find(self.audience, now)
        form = {
            "grant_type": f"{PREFIX}grant-type:token-exchange",
            "audience": self.audience,
            "scope": self.scope,
            "requested_token_type": f"{PREFIX}token-type:access_token",
            "subject_token": subject,
            "subject_token_type": self.kind,
        }
        if self.project and self.client is None:
            from urllib.parse import quote

            from credlatch import quick_json

            form["options"] = quote(f'{{"userProject":{quick_json.quote(self.project)}}}')
        headers = Basic(*self.client).headers() if self.client else {}
        response = yield HttpRequest("POST", self.server, form=form, headers=headers)
        return self.said(response)


def is_metadata(url: str) -> bool:
    """Whether a URL is of the machine's own metadata service: plain http, and link-local."""
    from credlatch import url as urls
    from credlatch.errors import RequestError

    try:
        server = urls.absolute(url)
    except RequestError:
        return False
    return server.scheme == "http" and server.host in {"169.254.169.254", "fd00:ec2::254"}


def found(text: str, field: str) -> str:
    """The identity in a text: all of it, or what a field of its JSON has.

    Raises:
        ValueError: it is not there.
    """
    if not field:
        token: object = text.strip()
    else:
        from credlatch import quick_json

        said = quick_json.loads(text)
        token = said.get(field) if isinstance(said, dict) else None
    if not isinstance(token, str) or not token or not token.isprintable():
        raise ValueError("no identity is in it")
    return token


def _body(response: HttpResponse, url: str) -> str:
    """The text of an answer."""
    if response.status != _SUCCESS:
        from credlatch import url as urls
        from credlatch.errors import RenewalError

        raise RenewalError(
            f"{urls.parse(url).shown} gave no identity (HTTP {response.status}): "
            "see that this machine, or this job, has one"
        )
    return response.body.decode().strip()


def _signed(key: AccessKey, region: str, check: str, audience: str, now: float) -> str:
    """A request to AWS's STS, as Google's takes it: JSON in percent signs."""
    from hashlib import sha256
    from urllib.parse import quote

    from credlatch import url as urls
    from credlatch.auth import sigv4
    from credlatch.structs import msgspec

    text = check.replace("{region}", region)
    url = urls.parse(text)
    headers = {"host": url.netloc, "x-goog-cloud-target-resource": audience}
    signed = sigv4.signed(
        url,
        key,
        region,
        now=now,
        method="POST",
        service="sts",
        payload=sha256(b"").hexdigest(),
        headers={"x-goog-cloud-target-resource": audience},
    )
    headers |= {name: value.reveal() for name, value in signed.items()}
    said = {
        "headers": [{"key": name, "value": headers[name]} for name in sorted(headers)],
        "method": "POST",
        "url": text,
    }
    return quote(msgspec.json.encode(said).decode())
