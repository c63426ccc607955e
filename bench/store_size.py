"""What 10,000 entries in a store cost a ``get``, against ten: at most half as much again.

Every kind of store, in the frozen folder form, all runs in turn. Run by ``./dev bench store_size``.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.home import Home
from support.timing import Timed, interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 50
FEW, MANY = 10, 10_000
LIMIT = 1.5
PROGRAM = Path(__file__).resolve().parent.parent / "dist" / "credlatch.d" / "credlatch"
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


def program(scratch: Path, store: Callable[[Home, int], None], entries: int) -> Timed:
    """A call that finds its answer in a store of so many entries."""
    home = Home(scratch / f"{store.__name__}-{entries}")
    store(home, entries)
    request = json.dumps({"uri": f"https://{HOST}/simple/"}).encode()
    name = f"{store.__name__} {entries}"
    timed = Timed(name, [PROGRAM, "get"], request, home.env, home.path)
    if b"Authorization" not in timed.output():
        raise SystemExit(f"{name}: the entry was not found")
    return timed


def main() -> int:
    """Measure and print; the exit status says whether all stores are within the limit."""
    with tempfile.TemporaryDirectory() as folder:
        floor = Timed("python", [sys.executable, "-I", "-S", "-c", "pass"])
        calls = [program(Path(folder), s, entries) for s in STORES for entries in (FEW, MANY)]
        times = interleaved([floor, *calls], ROUNDS)
    unit = times["python"].median
    print(f"{ROUNDS} runs each; 1.00 is `python -I -S -c pass`, here {unit * 1000:.1f} ms")
    print(f"{'store':10}{f'{FEW} entries':>18}{f'{MANY} entries':>18}{'ratio':>8}")
    worst = 0.0
    for store in STORES:
        few, many = times[f"{store.__name__} {FEW}"], times[f"{store.__name__} {MANY}"]
        ratio = many.median / few.median
        worst = max(worst, ratio)
        cells = [f"{t.median / unit:.2f} ± {t.spread / unit:.2f}" for t in (few, many)]
        print(f"{store.__name__:10}{cells[0]:>18}{cells[1]:>18}{ratio:8.2f}")
    print(
        f"± is the spread of the middle half. The worst ratio is {worst:.2f}, of {LIMIT} allowed."
    )
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
