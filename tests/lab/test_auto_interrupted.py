"""A measurement that is cut off leaves what it had measured, labelled, and is made again."""

import os
import signal
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.latency.store import load
from tests.support.headless import Headless, auto

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="cyclictest needs root"),
]

OPTIONS = ("--only", "cyclictest", "--set", "cyclictest.duration=6s")


def cyclictests(run: Headless) -> list[int]:
    """The processes of the measurement of a run."""
    name = run.seen[0]["run"].encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            directory = os.fsencode((process / "cwd").readlink())
            if name in directory and (process / "comm").read_text() == "cyclictest\n":
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_killed_cyclictest_is_kept_and_measured_again() -> None:
    first = auto(*OPTIONS)
    first.until("latency-snapshot")
    first.until("latency-snapshot")
    seen = first.until("latency-snapshot")["snapshot"]
    (cyclictest,) = cyclictests(first)
    os.kill(cyclictest, signal.SIGKILL)
    assert first.finish() == ExitCode.MEASUREMENT_FAILED
    (stored,) = first.named("latency-stored")
    assert "SIGKILL" in stored["interrupted"]
    assert first.named("measurement-ended") == []
    kept = load(Path(stored["path"]))
    assert kept.interrupted == stored["interrupted"]
    assert kept.summary.samples >= sum(thread["samples"] for thread in seen["threads"]) > 0

    second = auto(*OPTIONS)
    assert second.finish() == ExitCode.OK, second.errors()
    assert second.seen[0]["resumed"]
    (again,) = second.named("latency-stored")
    assert again["interrupted"] == ""
    assert again["exact"]
    assert again["path"] != stored["path"]
    assert load(Path(stored["path"])) == kept
    assert second.seen[-1]["results"] == [stored["path"], again["path"]]


def test_killed_before_it_told_of_it_an_interrupted_one_is_told_once() -> None:
    first = auto(*OPTIONS)
    first.until("latency-snapshot")
    (cyclictest,) = cyclictests(first)
    os.kill(cyclictest, signal.SIGKILL)
    stored = first.until("latency-stored")
    first.process.send_signal(signal.SIGKILL)
    first.finish()
    journal = Path(stored["path"]).parent / "journal.jsonl"
    lines = journal.read_text().splitlines()
    told = next(i for i, line in enumerate(lines) if '"latency-stored"' in line)
    journal.write_text("\n".join(lines[:told]) + "\n")

    second = auto(*OPTIONS)
    assert second.finish() == ExitCode.MEASUREMENT_FAILED
    assert [one["path"] for one in second.named("latency-stored")] == [stored["path"]]
    third = auto(*OPTIONS)
    assert third.finish() == ExitCode.OK
