"""What the user's settings say of a URL: which source answers, and in which form."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.rules.exchange import Exchange, Identity


class Rule:
    """One rule; each attribute is None or empty where it says nothing.

    Attributes:
        where: the file and the place in it, for messages.
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

    def names(self, system: str) -> bool:
        """Whether it says that a system answers, which is then asked although it is opt-in."""
        return system in self.use and self.allows(system)

    def allows(self, name: str) -> bool:
        """Whether a store or a system may answer."""
        if self.forbidden or (self.use and name not in self.use):
            return False
        return self.only is None or name in self.only


NONE = Rule()
