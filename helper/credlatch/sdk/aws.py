"""AWS's chain of identities, as botocore resolves it: profiles, SSO, roles, processes, metadata.

https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from hashlib import sha1

import botocore.config
import botocore.credentials
import botocore.exceptions as failures
import botocore.httpsession
import botocore.session
import botocore.utils
import truststore
from botocore.tokens import SSOTokenProvider

from credlatch.errors import LockedError
from credlatch.sdk import ABSENT, LOGIN, PERMISSION, TRANSIENT, SdkError
from credlatch.system import files, locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any, NoReturn

    from botocore.session import Session

    from credlatch.caller import Caller

_METADATA = 0.4  # seconds for each of the two requests to an instance's metadata service
_CONTAINER = 1.0  # seconds for the one to a container's
_CONNECT, _READ = 2.0, 4.0  # seconds, of STS and of SSO
_REGION = "us-east-1"
_LONGEST = 200  # characters of a text of botocore's

# Codes, or parts of them, with which AWS refuses.
_DENIED = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "Forbidden")
_ENDED = ("Expired", "InvalidClientTokenId", "InvalidIdentityToken", "UnrecognizedClient")
_CLOCK = ("SignatureDoesNotMatch", "RequestExpired", "InvalidSignature", "RequestTimeTooSkewed")
_BUSY = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "ServiceUnavailable")
_NO_ANSWER = (
    failures.HTTPClientError,
    failures.EndpointConnectionError,
    failures.ConnectionError,
    failures.MetadataRetrievalError,
)


def answer(asked: dict[str, Any], _: Caller) -> dict[str, object]:
    """The keys of an identity.

    Args:
        asked: ``profile``, or None for what the environment says; ``region``, where nothing else
            names one; ``instance``, whether a virtual machine's metadata service may be asked.
    """
    # The system's trust store, and not a list that comes with botocore; AWS_CA_BUNDLE comes to it.
    botocore.httpsession.SSLContext = truststore.SSLContext
    botocore.httpsession.where = lambda: None
    profile = asked.get("profile")
    name = profile or os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE")
    try:
        session = _session(profile, asked.get("region") or _REGION)
        return _keys(session, name, instance=bool(asked.get("instance")))
    except failures.BotoCoreError as error:
        raise _explained(error, name or "default") from None
    except failures.ClientError as error:
        raise _refused(error, name or "default") from None
    except LockedError as error:
        raise SdkError(TRANSIENT, str(error)) from None
    except SdkError:
        raise
    except RuntimeError:  # of what was fetched a moment ago
        raise SdkError(
            TRANSIENT,
            f"the keys of AWS profile {name or 'default'} have ended already: see whether this "
            "machine's clock is right, or what gives them",
        ) from None
    except Exception as error:  # noqa: BLE001 - botocore's for odd files and servers have no root
        # The text may quote them.
        why = files.reason(error) if isinstance(error, OSError) else type(error).__name__
        where = f": {error.filename}" if isinstance(error, OSError) and error.filename else ""
        raise SdkError(
            ABSENT,
            f"AWS {f'profile {name}' if name else 'identity'} cannot be used ({why}{where}): see "
            "`aws configure list`",
        ) from None


class _InstanceMetadata(botocore.utils.InstanceMetadataFetcher):  # type: ignore[misc] # untyped
    """The metadata service of a virtual machine; settings know whole seconds alone."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{**more, "timeout": _METADATA})


def _session(profile: str | None, region: str) -> Session:
    """A session whose every wait is short."""
    botocore.utils.ContainerMetadataFetcher.TIMEOUT_SECONDS = _CONTAINER
    botocore.utils.ContainerMetadataFetcher.RETRY_ATTEMPTS = 1
    botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0  # seconds: it sleeps after the last, too
    session = botocore.session.Session(profile=profile)
    botocore.credentials.InstanceMetadataFetcher = _InstanceMetadata
    session.set_config_variable("metadata_service_num_attempts", 1)
    # AWS_REGION is what every other SDK reads; botocore reads AWS_DEFAULT_REGION.
    chosen = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    session.set_config_variable("region", chosen or region)
    session.set_default_client_config(
        botocore.config.Config(
            connect_timeout=_CONNECT, read_timeout=_READ, retries={"total_max_attempts": 2}
        )
    )
    return session


def _keys(session: Session, name: str | None, *, instance: bool) -> dict[str, object]:
    chain = session.get_component("credential_provider")
    chain.get_provider("assume-role")._prompter = _nobody_to_ask
    SSOTokenProvider._refresher = _refreshed_once
    if not instance:
        chain.remove("iam-role")
    credentials = session.get_credentials()
    if credentials is None:
        where = f"AWS profile {name}" if name else "AWS"
        raise SdkError(
            ABSENT, f"there are no keys for {where}: see `aws configure list`, or log in again"
        )
    keys = credentials.get_frozen_credentials()
    end = getattr(credentials, "_expiry_time", None)
    return {
        "access_key": keys.access_key,
        "secret_key": keys.secret_key,
        "token": keys.token,
        "expires": None if end is None else int(end.timestamp()),
        "method": credentials.method,
    }


_refreshed = SSOTokenProvider._refresher


def _refreshed_once(self: SSOTokenProvider) -> Any:
    """An SSO login's token, renewed by one process at a time: the grant is good for one use."""
    name = self._sso_config["session_name"].encode()
    digest = sha1(name, usedforsecurity=False).hexdigest()
    cache = os.path.join(os.path.expanduser("~/.aws/sso/cache"), f"{digest}.json")
    with _alone(cache):
        before = _stamp(cache)
        token = _refreshed(self)
        if token.expiration < self._now() and _stamp(cache) != before:
            # AWS's own tool, which takes no lock, has renewed it at the same moment.
            token = _refreshed(self)
        return token


def _alone(cache: str) -> AbstractContextManager[object]:
    """The lock beside an SSO login, where there is one that can be renewed and written back."""
    if os.path.exists(cache) and os.access(os.path.dirname(cache), os.W_OK):
        return locks.Exclusive(f"{cache}.lock", _CONNECT + _READ)
    return nullcontext()


def _stamp(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _nobody_to_ask(_: str) -> NoReturn:
    raise SdkError(
        LOGIN,
        "an AWS role wants a code of an MFA device, and nobody can be asked for it here: "
        "put a session's keys into the environment, as `aws sts get-session-token` gives them",
    )


def _explained(error: failures.BotoCoreError, profile: str) -> SdkError:
    """What went wrong on this side, and what helps."""
    said = " ".join(str(error).split())[:_LONGEST]
    match error:
        case failures.SSOError() | failures.TokenRetrievalError():
            return SdkError(
                LOGIN,
                f"the SSO login of AWS profile {profile} has ended: "
                f"run `aws sso login --profile {profile}`",
            )
        case failures.LoginError():
            return SdkError(
                LOGIN,
                f"the login of AWS profile {profile} has ended: "
                f"run `aws login --profile {profile}`",
            )
        case failures.ProfileNotFound():
            return SdkError(
                ABSENT,
                f"there is no AWS profile {profile}: see `aws configure list-profiles`, and "
                "AWS_PROFILE",
            )
        case failures.MissingDependencyException():
            return SdkError(
                LOGIN,
                f"AWS profile {profile} has a login that only `aws` itself can use: "
                f"`eval $(aws configure export-credentials --profile {profile} --format env)`",
            )
        case failures.CredentialRetrievalError():
            return SdkError(
                TRANSIENT,
                f"AWS profile {profile} gave no keys ({said}): see `aws sts get-caller-identity "
                f"--profile {profile}`",
            )
        case _ if isinstance(error, _NO_ANSWER):
            return SdkError(TRANSIENT, f"AWS did not answer ({said}): check the network")
    return SdkError(ABSENT, f"AWS profile {profile} cannot be used ({said}): see ~/.aws/config")


def _refused(error: failures.ClientError, profile: str) -> SdkError:
    """What AWS's refusal means. Of what it says its code alone is repeated."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    shown = code if code.isascii() and code.isalpha() and len(code) <= _LONGEST else "an error"
    said = f"{shown} from {error.operation_name}"
    if any(each in code for each in _CLOCK):
        return SdkError(TRANSIENT, f"{said}: is this machine's clock right?")
    if any(each in code for each in _ENDED):
        return SdkError(
            LOGIN,
            f"what AWS profile {profile} begins with has ended or is not known ({said}): log in "
            f"again, `aws sso login --profile {profile}` where it is SSO's, or put new keys there",
        )
    if any(each in code for each in _DENIED):
        return SdkError(
            PERMISSION,
            f"AWS profile {profile} may not have the keys of its role ({said}): check role_arn and "
            "the role's trust policy, or sso_account_id and sso_role_name",
        )
    if any(each in code for each in _BUSY):
        return SdkError(TRANSIENT, f"AWS is asked too often ({said}): try again in a moment")
    return SdkError(TRANSIENT, f"AWS gave no keys ({said}): try again")
