"""What 10,000 entries in a store cost a ``get``, against ten: at most twice as much.

Every kind of store, in the folder form without an agent. Run by ``./dev bench store_size``.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from bench.shared import ratios
from bench.shared.findings import TIMES, Findings, Limit, Table
from bench.shared.ground import FOLDER

from support.timing import Timed, interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.shared.findings import Effort
    from bench.shared.ground import Ground

    from support.home import Home

ROUNDS = 50
FEW, MANY = 10, 10_000
LIMIT = 2.0
HOST = "packages.example.com"


def hosts(entries: int) -> list[str]:
    """As many hosts; the one that is asked for is in the middle."""
    others = [f"host-{number}.example.com" for number in range(entries - 1)]
    return [*others[: entries // 2], HOST, *others[entries // 2 :]]


def rattler(home: Home, entries: int) -> None:
    """JSON: what pixi keeps."""
    home.write_rattler({host: {"BearerToken": "made-up"} for host in hosts(entries)})


def uv(home: Home, entries: int) -> None:
    """TOML: what uv keeps."""
    rows = (
        f'[[credential]]\nservice = "https://{host}/"\nusername = "ada"\nscheme = "basic"\n'
        'password = "made-up"\n\n'
        for host in hosts(entries)
    )
    home.write(".local/share/uv/credentials/credentials.toml", "".join(rows))


def posit(home: Home, entries: int) -> None:
    """TOML again: what Posit Package Manager keeps."""
    rows = (
        f'[[connections]]\naddress = "https://{host}"\ntoken = "made-up"\nauth_type = "sso"\n\n'
        for host in hosts(entries)
    )
    home.write(".ppm/tokens.toml", "".join(rows))


def netrc(home: Home, entries: int) -> None:
    """A netrc."""
    rows = (f"machine {host} login ada password made-up\n" for host in hosts(entries))
    home.write(".netrc", "".join(rows))


def docker(home: Home, entries: int) -> None:
    """Docker's config.json."""
    login = {"auth": base64.b64encode(b"ada:made-up").decode()}
    config = {"auths": dict.fromkeys(hosts(entries), login)}
    home.write(".docker/config.json", json.dumps(config, indent="\t"))


STORES: tuple[Callable[[Home, int], None], ...] = (rattler, uv, posit, netrc, docker)


def program(ground: Ground, store: Callable[[Home, int], None], entries: int) -> Timed:
    """A call that finds its answer in a store of so many entries.

    Raises:
        RuntimeError: it does not find it.
    """
    home = ground.home(f"{store.__name__}-{entries}")
    store(home, entries)
    request = json.dumps({"uri": f"https://{HOST}/simple/"}).encode()
    name = f"{store.__name__} {entries}"
    timed = Timed(name, [ground.forms[FOLDER], "get"], request, home.env, home.path)
    if b"Authorization" not in timed.output():
        raise RuntimeError(f"{name}: the entry was not found")
    return timed


def measure(ground: Ground, effort: Effort) -> Findings:
    """Time a small and a large store of every kind, in turn."""
    calls = [program(ground, store, entries) for store in STORES for entries in (FEW, MANY)]
    times = interleaved(calls, effort.of(ROUNDS, 2))
    rows, limits = [], []
    for store in STORES:
        few, many = times[f"{store.__name__} {FEW}"], times[f"{store.__name__} {MANY}"]
        cells = (ratios.pair(few, 0.001, 1), ratios.pair(many, 0.001, 1))
        rows.append((store.__name__, *cells, ratios.ratio(many, few)))
        measured, spread = many.median / few.median, many.spread / few.median
        what = f"{MANY:,} entries in {store.__name__}'s store, against {FEW}"
        limits.append(Limit(what, LIMIT, TIMES, measured, spread))
    worst = max(limits, key=lambda limit: limit.measured or 0)
    head = ("store of", f"ms, {FEW} entries", f"ms, {MANY:,} entries", "ratio")
    note = f"Medians of {len(few.all)} interleaved runs; ± is the spread of the middle half."
    return Findings([Table("A large store, folder, agent off", head, rows, note)], [worst])
