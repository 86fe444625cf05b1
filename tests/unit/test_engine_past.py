"""Which run is the newest, whatever the clock of this computer says."""

import time

import pytest

from kubert_tui.base.paths import runs
from kubert_tui.engine.journal import Journal
from kubert_tui.engine.past import Past, new_run, read_past, run_directory
from kubert_tui.events.codec import encode
from kubert_tui.events.measuring import LatencyStarted, LatencyStored
from kubert_tui.events.model import Event, StageState
from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab
from kubert_tui.latency.command import order_for
from kubert_tui.stages.measure_change import MeasureChange
from tests.support.latency_facts import facts_of


@pytest.mark.parametrize("jump", [-86_400.0, 0.0, 86_400.0])
def test_a_new_run_sorts_after_those_before_it(
    monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    (runs() / new_run("lab")).mkdir()
    real = time.gmtime
    later = real(time.time() + jump)
    monkeypatch.setattr(time, "gmtime", lambda *told: real(*told) if told else later)
    second = new_run("lab")
    assert second[:15] > next(runs().iterdir()).name[:15]


def test_what_is_no_run_of_ours_does_not_matter() -> None:
    (runs() / "zebra").mkdir()
    assert new_run("lab")[:2] == "20"


def test_a_measurement_that_nobody_follows_any_more_goes_on() -> None:
    begun = LatencyStarted(
        stage="cyclictest", host="bull1", command=("cyclictest",), version="2.10", interval=200,
        loops=1000, cpus=(0,), started=1.0,
    )  # fmt: skip
    stored = LatencyStored(
        stage="cyclictest", host="bull1", path="r.json", samples=1000, maximum=9, exact=True
    )
    run = new_run("lab")
    assert _states(run, begun) == {"cyclictest": StageState.RUNNING}
    assert _states(run, stored) == {}


def _states(run: str, event: Event) -> dict[str, StageState]:
    journal = Journal(run_directory(run))
    journal.append(event)
    journal.close()
    return read_past(run).states


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"exact": True}, ""),
        ({"exact": True, "unseen": 0}, ""),
        ({"exact": True, "unseen": 7}, "lossy: 7 samples were not seen live"),
        ({"exact": False, "unseen": 7}, "live and final figures did not agree"),
    ],
)
def test_a_lossy_stream_is_not_exact(told: dict[str, object], why: str) -> None:
    past = Past("run")
    past.took("latency-stored", "one", {"path": "p", **told})
    assert past.inexact == {"one": why}


@pytest.mark.parametrize("load", ["none", "hackbench"])
def test_what_was_measured_is_what_the_plan_would_measure(load: str) -> None:
    settings = CyclictestSpec.model_validate({"load": load})
    lab = Lab(hosts=(HostSpec(name="one", address="192.0.2.1"),), cyclictest=settings)
    facts = facts_of(online=(0, 1))
    order = order_for(lab, facts, "run-one-1")
    past = Past("run")
    begun = LatencyStarted(
        stage="cyclictest", host="one", command=order.command, version="2.4", interval=200,
        loops=order.loops, cpus=order.cpus, started=1.0,
        load=order.load.command if order.load else (),
    )  # fmt: skip
    past.took("latency-started", "one", encode(begun))
    past.took("latency-stored", "one", {"path": "p", "exact": True, "stage": "cyclictest"})
    wanted = {step.command for step in MeasureChange().plan(lab, facts)} - {""}
    assert past.measured["cyclictest", "one"].commands == wanted
    assert len(wanted) == (1 if load == "none" else 2)
