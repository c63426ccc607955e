"""A thousand machines that wait for one renewal."""

from __future__ import annotations

from support.fleet_scale import measure


def test_a_thousand_machines_wait_little_longer_than_the_renewal_takes() -> None:
    got = measure(1_000, 1.0, 5.0)
    assert got.posts == 1
    assert got.most < 2_500  # one node has answered 4,000 reads in a second
    assert got.p50 < 3
    assert got.p99 < 8


def test_ten_thousand_that_come_one_after_the_other_ask_no_more_often_than_a_node_can_answer() -> (
    None
):
    got = measure(10_000, 30.0, 5.0)
    assert got.posts == 1
    assert got.most < 3_000
    assert got.p99 < 6
