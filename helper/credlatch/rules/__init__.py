"""What the user's settings say of a URL: which source answers, and in which form.

Every call looks whether there are such settings: so what reads them is imported where there are.
"""

from __future__ import annotations

from os.path import dirname, lexists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.rules.exchange import Exchange, Identity

WORKSPACE = ".credlatch.toml"


class Rule:
    """What holds for one request; each attribute is None or empty where nothing is said.

    Attributes:
        where: the file and the line, for messages.
        use: names of stores and systems that may answer, and no others; empty: all.
        only: likewise, as a workspace has it; None: all. It never has one answer that is opt-in.
        forbidden: whether nothing may answer at all.
        account: the user name whose login counts.
        header: the header that carries a token, in place of Authorization.
        scheme: the word before the token in it; empty for none.
        headers: more headers, which hold no secret.
        username: the user name that clients get that know only logins.
        profile: an AWS profile, or another tool's name for an identity.
        endpoint: the URL of an S3 server, or of the server that a token is got from.
        region: of an S3 server.
        path_style: whether the bucket is the first segment of the path, and not of the host.
        audience: for whom an identity token is asked.
        identity: where a token comes from: a CI, a file or a variable.
        exchange: how an identity token is exchanged for a server's token.
        is_divided: whether another rule holds for some URLs below that of the request.
    """

    where = ""
    use: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    forbidden = False
    account: str | None = None
    header: str | None = None
    scheme: str | None = None
    headers: Mapping[str, str] = {}
    username: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    audience: str | None = None
    identity: Identity | None = None
    exchange: Exchange | None = None
    is_divided = False

    def names(self, system: str) -> bool:
        """Whether it says that a system answers, which is then asked although it is opt-in."""
        return system in self.use and self.allows(system)

    def allows(self, name: str) -> bool:
        """Whether a store or a system may answer."""
        if self.forbidden or (self.use and name not in self.use):
            return False
        return self.only is None or name in self.only

    @property
    def shapes(self) -> bool:
        """Whether it gives what is found another form."""
        said = (self.header, self.scheme, self.username)
        return bool(self.headers) or any(each is not None for each in said)


NONE = Rule()


def settings_file(caller: Caller) -> str:
    """The path of the user's own settings."""
    return caller.config("credlatch", "config.toml")


def workspace_file(caller: Caller) -> str | None:
    """The path of the workspace's settings: the nearest, from the working directory upward."""
    folder = caller.cwd
    while not lexists(path := f"{folder.rstrip('/')}/{WORKSPACE}"):
        above = dirname(folder)
        if above == folder:
            return None
        folder = above
    return path


def applied(request: Request, caller: Caller, names: Callable[[], tuple[str, ...]]) -> Request:
    """A request as the settings have it, with what they say of it.

    Args:
        request: which.
        caller: whose settings they are.
        names: gives the names of all stores and systems.

    Raises:
        StoreError: the user's settings cannot be believed, or are wrong: which says where.
    """
    own, workspace = settings_file(caller), workspace_file(caller)
    if workspace is None and not lexists(own):
        request.rule = NONE
        return request
    from credlatch.rules import reading

    return reading.applied(request, caller, own, workspace, names())
