"""Google Artifact Registry, Container Registry and Cloud Storage, with Google's own logins.

Application Default Credentials alone, and without a metadata service: cloud.google.com/docs/
authentication/application-default-credentials. What has to be asked for is in ``gcloud`` and
``gce``, which share what is here.
"""

from __future__ import annotations

import sys

from credlatch.errors import StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth.google import GoogleAuth
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.url import Url

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_NAME = "application_default_credentials.json"
_CONTAINER_REGISTRY = frozenset(
    {"gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io", "marketplace.gcr.io"}
)
# Users whose password is a key file's text, and no token.
_KEY_USERS = frozenset({"_json_key", "_json_key_base64"})
_REGIONAL = 5  # labels of storage.REGION.rep.googleapis.com


def claims(url: Url) -> bool:
    """Whether it is a registry of Google's, or its storage."""
    host = url.host
    if url.scheme != "https" or not url.default_port or host.startswith("*."):
        return False
    if url.username in _KEY_USERS:
        return False
    if host.endswith(".pkg.dev") or host in _CONTAINER_REGISTRY:
        return True
    return is_storage(host)


def is_storage(host: str) -> bool:
    """Whether a host is Cloud Storage, or a bucket of it."""
    if host == "storage.googleapis.com" or host.endswith(".storage.googleapis.com"):
        return True
    labels = host.split(".")
    return (
        host.endswith(".rep.googleapis.com") and len(labels) == _REGIONAL and labels[0] == "storage"
    )


def anonymous(url: Url) -> bool:  # noqa: ARG001 - each of these has public repositories and buckets
    """That all of them also serve those who send nothing."""
    return True


def find(request: Request, _: Url, caller: Caller) -> Entry | None:
    """What the file of Application Default Credentials gives.

    Raises:
        StoreError: there is one, and it cannot be used.
    """
    path, is_named = _path(request.rule.profile, caller)
    from credlatch.identities import google_files

    said = caller.document(path, google_files.parse, google_files.has_secret)
    if said is None:
        if is_named:
            raise StoreError(
                f"{path} is not there, which {VARIABLE} or a rule names: "
                "gcloud auth application-default login makes such a file"
            )
        return None
    return entry(google_files.grant(said, path, caller, request.rule.endpoint), path)


def entry(grant: GoogleAuth, location: str) -> Entry:
    """The entry of what gets a token."""
    return Entry(None, location, grant=grant, remedy=grant.remedy)


def _path(profile: str | None, caller: Caller) -> tuple[str, bool]:
    """The file, and whether somebody names it."""
    if profile is not None:
        path = caller.in_home(profile[2:]) if profile.startswith("~/") else profile
        if not path.startswith("/") and sys.platform != "win32":
            raise StoreError(
                f"the profile {path} of a rule for google is no path of a file: "
                'say profile = "/…" or "~/…"'
            )
        return path, True
    named = caller.path(VARIABLE)
    if named is not None:
        return named, True
    return f"{folder(caller)}/{_NAME}", False


def folder(caller: Caller) -> str:
    """Where gcloud keeps its things: it does not heed XDG_CONFIG_HOME."""
    named = caller.path("CLOUDSDK_CONFIG")
    if named is not None:
        return named
    if sys.platform == "win32":
        return caller.config("gcloud")
    return caller.in_home(".config", "gcloud")
