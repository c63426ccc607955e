"""How the token server of the tests speaks HTTP, rightly and wrongly."""

from __future__ import annotations

import base64
import enum
import hashlib

from support.loopback import Handler, Recorded

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


_DEVICE = ("/__api__/device", "/__api__/device_access")


class DeviceFlow:
    """Posit's device flow: the verifier that comes in the end must be that of the hash.

    Attributes:
        is_approved: whether somebody has typed the code.
        interval: seconds between two questions, as it says.
    """

    USER_CODE = "WDJB-MJHT"

    def __init__(self) -> None:
        self.is_approved = False
        self.interval = 1
        self._challenge = ""

    def answer(self, request: Recorded) -> tuple[int, dict[str, object]]:
        """What it answers to a step."""
        form = request.form
        if request.path == _DEVICE[0]:
            if form.get("code_challenge_method") != "S256":
                return 400, {"error": "invalid_request"}
            self._challenge = form["code_challenge"]
            page = f"http://{request.headers['host']}/activate"
            return 200, {
                "device_code": "device-1", "user_code": self.USER_CODE, "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={self.USER_CODE}",
                "interval": self.interval, "expires_in": 300,
            }  # fmt: skip
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        said = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if form.get("device_code") != "device-1" or said != self._challenge:
            return 400, {"error": "invalid_grant"}
        if not self.is_approved:
            return 400, {"error": "authorization_pending"}
        return 200, {"id_token": "identity-of-a-person"}


class Fault(enum.Enum):
    """A way of answering wrongly. The second word: whether the refresh token is used up by it."""

    STATUS_500 = "500", False
    STATUS_401 = "401", False
    INVALID_GRANT = "400 invalid_grant", False
    HTML = "200 with a web page", False
    REDIRECT = "a redirect to .redirect_to", False
    ENDLESS = "a body without end, as fast as it is read", True
    DRIP = "a body without end, a byte at a time: no single read times out", True
    HANG = "reads the request and never answers", True
    CLOSE = "reads the request and closes the connection", True
    EXPIRED = "a token that has already ended", True
    GARBAGE_JSON = "half a JSON object", True
    CRLF_TOKEN = "a token with CR LF in it", True
    NO_TOKEN = "an answer without any token", True

    @property
    def spends(self) -> bool:
        """Whether the server has used up the refresh token by the time the fault shows."""
        return self.value[1]


class TokenHandler(Handler):
    protocol_version = "HTTP/1.1"

    def respond(self, request: Recorded) -> None:
        fault = self.server.owner.record(request)
        if request.method == "POST" and request.path in _DEVICE:
            return self.send(*self.server.owner.device.answer(request))
        if request.method == "POST":
            return self._token(request, fault)
        if not request.path.startswith("/protected/"):
            return self.send(404, {"error": "not_found"})
        scheme, _, value = request.authorization.partition(" ")
        if scheme == "Basic":
            value = base64.b64decode(value).decode().partition(":")[2]
        if value and value == self.server.owner.current_access_token:
            return self.send(200, {"ok": True})
        return self.send(401, {"error": "unauthorized"}, {"WWW-Authenticate": "Bearer"})

    def _token(self, request: Recorded, fault: Fault | None) -> None:
        owner = self.server.owner
        owner.stopping.wait(owner.delay)
        while not (owner.answering.wait(0.02) or owner.stopping.is_set()):
            pass
        if fault is not None and not fault.spends:
            return self._fail(fault)
        refusal = self._refusal(request)
        if refusal is not None:
            return self.send(*refusal)
        if fault in (Fault.EXPIRED, Fault.CRLF_TOKEN) or fault is None:
            answer = owner.issue(fault)
            if request.path == "/auth/cli/refresh":
                answer.setdefault("refresh_token", request.json["refresh_token"])
                answer = {k: answer[k] for k in ("access_token", "refresh_token")}
            elif request.path != "/token":
                answer = {"access_token": answer["access_token"]}
            return self.send(200, answer)
        return self._fail(fault)

    def _refusal(self, request: Recorded) -> tuple[int, dict[str, str]] | None:
        """Why a request is refused; None when it is right. Uses up its refresh token."""
        spend = self.server.owner.spend
        form = request.form if request.path in ("/token", "/__api__/token") else {}
        kind = form.get("grant_type")
        refusal: tuple[int, dict[str, str]] | None = None
        match request.path:
            case "/token" if kind != "refresh_token" or "client_id" not in form:
                refusal = 400, {"error": "invalid_request"}
            case "/token" if not spend(form.get("refresh_token", "")):
                refusal = 400, {"error": "invalid_grant"}
            case "/auth/cli/refresh" if not spend(request.json["refresh_token"]):
                refusal = 401, {"detail": "refresh token was already used"}
            case "/auth/cli/access-token" if "authorization" not in request.headers:
                refusal = 401, {"detail": "API key missing"}
            case "/__api__/token" if kind != TOKEN_EXCHANGE or not form.get("subject_token"):
                refusal = 400, {"error": "invalid_request"}
            case "/token" | "/auth/cli/refresh" | "/auth/cli/access-token" | "/__api__/token":
                pass
            case _:
                refusal = 404, {"error": "not_found"}
        return refusal

    def _fail(self, fault: Fault) -> None:
        match fault:
            case Fault.STATUS_500:
                self.send(500, {"error": "server_error"})
            case Fault.STATUS_401:
                self.send(401, {"error": "unauthorized"})
            case Fault.INVALID_GRANT:
                self.send(400, {"error": "invalid_grant"})
            case Fault.HTML:
                page = b"<!doctype html><title>Sign in to the network</title>"
                self.send(200, page, {"Content-Type": "text/html"})
            case Fault.REDIRECT:
                owner = self.server.owner
                self.send(owner.redirect_status, b"", {"Location": owner.redirect_to})
            case Fault.GARBAGE_JSON:
                self.send(200, b'{"access_token": "eyJ', {"Content-Type": "application/json"})
            case Fault.NO_TOKEN:
                self.send(200, {"token_type": "Bearer"})
            case Fault.ENDLESS | Fault.DRIP:
                self._never_end(fault)
            case Fault.HANG:
                self.server.owner.stopping.wait()
                self.close_connection = True
            case _:
                self.close_connection = True

    def _never_end(self, fault: Fault) -> None:
        size, pause = (1 << 16, 0.0) if fault is Fault.ENDLESS else (1, 0.2)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"access_token": "')
        while not self.server.owner.stopping.wait(pause):
            self.wfile.write(b"a" * size)
