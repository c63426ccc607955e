"""The identities for which tokens are minted: each is asked about a host of its system."""

from __future__ import annotations

from credlatch import request as requests
from credlatch import url as urls
from credlatch.errors import CredlatchError
from credlatch.identities.table import SYSTEMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.listing import Login

SAMPLES = {
    "ecr": ("*.dkr.ecr.*.amazonaws.com", "000000000000.dkr.ecr.us-east-1.amazonaws.com"),
    "codeartifact": (
        "*.d.codeartifact.*.amazonaws.com",
        "domain-000000000000.d.codeartifact.us-east-1.amazonaws.com/pypi/repository/simple/",
    ),
    "azure_artifacts": ("pkgs.dev.azure.com", "pkgs.dev.azure.com/organization/_packaging/feed/"),
    "acr": ("*.azurecr.io", "registry.azurecr.io"),
    "azure_blob": ("*.blob.core.windows.net", "account.blob.core.windows.net/container/object"),
    "github": ("github.com", "github.com/owner/repository"),
    "google": ("*.pkg.dev", "europe-docker.pkg.dev/project/repository"),
    "s3": ("*.s3.*.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com/object"),
    "gitlab": ("gitlab.com", "gitlab.com/group/project"),
    "jfrog": ("*.jfrog.io", "company.jfrog.io/artifactory/api/pypi/repository/simple/"),
    "cloudsmith": ("*.cloudsmith.io", "dl.cloudsmith.io/basic/owner/repository/"),
    "anaconda": ("repo.anaconda.cloud", "repo.anaconda.cloud/repo/main/"),
    "prefix": ("*.prefix.dev", "repo.prefix.dev/channel/"),
}
"""For each system with hosts of its own: what to call them, and a URL that one of them has."""


def identities(caller: Caller) -> Iterator[Login]:
    """The systems that a call may be answered for with an identity of the caller's, without asking.

    A system that only a rule brings in is none: ``config check`` tells of rules.
    """
    from credlatch.listing import Login

    for system in SYSTEMS:
        hosts, sample = SAMPLES.get(system.name, ("", ""))
        if not sample or system.opt_in:
            continue
        module = __import__(f"credlatch.identities.{system.name}", fromlist=["find"])
        url = urls.parse(f"https://{sample}")
        aside = len(caller.warnings)
        try:
            entry = module.find(requests.for_url(url), url, caller)
        except CredlatchError:
            continue  # it is there and broken: who asks for a host of it is told
        finally:
            del caller.warnings[aside:]
        if entry is None:
            continue
        made = Login(hosts, "identity", entry.location)
        made.kind = f"{system.name.replace('_', ' ')} identity"
        made.expires, made.renews = entry.expires, True
        yield made
