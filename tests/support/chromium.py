"""A headless Chromium that logs in at an OpenID provider's own pages, as a person does.

It is told by its DevTools protocol, over a pipe of its own: nobody else can.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 120.0  # seconds
_PROGRAM = "chromium-headless-shell"
_FLAGS = (
    "--remote-debugging-pipe",
    "--no-sandbox",  # the tests may be root's
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
)


class Chromium:
    """A browser, and the page that it has last opened.

    Attributes:
        visited: the URLs that it has been at.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._number = 0
        self._rest = b""
        self._session: str | None = None
        self.visited: list[str] = []

    def _anew(self) -> None:
        """Begin with a page that remembers nobody."""
        context = self._call("Target.createBrowserContext")["browserContextId"]
        target = self._call("Target.createTarget", url="about:blank", browserContextId=context)[
            "targetId"
        ]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]

    def go(self, url: str) -> None:
        """Go to a URL."""
        self._call("Page.navigate", session=self._session, url=url)

    def evaluate(self, script: str) -> Any:
        """What a script says, in the page that is there; None where it is leaving that."""
        said = self._call(
            "Runtime.evaluate", session=self._session, expression=script, returnByValue=True
        )
        return said.get("result", {}).get("value")

    def log_in(self, url: str, user: str, *, denies: bool = False) -> str:
        """Go there anew, and do what each page asks until one asks nothing; that one's text.

        Args:
            url: where.
            user: who logs in.
            denies: whether to cancel where the provider asks for consent.
        """
        self._anew()
        self.go(url)
        deadline = time.monotonic() + PATIENCE
        last = ""
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if self.evaluate("document.readyState") != "complete":
                continue
            place = self.evaluate("location.href")
            if not isinstance(place, str) or place in {"about:blank", last}:
                continue
            self.visited.append(place)
            last = place
            does = self.evaluate(_DOES.format(user=json.dumps(user), denies=json.dumps(denies)))
            if does is None:  # the page was just going by itself
                last = ""
            elif not does:
                text = self.evaluate("document.body.innerText")
                assert isinstance(text, str)
                return text
        raise AssertionError(f"no end at {last}")

    def _call(self, method: str, session: str | None = None, **parameters: object) -> Any:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        asked |= {} if session is None else {"sessionId": session}
        os.write(self._writing, json.dumps(asked).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            said = self._next()
            if said is not None and said.get("id") == self._number:
                return said.get("result", {})
        raise AssertionError(f"{_PROGRAM} does not answer {method}")

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            if not select.select([self._reading], [], [], 1.0)[0]:
                return None
            chunk = os.read(self._reading, 65_536)
            assert chunk, f"{_PROGRAM} has gone"
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)


# oidc-provider's own pages: a name and any password, a code to confirm, a consent. True: done.
_DOES = """(() => {{
  const form = document.querySelector("form[method=post]");
  const cancel = [...document.querySelectorAll("a")].find((a) => a.href.endsWith("/abort"));
  if (form === null) return false;
  const name = form.querySelector("input[name=login]");
  if (name !== null) {{
    name.value = {user};
    form.querySelector("input[name=password]").value = "any";
  }} else if ({denies} && cancel !== undefined) {{
    cancel.click();
    return true;
  }}
  const button = form.querySelector("button[type=submit], input[type=submit]");
  if (button !== null) button.click(); else form.submit();
  return true;
}})()"""


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser of one's own."""
    program = need(_PROGRAM)
    to_read, to_us = os.pipe()
    from_us, to_write = os.pipe()
    with tempfile.TemporaryDirectory(
        prefix="credlatch-chromium-", ignore_cleanup_errors=True
    ) as folder:
        # The protocol's numbers are 3, from which it reads, and 4.
        handed = f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}'
        with subprocess.Popen(
            [
                "/bin/bash",
                "-c",
                handed,
                program,
                *_FLAGS,
                f"--user-data-dir={folder}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(from_us, to_us),
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder},
        ) as process:
            for theirs in (from_us, to_us):
                os.close(theirs)
            try:
                yield Chromium(to_read, to_write)
            finally:
                for ours in (to_read, to_write):
                    os.close(ours)
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """A headless browser."""
    with chromium() as made:
        yield made
