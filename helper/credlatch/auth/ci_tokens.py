"""Identity tokens of CIs (OpenID Connect): how each is asked for, and what is checked of it.

A job is a CI's own; where it runs, variables or a program of the CI's give the token. The names are
those of PyPI's ``id`` 1.6, and of the CIs' documents for Azure DevOps and Bitbucket.
"""

from __future__ import annotations

from credlatch import clock, jwt
from credlatch.auth import CommandRequest, HttpRequest
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import HttpResponse

    Steps = Generator[HttpRequest | CommandRequest, HttpResponse, Secret]

_OK = 200
AZURE = "api://AzureADTokenExchange"  # for whom all of Azure DevOps' identity tokens are


class IdentityToken:
    """A token that is there already, in a variable or a file.

    Attributes:
        place: where it comes from, in words.
        secret: the token; or what it is asked for with.
        audience: for whom it has to be; None: that is not known.
        server: the URL that it is asked for; None: it is there.
    """

    def __init__(
        self, place: str, secret: Secret, audience: str | None, server: str | None = None
    ) -> None:
        self.place = place
        self.secret = secret
        self.audience = audience
        self.server = server

    @property
    def key(self) -> str:
        """What it depends on beside the secret."""
        return f"{type(self).__name__}\n{self.server}\n{self.audience}"

    def steps(self) -> Steps:
        """Asks for it, as a flow does, and gives the token."""
        yield from ()
        return self.secret

    def token(self, now: float) -> Steps:
        """Likewise, and sees that it can be meant for whom it is sent to.

        Args:
            now: in seconds since 1970 UTC.

        Raises:
            LoginError: it is for others, or has ended, or is none.
            RenewalError: there is none now.
            ValueError: what was answered has none in it.
        """
        token = yield from self.steps()
        self._check(token.reveal(), now)
        return token

    def _check(self, token: str, now: float) -> None:
        said = jwt.claims(token)
        if said is None:
            # In a file or a variable, whatever its server takes may be.
            if self.audience is not None:
                raise LoginError(f"the identity token from {self.place} is no JSON Web Token")
            return
        named = said.get("aud")
        audiences = named if isinstance(named, list) else [named]
        if self.audience is not None and self.audience not in audiences:
            raise LoginError(
                f"the identity token from {self.place} is for another audience than "
                f"{self.audience}, and so not sent: have the CI and the rule say the same"
            )
        ends = clock.moment(said.get("exp"))
        if ends is not None and ends <= now:
            raise LoginError(
                f"the identity token from {self.place} expired at {clock.timestamp(ends)} (this "
                f"machine's clock says {clock.timestamp(int(now))}): a new job, or the right time, "
                "is needed"
            )


class GitHubToken(IdentityToken):
    """GitHub Actions: a GET, with the job's token (docs.github.com, "OpenID Connect")."""

    def steps(self) -> Steps:
        """One GET."""
        bearer = {"Authorization": f"bearer {self.secret.reveal()}"}
        url = _with(self.server or "", audience=self.audience or "")
        response = yield HttpRequest("GET", url, headers=bearer)
        return _answered(response, "value", self.place)


class AzureToken(IdentityToken):
    """Azure DevOps: a POST, with the job's access token.

    (learn.microsoft.com, "Oidctoken - Create"; azure-identity's ``AzurePipelinesCredential``.)

    Attributes:
        connection: the service connection whose identity it is; None: the pipeline's own.
    """

    connection: str | None = None

    @property
    def key(self) -> str:
        """The service connection, too."""
        return f"{super().key}\n{self.connection}"

    def steps(self) -> Steps:
        """One POST, without a body."""
        fields = {"api-version": "7.1"}
        if self.connection is not None:
            fields["serviceConnectionId"] = self.connection
        headers = {
            "Authorization": f"Bearer {self.secret.reveal()}",
            "Content-Type": "application/json",
            "X-TFS-FedAuthRedirect": "Suppress",  # or who is refused is sent to a page to log in
        }
        url = _with(self.server or "", **fields)
        response = yield HttpRequest("POST", url, headers=headers, content=b"")
        return _answered(response, "oidcToken", self.place)


class ProgramToken(IdentityToken):
    """What a program of the CI's prints, which knows the job by its variables.

    Attributes:
        words: the program, and what it is told.
    """

    words: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The words, too."""
        return "\n".join((super().key, *self.words))

    def steps(self) -> Steps:
        """Has it run."""
        remedy = f"see what `{self.words[0]}` needs in a job of {self.place}"
        response = yield CommandRequest(self.words, remedy)
        token = Secret(response.body.decode(errors="replace").strip())
        if not token.fits_a_header:
            raise ValueError("it is no token")
        return token


def _with(url: str, **fields: str) -> str:
    """A URL with fields in its query, in place of those that have the same names."""
    from urllib.parse import quote

    place, _, query = url.partition("?")
    kept = [each for each in query.split("&") if each and each.partition("=")[0] not in fields]
    added = [f"{name}={quote(value, safe='')}" for name, value in fields.items()]
    return f"{place}?{'&'.join((*kept, *added))}"


def _answered(response: HttpResponse, name: str, place: str) -> Secret:
    from credlatch.structs import decoded, msgspec

    if response.status in {400, 401, 403, 404}:
        raise LoginError(
            f"{place} gives this job no identity token (HTTP {response.status}): see that the job "
            "still runs, and what it is permitted"
        )
    if response.status != _OK:
        raise RenewalError(
            f"{place} gave no identity token (HTTP {response.status}): try again in a moment"
        )
    try:
        said = decoded(response.body, dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("it is no JSON object") from None  # its own text quotes the body
    token = said.get(name)
    if not isinstance(token, str) or not token.strip():
        raise ValueError("there is no token in it")
    return Secret(token.strip())
