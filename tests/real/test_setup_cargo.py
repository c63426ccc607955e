"""cargo fetches with nothing done before but ``credlatch setup cargo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.cargo import Cargo, publish
from support.guarded import Guarded
from support.matching import basic

if TYPE_CHECKING:
    from support.program import Program

HEADER = basic("bob", "p: w")


def test_it_fetches_after_setup_and_not_after_undo(frozen: Program) -> None:
    cargo = Cargo(frozen.home)
    frozen.put_on_path("credlatch")
    cargo.home.write_rattler({"127.0.0.1": {"BasicHTTP": {"username": "bob", "password": "p: w"}}})
    with Guarded(HEADER.__eq__) as server:
        cargo.knows(publish(server))
        mine = cargo.config.read_text() + "# mine\n"
        cargo.config.write_text(mine)
        assert cargo.fetch()[0] != 0
        answer = frozen("setup", "cargo", "--yes")
        assert answer.code == 0, answer
        code, said = cargo.fetch()
        assert (code, len(cargo.fetched())) == (0, 1), said

        assert frozen("setup", "cargo", "--undo", "--yes").code == 0
        assert cargo.config.read_text() == mine
        assert cargo.fetch()[0] != 0
