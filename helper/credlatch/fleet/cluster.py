"""Where Kubernetes' API is, whom to trust there, and who we are."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.errors import RequestError, StoreError
from credlatch.fleet.engine import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credlatch.caller import Caller

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # where each pod has its own
HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"
_LONGEST = 1024 * 1024  # bytes of a file


class Cluster:
    """A cluster, and who we are in it.

    Args:
        server: the URL of its API.
        tls: whom to trust there, and who we are, where a certificate says that.
        token: reads the token that says it, for each request anew: it is another one every hour.
            None where there is none.
        namespace: that counts where none is named.
        identity: who we are, in words; no secret.

    Raises:
        EngineError: the URL is none to which a login may travel.
    """

    def __init__(
        self,
        server: str,
        tls: Tls,
        token: Callable[[], Secret | None],
        namespace: str,
        identity: str,
    ) -> None:
        try:
            self.url = urls.absolute(server)
        except RequestError as error:
            raise EngineError(
                f"the address of {identity}'s cluster cannot be used: {error}"
            ) from None
        if self.url.scheme == "s3" or not self.url.may_carry_credentials:
            raise EngineError(f"{self.url.shown} would get a token in the clear: it needs https")
        self.shown = self.url.shown.rstrip("/")
        self.tls = tls
        self.token = token
        self.namespace = namespace
        self.identity = identity

    @property
    def key(self) -> str:
        """What tells it, and who we are there, from any other; no secret can be made of it.

        Raises:
            EngineError: the token's file cannot be read.
        """
        from hashlib import sha256

        token, chain = self.token(), self.tls.chain
        parts = (
            self.url.text,
            self.namespace,
            self.identity,
            "" if token is None else token.reveal(),
            "" if chain is None else chain.reveal(),
            *map(str, self.tls),
        )
        return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def found(caller: Caller) -> Cluster:
    """The cluster that the caller is a pod of; or else the one that `kubectl` would ask.

    In a pod that has a service account it is that, whatever a job may have in its kubeconfig for
    the clusters that it deploys to.

    Raises:
        EngineError: there is none, or what is said of it cannot be used.
    """
    from credlatch.fleet import kubeconfig

    missing: EngineError | None = None
    try:
        there = in_pod(caller.environ)
    except EngineError as error:
        there, missing = None, error
    there = there or kubeconfig.found(caller)
    if there is None:
        raise missing or EngineError(
            "no cluster of Kubernetes is known here: this is no pod, and there is no kubeconfig"
        )
    return there


def in_pod(environ: Mapping[str, str], folder: str = ACCOUNT) -> Cluster | None:
    """The cluster that this process is a pod of, as its service account; None: it is in none.

    Args:
        environ: the caller's variables.
        folder: where the service account's files are.

    Raises:
        EngineError: it has no such account, or its files cannot be read.
    """
    host, port = environ.get(HOST, ""), environ.get(PORT, "")
    if not host or not port:
        return None
    authorities, namespace = f"{folder}/ca.crt", f"{folder}/namespace"

    def token() -> Secret:
        return Secret(text(f"{folder}/token").strip())

    token()
    return Cluster(
        f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        # The address is the cluster's own: what leads out of it does not lead there.
        Tls(pem=text(authorities), proxy=""),
        token,
        text(namespace).strip(),
        "this pod's service account",
    )


def text(path: str) -> str:
    """What is in a file.

    Raises:
        EngineError: it is not there, or must not be believed.
    """
    from credlatch.system import files

    try:
        content = files.read(path, limit=_LONGEST)
    except StoreError as error:
        raise EngineError(str(error)) from None
    if content is None:
        raise EngineError(
            f"{path} is not there: the pod needs a service account, and its token mounted "
            "(automountServiceAccountToken)"
        )
    return content
