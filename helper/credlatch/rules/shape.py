"""What was found, in the form that a rule gives it."""

from __future__ import annotations

from credlatch.credential import Basic, Credential, Token, check_token
from credlatch.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Secret
    from credlatch.rules import Rule


class Shaped(Credential):
    """A credential whose token, or whose user name, goes elsewhere than by itself.

    Args:
        found: the credential.
        rule: says where.
    """

    __slots__ = ("_found", "_rule")

    def __init__(self, found: Credential, rule: Rule) -> None:
        super().__init__(found.secret)
        self._found = found
        self._rule = rule

    def check(self) -> None:
        """As it is without the rule."""
        self._found.check()

    def headers(self) -> dict[str, str]:
        """The token in the rule's header, and the headers that the rule adds."""
        rule = self._rule
        made = self._carried() if rule.header or rule.scheme is not None else self._own()
        for name, value in rule.headers.items():
            for other in [each for each in made if each.lower() == name.lower()]:
                del made[other]
            made[name] = value
        return made

    def login(self, host: str) -> tuple[str, Secret]:
        """The login that it is, with the rule's user name."""
        username, secret = self._found.login(host)
        return username if self._rule.username is None else self._rule.username, secret

    @property
    def logs_in(self) -> bool:
        """As it is without the rule."""
        return self._found.logs_in

    @property
    def names_user(self) -> bool:
        """The rule's name is."""
        return self._rule.username is not None or self._found.names_user

    def _own(self) -> dict[str, str]:
        if isinstance(self._found, Basic) and self._rule.username is not None:
            return Basic(self._rule.username, self._found.secret).headers()
        return self._found.headers()

    def _carried(self) -> dict[str, str]:
        rule, header = self._rule, self._rule.header or "Authorization"
        why = "" if isinstance(self._found, Basic | Token) else "it has none"
        if isinstance(self._found, Headers):
            why = "it is headers of its own"
        if why:
            raise ValueError(
                f"{rule.where} has its token sent as {header}, and {why}: take header out"
            )
        check_token(self.secret, header)
        return Token(self.secret, header, rule.scheme or "").headers()
