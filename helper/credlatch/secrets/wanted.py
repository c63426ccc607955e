"""Which secrets a command is to have, as the command line names them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import RequestError, UsageError
from credlatch.secrets import shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.url import Url

# A header that opens nothing: without one that it can read, BuildKit asks as nobody.
NOBODYS = b"Basic " + b64encode(b"credlatch-has-no-credential:")
FIELDS = ("id", "url", "as", "index")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_IN_VARIABLES = _LETTERS | _DIGITS | {"_"}
_IN_INDEXES = _IN_VARIABLES | set("-.")
_IN_IDS = _IN_VARIABLES | set(".:-[]")
_LONGEST = 200  # characters of an id: it is a file's name, and that may have 255 bytes


@dataclass(slots=True, frozen=True)
class Wanted:
    """One secret.

    Attributes:
        id: what the build calls it, and the name of its file or variable.
        url: what it opens.
        shape: the form it has; a key of ``shapes.SHAPES``.
        index: the name of uv's index, for the shape that needs one.
        in_environment: whether it is handed over in a variable, once, and not in a file.
        unread: why it may be that nobody has read it.
        refusal: what stands in its place when it cannot be had; None: more than a build takes.
    """

    id: str
    url: Url
    shape: str
    index: str = ""
    in_environment: bool = False
    unread: str = "what mounts it was cached, or names another id"
    refusal: bytes | None = None


def secret(text: str) -> Wanted:
    """What ``--secret id=…,url=…,as=…`` asks for.

    Raises:
        UsageError: it is not of that form; the text says in which way.
    """
    fields: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if name not in FIELDS or not equals:
            raise UsageError(
                f"a secret is id=NAME,url=URL,as=SHAPE: there is no field {name[:40]!r}"
            )
        if name in fields or not value:
            raise UsageError(f"the field {name!r} of a secret stands there twice, or empty")
        fields[name] = value
    for name in ("id", "url"):
        if name not in fields:
            raise UsageError(f"a secret is id=NAME,url=URL,as=SHAPE: one has no {name}=")
    name, shape = fields["id"], fields.get("as", "token")
    if not _IN_IDS.issuperset(name) or name.startswith(".") or len(name) > _LONGEST:
        raise UsageError(
            f"the secret {name[:40]!r} cannot be a file's name: "
            "letters, digits and _ . : - make one"
        )
    if shape not in shapes.SHAPES:
        known = ", ".join(shapes.SHAPES)
        raise UsageError(f"as={shape[:40]}: there is no such shape; there are {known}")
    index = fields.get("index", "")
    if index and (shape != shapes.UV or not _IN_INDEXES.issuperset(index)):
        raise UsageError(f"index= names one of uv's indexes, and goes with as={shapes.UV}")
    return Wanted(name, _url(fields["url"]), shape, index)


def variable(text: str) -> Wanted:
    """What ``--as-env id=…,url=…,as=…`` asks for.

    Raises:
        UsageError: as for ``secret``; or the id cannot be a variable's name.
    """
    found = secret(text)
    if not _IN_VARIABLES.issuperset(found.id) or found.id[0] in _DIGITS:
        raise UsageError(
            f"the secret {found.id[:40]!r} cannot be a variable's name: "
            "letters, digits and underscores make one"
        )
    return replace(found, in_environment=True)


def for_http(host: str) -> Wanted:
    """What BuildKit asks for when it fetches ``ADD https://…`` (since 0.23): for a host, any port.

    Raises:
        UsageError: that is no host.
    """
    url, name = _host(host)
    name = name.removeprefix("[").partition("]" if ":" in url.host else ":")[0]
    unread = "nothing was fetched from there, or by a BuildKit before 0.23"
    name = f"HTTP_AUTH_HEADER_{name}"
    return Wanted(name, url, shapes.AUTHORIZATION, unread=unread, refusal=NOBODYS)


def for_git(host: str) -> Wanted:
    """What BuildKit asks for when it fetches a git repository (since 0.8): for a host and port.

    Raises:
        UsageError: that is no host.
    """
    url, name = _host(host)
    unread = "no git repository was fetched from there"
    return Wanted(f"GIT_AUTH_HEADER.{name}", url, shapes.GIT, unread=unread, refusal=NOBODYS)


def _host(text: str) -> tuple[Url, str]:
    """What a host or URL means, and its ``host[:port]`` as BuildKit leaves it: case and all."""
    url = _url(text if "://" in text else f"https://{text}")
    start = text.partition("://")[2] or text
    for end in "/?#":
        start = start.partition(end)[0]
    written = start.rpartition("@")[2]
    return url, written if _IN_IDS.issuperset(written) else url.netloc


def _url(text: str) -> Url:
    """Where a credential may be sent; UsageError where it may not."""
    try:
        url = urls.parse(text)
    except RequestError as error:
        raise UsageError(f"{text.rpartition('@')[2][:80]!r}: {error}") from None
    if url.scheme == "s3" or url.host.startswith("*."):
        raise UsageError(f"{url.shown} is no server's URL")
    if not Caller().may_send(url):
        raise UsageError(
            f"{url.shown} is plain http, and the credential would travel in the clear: use https"
        )
    return url
