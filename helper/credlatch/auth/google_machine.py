"""Google's access tokens that another program or the machine itself gives."""

from __future__ import annotations

from credlatch.auth import CommandRequest, HttpRequest
from credlatch.auth.google import SCOPE, GoogleAuth, moment
from credlatch.auth.google_federation import METADATA, Subject, found
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth.google import Fetching
    from credlatch.auth.google_federation import Finding

_FLAVOR = "metadata-flavor"
_NOT_FOUND = 404
_LONGEST = 200  # characters of a program's message


class GcloudLogin(GoogleAuth):
    """A user's login of gcloud's, which gcloud itself renews.

    Attributes:
        options: that choose another one than the active.
        marks: what changes when somebody logs in, or chooses another.
    """

    anonymous = True

    def __init__(self, options: tuple[str, ...], marks: str) -> None:
        super().__init__(
            Secret(""),
            "https://accounts.google.com",
            "run gcloud auth login, or install Google's Cloud SDK",
        )
        self.options = options
        self.marks = marks

    @property
    def who(self) -> str:
        """Which login."""
        return "\n".join((*self.options, self.marks))

    def fetch(self, now: float) -> Fetching:  # noqa: ARG002 - nothing is dated
        """What ``gcloud config config-helper`` says, which is good for a quarter of an hour."""
        response = yield CommandRequest(
            (
                *("gcloud", "config", "config-helper", "--format=json(credential)"),
                *("--min-expiry=15m", *self.options),
            ),
            self.remedy,
            variables={"CLOUDSDK_CORE_DISABLE_PROMPTS": "1"},
        )
        from credlatch.structs import decoded, msgspec

        try:
            said = decoded(response.body, dict[str, dict[str, object]])
            credential = said["credential"]
            token, end = credential["access_token"], credential["token_expiry"]
        except (msgspec.MsgspecError, KeyError):
            raise ValueError("it has no token") from None  # its own text quotes what was said
        if not isinstance(token, str) or not isinstance(end, str):
            raise ValueError("it has no token")  # noqa: TRY004 - as of any bad answer
        return token, moment(end)


class Instance(GoogleAuth):
    """The service account of a machine at Google, by its metadata service.

    Attributes:
        account: which one; ``default`` is the machine's own.
    """

    anonymous = True

    def __init__(self, server: str, account: str) -> None:
        super().__init__(Secret(""), server, "give this machine a service account")
        self.account = account

    @property
    def who(self) -> str:
        """Which account."""
        return self.account

    def fetch(self, now: float) -> Fetching:  # noqa: ARG002 - nothing is dated
        """One GET, which nobody but the machine's own metadata service answers so."""
        from urllib.parse import quote

        place = f"instance/service-accounts/{quote(self.account)}/token"
        response = yield HttpRequest(
            "GET",
            f"{self.server}/computeMetadata/v1/{place}?scopes={quote(SCOPE, safe='')}",
            headers={"Metadata-Flavor": "Google"},
            metadata=METADATA,
        )
        if response.headers.get(_FLAVOR) != "Google":
            raise ValueError("it is not Google's metadata service")
        if response.status == _NOT_FOUND:
            from credlatch.errors import LoginError

            raise LoginError(f"{self.shown} has no service account: {self.remedy}")
        return self.said(response)


class ProgramSubject(Subject):
    """An identity that a program gives, which a file of workload identity federation names.

    Attributes:
        command: the program and its arguments.
        variables: that it gets.
        seconds: that it may take.
        field: of its answer, where the identity is.
    """

    def __init__(
        self, command: tuple[str, ...], variables: dict[str, str], seconds: float, field: str
    ) -> None:
        super().__init__(Secret(""), "\n".join((*command, *variables.values())))
        self.command = command
        self.variables = variables
        self.seconds = seconds
        self.field = field

    def find(self, audience: str, now: float) -> Finding:  # noqa: ARG002 - a variable says for whom
        """What it writes (google.aip.dev/auth/4117)."""
        from credlatch import quick_json
        from credlatch.errors import RenewalError

        remedy = "see to the program that the credentials' file names"
        response = yield CommandRequest(self.command, remedy, self.seconds, self.variables)
        text = response.body.decode()
        said = quick_json.loads(text)
        if isinstance(said, dict) and said.get("success") is False:
            shown = (f"{said.get(name)}" for name in ("code", "message"))
            why = " ".join(" ".join(shown).split())[:_LONGEST]
            raise RenewalError(f"{self.command[0]} gave no identity ({why}): {remedy}")
        if not isinstance(said, dict) or said.get("success") is not True:
            raise ValueError("it is no answer of such a program")
        end = said.get("expiration_time")
        if isinstance(end, int | float) and end <= now:
            raise RenewalError(f"{self.command[0]} gave an identity that has ended: {remedy}")
        return found(text, self.field)
