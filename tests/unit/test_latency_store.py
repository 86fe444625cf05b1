"""What is stored is what was measured, and a file is believed only when it is whole."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import StoredMeasurement, load, save, store
from tests.support.latency_facts import facts_of

ORDER = MeasurementOrder("id", ("cyclictest", "--smp"), "2.4", 200, 5, 3, (0, 4), (1,))
FINAL = Snapshot(
    9,
    1.5,
    (ThreadHistogram(0, (0, 5, 0), 0, 1, 1.0, 1), ThreadHistogram(4, (0, 2, 1), 1, 1, 3.25, 8)),
    (1.0, 0.5, 0.25),
    final=True,
)
MEASURED = Measured(ORDER, FINAL, "# Histogram\n", True, 1000.0, 1001.5, ("a note",))


@pytest.fixture
def stored() -> StoredMeasurement:
    return store(MEASURED, host="one", lab="mine", facts=facts_of(online=(0, 1, 4)), run="r1")


@pytest.fixture
def file(tmp_path: Path, stored: StoredMeasurement) -> Path:
    path = tmp_path / "results" / "one.json"
    save(path, stored)
    return path


def test_it_comes_back_exactly(file: Path, stored: StoredMeasurement) -> None:
    back = load(file)
    assert back == stored
    assert back.order() == ORDER
    assert back.snapshot().threads == FINAL.threads
    assert back.snapshot().final


def test_a_lossy_stream_is_kept_as_such() -> None:
    order = replace(ORDER, stream="verbose")
    kept = store(
        replace(MEASURED, order=order, unseen=7),
        host="one",
        lab="mine",
        facts=facts_of(online=(0, 1, 4)),
    )
    assert (kept.stream, kept.unseen) == ("verbose", 7)
    assert kept.order() == order


def test_it_is_private(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["one.json"]


def test_the_summary_and_the_fingerprint(stored: StoredMeasurement) -> None:
    assert stored.summary.samples == 9
    assert (stored.summary.p99, stored.summary.maximum) == (">= 3", 8)
    told = stored.fingerprint
    assert told.kernel == "6.1.0-rt"
    assert told.realtime == {
        "/sys/kernel/realtime": "yes",
        "uname -v": "no",
        "CONFIG_PREEMPT_RT": "unknown: not looked at",
    }
    assert (told.isolated, told.governor, told.rt_runtime_us) == ("2, 3", "performance", "-1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, "newer"),
        ({"schema_version": 0}, "schema_version"),
        ({"extra": 1}, "extra"),
        ({"interval": 0}, "interval"),
        ({"elapsed": -1}, "elapsed"),
        ({"cpus": [0, 5]}, "threads are not those"),
        ({"histogram": 4}, "has not 4 buckets"),
        ({"threads": []}, "threads are not those"),
    ],
)
def test_a_changed_file_is_refused(file: Path, change: dict[str, Any], said: str) -> None:
    told = json.loads(file.read_text()) | change
    file.write_text(json.dumps(told))
    with pytest.raises(MeasurementError, match=said):
        load(file)


@pytest.mark.parametrize(
    "buckets", [[[1, 4]], [[1, 5], [1, 0]], [[3, 5]], [[-1, 5]], [[1, -5]], [[1]], [["1", "x"]]]
)
def test_a_changed_histogram_is_refused(file: Path, buckets: list[Any]) -> None:
    told = json.loads(file.read_text())
    told["threads"][0]["buckets"] = buckets
    file.write_text(json.dumps(told))
    with pytest.raises(MeasurementError):
        load(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"elapsed": NaN}', "[" * 100_000])
def test_what_is_no_measurement_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(MeasurementError, match="no measurement of ours"):
        load(file)


def test_a_cut_off_file_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for end in range(0, len(whole) - 2, 50):
        file.write_bytes(whole[:end])
        with pytest.raises(MeasurementError):
            load(file)


def test_a_missing_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="cannot be read"):
        load(tmp_path / "none.json")
