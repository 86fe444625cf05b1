"""What a dashboard reads is what was measured. Read back by the format's own parser."""

import os
import stat
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from kubert_tui.base.errors import ExitCode
from kubert_tui.cli.main import main
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import save, store
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.openmetrics import openmetrics
from kubert_tui.results.verdict import Grade
from tests.support.latency_facts import facts_of

COUNTS = (0, 3, 900, 80, 16) + (0,) * 15
EVIL = 'bull"1\\'


def stored(host: str, interrupted: str = "") -> StoredMeasurement:
    thread = ThreadHistogram(0, COUNTS, 1, 1, 2.5, 44)
    other = ThreadHistogram(5, COUNTS, 0, 1, 2.0, 4)
    order = MeasurementOrder("run-1", ("cyclictest",), "2.4", 200, 1000, len(COUNTS), (0, 5))
    final = Snapshot(3, 0.2, (thread, other), final=True)
    measured = Measured(order, final, "", True, 1000.0, 1000.5, interrupted=interrupted)
    return store(measured, host=host, lab="twins", facts=facts_of(online=(0, 5)), run="r1")


def samples(text: str) -> dict[tuple[str, str, str, str], float]:
    """Values by name, host, CPU and edge."""
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            where = (one.labels["host"], one.labels.get("cpu", ""), one.labels.get("le", ""))
            found[one.name, *where] = one.value
    return found


def test_every_figure_is_there() -> None:
    found = samples(openmetrics([stored("bull1"), stored("bull2", "it was killed")]))
    name = "kubert_latency_seconds"
    assert found[f"{name}_count", "bull1", "0", ""] == 1000
    assert found[f"{name}_count", "bull1", "5", ""] == 999
    assert found[f"{name}_sum", "bull1", "0", ""] == pytest.approx(0.0025)
    assert found[f"{name}_bucket", "bull1", "0", "2e-06"] == 3
    assert found[f"{name}_bucket", "bull1", "0", "5e-06"] == 999
    assert found[f"{name}_bucket", "bull1", "0", "+Inf"] == 1000
    assert (f"{name}_bucket", "bull1", "0", "3e-05") not in found, "it has but 20 buckets"
    assert found["kubert_latency_max_seconds", "bull1", "0", ""] == pytest.approx(44e-6)
    assert found["kubert_latency_overflows", "bull1", "0", ""] == 1
    assert found["kubert_latency_exact", "bull1", "", ""] == 1
    assert found["kubert_latency_interrupted", "bull1", "", ""] == 0
    assert found["kubert_latency_interrupted", "bull2", "", ""] == 1
    assert found["kubert_latency_finished_timestamp_seconds", "bull1", "", ""] == 1000.5


def test_names_are_no_syntax() -> None:
    assert ("kubert_latency_exact", EVIL, "", "") in samples(openmetrics([stored(EVIL)]))


def test_the_command_writes_it(tmp_path: Path) -> None:
    result, out = tmp_path / "one.json", tmp_path / "latency.prom"
    save(result, stored("bull1"))
    assert main(["report", str(result), "--openmetrics", "-o", str(out)]) == ExitCode.OK
    assert samples(out.read_text())["kubert_latency_seconds_count", "bull1", "5", ""] == 999


def test_of_two_attempts_the_newest_is_told() -> None:
    first, second = stored("bull1", "it was killed"), stored("bull1")
    second = second.model_copy(update={"identity": "run-2", "finished": first.finished + 60})
    for both in ([first, second], [second, first]):
        text = openmetrics(both)
        lines = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]
        assert len(lines) == len(set(lines)), "a series that is told twice is refused"
        assert samples(text)["kubert_latency_interrupted", "bull1", "", ""] == 0


def test_a_collector_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    result, out = tmp_path / "one.json", tmp_path / "latency.prom"
    save(result, stored("bull1"))
    out.write_text("old\n")
    old = out.open()
    assert main(["report", str(result), "--openmetrics", "-o", str(out)]) == ExitCode.OK
    assert old.read() == "old\n", "it was replaced, not written over"
    old.close()
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~umask, "the collector is another user"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latency.prom", "one.json"]
    full = tmp_path / "none" / "latency.prom"
    assert main(["report", str(result), "--openmetrics", "-o", str(full)]) == ExitCode.USAGE
    assert main(["report", str(result), "--openmetrics", "-o", "/dev/null"]) == ExitCode.OK
    assert Path("/dev/null").is_char_device()


def test_the_verdict_is_there_or_nothing_is() -> None:
    real = stored("bull1")
    signs = {"imported": "yes"}
    mark = real.fingerprint.model_copy(update={"realtime": signs})
    real = real.model_copy(update={"fingerprint": mark, "limit": "40", "policy": "fifo 90"})
    text = openmetrics([real, stored("bull2")])
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    (passed,) = families["kubert_latency_passed"]
    assert (passed.labels["host"], passed.value) == ("bull1", 0)
    (limit,) = families["kubert_latency_limit_seconds"]
    assert limit.value == pytest.approx(40e-6)
    grades = {
        one.labels["host"]: one.labels["grade"]
        for one in families["kubert_latency_grade"]
        if one.value
    }
    assert grades == {"bull1": "smoke", "bull2": "refused"}
    assert len(families["kubert_latency_grade"]) == 2 * len(Grade)
