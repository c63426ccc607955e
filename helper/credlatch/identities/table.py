"""The table of systems: which file is asked for which hosts.

Every call that no store answers reads it: so next to nothing is imported here.
"""

from __future__ import annotations

from os.path import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.rules import Rule
    from credlatch.url import Url


class System:
    """One row.

    Args:
        name: of the file, and what a rule's ``use`` calls it.
        hosts: names of hosts: each stands for itself and for all below it.
        variables: one that is set has the system asked for every URL: it may name a host.
        files: below the folder for settings, or with ``~/`` the home; one that is there likewise.
        opt_in: whether it is asked only where a rule names it.
    """

    def __init__(
        self,
        name: str,
        *hosts: str,
        variables: tuple[str, ...] = (),
        files: tuple[str, ...] = (),
        opt_in: bool = False,
    ) -> None:
        self.name = name
        self.hosts = hosts
        self.variables = variables
        self.files = files
        self.opt_in = opt_in

    def may_name(self, caller: Caller) -> bool:
        """Whether the caller has something that may name any host."""
        return any(map(caller.get, self.variables)) or any(
            exists(caller.in_home(name[2:]) if name.startswith("~/") else caller.config(name))
            for name in self.files
        )


_AWS = (
    *("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov"),
    *("cloud.adc-e.uk", "csp.hci.ic.gov"),
)
_GOOGLE = ("pkg.dev", "gcr.io", "storage.googleapis.com", "rep.googleapis.com")

SYSTEMS: tuple[System, ...] = (
    System(
        "ecr",
        *("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "on.aws", "sc2s.sgov.gov"),
        *("on.amazonwebservices.com.cn", "c2s.ic.gov", "cloud.adc-e.uk", "csp.hci.ic.gov"),
        *("public.ecr.aws", "ecr-public.aws.com"),
    ),
    System("codeartifact", "amazonaws.com", "on.aws"),
    System("ci", opt_in=True),
    System("token", opt_in=True),
    System(
        "azure_artifacts",
        "pkgs.dev.azure.com",
        "pkgs.visualstudio.com",
        "pkgs.codedev.ms",
        "pkgs.vsts.me",
    ),
    System("acr", "azurecr.io", "azurecr.cn", "azurecr.us", "azurecr.de"),
    System("azure_blob", "blob.core.windows.net"),
    System(
        "github",
        *("github.com", "raw.githubusercontent.com", "ghcr.io", "ghe.com"),
        variables=(
            *("GH_HOST", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
            *("GITHUB_SERVER_URL", "GH_CONFIG_DIR"),
        ),
        files=("gh/hosts.yml", "GitHub CLI/hosts.yml"),
    ),
    System("google", *_GOOGLE),
    System("s3", *_AWS),
    System("gcloud", *_GOOGLE, opt_in=True),
    System("gce", *_GOOGLE, opt_in=True),
    System(
        "gitlab",
        "gitlab.com",
        variables=(
            *("CI_API_V4_URL", "CI_SERVER_URL", "CI_SERVER_HOST", "CI_REGISTRY"),
            *("CI_DEPENDENCY_PROXY_SERVER", "GITLAB_HOST", "GITLAB_URI", "GL_HOST"),
            "GLAB_CONFIG_DIR",
        ),
        files=(
            *("glab-cli/config.yml", "~/.config/glab-cli/config.yml"),
            "~/Library/Application Support/glab-cli/config.yml",
        ),
    ),
    System(
        "jfrog",
        "jfrog.io",
        variables=("JF_URL", "JFROG_URL", "JFROG_CLI_HOME_DIR"),
        files=("~/.jfrog/jfrog-cli.conf.v6",),
    ),
    System("cloudsmith", "cloudsmith.io"),
    System("anaconda", "repo.anaconda.cloud", "api.anaconda.org"),
    System("prefix", "prefix.dev"),
    System("quetz", variables=("QUETZ_SERVER_URL",)),
)


def systems(url: Url, rule: Rule, caller: Caller) -> Iterator[tuple[str, bool]]:
    """The systems to be asked for a URL, in the table's order.

    With each it says whether the URL may be its own although it does not claim it: because a rule
    says so, or because the caller has named a host to it.

    Args:
        url: which.
        rule: what settings say of it.
        caller: who asks.
    """
    labels = url.host.split(".")
    suffixes = {".".join(labels[at:]) for at in range(len(labels))}
    for each in SYSTEMS:
        if rule.names(each.name):
            yield each.name, True
        elif each.opt_in or not rule.allows(each.name):
            continue
        elif each.may_name(caller):
            yield each.name, True
        elif not suffixes.isdisjoint(each.hosts):
            yield each.name, False
