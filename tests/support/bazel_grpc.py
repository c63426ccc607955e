"""A remote cache, remote execution and a build event service by gRPC, and Bazel's way to them.

gRPC itself makes the URI that its credentials are asked for, in Bazel's Java as in Python here.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import grpc
import pytest

from support.bazel_client import HelperError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.bazel_web import Web
    from support.bazel_workspace import Workspace

PATIENCE = 120.0  # seconds after which a test fails
# What Bazel asks for with --remote_cache, --remote_executor and --bes_backend, one method of each.
METHODS = {
    "remote_cache": (
        "build.bazel.remote.execution.v2.Capabilities/GetCapabilities",
        "build.bazel.remote.execution.v2.ActionCache/GetActionResult",
        "build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs",
        "google.bytestream.ByteStream/QueryWriteStatus",
    ),
    "remote_executor": (
        "build.bazel.remote.execution.v2.Capabilities/GetCapabilities",
        "build.bazel.remote.execution.v2.Execution/Execute",
    ),
    "bes_backend": ("google.devtools.build.v1.PublishBuildEvent/PublishLifecycleEvent",),
}


_REFUSALS = ("UNAUTHENTICATED", "PERMISSION_DENIED")


class Remote:
    """The server, running while its ``with`` block does; it lets in who has the right header.

    Attributes:
        accepts: that header.
        refused: the methods that somebody without it has asked for.
    """

    def __init__(self, web: Web) -> None:
        self.accepts = ""
        self.refused: list[str] = []
        self._authority = web.authority.read_bytes()
        pem = web.both.read_bytes()
        self._server = grpc.server(ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((_Handler(self),))
        credentials = grpc.ssl_server_credentials([(pem, pem)])
        self._port = self._server.add_secure_port("127.0.0.1:0", credentials)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    def call(self, workspace: Workspace, option: str) -> list[str]:
        """Speak to the server that an option names; what each of its services answers."""
        target = workspace.options.last(option)
        scheme, _, authority = target.partition("://")
        assert scheme == "grpcs"
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(self._authority),
            grpc.metadata_call_credentials(_Credentials(workspace)),
        )
        # As if the name led to this port.
        options = [("grpc.default_authority", authority)]
        said = []
        with grpc.secure_channel(f"ipv4:127.0.0.1:{self._port}", credentials, options) as channel:
            for method in METHODS[option]:
                answer = _called(channel, method)
                if answer.startswith(_REFUSALS):
                    workspace.helpers.refresh()
                    answer = _called(channel, method)
                said.append(answer)
        return said


def _called(channel: grpc.Channel, method: str) -> str:
    try:
        return str(channel.unary_unary(f"/{method}")(b"", timeout=PATIENCE).decode())
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"


class _Credentials(grpc.AuthMetadataPlugin):  # type: ignore[misc]  # it ships no types
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __call__(
        self,
        context: grpc.AuthMetadataContext,
        callback: Callable[[tuple[tuple[str, str], ...], Exception | None], None],
    ) -> None:
        try:
            headers = self._workspace.helpers.headers(context.service_url) or {}
        except HelperError as error:
            callback((), error)
            return
        pairs = ((name.lower(), value) for name in headers for value in headers[name])
        callback(tuple(pairs), None)


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # likewise
    def __init__(self, owner: Remote) -> None:
        self._owner = owner

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = details.method.removeprefix("/")
        admitted = ("authorization", self._owner.accepts) in (
            tuple(pair) for pair in details.invocation_metadata
        )

        def answer(_: bytes, context: grpc.ServicerContext) -> bytes:
            if not admitted:
                self._owner.refused.append(method)
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "log in")
            return b"welcome"

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def remote(web: Web) -> Iterator[Remote]:
    """The server."""
    with Remote(web) as server:
        yield server
