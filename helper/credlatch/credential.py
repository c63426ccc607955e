"""What a credential is, and the headers or the login that it gives.

Secrets are kept in ``Secret``, which shows ``****`` wherever it is printed. The classes are plain,
because this module is on the path of every call and ``dataclasses`` costs more than all of it.
"""

from __future__ import annotations

from binascii import b2a_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - a user name: docker-credential-helpers' mark
TOKEN_USER = "__token__"  # noqa: S105 - a user name: PyPI's convention for a token as password
# The user name for a token that git sends. GitLab takes an OAuth token with this name alone; GitHub
# and Gitea take any, and Bitbucket has one of its own.
_GIT_USER = "oauth2"
_BITBUCKET, _BITBUCKET_USER = "bitbucket.org", "x-token-auth"
_NAME = frozenset(  # of a header: RFC 9110, 5.6.2
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


class Secret:
    """A text that is never shown: ``repr``, ``str`` and ``format`` give ``****``.

    Only ``reveal()`` gives the text, so that every place where it leaves can be found.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    @property
    def fits_a_header(self) -> bool:
        """Whether it can be sent as it is: visible ASCII (RFC 9110, 5.5), and some of it.

        Anything else would let whoever wrote a store write headers of their own (CR LF), or would
        be cut and re-encoded differently by every client on the way.
        """
        return bool(self._text.strip(" ")) and self._text.isascii() and self._text.isprintable()

    def __repr__(self) -> str:
        return "****"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "****"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would leave the process readable")


def check_token(token: Secret, name: str = "Authorization") -> None:
    """Whether a token may be served, in a header or as a password: one rule for every protocol.

    Args:
        token: the token, or a whole value of a header.
        name: the header that it is for.

    Raises:
        ValueError: it may not; the text says why.
    """
    if not name or not _NAME.issuperset(name):
        raise ValueError("its header has a name that no header has (RFC 9110, 5.6.2)")
    if not token.reveal().strip(" "):
        raise ValueError("its token is empty")
    if not token.fits_a_header:
        raise ValueError(
            "its token contains a control or non-ASCII character, "
            "which would change the request it is sent in"
        )


class Credential:
    """What a store holds for somebody: see the subclasses.

    Attributes:
        secret: what must not be shown.
    """

    __slots__ = ("secret",)

    def __init__(self, secret: Secret) -> None:
        self.secret = secret

    def check(self) -> None:
        """Make sure that there is something to send, whoever asks.

        Raises:
            ValueError: there is nothing.
        """

    def headers(self) -> dict[str, str]:
        """The HTTP headers that authenticate a request.

        Raises:
            ValueError: it gives none; the text says why.
        """
        raise NotImplementedError

    def login(self, host: str) -> tuple[str, Secret]:
        """The user name and password for a client that knows only those, on ``host``.

        Raises:
            ValueError: it gives none; the text says why.
        """
        raise NotImplementedError

    @property
    def logs_in(self) -> bool:
        """Whether it goes to clients that know user names and passwords alone."""
        return True

    @property
    def names_user(self) -> bool:
        """Whether the user name of its login is its own, and not one that stands for any."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(****)"


class Basic(Credential):
    """A user name and password (RFC 7617).

    Docker keeps a registry's identity token in this form, with ``<token>`` as the user name: it is
    a refresh token for the registry's token server, which no registry takes as a header.
    """

    __slots__ = ("username",)

    def __init__(self, username: str, password: Secret) -> None:
        super().__init__(password)
        self.username = username

    def check(self) -> None:
        """One of the two is enough: some servers take a key as a user name."""
        if not (self.username or self.secret):
            raise ValueError("it has neither a user name nor a password")

    @property
    def names_user(self) -> bool:
        """It is."""
        return True

    def headers(self) -> dict[str, str]:
        """``Authorization: Basic``. The encoding makes any password safe in a header."""
        self._check_text()
        if self.username == IDENTITY_TOKEN_USER:
            raise ValueError(
                "it is an identity token, which only the registry's token server takes; "
                "log in with a user name and password or an access token instead"
            )
        if ":" in self.username:
            raise ValueError(
                "its user name contains a colon, which a Basic header cannot carry (RFC 7617)"
            )
        pair = f"{self.username}:{self.secret.reveal()}".encode()
        return {"Authorization": "Basic " + b2a_base64(pair, newline=False).decode("ascii")}

    def login(self, host: str) -> tuple[str, Secret]:  # noqa: ARG002 - a login is a login anywhere
        """The pair as it was stored."""
        self._check_text()
        return self.username, self.secret

    def _check_text(self) -> None:
        """A password may be any text, an identity token is a token."""
        if self.username == IDENTITY_TOKEN_USER:
            check_token(self.secret)
        try:
            (self.username + self.secret.reveal()).encode()
        except UnicodeEncodeError:
            raise ValueError("it is no Unicode text: it has surrogates") from None


class Token(Credential):
    """A token that travels in a header of its own.

    Attributes:
        header: the header's name.
        scheme: the word before the token, or nothing.
    """

    __slots__ = ("header", "scheme")

    def __init__(self, token: Secret, header: str = "Authorization", scheme: str = "") -> None:
        super().__init__(token)
        self.header = header
        self.scheme = scheme

    def headers(self) -> dict[str, str]:
        """The one header, the token verbatim."""
        check_token(self.secret, self.header)
        token = self.secret.reveal()
        return {self.header: f"{self.scheme} {token}" if self.scheme else token}

    def login(self, host: str) -> tuple[str, Secret]:
        """The token as a password, with the user name that the host's owner asks for.

        Google's registries want ``oauth2accesstoken``; everybody else takes ``__token__``.
        """
        check_token(self.secret, self.header)
        if host == "pkg.dev" or host.endswith(".pkg.dev"):
            return "oauth2accesstoken", self.secret
        return TOKEN_USER, self.secret


class Bearer(Token):
    """``Authorization: Bearer`` (RFC 6750)."""

    __slots__ = ()

    def __init__(self, token: Secret) -> None:
        super().__init__(token, "Authorization", "Bearer")


class RegistryToken(Bearer):
    """A bearer token beside a registry's login, or in its place (``registrytoken``).

    docker/cli takes it out of its own file and hands it to the daemon, which sends it as it is; the
    credential helpers' protocol has no place for it.

    Attributes:
        beside: the login, or None.
    """

    __slots__ = ("beside",)

    def __init__(self, token: Secret, beside: Basic | None) -> None:
        super().__init__(token)
        self.beside = beside

    @property
    def logs_in(self) -> bool:
        """Whether there is a login beside it."""
        return self.beside is not None

    def login(self, host: str) -> tuple[str, Secret]:
        """The login beside it."""
        if self.beside is None:
            raise ValueError("it is a registry's bearer token, which is no password")
        return self.beside.login(host)


class AccessKey(Credential):
    """A key of AWS, or of a server that speaks S3. It signs requests; it is no header.

    Attributes:
        id: names it, and is sent with each signature.
        token: of a session, sent and signed likewise; None: it is a key that lasts.
    """

    __slots__ = ("id", "token")

    def __init__(self, id: str, secret: Secret, token: Secret | None = None) -> None:  # noqa: A002 - its name at AWS
        super().__init__(secret)
        self.id = id
        self.token = token

    def headers(self) -> dict[str, str]:
        """None: a signature has to be computed for each URL."""
        raise ValueError(
            "it is an S3 key, which signs requests and is no header: ask for the object's https URL"
        )

    def login(self, host: str) -> tuple[str, Secret]:  # noqa: ARG002 - on no host
        """None."""
        raise ValueError("it is an S3 key, which is no login")


def git_user(host: str) -> str:
    """The user name with which git sends a token to ``host``, where nobody names another."""
    return _BITBUCKET_USER if host == _BITBUCKET else _GIT_USER
