"""What a person gives, or a provider does, in the forms in which servers take it."""

from __future__ import annotations

from credlatch.credential import TOKEN_USER, AccessKey, Basic, Bearer, Credential, Secret
from credlatch.errors import UsageError
from credlatch.stores import rattler_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.login.target import Target

TOKEN, PASSWORD, CONDA_TOKEN, S3, OAUTH = "token", "password", "conda token", "S3 key", "OAuth"
POSIT = "Posit"


class Given:
    """A login before it is kept.

    Attributes:
        kind: TOKEN, PASSWORD, CONDA_TOKEN, S3, OAUTH or POSIT.
        forms: how it may be sent, the likeliest first; the first that is taken is kept.
        value: what rattler writes for it, where that is more than such a form; of POSIT the
            server's address; or None.
    """

    def __init__(
        self, kind: str, forms: tuple[Credential, ...], value: dict[str, Any] | None = None
    ) -> None:
        self.kind = kind
        self.forms = forms
        self.value = value


def token(target: Target, secret: Secret) -> Given:
    """A token: ``Bearer``, or where that is refused the password of ``__token__``.

    Anaconda's servers take theirs in neither form, and pixi keeps it as a conda token.

    Raises:
        UsageError: no header can carry it, or it is for a bucket.
    """
    if rattler_format.is_anaconda(target.url.host):
        return conda_token(target, secret)
    return _checked(target, Given(TOKEN, (Bearer(secret), Basic(TOKEN_USER, secret))))


def password(target: Target, username: str, secret: Secret) -> Given:
    """A user's password; raises as ``token``."""
    return _checked(target, Given(PASSWORD, (Basic(username, secret),)))


def conda_token(target: Target, secret: Secret) -> Given:
    """A token of a conda server: anaconda.org's, or quetz's; raises as ``token``."""
    return _checked(target, Given(CONDA_TOKEN, (rattler_format.conda(secret, target.url.host),)))


def s3_key(target: Target, id: str, secret: Secret, session: Secret | None) -> Given:  # noqa: A002 - its name at AWS
    """A key for a bucket.

    Raises:
        UsageError: it is for no bucket, or has no two parts.
    """
    if not target.is_bucket:
        raise UsageError("an S3 key is kept for a bucket: credlatch login s3://BUCKET")
    if not (id and secret):
        raise UsageError("an S3 key has two parts, its id and its secret")
    return Given(S3, (AccessKey(id, secret, session or None),))


def by_oauth(token: Secret, value: dict[str, Any]) -> Given:
    """What a provider has given: a token, and what rattler writes so that it is renewed."""
    return Given(OAUTH, (Bearer(token),), value)


def _checked(target: Target, given: Given) -> Given:
    if target.is_bucket:
        raise UsageError(f"{target.key} is a bucket, and takes S3 keys alone")
    try:
        for form in given.forms:
            form.check()
            form.headers()
    except ValueError as error:
        raise UsageError(f"the {given.kind} cannot be used: {error}") from None
    return given
