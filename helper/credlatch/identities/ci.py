"""A CI's identity, exchanged for a server's token as a rule says (trusted access).

Nothing is looked for, asked or sent without a rule that has ``use = ["ci"]``. Which variables mean
which CI is as PyPI's ``id`` 1.6 has it, in its order; what that asks by itself (Google's metadata,
any URL without a limit of ours) is not asked here.
"""

from __future__ import annotations

from credlatch.errors import StoreError
from credlatch.stores import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.rules import Rule
    from credlatch.url import Url


def claims(url: Url) -> bool:  # noqa: ARG001 - whatever it is
    """No URL by itself: a rule says which."""
    return False


def anonymous(url: Url) -> bool:  # noqa: ARG001 - likewise
    """False: a rule says that an identity is wanted."""
    return False


def find(request: Request, url: Url, caller: Caller) -> Entry | None:  # noqa: ARG001 - the rule's
    """What the rule's exchange gives for the identity that this job has; None: it has none."""
    rule = request.rule
    if rule.exchange is None:
        raise StoreError(
            f"{rule.where} has ci answer, and does not say where an identity is exchanged: "
            'add exchange = {url = "https://…"}'
        )
    from credlatch.identities import ci_variables

    audience = rule.audience or rule.exchange.preset.audience
    token = ci_variables.identity_token(rule, audience, caller)
    if token is None:
        caller.warn(_absent(rule))
        return None
    from credlatch.auth.exchanges import TokenExchange

    grant = TokenExchange(token, rule.exchange, rule.where)
    return Entry(None, f"the identity from {token.place}", grant=grant, remedy=grant.remedy)


def _absent(rule: Rule) -> str:
    identity = rule.identity
    if identity is not None and identity.variable is not None:
        return f"{rule.where} names the variable {identity.variable}, which is not set"
    return f"{rule.where} has a CI's identity exchanged, and this is no job of one that is known"
