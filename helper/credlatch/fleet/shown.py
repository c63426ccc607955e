"""What a machine shows the engine to be let in: a token, an identity's, or an AppRole's secret."""

from __future__ import annotations

import os
import time
from hashlib import sha256

from credlatch.auth import Auth
from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet import environment, schema, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth.ci_tokens import IdentityToken
    from credlatch.caller import Caller
    from credlatch.fleet.settings import Row
    from credlatch.url import Url

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
TOKEN_FILE = ".vault-token"  # noqa: S105 - below the home folder: bao and vault both write it


class Shown:
    """What is shown; a file is read each time that it is: whoever rotates it need tell nobody.

    Attributes:
        place: where it comes from, in words.
        key: what a login with it depends on: which file, or a digest of what no file has.
    """

    def __init__(self, place: str, key: str) -> None:
        self.place = place
        self.key = key

    def secret(self, deadline: float) -> Secret:
        """The secret, as it is now.

        Args:
            deadline: on the clock of ``time.monotonic``, when that must be known.

        Raises:
            StoreError, RenewalError: there is none.
        """
        raise NotImplementedError


class Held(Shown):
    """What a variable has."""

    def __init__(self, place: str, secret: Secret) -> None:
        super().__init__(place, _digest(secret.reveal()))
        self._secret = secret

    def secret(self, deadline: float) -> Secret:  # noqa: ARG002 - it is there
        """As it was when the caller asked."""
        return self._secret


class InFile(Shown):
    """What a file has."""

    def __init__(self, path: str, caller: Caller) -> None:
        super().__init__(path, path)
        self._caller = caller

    def secret(self, deadline: float) -> Secret:  # noqa: ARG002 - it is there
        """As it is now."""
        from credlatch.system import files

        held = files.read(self.place, named=self._caller.named(self.place), limit=_MOST)
        secret = Secret((held or "").strip())
        if not secret or not secret.fits_a_header:
            raise StoreError(f"{self.place} is empty or missing: what logs in to the engine is its")
        return secret


class OfJob(Shown):
    """A CI's identity token, which is asked for where it does not lie in a variable."""

    def __init__(self, token: IdentityToken, caller: Caller) -> None:
        super().__init__(token.place, _digest(f"{token.key}\n{token.secret.reveal()}"))
        self._token = token
        self._caller = caller

    def secret(self, deadline: float) -> Secret:
        """A fresh one, where the CI gives such."""
        from credlatch.renew import exchange

        asks = _Asks(self._token)
        return exchange.run(self._token.token(time.time()), asks, deadline, self._caller)


class _Asks(Auth):
    """The CI's own server, which alone is asked."""

    single_use = False
    repeatable = True
    gives = "an identity token"

    def __init__(self, token: IdentityToken) -> None:
        super().__init__(token.secret, token.server or "", "see what the job is permitted")

    def trusts(self, server: Url) -> bool:
        """That server, and no other."""
        return bool(self.server) and super().trusts(server)


_MOST = 256 * 1024  # bytes of a token


def of(row: Row, caller: Caller) -> Shown | None:
    """What a caller shows the engine of a row; None: nothing, in Kubernetes.

    Raises:
        StoreError: there is nothing to be shown.
    """
    auth = row.said.auth
    if row.said.engine == schema.KUBERNETES:
        return None
    if auth.method == schema.TOKEN and auth.file is None and auth.variable is None:
        return _token(caller, row)
    if auth.method in {schema.TOKEN, schema.APPROLE}:
        return _named(auth.file, auth.variable, caller, row)
    identity = auth.identity
    file = None if identity is None else identity.file
    if auth.method != schema.JWT and identity is None:
        file = SERVICE_ACCOUNT
    if file is not None or (identity is not None and identity.variable is not None):
        return _named(file, None if identity is None else identity.variable, caller, row)
    return _of_job(row, caller)


def _of_job(row: Row, caller: Caller) -> Shown:
    from credlatch.identities import ci_variables
    from credlatch.rules import Rule

    rule = Rule()
    rule.where, rule.identity = row.where, row.said.auth.identity
    token = ci_variables.identity_token(rule, row.said.auth.audience, caller)
    if token is None:
        raise StoreError(
            f'{row.where} logs in with a CI\'s identity, and this is no job of one: see "auth"'
        )
    return OfJob(token, caller)


def _token(caller: Caller, row: Row) -> Shown:
    name, value = environment.variable("TOKEN", caller.environ)
    if value:
        return Held(name, Secret(value))
    path = environment.variable("TOKEN_PATH", caller.environ)[1]
    path = caller.absolute(path) if path else caller.in_home(TOKEN_FILE)
    if not os.path.lexists(path):
        raise StoreError(
            f"nothing logs in to the engine of {row.where}: log in with `bao login`, set BAO_TOKEN "
            f'or VAULT_TOKEN, or add auth = {{method = "…"}} there'
        )
    return InFile(path, caller)


def _named(file: str | None, variable: str | None, caller: Caller, row: Row) -> Shown:
    if file is None:
        value = caller.get(variable or "")
        if value is None:
            raise StoreError(f"{row.where} names the variable {variable}, which is not set")
        return Held(str(variable), Secret(value.strip()))
    return InFile(settings.file_at(file, row, caller), caller)


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()
