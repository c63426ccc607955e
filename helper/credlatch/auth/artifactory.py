"""What JFrog Artifactory takes of an access token."""

from __future__ import annotations

from credlatch import jwt
from credlatch.credential import Basic, Bearer, Secret
from credlatch.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Credential

_USERS = "/users/"  # in a token's subject, before the user name


def credential(token: Secret, user: str) -> Credential:
    """The token as a bearer's; as a login it has the user whose it is (``jf`` reads it likewise).

    Args:
        token: the token.
        user: whose it is said to be; empty: the token's subject counts.
    """
    subject = (jwt.claims(token.reveal()) or {}).get("sub")
    if not user and isinstance(subject, str) and _USERS in subject:
        user = subject.rpartition(_USERS)[2]
    if not user:
        return Bearer(token)
    bearer = Secret(f"Bearer {token.reveal()}")
    return Headers({"Authorization": bearer}, beside=Basic(user, token))
