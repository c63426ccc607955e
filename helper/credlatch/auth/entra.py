"""Microsoft Entra's access tokens: the client credentials grant (RFC 6749, 4.4), in one POST.

Protocol: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
"""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow, HttpResponse
    from credlatch.errors import RenewalError
    from credlatch.request import Request

PUBLIC = "login.microsoftonline.com"
# Where a secret may go: Entra's own names in each of its clouds (msal's list).
AUTHORITIES = frozenset(
    {
        PUBLIC, "login.windows.net", "login.microsoft.com", "sts.windows.net",
        "login.microsoftonline.us", "login-us.microsoftonline.com",
        "login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
        "login.microsoftonline.de", "login.sovcloud-identity.fr", "login.sovcloud-identity.de",
        "login.sovcloud-identity.sg",
    }
)  # fmt: skip
_TENANT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")

_ANOTHER = "set AZURE_CLIENT_SECRET to a new one (az ad app credential reset --id $AZURE_CLIENT_ID)"
_TENANT_OR_CLIENT = "check AZURE_TENANT_ID and AZURE_CLIENT_ID"
_FEDERATION = "compare the application's federated credential with the token's issuer and subject"
_CLOCK = "check this machine's clock, and that AZURE_FEDERATED_TOKEN_FILE has a fresh token"
# What a person does, by Entra's number (learn.microsoft.com/entra/identity-platform/
# reference-error-codes): of all that it says, numbers alone repeat nothing of what it was sent.
_MEANS = {
    7000222: ("the client secret has expired", _ANOTHER),
    7000215: ("it is not the client secret", f"{_ANOTHER}; its value, not its ID"),
    7000216: ("the client proves nothing", _ANOTHER),
    7000112: ("the application is disabled", _TENANT_OR_CLIENT),
    700016: ("the tenant does not have the application", _TENANT_OR_CLIENT),
    900023: ("there is no such tenant", _TENANT_OR_CLIENT),
    90002: ("there is no such tenant", _TENANT_OR_CLIENT),
    70021: ("no federated credential fits the token", _FEDERATION),
    700211: ("no federated credential fits the token's issuer", _FEDERATION),
    700212: ("no federated credential fits the token's audience", _FEDERATION),
    700213: ("no federated credential fits the token's subject", _FEDERATION),
    700024: ("the federated token is not valid now", _CLOCK),
    50013: ("the federated token's signature is not its issuer's", _FEDERATION),
    500011: (
        "the tenant does not know what the token is for",
        "have an administrator grant the application access, or check the rule's audience",
    ),
    53003: ("a conditional access policy refuses it", "ask the tenant's administrator"),
}


def is_tenant(text: str) -> bool:
    """Whether a text may be a tenant's ID or name: then it leads nowhere else in a URL."""
    return _TENANT.issuperset(text) and text.strip(".") == text != ""


class EntraClient(Auth):
    """What proves that somebody is an application; a client secret.

    Args:
        secret: the proof.
        authority: the host that takes it, one of AUTHORITIES.
        tenant: where the application is: ``is_tenant``.
        client: the application's ID.
        scope: what the token is for.
        remedy: what a person does when the proof is no longer taken.
    """

    single_use = False
    repeatable = True

    def __init__(
        self, secret: Secret, authority: str, tenant: str, client: str, scope: str, remedy: str
    ) -> None:
        super().__init__(secret, f"https://{authority}/{tenant}/oauth2/v2.0/token", remedy)
        self.client = client
        self.scope = scope

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one token for all requests
        """Whose it is, and what for."""
        return f"{self.client}\n{self.scope}"

    def proof(self) -> dict[str, str]:
        """The fields that prove it."""
        return {"client_secret": self.secret.reveal()}

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """One POST."""
        from credlatch.auth import responses

        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "scope": self.scope,
            **self.proof(),
        }
        response = yield HttpRequest("POST", self.server, form=form)
        why = refusal(self, response)
        if why is not None:
            raise why
        said = responses.read(self, response, responses.BearerTokens)
        return TokenResponse(
            Secret(said.access_token), expires=responses.end(said.expires_in, response.at)
        )


class FederatedClient(EntraClient):
    """A token of another issuer's, that the application trusts (workload identity federation)."""

    def proof(self) -> dict[str, str]:
        """As RFC 7521, 4.2, has it."""
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.secret.reveal(),
        }


def refusal(auth: EntraClient, response: HttpResponse) -> RenewalError | None:
    """Why Entra refuses, where it says so by a number and asking again would not help."""
    number = _number(response)
    if number not in _MEANS and (number <= 0 or response.status not in {400, 401}):
        return None
    from credlatch.errors import LoginError

    means, remedy = _MEANS.get(number, (f"HTTP {response.status}", auth.remedy))
    return LoginError(f"{auth.shown} refuses the identity (AADSTS{number}: {means}): {remedy}")


def _number(response: HttpResponse) -> int:
    """The first number of a refusal; 0 where it has none."""
    if response.status < 400:  # noqa: PLR2004 - the statuses of refusals
        return 0
    from credlatch.structs import decoded, msgspec

    try:
        codes = decoded(response.body, dict[str, object]).get("error_codes")
    except (msgspec.MsgspecError, RecursionError):
        return 0
    first = codes[0] if isinstance(codes, list) and codes else 0
    return first if type(first) is int else 0
