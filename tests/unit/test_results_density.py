"""Curves of density runs: which measurements they are made of, where the limit breaks."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from kubert_tui.cli.density_command import show
from kubert_tui.cli.main import main
from kubert_tui.cli.text import plain_console
from kubert_tui.events.measuring import ApplicationsRunning, DensityMeasured, DensityPoint
from kubert_tui.events.words import density_lines, running_line
from kubert_tui.lab.limits import limit_of
from kubert_tui.latency.applications import DensityEnd, StoredApplications, end_of, save_end
from kubert_tui.latency.store import load, save
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.comparison import unlike
from kubert_tui.results.density import Curve, curves, rows, title
from kubert_tui.results.ladder import ladder
from kubert_tui.results.report.density_plot import density_plot
from tests.unit.test_results_ladder import measured

NAMES = ("loop", "burn")


def step(
    count: int, worst: int, host: str = "bull2", parent: str = "", **changes: object
) -> StoredMeasurement:
    about = StoredApplications(count=count, names=NAMES, pods=2 * count, fingerprint="f1")
    named = {"applications": about, "run": "r1", "limit": "50us", "started": 100.0 + count}
    return measured(host, {2: 99_000, worst: 1_000}, parent, **{**named, **changes})  # type: ignore[arg-type]


def only(*given: StoredMeasurement, **more: object) -> Curve:
    (curve,) = curves(given, **more)  # type: ignore[arg-type]
    return curve


def test_a_curve_is_in_order_of_applications_and_says_where_the_limit_breaks() -> None:
    curve = only(step(2, 60), step(0, 10), step(1, 30), step(3, 40))
    assert [one.applications for one in curve.points] == [0, 1, 2, 3]
    assert curve.points[0].told() == ("< 3", "< 3", "< 11", "10")
    assert (curve.breaks, curve.reached) == (2, 3)
    assert curve.statement == "the limit of 50 us breaks at 2 applications: the worst took 60 us"
    assert [row[-1] for row in rows(curve)] == ["below", "below", "NOT below", "below"]
    assert title(curve) == "bull2 (host): loop + burn"


def test_a_limit_is_met_only_strictly_below() -> None:
    assert only(step(0, 10), step(1, 50)).breaks == 1
    assert only(step(0, 10), step(1, 49)).breaks is None


def test_a_limit_that_is_not_reached() -> None:
    curve = only(step(0, 10), step(1, 30))
    assert curve.statement == (
        "the limit of 50 us is not reached up to 1 application: the worst took 30 us"
    )


def test_one_that_is_broken_from_the_start() -> None:
    curve = only(step(0, 61), step(1, 30))
    assert curve.breaks == 0
    assert "broken without any application: the worst took 61 us" in curve.statement


def test_without_a_limit_it_says_how_far_it_went() -> None:
    curve = only(step(0, 10, limit=""), step(2, 60, limit=""))
    assert (curve.breaks, curve.limit) == (None, None)
    assert curve.statement == (
        "no limit to judge by: the worst went from 10 us to 60 us at 2 applications"
    )
    assert only(step(0, 10, limit=""), limit=limit_of("5us")).breaks == 0


def test_why_there_are_no_more_steps_is_told_of_the_same_applications_only() -> None:
    end = DensityEnd(fingerprint="f1", reached=1, reason="no room for the 2nd: Insufficient cpu")
    told = only(step(0, 10), step(1, 30), ends={"r1": end}).statement
    assert told.endswith("30 us; no room for the 2nd: Insufficient cpu")
    other = end.model_copy(update={"fingerprint": "f2"})
    assert only(step(0, 10), ends={"r1": other}).ended == ""


def test_what_proves_nothing_says_so() -> None:
    plain = measured("bull2", {2: 10}).fingerprint.model_copy(
        update={"realtime": {"uname -v": "no"}}
    )
    told = only(*(step(n, 10, fingerprint=plain) for n in (0, 1))).statement
    assert told.count("no verdict: the kernel was not PREEMPT_RT") == 1


def test_each_host_has_its_curve_and_the_later_measurement_counts() -> None:
    found = curves(
        [
            step(0, 10), step(0, 11, "inside", "bull2"), step(1, 20), step(1, 70, started=1.0),
            step(1, 90, interrupted="cut off"), step(0, 10, run="r2"), measured("bull2", {2: 10}),
        ]
    )  # fmt: skip
    assert [(one.run, one.host, one.parent, one.reached) for one in found] == [
        ("r1", "bull2", "", 1), ("r1", "inside", "bull2", 0), ("r2", "bull2", "", 0),
    ]  # fmt: skip
    assert found[0].points[1].maximum == 20


def test_applications_are_a_load() -> None:
    assert "It ran without load." in only(step(0, 10)).points[0].verdict.reasons
    verdict = only(step(2, 10)).points[0].verdict
    assert "under load (2 x loop + burn in pods)" in verdict.statement
    assert "It ran without load." not in verdict.reasons


def test_a_guest_is_set_below_its_host_at_the_same_step() -> None:
    rungs = ladder([step(0, 10), step(2, 60), step(0, 15, "inside", "bull2")])
    assert [rung.told_deltas()[-1] for rung in rungs if rung.inside] == ["+5"]


def test_comparing_says_what_ran_beside_them() -> None:
    found = unlike(step(0, 10), step(2, 60))
    assert ("applications", "none", "2 x loop + burn") in [
        (one.key, one.first, one.second) for one in found
    ]


def test_it_is_drawn_the_same_each_time_with_the_limit() -> None:
    curve = only(step(0, 10), step(1, 30), step(2, 60))
    drawn = density_plot(curve)
    assert drawn == density_plot(curve)
    text = drawn.decode()
    for word in ("p50", "p99.9", "max", "limit 50 us", "breaks at 2", "applications on each node"):
        assert word in text
    assert density_plot(only(step(0, 10)), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_report_has_the_curve(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = []
    for number, one in enumerate((step(0, 10), step(1, 60))):
        paths.append(str(tmp_path / f"{number}.json"))
        save(tmp_path / f"{number}.json", one)
    assert load(Path(paths[1])).applications == step(1, 60).applications
    assert main(["report", f"--{form}", *paths]) == 0
    told = capsys.readouterr().out
    assert "Density of applications" in told
    assert "breaks at 1 application" in told
    assert ("breaks at 1</text>" in told or "breaks at 1<" in told) == (form == "html")
    assert "1 x loop + burn on each node" in told.replace("\\", "")


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(plain_console(stderr=False), curves([step(0, 10), step(1, 60)]))
    told = capsys.readouterr().out
    assert "bull2 (host): loop + burn" in told
    assert told.index("applications") < told.index("NOT below") < told.index("breaks at 1")
    assert json.dumps(only(step(0, 10), step(1, 60)).json())


def test_how_a_run_ended_is_kept_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubert_tui.latency.applications.runs", lambda: tmp_path)
    (tmp_path / "r1").mkdir()
    assert end_of("r1") is None
    end = DensityEnd(fingerprint="f1", reached=3, reason="no room")
    save_end(tmp_path / "r1", end)
    assert end_of("r1") == end
    assert end_of("../r1") is None
    (tmp_path / "r1/density.json").write_text("{}")
    assert end_of("r1") is None


def words(below: Mapping[int, bool | None]) -> tuple[str, ...]:
    points = tuple(
        DensityPoint(applications=count, figures=("<3", "<3", "<11", "10"), below=told)
        for count, told in below.items()
    )
    return density_lines(
        DensityMeasured(
            commands=(), names=NAMES, limit=50, points=points, statement="it breaks at 1"
        )
    )


def test_faces_show_the_curve_as_lines() -> None:
    title_, head, first, second, statement = words({0: True, 1: False})
    assert "loop + burn" in title_
    assert head.split() == ["n", "p50", "p99", "p99.9", "max"]
    assert first.split() == ["0", "<3", "<3", "<11", "10"]
    assert second.endswith("  over")
    assert statement == "it breaks at 1"
    running = ApplicationsRunning(applications=2, names=NAMES, pods=4)
    assert running_line(running) == "2 x loop + burn on each node: 4 pods, all ready"
    none = ApplicationsRunning(applications=0, names=NAMES, pods=0)
    assert "none of loop + burn runs" in running_line(none)
