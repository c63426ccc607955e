"""Many machines that share a login, in simulated time: the protocol's own code, and no sleeping.

An engine whose standbys are behind, and that has no leader for a while; a token server whose
refresh tokens are good for one use; machines that are killed, suspended and cut off. What is by
chance is by a seed's.
"""

from __future__ import annotations

import heapq
import random
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

from credlatch.errors import CredlatchError, LoginError
from credlatch.fleet import engine as engines
from credlatch.fleet import renewal, steps, value
from credlatch.fleet.engine import Conflict, EngineDownError, Found, Unknown
from credlatch.fleet.protocol import Protocol
from credlatch.fleet.steps import Record, Refreshed
from credlatch.fleet.timing import Clock, Moment, Timing
from credlatch.fleet.value import Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from credlatch.renew.gate import NotSentError

PLACE = "the fleet's place"
TIMEOUT = 5.0  # seconds of a request to the engine


class Fault:
    """A span of time in which something is not there."""

    def __init__(self, start: float, seconds: float) -> None:
        self.start = start
        self.end = start + seconds

    def covers(self, now: float) -> bool:
        return self.start <= now < self.end


class World:
    """Time, the engine, the token server, and the machines.

    Args:
        seed: of what is by chance.
        life: seconds of an access token; the first has just ended.
        takes: seconds of a renewal by the token server.
        reuse: seconds for which it takes a spent refresh token again (some servers do).

    Attributes:
        now: seconds.
        posts: what the token server was sent: when, by whom, and which refresh token.
        reused: how often it detected a reuse.
        refusal: what it answers instead; None: as it should.
        good: the access tokens that it takes now.
        history: each version of each path: when it was written, its value, and by whom.
        outages: when the engine has no leader.
        reads: when the engine was read.
    """

    def __init__(
        self, seed: int = 0, life: float = 3600.0, takes: float = 0.8, reuse: float = 0.0
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self.now = 1_000_000.0
        self.began = self.now
        self.life = life
        self.takes = takes
        self.reuse = reuse
        self.posts: list[tuple[float, str, str]] = []
        self.reused = 0
        self.good: set[str] = set()
        self.outages: list[Fault] = []
        self.reads: list[float] = []
        self.refusal: Exception | None = None
        self._spent: dict[str, float] = {}
        self._is_revoked = False
        self._serial = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        entry = {"OAuth": {
            "access_token": "access-0", "refresh_token": "refresh-0", "expires_at": int(self.now),
            "token_endpoint": "https://sso.example/token", "client_id": "c",
        }}  # fmt: skip
        self.history: dict[str, list[tuple[float, dict[str, Any], str]]] = {
            steps.LOGIN: [(self.now - 3600, value.fresh(entry, None), "a person")],
            steps.ACCESS: [],
        }

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self.now - self.began

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something happen, so many seconds from now."""
        self._order += 1
        heapq.heappush(self._events, (self.now + max(0.0, seconds), self._order, action))

    def run(self, seconds: float = 3600.0) -> None:
        """Let time pass, until nothing happens any more."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, action = heapq.heappop(self._events)
            action()

    def login(self) -> value.Login:
        """What is kept in the end."""
        login = value.login(self.history[steps.LOGIN][-1][1])
        assert login is not None
        return login

    def claims(self, who: str | None = None) -> set[str]:
        """The claims that were ever written, of all or of one machine."""
        written = [version[1].get("claim") for version in self.history[steps.LOGIN]]
        return {each["nonce"] for each in written if each and who in {None, each["id"]}}

    # The engine, at the moment at which a request is there.

    def read(self, path: str, seen: int, clock: float) -> Found:
        """What a standby has that is behind, but not behind what the reader has seen."""
        self.reads.append(self.now)
        versions = self.history[path]
        behind = self.now - self.random.choice([0.0, 0.0, self.random.uniform(0.0, 0.2)])
        number = len(versions)
        while number > seen and number > 0 and versions[number - 1][0] > behind:
            number -= 1
        if not number:
            return Found(None, "", None, clock - self.now)
        written, kept, _ = versions[number - 1]
        # In whole seconds, as `Date` says it.
        age = max(0.0, float(int(self.now)) - written)
        return Found(deepcopy(kept), str(number), age, clock - self.now)

    def write(self, path: str, kept: dict[str, Any], expected: str, who: str) -> str | Conflict:
        """Compare, and write."""
        versions = self.history[path]
        if expected != (str(len(versions)) if versions else ""):
            return Conflict()
        if self.random.random() < 0.02:  # a standby that is behind says so of a right one, too
            return Conflict()
        versions.append((self.now, deepcopy(kept), who))
        return str(len(versions))

    def has_leader(self) -> bool:
        return not any(each.covers(self.now) for each in self.outages)

    # The token server.

    def post(self, who: str, entry: dict[str, Any]) -> Refreshed | Exception:
        """Its answer to a refresh token."""
        token = entry["OAuth"]["refresh_token"]
        self.posts.append((self.now, who, token))
        if self.refusal is not None:
            return self.refusal
        spent = self._spent.setdefault(token, self.now)
        if self.now - spent > self.reuse:
            self.reused += 1
            self._is_revoked = True
            self.good.clear()
        if self._is_revoked:
            return LoginError("the token server no longer takes this login (invalid_grant)")
        self._serial += 1
        access = f"access-{self._serial}"
        self.good.add(access)
        fresh = {
            **entry["OAuth"], "access_token": access, "refresh_token": f"refresh-{self._serial}",
            "expires_at": int(self.now + self.life),
        }  # fmt: skip
        return Refreshed({"OAuth": fresh}, "", self.life)


class MachineClock(Clock):
    """A machine's, which is off."""

    def __init__(self, world: World, off: float) -> None:
        self._world = world
        self._off = off

    def moment(self) -> Moment:
        return Moment(self._world.now - 900_000.0, self._world.now + self._off)


class Machine:
    """One that takes part; a process of it at a time.

    Attributes:
        answers: what it has settled on, and when; errors, too.
        journal: what lies on its disk.
        cuts: when nothing of it reaches the engine.
        pauses: when it is suspended.
        refusal: what comes of its requests to the token server, which never leave; None: they do.
        before: called with each step that is about to be done.
    """

    def __init__(
        self, world: World, name: str, *, timing: Timing | None = None, off: float = 0.0,
        takes_over: bool = True, has_access: bool = True,
    ) -> None:  # fmt: skip
        self.world = world
        self.name = name
        self.answers: list[tuple[float, Settled | CredlatchError]] = []
        self.journal: Record | None = None
        self.cuts: list[Fault] = []
        self.pauses: list[Fault] = []
        self.refusal: NotSentError | None = None
        self.wanted = 0.0
        self.before: Callable[[steps.Step], None] = lambda _: None
        self.clock = MachineClock(world, off)
        self._seen: dict[str, int] = {}
        self._life = 0
        self._timing = timing
        self._takes_over = takes_over
        self._has_access = has_access

    def _protocol(self) -> Protocol:
        return Protocol(
            PLACE, self.name, lives=renewal.lives, due=renewal.due(), timing=self._timing,
            clock=self.clock, takes_over=self._takes_over, has_access=self._has_access,
            dice=self.world.random,
        )  # fmt: skip

    def start(self, after: float = 0.0, seconds: float = 300.0, *, eagerly: bool = False) -> None:
        """Have a process of it settle the login, and ask again where that comes to nothing."""
        self._life += 1
        life = self._life

        def begin() -> None:
            if self._life == life:
                flow = self._protocol().settle(seconds, eagerly=eagerly)
                self._go_on(life, flow, None, None)

        self.world.at(after, begin)

    def kill(self) -> None:
        """End its process; what it has sent is sent."""
        self._life += 1

    def _go_on(
        self, life: int, flow: Generator[steps.Step, Any, Settled], done: Any,
        failure: Exception | None,
    ) -> None:  # fmt: skip
        if life != self._life:
            return
        for pause in self.pauses:
            if pause.covers(self.world.now):
                left = pause.end - self.world.now
                self.world.at(left, lambda: self._go_on(life, flow, done, failure))
                return
        try:
            step = flow.send(done) if failure is None else flow.throw(failure)
        except StopIteration as end:
            self.answers.append((self.world.now, end.value))
            return
        except CredlatchError as error:
            self.answers.append((self.world.now, error))
            return
        self.before(step)
        if life != self._life:
            return  # killed as it was about to
        paused = next((each for each in self.pauses if each.covers(self.world.now)), None)
        delay = 0.0 if paused is None else paused.end - self.world.now
        self.world.at(delay, lambda: self._do(life, flow, step))

    def _do(self, life: int, flow: Generator[steps.Step, Any, Settled], step: steps.Step) -> None:
        """Do one step; what it leads to happens when the world says."""
        if life != self._life:
            return
        world = self.world

        def then(after: float, done: Any = None, failure: Exception | None = None) -> None:
            world.at(after, lambda: self._go_on(life, flow, done, failure))

        match step:
            case steps.Read(path):
                self._read(path, then)
            case steps.Write(path, kept, expected):
                self._write(path, kept, expected, then)
            case steps.Wait(version, seconds):
                self._wait(life, version, world.now + seconds, engines.FIRST_PAUSE, then)
            case steps.Sleep(seconds):
                then(seconds)
            case steps.Refresh(entry):
                self._refresh(entry, then)
            case steps.Remember(record):
                self.journal = record
                then(0.001, done=True)
            case steps.Recall():
                then(0.0, done=self.journal)
            case steps.Forget():
                self.journal = None
                then(0.0)
            case _:
                then(0.0)

    def _is_cut(self) -> bool:
        return any(each.covers(self.world.now) for each in self.cuts)

    def _read(self, path: str, then: Callable[..., None]) -> None:
        world = self.world

        def there() -> None:
            if self._is_cut():
                then(TIMEOUT, failure=EngineDownError("unreachable", self.wanted))
                return
            found = world.read(path, self._seen.get(path, 0), self.clock.wall())
            self._seen[path] = max(self._seen.get(path, 0), int(found.version or "0"))
            then(world.random.uniform(0.001, 0.005), done=found)

        world.at(world.random.uniform(0.001, 0.005), there)

    def _write(
        self, path: str, kept: dict[str, Any], expected: str, then: Callable[..., None]
    ) -> None:
        world = self.world

        def there() -> None:
            if self._is_cut():
                then(0.1, failure=EngineDownError("unreachable", self.wanted))
            elif not world.has_leader():
                how = world.random.random()
                if how < 0.5:
                    then(0.05, failure=EngineDownError("no leader"))
                else:  # it was on its way: it has been taken, or is, or never will be
                    if how < 0.7:
                        world.write(path, kept, expected, self.name)
                    elif how < 0.8:
                        late = partial(void, world, path, kept, expected, self.name)
                        world.at(world.random.uniform(0.0, TIMEOUT), late)
                    then(TIMEOUT, done=Unknown())
            else:
                result = world.write(path, kept, expected, self.name)
                answers = world.random.uniform(0.005, 0.02)
                if self._is_cut() or world.random.random() < 0.01:
                    then(TIMEOUT, done=Unknown())
                    return
                if isinstance(result, str):
                    self._seen[path] = max(self._seen.get(path, 0), int(result))
                then(answers, done=result)

        world.at(world.random.uniform(0.001, 0.02), there)

    def _wait(
        self, life: int, version: str, end: float, pause: float, then: Callable[..., None]
    ) -> None:
        """As ``Engine.wait``."""
        world = self.world

        def looked(after: float, done: Any = None, failure: Exception | None = None) -> None:
            def told() -> None:
                if life != self._life:
                    return
                if failure is None and done.version != version:
                    then(0.0)
                else:
                    longer = min(engines.LONGEST_PAUSE, pause * 1.6)
                    self._wait(life, version, end, longer, then)

            world.at(after, told)

        left = end - world.now
        if left <= 0:
            then(0.0)
            return
        seconds = min(left, pause * world.random.uniform(0.5, 1.5))

        def look() -> None:
            if life == self._life:
                self._read(steps.LOGIN, looked)

        world.at(seconds, look)

    def _refresh(self, entry: dict[str, Any], then: Callable[..., None]) -> None:
        world = self.world
        if self.refusal is not None:
            then(0.0, failure=self.refusal)
            return

        def answered() -> None:
            answer = world.post(self.name, entry)
            if isinstance(answer, Exception):
                then(0.01, failure=answer)
            else:
                then(0.01, done=answer)

        world.at(world.takes, answered)


def void(world: World, path: str, kept: dict[str, Any], expected: str, who: str) -> None:
    """A write whose result nobody hears of."""
    world.write(path, kept, expected, who)


def settled(machine: Machine) -> Settled:
    """What a machine has in the end; it must be good."""
    _, answer = machine.answers[-1]
    assert isinstance(answer, Settled), answer
    return answer


def token(machine: Machine) -> str:
    """Likewise: the access token."""
    text: str = settled(machine).login.entry["OAuth"]["access_token"]
    return text
