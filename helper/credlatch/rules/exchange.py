"""What a rule says of an identity token, and of the server that takes one for a token of its own.

[[rule]]
…                                        which URLs, and use = ["ci"]
audience = "https://tokens.example.com"  for whom the identity token is asked
identity = {ci = "github"}               or {file = "…"}, {variable = "…"}; without: any CI's
[rule.exchange]
kind = "rfc8693"
url = "https://tokens.example.com/token"
fields = {scope = "read"}
"""

from __future__ import annotations

from typing import Literal

from credlatch import url as urls
from credlatch.errors import RequestError
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url

_RFC_8693 = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
}


class Preset(msgspec.Struct, frozen=True):
    """What servers of one kind want and answer.

    Attributes:
        json: whether they take JSON, and not a form.
        subject: the field for the identity token.
        answer: the field of the answer that has the token.
        fields: what is sent besides, where a rule does not say otherwise.
        needs: fields that a rule has to give.
        audience: for whom the identity token has to be, where a rule does not say it.
        basic: the user name beside the token, where it is a password; empty: it is a bearer token.
    """

    json: bool
    subject: str
    answer: str
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    needs: tuple[str, ...] = ()
    audience: str | None = None
    basic: str = ""


PRESETS = {
    "rfc8693": Preset(json=False, subject="subject_token", answer="access_token", fields=_RFC_8693),
    "posit": Preset(
        json=False,
        subject="subject_token",
        answer="access_token",
        fields=_RFC_8693,
        basic="__token__",
    ),
    "artifactory": Preset(
        json=True,
        subject="subject_token",
        answer="access_token",
        fields=_RFC_8693,
        needs=("provider_name",),
    ),
    "cloudsmith": Preset(
        json=True, subject="oidc_token", answer="token", needs=("service_slug",), basic="token"
    ),
    "pypi": Preset(json=True, subject="token", answer="token", basic="__token__"),
    "pyx": Preset(json=True, subject="token", answer="token", audience="pyx:trusted-access"),
}
"""By the word that a rule says in ``kind``."""


class Identity(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where a token comes from: one of a CI, a file and a variable, or whichever CI it is.

    Attributes:
        ci: the CI; None: any that is known.
        file: the path of a file that holds the token; ``~/`` is the home folder.
        variable: the name of a variable that does.
        connection: Azure DevOps: the service connection whose identity is meant, and not the
            pipeline's.

    Raises:
        ValueError: it says more than one, or a connection of another CI's.
    """

    ci: Literal["github", "gitlab", "buildkite", "circleci", "azure", "bitbucket"] | None = None
    file: str | None = None
    variable: str | None = None
    connection: str | None = None

    def __post_init__(self) -> None:
        said = [each for each in (self.ci, self.file, self.variable) if each is not None]
        if len(said) > 1 or "" in said:
            raise ValueError("it is one of ci, file and variable")
        if self.connection is not None and self.ci != "azure":
            raise ValueError('connection is for ci = "azure"')


class Exchange(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How an identity token is exchanged.

    Attributes:
        url: where it is sent: https, or on this machine.
        kind: which ``PRESETS`` hold where nothing else is said.
        fields: what is sent besides; one of a preset's that is empty here is not sent.
        subject: the field for the identity token.
        answer: the field of the answer that has the token.
        json: whether JSON is sent, and not a form.

    Raises:
        ValueError: the URL is none that a token may be sent to, or a field is missing or there
            twice.
    """

    url: str
    kind: Literal["rfc8693", "posit", "artifactory", "cloudsmith", "pypi", "pyx"] = "rfc8693"
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    subject: str | None = None
    answer: str | None = None
    json: bool | None = None

    def __post_init__(self) -> None:
        self.server()
        missing = [name for name in self.preset.needs if not self.fields.get(name)]
        if missing:
            raise ValueError(f'kind = "{self.kind}" needs fields = {{{missing[0]} = "…"}}')
        if self.subject_field in self.fields or not self.subject_field or not self.answer_field:
            raise ValueError("the identity token has a field of its own")

    @property
    def preset(self) -> Preset:
        """Those of its kind."""
        return PRESETS[self.kind]

    @property
    def subject_field(self) -> str:
        """The name of the field for the identity token."""
        return self.preset.subject if self.subject is None else self.subject

    @property
    def answer_field(self) -> str:
        """The name of the answer's field."""
        return self.preset.answer if self.answer is None else self.answer

    @property
    def sends_json(self) -> bool:
        """Whether JSON is sent, and not a form."""
        return self.preset.json if self.json is None else self.json

    @property
    def constant(self) -> dict[str, str]:
        """What is sent beside the identity token."""
        both = {**self.preset.fields, **self.fields}
        return {name: value for name, value in both.items() if value and name != self.subject_field}

    def server(self) -> Url:
        """The URL.

        Raises:
            ValueError: it is none that an identity token may be sent to.
        """
        try:
            server = urls.absolute(self.url)
        except RequestError as error:
            raise ValueError(f"url: {error}") from None
        if server.scheme == "s3" or server.host.startswith("*."):
            raise ValueError("url: it is the address of no server")
        if server.username is not None:
            raise ValueError("url: it has a user name, which nobody is sent")
        if not (server.may_carry_credentials or server.may_be_loopback):
            raise ValueError("url: an identity token is sent over https alone")
        return server
