"""Google's registries and storage with a user's login of gcloud's: where a rule names ``gcloud``.

The rule's ``profile`` is the name of a configuration of gcloud's, or an account's address.
"""

from __future__ import annotations

import os

from credlatch.identities.google import anonymous, claims, entry, folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.url import Url

__all__ = ["anonymous", "claims", "find"]

# What gcloud writes when somebody logs in, or chooses another account or configuration.
_FILES = ("active_config", "credentials.db", "legacy_credentials")
_VARIABLES = (
    "CLOUDSDK_ACTIVE_CONFIG_NAME", "CLOUDSDK_CORE_ACCOUNT", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
)  # fmt: skip


def find(request: Request, _: Url, caller: Caller) -> Entry | None:
    """What gcloud itself gives, which is asked by its command."""
    from credlatch.auth.google_machine import GcloudLogin

    profile = request.rule.profile
    options: tuple[str, ...] = ()
    if profile:
        options = (f"--{'account' if '@' in profile else 'configuration'}={profile}",)
    return entry(GcloudLogin(options, _marks(caller)), "gcloud config config-helper")


def _marks(caller: Caller) -> str:
    """What is another after each login, so that a token of the one before is not served."""
    where = folder(caller)
    places = [f"{where}/{name}" for name in _FILES]
    try:
        places += sorted(each.path for each in os.scandir(f"{where}/configurations"))
    except OSError:
        places.append("")  # there are none
    seen = [where, *(caller.get(name) or "" for name in _VARIABLES)]
    for place in places:
        try:
            status = os.stat(place)
        except OSError:
            seen.append(place)
        else:
            seen.append(f"{place} {status.st_mtime_ns} {status.st_size}")
    return "\n".join(seen)
