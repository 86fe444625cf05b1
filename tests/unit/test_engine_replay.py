"""A run that is over, played back: the same figures, and nothing else is believed."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import ExitCode, MeasurementError
from kubert_tui.cli.main import main
from kubert_tui.engine.journal import Journal
from kubert_tui.engine.replay import Replay, events_of_journal
from kubert_tui.events.measuring import LatencySnapshot, LatencyStarted, LatencyStored, LoadChanged
from kubert_tui.events.model import Event, Finished, StageFinished, StageStarted
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.loads import Load
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import save, store
from tests.support.latency_facts import facts_of

COUNTS = (0, 3, 900, 80, 16, 0)


def snapshot(sequence: int, *, final: bool = False) -> Snapshot:
    counts = tuple(sequence * one for one in COUNTS)
    thread = ThreadHistogram(0, counts, 1, 1, 2.5, 44)
    return Snapshot(sequence, sequence * 10.0, (thread,), (0.5, 0.25, 0.125), final)


EVENTS: tuple[Event, ...] = (
    LatencyStarted(
        time=1000.0, stage="cyclictest", host="bull1", command=("cyclictest", "--smp"),
        version="2.4", interval=200, loops=5000, cpus=(0,), started=1000.0,
    ),
    LatencySnapshot(time=1010.0, stage="cyclictest", host="bull1", snapshot=snapshot(1)),
    LoadChanged(
        time=1015.0, stage="cyclictest", host="bull1", preset="cpu", command=("stress-ng",),
        cpus="0", elapsed=15.0, on=True,
    ),
    LatencySnapshot(time=1020.0, stage="cyclictest", host="bull1", snapshot=snapshot(2)),
    LatencySnapshot(
        time=1050.0, stage="cyclictest", host="bull1", snapshot=snapshot(5, final=True)
    ),
    LatencyStored(
        time=1051.0, stage="cyclictest", host="bull1", path="/x",
        samples=5000, maximum=44, exact=True,
    ),
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    written = Journal(tmp_path / "run")
    for event in EVENTS:
        written.append(event)
    written.close()
    return written.path


def test_what_was_told_is_told_again(journal: Path) -> None:
    assert tuple(events_of_journal(journal)) == EVENTS


def test_it_takes_its_time_and_keeps_proportions(journal: Path) -> None:
    rests: list[float] = []
    replay = Replay("run", events_of_journal(journal), length=51.0, rest=rests.append)
    told = list(replay.events())
    assert isinstance(told[0], StageStarted)
    assert tuple(told[1:-2]) == EVENTS
    assert isinstance(told[-2], StageFinished)
    assert isinstance(told[-1], Finished)
    assert rests == pytest.approx([10.0, 5.0, 5.0, 30.0, 1.0])
    assert [host.name for host in replay.lab.hosts] == ["bull1"]


def test_let_go_it_tells_the_rest_at_once(journal: Path) -> None:
    replay = Replay("run", events_of_journal(journal), length=1e9)
    replay.detach()
    assert isinstance(list(replay.events())[-1], Finished)


HOSTILE: list[dict[str, Any]] = [
    {"event": "latency-snapshot", "time": 1.0, "host": "h", "snapshot": {}},
    {"event": "latency-snapshot", "time": 1.0, "host": "h", "snapshot": {
        "sequence": 1, "elapsed": 1, "load": [0, 0, 0], "final": False, "threads": [
            {"cpu": 0, "buckets": 10**12, "counts": {}, "overflows": 0, "minimum": 0,
             "average": 0, "maximum": 0}]}},
    {"event": "latency-snapshot", "time": 1.0, "host": "h", "snapshot": {
        "sequence": 1, "elapsed": 1, "load": [0, 0, 0], "final": False, "threads": [
            {"cpu": 0, "buckets": 10, "counts": {"-1": 4}, "overflows": 0, "minimum": 0,
             "average": 0, "maximum": 0}]}},
    {"event": "latency-started", "time": "soon", "host": "h"},
    {"event": "latency-started", "time": 1e300, "host": "h", "command": 7},
]  # fmt: skip


@pytest.mark.parametrize("entry", HOSTILE)
def test_what_makes_no_sense_is_left_out(journal: Path, entry: dict[str, Any]) -> None:
    torn = '{"event":"latency-snapshot","time":'
    journal.write_text(f"{json.dumps(entry)}\n{journal.read_text()}{torn}")
    assert tuple(events_of_journal(journal)) == EVENTS


def test_a_journal_without_a_measurement_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "journal.jsonl"
    empty.write_text('{"event":"finished","time":1}\n')
    with pytest.raises(MeasurementError, match="no measurement"):
        Replay("run", events_of_journal(empty))


def test_the_command_plays_a_journal_and_a_result(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = MeasurementOrder("run-1", ("cyclictest",), "2.4", 200, 5000, len(COUNTS), (0,))
    loads = (
        Load("cpu", ("stress-ng",), "0", 15.0, 50.0),
        Load("disk", ("stress-ng",), "0", 50.0, 50.0, "it failed at once"),
    )
    measured = Measured(order, snapshot(5, final=True), "", True, 1000.0, 1050.0, (), loads=loads)
    result = tmp_path / "latency-bull1-1.json"
    save(result, store(measured, host="bull1", lab="twins", facts=facts_of(online=(0,))))
    for path in (journal, result):
        assert main(["monitor", "--json", "--replay", str(path)]) == ExitCode.OK
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (final,) = [
            one["snapshot"] for one in told
            if one["event"] == "latency-snapshot" and one["snapshot"]["final"]
        ]  # fmt: skip
        assert final["threads"][0]["counts"] == {"1": 15, "2": 4500, "3": 400, "4": 80}
        assert told[-1]["event"] == "finished"
        changes = [one for one in told if one["event"] == "load-changed"]
        assert (changes[0]["preset"], changes[0]["elapsed"], changes[0]["on"]) == (
            "cpu",
            15.0,
            True,
        )
        failed = [(one["on"], one["reason"]) for one in changes if one["preset"] == "disk"]
        assert failed == ([(True, ""), (False, "it failed at once")] if path == result else [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--replay", "nothing"], "there is no run and no file"),
        (["--replay", "x", "--duration", "3s"], "--replay measures nothing"),
        (["--replay", "x", "--load", "cpu"], "--replay measures nothing"),
        (["--load", "fire"], "cyclictest.load"),
        (["nobody"], "has no host 'nobody'"),
        (["--duration", "soon"], "duration"),
        (["--interval", "1"], "interval"),
    ],
)
def test_what_cannot_be_asked_for(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["monitor", "--json", *arguments]) == ExitCode.USAGE
    assert said in capsys.readouterr().err
