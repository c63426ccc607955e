"""Every flow, told anything at all by whoever it asks."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from credlatch import clock
from credlatch import request as requests
from credlatch import url as urls
from credlatch.auth import HttpResponse, challenges, responses
from credlatch.auth.acr import AcrExchange
from credlatch.auth.aws_service import CodeArtifactToken, EcrPublicToken, EcrToken, Place
from credlatch.auth.azure_challenge import Answered, AzureChallenge
from credlatch.auth.azure_devops import SessionExchange
from credlatch.auth.entra import EntraClient
from credlatch.auth.google import UserLogin
from credlatch.auth.google_machine import GcloudLogin, Instance
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.oci import Challenge, RegistryChallenge, RegistryToken
from credlatch.auth.posit import PositIdentity
from credlatch.auth.pyx import PyxApiKey, PyxRefresh
from credlatch.auth.s3 import BucketRegion
from credlatch.credential import IDENTITY_TOKEN_USER, AccessKey, Basic, Secret
from credlatch.errors import RenewalError
from fuzz.target import MARK, SPLIT, one_of, safe, target, told
from support.jwt import make_jwt

if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.auth import Auth

NOW = 1_795_223_476.9
_REGISTRY = urls.parse("https://r.example/v2/a/b/manifests/latest")
_REQUEST = requests.for_url(_REGISTRY)
_SECRET = Secret(MARK)
_KEY = AccessKey("A", _SECRET, None)
_PLACE = Place("https://api.example", "eu-west-1")
_CHALLENGE = Challenge("https://r.example/token", "r.example")
_MOST = 6  # requests that a flow makes, and more
FLOWS: dict[str, Callable[[], Auth]] = {
    "oauth": lambda: OAuthRefresh(_SECRET, "https://t.example/token", "c", "log in"),
    "posit": lambda: PositIdentity(_SECRET, "https://p.example", "log in"),
    "pyx_refresh": lambda: PyxRefresh(_SECRET, "https://p.example", "log in"),
    "pyx_key": lambda: PyxApiKey(_SECRET, "https://p.example", "log in"),
    "acr": lambda: AcrExchange(_SECRET, "r.example", "log in"),
    "registry_challenge": lambda: RegistryChallenge(_REGISTRY, None),
    "registry_login": lambda: RegistryToken(
        _REGISTRY, _CHALLENGE, Basic("bob", _SECRET), "repository:a/b:pull"
    ),
    "registry_identity": lambda: RegistryToken(
        _REGISTRY, _CHALLENGE, Basic(IDENTITY_TOKEN_USER, _SECRET), "repository:a/b:pull"
    ),
    "azure_challenge": lambda: AzureChallenge(_REGISTRY, "place"),
    "azure_session": lambda: SessionExchange(_SECRET, "https://vssps.dev.azure.com", "u", None),
    "entra": lambda: EntraClient(
        _SECRET, "login.microsoftonline.com", "t.example", "c", "s/.default", "log in"
    ),
    "google_user": lambda: UserLogin(
        _SECRET, "https://oauth2.googleapis.com/token", "log in", ("c", Secret("x"))
    ),
    "gcloud": lambda: GcloudLogin((), ""),
    "google_instance": lambda: Instance("http://169.254.169.254", "default"),
    "ecr": lambda: EcrToken(_KEY, _PLACE, "keys", "log in"),
    "ecr_public": lambda: EcrPublicToken(_KEY, _PLACE, "keys", "log in"),
    "codeartifact": lambda: CodeArtifactToken(_KEY, _PLACE, "keys", "log in"),
    "bucket": lambda: BucketRegion("bucket"),
}
_WORDS = (
    '{ } [ ] : , " 0 1 -1 1e999 3600 "3600" null true ␟ ␣ ␊ access_token refresh_token expires_in '
    "token token_type bearer issued_at 2026-11-22T00:00:00Z 9999-12-31T23:59:59-23:59 "
    "0001-01-01T00:00:00 error error_codes authorizationData authorizationToken expiresAt "
    'authorizationToken expiration Bearer␣realm="https://r.example/token" Basic credential '
    "token_expiry Sun,␣22␣Nov␣2026␣07:00:00␣GMT 99999999999999999999 eu-west-1 \\ud800 é"
)
_JWT = make_jwt(4_000_000_000)
_SEEDS = [
    (
        f'{SPLIT}{{"access_token":"{MARK}","refresh_token":"{MARK}","token_type":"bearer",'
        '"expires_in":3600}'
    ),
    (
        f'Bearer realm="https://r.example/token",service="r"{SPLIT}{{"token":"{MARK}","issued_at":'
        '"2026-11-22T00:00:00Z"}'
    ),
    (
        f'Sun, 22 Nov 2026 07:00:00 GMT{SPLIT}{{"access_token":"{_JWT}","token":"{_JWT}",'
        '"issued_at":'
        '"2026-11-22T00:00:00+00:00","refresh_token":"x"}'
    ),
    f'eu-west-1{SPLIT}{{"error":"invalid_grant","error_codes":[70043],"error_description":"x"}}',
    (
        f'{SPLIT}{{"authorizationData":[{{"authorizationToken":'
        f'"{b64encode(f"AWS:{MARK}".encode()).decode()}","expiresAt":1.8e9}}],"authorizationToken":'
        f'"{MARK}","expiration":1.8e9}}'
    ),
    f'{SPLIT}{{"credential":{{"access_token":"{MARK}","token_expiry":"2030-01-01T00:00:00Z"}}}}',
]
_NAMES = (
    *("www-authenticate", "date", "x-amz-bucket-region", "metadata-flavor", "x-ms-error-code"),
    *("x-vss-authorizationendpoint", "content-type", "retry-after", "x-amzn-errortype"),
)
_STATUSES = (200, 200, 200, 400, 401, 403, 404, 429, 503)


def _add(name: str, make: Callable[[], Auth]) -> None:
    @target(f"server_{name}", _WORDS, _SEEDS)
    def _server(data: bytes) -> None:
        said, _, body = data.partition(SPLIT.encode())
        header = said.decode("latin-1").replace("\r", " ").replace("\n", " ")
        status = one_of(_STATUSES, data)
        _run(make(), HttpResponse(status, dict.fromkeys(_NAMES, header), body, NOW))


def _run(auth: Auth, response: HttpResponse) -> None:
    flow = auth.flow(_REQUEST, NOW)
    try:
        next(flow)
        for _ in range(_MOST):
            flow.send(response)
    except (RenewalError, ValueError, RecursionError) as error:  # as renew.exchange takes them
        if isinstance(error, RenewalError):
            told(error)
        return
    except StopIteration as end:
        fresh = end.value
    else:
        raise AssertionError("it goes on asking")
    # An error, where there is one, for what no header carries: checked by who is given it.
    why = responses.checked(auth, fresh, NOW)
    if why is not None:
        told(why)
    assert fresh.expires is None or isinstance(fresh.expires, int)
    assert fresh.expires is None or fresh.expires < clock.LATEST + 10**6
    assert MARK not in repr(fresh)
    if not isinstance(fresh.credential, Challenge | Answered):  # which are never sent
        safe(fresh.credential, "r.example")


for _name, _make in FLOWS.items():
    _add(_name, _make)


@target(
    "realm",
    'https:// http:// r.example evil.example /token @ : # ? \\ ␣ " , 443',
    [
        'Bearer realm="https://r.example/token"',
        'Bearer realm="https://evil.example/token"',
    ],
)
def _realm(data: bytes) -> None:
    """A login goes to a token server of the registry's own, whatever the registry names."""
    for each in challenges.parse(data.decode(errors="replace")):
        challenge = Challenge(each.parameters.get("realm", ""), "")
        try:
            auth = RegistryToken(_REGISTRY, challenge, Basic("bob", _SECRET), "repository:a:pull")
        except RenewalError as error:
            told(error)
        else:
            assert urls.parse(auth.server).host == "r.example"
