"""The files of Application Default Credentials, kind after kind (google.aip.dev/auth/4110).

A file says to which server its secret goes: only one of Google's own is believed, but where a rule
of the user's names another.
"""

from __future__ import annotations

from credlatch import quick_json
from credlatch.auth.google import TOKEN_URI, Impersonation, ServiceAccount, UserLogin
from credlatch.credential import Secret
from credlatch.errors import RequestError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth.google import GoogleAuth
    from credlatch.caller import Caller

    Fields = dict[str, object]

_UNIVERSE = "googleapis.com"
_LOGIN = "run gcloud auth application-default login"
_SHORTEST, _LONGEST = 600, 43_200  # seconds of an impersonated token's life
# Where such files were told to send keys before there was oauth2.googleapis.com.
_OLD_URIS = frozenset(
    {
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v3/token",
        "https://www.googleapis.com/oauth2/v4/token",
    }
)


def parse(text: str, path: str) -> Fields:
    """What a file says; an RSA key in it as base64 alone.

    Raises:
        StoreError: it is no JSON object, or its key is damaged.
    """
    try:
        said = quick_json.loads(text)
    except ValueError as error:
        raise StoreError(f"{path} is not JSON ({error}): {_LOGIN}, or fetch it anew") from None
    if not isinstance(said, dict):
        raise StoreError(f"{path} is no JSON object: {_LOGIN}, or fetch it anew")
    _with_keys(said, path)
    return said


def _with_keys(said: Fields, path: str) -> None:
    source = said.get("source_credentials")
    if isinstance(source, dict):
        _with_keys(source, path)
    pem = said.get("private_key")
    if isinstance(pem, str):
        from credlatch.auth import rs256

        try:
            said["private_key"] = rs256.body(pem)
            rs256.key(rs256.body(pem))
        except ValueError as error:
            raise StoreError(
                f"the private key in {path} cannot be used ({error}): make a new one with "
                "gcloud iam service-accounts keys create"
            ) from None


def has_secret(said: Fields) -> bool:
    """Whether others must not read a file: one that names an identity elsewhere may be read."""
    source = said.get("credential_source")
    return said.get("type") != "external_account" or (
        isinstance(source, dict) and bool(source.get("headers"))
    )


def grant(said: Fields, path: str, caller: Caller, endpoint: str | None) -> GoogleAuth:
    """What gets a token with a file.

    Args:
        said: what is in it.
        path: where it is.
        caller: whose it is.
        endpoint: the URL of a token server that a rule names.

    Raises:
        StoreError: it cannot be used.
    """
    return _File(said, path, caller, endpoint).grant()


class _File:
    def __init__(self, said: Fields, path: str, caller: Caller, endpoint: str | None) -> None:
        self._said = said
        self._path = path
        self._caller = caller
        self._endpoint = endpoint

    def grant(self) -> GoogleAuth:
        kind = self.text("type")
        self._check_universe()
        if kind == "authorized_user":
            return self._user()
        if kind == "external_account_authorized_user":
            return self._workforce_user()
        if kind == "service_account":
            return self._service_account()
        if kind == "external_account":
            return self._federated()
        if kind == "impersonated_service_account":
            return self._impersonated()
        raise self.wrong(f"is of a type that is not known here ({kind[:40]})")

    def wrong(self, what: str) -> StoreError:
        """What is wrong with the file."""
        return StoreError(f"{self._path} {what}: {_LOGIN}, or fetch the file anew")

    def text(self, name: str, default: str | None = None) -> str:
        """A field that is a line of text."""
        value = self._said.get(name, default)
        if not isinstance(value, str) or not value.isprintable() or (default is None and not value):
            raise self.wrong(f"has no {name}, or one that is none")
        return value

    def client(self) -> tuple[str, Secret]:
        """The application that a login was made with."""
        return self.text("client_id"), Secret(self.text("client_secret"))

    def server(self, name: str, service: str, default: str | None = None) -> str:
        """A field that is the URL of one of Google's servers, or what a rule has in its place."""
        if self._endpoint is not None:
            return self._endpoint
        return self.url(name, service, default)

    def url(self, name: str, service: str, default: str | None = None) -> str:
        """A field that is the URL of one of Google's servers."""
        text = self.text(name, default)
        if text in _OLD_URIS and service == "oauth2":
            return TOKEN_URI
        if not is_of(service, text, self._universe):
            raise self.wrong(f"names a {name} that is not Google's, and is not sent there")
        return text

    @property
    def _universe(self) -> str:
        return self.text("universe_domain", _UNIVERSE) or _UNIVERSE

    def _check_universe(self) -> None:
        universe = self._universe
        if universe not in {_UNIVERSE, self._caller.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN")}:
            raise StoreError(
                f"{self._path} is for another universe than Google's own: "
                "GOOGLE_CLOUD_UNIVERSE_DOMAIN has to name it"
            )

    def _user(self) -> GoogleAuth:
        # What such a file says of a server Google's own libraries do not heed either.
        server = self._endpoint or f"https://oauth2.{self._universe}/token"
        return UserLogin(Secret(self.text("refresh_token")), server, _LOGIN, self.client())

    def _workforce_user(self) -> GoogleAuth:
        server = self.server("token_url", "sts", f"https://sts.{self._universe}/v1/oauthtoken")
        token = Secret(self.text("refresh_token"))
        return UserLogin(token, server, _LOGIN, self.client(), basic=True)

    def _service_account(self) -> GoogleAuth:
        server = self.server("token_uri", "oauth2", f"https://oauth2.{self._universe}/token")
        email = self.text("client_email")
        remedy = (
            "make a new key with gcloud iam service-accounts keys create "
            f"{self._path} --iam-account={email}"
        )
        key = Secret(self.text("private_key"))
        return ServiceAccount(key, server, remedy, email, self.text("private_key_id", ""))

    def _federated(self) -> GoogleAuth:
        from credlatch.auth.google_federation import Federated
        from credlatch.identities import google_subjects

        author = self._caller.author(self._path)
        if author is not None:
            raise StoreError(
                f"{self._path} is another user's (uid {author}), and names an identity to be sent: "
                "chown it if it is yours"
            )
        acts = self._acts()
        made = Federated(
            google_subjects.subject(self._said, self._path, self._caller),
            self.server("token_url", "sts"),
            f"see that the provider that {self._path} names takes this identity",
            kind=self.text("subject_token_type"),
            audience=self.text("audience"),
            client=self.client() if self._said.get("client_id") else None,
            project=self.text("workforce_pool_user_project", ""),
        )
        made.impersonation = acts
        return made

    def _impersonated(self) -> GoogleAuth:
        source = self._said.get("source_credentials")
        if not isinstance(source, dict) or source.get("type") == "impersonated_service_account":
            raise self.wrong("has no source_credentials, or such as are impersonated themselves")
        made = _File(source, self._path, self._caller, self._endpoint).grant()
        acts = self._acts()
        if acts is None:
            raise self.wrong("has no service_account_impersonation_url")
        if made.impersonation is not None:  # a chain: the first is among the delegates
            acts.delegates = (made.impersonation.account, *acts.delegates)
        made.impersonation = acts
        return made

    def _acts(self) -> Impersonation | None:
        if not self._said.get("service_account_impersonation_url"):
            return None
        url = self.url("service_account_impersonation_url", "iamcredentials")
        if not url.endswith(":generateAccessToken"):
            raise self.wrong("has a service_account_impersonation_url that generates no token")
        delegates = self._said.get("delegates") or []
        if not isinstance(delegates, list) or not all(isinstance(one, str) for one in delegates):
            raise self.wrong("has delegates that are none")
        more = self._said.get("service_account_impersonation")
        seconds = more.get("token_lifetime_seconds") if isinstance(more, dict) else None
        if not isinstance(seconds, int) or not _SHORTEST <= seconds <= _LONGEST:
            return Impersonation(url, tuple(delegates))
        return Impersonation(url, tuple(delegates), seconds)


def is_of(service: str, text: str, universe: str = _UNIVERSE) -> bool:
    """Whether a URL is of a service of Google's: its host for the world, a region or a network.

    The service has all of such a host: what others put below Google's domain is never one.
    """
    from credlatch import url as urls

    try:
        server = urls.absolute(text)
    except RequestError:
        return False
    if server.scheme != "https" or not server.default_port or server.username is not None:
        return False
    above, dot, _ = server.host.rpartition(f".{universe}")
    if not dot or not server.host.endswith(f".{universe}"):
        return False
    labels = above.split(".")
    if service == "oauth2":
        return labels == [service]
    return {
        1: labels[0] == service or labels[0].endswith(f"-{service}"),
        # And not sts.storage.googleapis.com, which is a bucket that anybody may have.
        2: labels[-1] == service
        or (labels[0] == service and "-" in labels[-1])
        or (labels[0].startswith(f"{service}-") and labels[-1] == "p"),
        3: labels[0] == service and labels[-1] == "rep",
    }.get(len(labels), False)
