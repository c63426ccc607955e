"""What other credential helpers answer, as credentials.

Every function raises OddAnswerError where an answer is not what its protocol says.
"""

from __future__ import annotations

from binascii import a2b_base64

from credlatch import clock, go_json, quick_json
from credlatch.credential import Basic, Bearer, Credential, Secret, Token
from credlatch.headers import Headers

_NOT_FOUND = b"credentials not found in native keychain"  # Docker's protocol has this text
_SHOWN = 200  # characters of a helper's reason


class OddAnswerError(ValueError):
    """An answer is not what its protocol says; the text does not repeat what may be a secret."""


def login(out: bytes) -> Basic:
    """What a helper of Docker's gives for a key."""
    try:
        answer = go_json.fields(go_json.loads(out.decode()), "username", "secret")
    except ValueError:
        answer = None
    if answer is None:
        raise OddAnswerError("it is not a JSON object")
    username, secret = answer.get("username"), answer.get("secret")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise OddAnswerError("it has no Username and Secret")
    return Basic(username, Secret(secret))


def listed(out: bytes) -> dict[str, str]:
    """What a helper of Docker's lists: user names by key."""
    return {key: name for key, name in _object(out).items() if isinstance(name, str)}


def is_not_found(out: bytes) -> bool:
    """Whether a helper of Docker's says that it has no such login."""
    return out.strip() == _NOT_FOUND


def failure(out: bytes, said: str, status: int) -> str:
    """Why a helper failed: Docker's say it on standard output, Bazel's on standard error.

    One that fails may have answered before: what looks like an answer is not repeated.
    """
    text = " ".join(out.decode(errors="replace").split())[:_SHOWN]
    texts = [each for each in (text, said) if each and "{" not in each]
    return texts[0] if texts else f"it ended with {status}"


def headers(out: bytes) -> tuple[Credential | None, int | None]:
    """What a helper of Bazel's gives for a URL, and when that ends."""
    answer = _object(out)
    sent = answer.get("headers") or {}
    if not isinstance(sent, dict):
        raise OddAnswerError("its headers are no object")
    found: dict[str, Secret] = {}
    for name, values in sent.items():
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise OddAnswerError("a header is not a list of texts")
        if name.lower() in map(str.lower, found):
            raise OddAnswerError("a header stands in it twice")
        if values:
            found[name] = Secret(", ".join(values))
    return _credential(found), _moment(answer.get("expires"))


def _credential(found: dict[str, Secret]) -> Credential | None:
    if len(found) != 1:
        return Headers(found) if found else None
    ((name, value),) = found.items()
    if name.lower() != "authorization":
        return Token(value, name)
    scheme, _, token = value.reveal().partition(" ")
    if scheme.lower() == "bearer":
        return Bearer(Secret(token.strip(" ")))  # which is a password too
    login = _pair(token.strip(" ")) if scheme.lower() == "basic" else None
    return login or Headers(found)


def _pair(encoded: str) -> Basic | None:
    """The login in a Basic header (RFC 7617); None where there is none that gives that header."""
    try:
        username, colon, password = a2b_base64(encoded, strict_mode=True).decode().partition(":")
    except ValueError:
        return None
    return Basic(username, Secret(password)) if colon else None


def _object(data: bytes) -> dict[str, object]:
    try:
        value = quick_json.loads(data.decode())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise OddAnswerError("it is not a JSON object")
    return value


def _moment(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text)
        seconds = moment.timestamp() if moment.tzinfo is not None else -1.0
    except (ValueError, OverflowError):
        return None
    # The year 1 is how Go's programs write a moment that was never set.
    return clock.moment(seconds) if seconds >= 0 else None
