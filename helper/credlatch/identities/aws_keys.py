"""The keys of AWS that a caller has: from the environment at once, else from AWS's own chain.

The order is botocore's: a profile that is named to it, by a rule of ours, beats keys in the
environment; these beat AWS_PROFILE.
https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

from credlatch.credential import AccessKey, Secret
from credlatch.errors import StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.caller import Caller
    from credlatch.rules import Rule

_ID, _SECRET, _END = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CREDENTIAL_EXPIRATION"
# What of a profile gives keys.
_GIVES = frozenset(
    {
        "aws_access_key_id", "credential_process", "login_session", "role_arn", "sso_account_id",
        "sso_session", "web_identity_token_file",
    }
)  # fmt: skip
_SECRETS = frozenset({"aws_secret_access_key", "aws_session_token"})
_CONTAINER = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"
# What else decides which keys come: where the files are, and which programs a profile starts.
_ALSO = ("HOME", "USERPROFILE", "PATH")


class _Profiles:
    """What a configuration file of AWS's says.

    Attributes:
        keys: the names of the keys of each profile.
        digest: of all that it says.
    """

    def __init__(self, keys: Mapping[str, set[str]], digest: str) -> None:
        self.keys = keys
        self.digest = digest


def keys(
    caller: Caller, rule: Rule, region: str = "us-east-1", profile: str | None = None
) -> Entry | None:
    """The entry with an AccessKey, or with a grant that gets one; None where there is no identity.

    Args:
        caller: whose environment and files count.
        rule: its ``profile`` is named to the chain. One that names the system in ``use`` has an
            instance's metadata service asked, too.
        region: whose token service is asked where nothing else names one.
        profile: named to the chain likewise, where the rule names none.

    Raises:
        StoreError: there is an identity that cannot be used.
    """
    named = rule.profile or profile
    if named is None:
        entry = _from_environment(caller)
        if entry is not None:
            return entry
    # botocore's order of the two
    chosen = named or caller.get("AWS_DEFAULT_PROFILE") or caller.get("AWS_PROFILE")
    files = [_profiles(caller, *each) for each in _FILES]
    instance = bool(rule.use) and (caller.get("AWS_EC2_METADATA_DISABLED") or "").lower() != "true"
    if chosen is not None:
        where, name = f"AWS profile {chosen}", chosen
    elif any(_GIVES & each.keys.get("default", set()) for each in files if each is not None):
        where, name = "AWS profile default", "default"
    elif caller.get("AWS_ROLE_ARN") and caller.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        where, name = "AWS_WEB_IDENTITY_TOKEN_FILE", None
    elif any(map(caller.get, _CONTAINER)):
        where, name = "the metadata service of AWS's container", None
    elif instance:
        where, name = "the metadata service of AWS's instance", None
    else:
        return None
    from credlatch.auth.aws_keys import AwsKeys

    asked = {"profile": named, "region": region, "instance": instance}
    remedy = "see `aws sts get-caller-identity" + (f" --profile {name}`" if name else "`")
    surroundings = [
        caller.cwd,
        *(f"{each}={caller.environ.get(each)}" for each in _ALSO),
        *sorted(f"{each}={value}" for each, value in caller.environ.items() if _counts(each)),
        *("" if each is None else each.digest for each in files),
    ]
    grant = AwsKeys(asked, "\0".join(surroundings), remedy)
    return Entry(None, where, grant=grant, remedy=remedy)


def _counts(variable: str) -> bool:
    return variable.upper().startswith("AWS_")


def _from_environment(caller: Caller) -> Entry | None:
    """The keys that variables hold."""
    key, secret = caller.get(_ID), caller.get(_SECRET)
    if key is None:
        return None
    if secret is None:
        raise StoreError(f"{_ID} is set, and {_SECRET} is not: set both, or neither")
    # AWS_SECURITY_TOKEN is botocore's older name, which it takes first.
    token = caller.get("AWS_SECURITY_TOKEN") or caller.get("AWS_SESSION_TOKEN")
    found = AccessKey(key, Secret(secret), Secret(token) if token else None)
    remedy = f"get new keys, and set {_ID} and {_SECRET} to them"
    return Entry(found, _ID, expires=_end(caller.get(_END)), remedy=remedy)


def _end(text: str | None) -> int | None:
    """AWS_CREDENTIAL_EXPIRATION: ISO 8601."""
    if text is None:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise StoreError(f"{_END} is no time as 2026-11-21T12:00:00Z: set it to one") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp()))


_FILES = (
    ("AWS_CONFIG_FILE", "config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
)


def _profiles(caller: Caller, variable: str, name: str) -> _Profiles | None:
    """What a file says; None without one. Another user's is not believed."""
    value = caller.get(variable)
    if value is not None and value.startswith("~/"):
        path: str | None = caller.in_home(value[2:])
    else:
        path = caller.path(variable)
    return caller.document(path or caller.in_home(".aws", name), _parsed, _has_secret)


def _parsed(text: str, _: str) -> _Profiles:
    """Which keys each profile has: enough to know whether to ask for more."""
    from hashlib import sha256

    found: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in text.replace("\r", "\n").split("\n"):  # no other character ends one
        stripped = line.strip()
        if stripped.startswith("[") and "]" in stripped:
            words = stripped[1 : stripped.index("]")].replace('"', "").split()
            name = words[-1] if words and words[:-1] in ([], ["profile"]) else ""
            section = found.setdefault(name, set())
        elif stripped and stripped[0] not in "#;":
            # What gives a key its value is the first of both, as to the CLI.
            section.add(stripped.partition("=")[0].partition(":")[0].strip().lower())
    return _Profiles(found, sha256(text.encode()).hexdigest())


def _has_secret(file: _Profiles) -> bool:
    return any(_SECRETS & each for each in file.keys.values())
