"""What `./dev bench` says and writes; what it measures is proven where it measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import memory, size
from bench.__main__ import DOCS, MEASUREMENTS, arguments, destination
from bench.shared import agent, colours, natives, ratios, report, text
from bench.shared.findings import Chart, Effort, Findings, Limit, Table
from bench.shared.peers import BASIC, BOTH, DOCKER, FILE, NOTHING, Absent, Peer, bazel, name

from support.found import sure
from support.timing import Timed, Times, turns

ROOT = Path(__file__).resolve().parents[2]
UV, OURS = name(natives.UV, FILE), name("folder + agent", FILE)
TIMES = {UV: Times([0.02, 0.02, 0.02]), OURS: Times([0.010, 0.012, 0.014])}


def peer(label: str) -> Peer:
    return Peer(label, FILE, Timed(name(label, FILE), ["true"]), ours=label != natives.UV)


def test_every_measurement_has_a_file_and_every_file_is_a_measurement() -> None:
    files = {path.stem for path in (ROOT / "bench").glob("*.py")}
    assert files == {*MEASUREMENTS, "__main__"}


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ([], DOCS),
        (["--rounds", "60"], DOCS),
        (["--rounds", "59"], None),
        (["calls"], None),
        ([*MEASUREMENTS], None),
        (["calls", "--into", "/elsewhere"], Path("/elsewhere")),
    ],
)
def test_only_a_whole_run_writes_into_the_documentation(
    words: list[str], folder: Path | None
) -> None:
    assert destination(arguments(words)) == folder


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["calls", "no-such"], "there is no no-such: only calls, "),
        (["--rounds", "0"], "at least 1"),
        (["--rounds", "many"], "invalid int"),
    ],
)
def test_a_command_line_without_sense_measures_nothing(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_trial_measures_less_and_a_long_run_no_more() -> None:
    assert [Effort(rounds).of(1_000, 8) for rounds in (1, 6, 60, 90)] == [16, 100, 1_000, 1_000]
    assert Effort(1).of(5, 2) == 2
    assert [Effort(rounds).full for rounds in (59, 60)] == [False, True]


def test_rounds_go_forwards_and_backwards() -> None:
    assert [*turns("abc", 3)] == [*"abccbaabc"]


def test_a_promise_is_kept_up_to_its_limit() -> None:
    verdicts = [Limit("", 1.1, "", measured).verdict for measured in (0.9, 1.1, 1.11)]
    assert verdicts == ["ok", "ok", "over"]
    missing = Limit("", 1.1, "", None, absent="no uv")
    assert (missing.verdict, missing.over) == ("not measured; no uv", False)


def test_a_ratio_is_that_of_the_medians() -> None:
    limit = ratios.limit("", 1.1, OURS, UV, TIMES, [])
    assert limit.measured == pytest.approx(0.6)
    assert limit.spread == pytest.approx(0.2)
    (chart,) = ratios.chart("", UV, [peer(natives.UV), peer("folder + agent")], TIMES)
    bars = [(bar.name, bar.ours) for bar in chart.bars]
    assert bars == [(natives.UV, False), ("folder + agent", True)]
    assert [bar.ratio for bar in chart.bars] == pytest.approx([1, 0.6])


def test_a_peer_that_is_absent_is_named_and_draws_nothing() -> None:
    absent = [Absent(natives.UV, FILE, "not installed"), Absent("other", FILE, "no other")]
    times = {OURS: TIMES[OURS]}
    assert (
        ratios.limit("", 1.1, OURS, UV, times, absent).verdict
        == "not measured; uv auth helper: not installed"
    )
    assert ratios.missing(absent[:1], 3) == [("uv auth helper: not installed", "-", "-")]
    assert ratios.chart("", UV, [peer("folder + agent")], times) == []


def test_only_the_right_answer_counts() -> None:
    header = {"headers": {"Authorization": [BASIC]}}
    bazel().check("", json.dumps(header).encode())
    DOCKER.check("", json.dumps(DOCKER.answer).encode())
    NOTHING.check("", b"")
    for question in (bazel(), DOCKER):
        for wrong in (b"", b"{}", b'{"headers":{}}', json.dumps([header]).encode()):
            with pytest.raises(RuntimeError, match="the peer answers"):
                question.check("the peer", wrong)


def test_the_agent_is_asked_distinct_urls_by_both_protocols() -> None:
    urls = memory.questions(1_000, mixed=False)
    assert len({url.stdin for url in urls}) == 1_000
    mixed = memory.questions(1_000, mixed=True)
    assert mixed.count(DOCKER) == 500
    assert len({url.stdin for url in mixed}) == 501


def test_the_agents_growth_is_that_of_the_last_requests() -> None:
    sizes = [10_000_000, 28_000_000, 30_500_000]
    found = memory.findings(sizes, (1_000, 10_000), BOTH)
    verdicts = [(limit.measured, limit.verdict) for limit in found.limits]
    assert verdicts == [(30.5, "ok"), (2.5, "over")]


def test_the_status_of_an_agent_is_understood() -> None:
    said = "pid: 42\nbuild: 0123\nrequests: 17, 2 of them left to the caller\nmemory: 1 MB\n"
    assert sure(agent.STATUS.search(said)).groups() == ("42", "17")


def test_the_newest_uv_is_the_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natives, "ROOT", tmp_path)
    assert natives.uv_path() is None
    for version in ("0.9.30", "0.13.8", "0.12.6"):
        path = tmp_path / ".scratch" / "tools" / f"uv-{version}" / "bin" / "uv"
        path.parent.mkdir(parents=True)
        path.touch()
    assert sure(natives.uv_path()).parts[-3] == "uv-0.13.8"


def test_a_folder_weighs_what_its_files_do(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one").write_bytes(bytes(1_000))
    (tmp_path / "two").write_bytes(bytes(500))
    (tmp_path / "link").symlink_to("two")
    assert size.weight(tmp_path) == (2, 1_500)
    assert size.weight(tmp_path / "two") == (1, 500)


def test_a_table_is_text_and_markdown() -> None:
    table = Table("Title", ("what", "ms"), [("one", "1.0"), ("thirteen", "13.0")], "A note.")
    assert text.plain(table).splitlines() == [
        "Title",
        "--------------",
        "what        ms",
        "one        1.0",
        "thirteen  13.0",
        "A note.",
    ]
    assert text.markdown(table).splitlines() == [
        "## Title",
        "",
        "| what | ms |",
        "|---|---:|",
        "| one | 1.0 |",
        "| thirteen | 13.0 |",
        "",
        "A note.",
    ]
    assert text.plain(Table("Empty", ("what",), [])).splitlines()[-1] == "what"


def test_the_document_has_the_promises_and_shows_the_picture_there_is() -> None:
    found = Findings(limits=[Limit("it", 30, "MB", 31.234), Limit("that", 1.1, "x", 1, 0.05)])
    document = report.document(found, "2 cores")
    assert "| it | 30 MB | 31.23 MB | over |" in document
    assert "| that | 1.1 x | 1.00 ± 0.05 x | ok |" in document
    assert "Measured on 2 cores." in document
    assert report.PICTURE not in document
    found.charts.append(Chart("", "", []))
    assert f"]({report.PICTURE})" in report.document(found, "")


def test_the_picture_has_a_colour_for_the_night_for_each_of_the_day() -> None:
    svg = colours.by_night('<svg><defs/><path style="fill: #ffffff"/></svg>')
    for day, night in colours.COLOURS:
        assert f'[style*="fill: {day}"]{{fill:{night}!important}}' in svg
    assert svg.index("<style>") < svg.index("<defs")
    assert len({day for day, _ in colours.COLOURS}) == len(colours.COLOURS)
