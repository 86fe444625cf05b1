"""What is stored is what was measured, and a file is believed only when it is whole."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.latency.describe import document, schema
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import load, save, store
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.latency.upgrade import SCHEMA, upgraded
from tests.support.latency_facts import facts_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "measurements"
ORDER = MeasurementOrder("id", ("cyclictest", "--smp"), "2.4", 200, 5, 3, (0, 4), (1,))
FINAL = Snapshot(
    9,
    1.5,
    (ThreadHistogram(0, (0, 5, 0), 0, 1, 1.0, 1), ThreadHistogram(4, (0, 2, 1), 1, 1, 3.25, 8)),
    (1.0, 0.5, 0.25),
    final=True,
)
MEASURED = Measured(
    ORDER, FINAL, "# Histogram\n", True, 1000.0, 1001.5, ("a note",), policy="fifo 90"
)


@pytest.fixture
def stored() -> StoredMeasurement:
    facts = facts_of(online=(0, 1, 4))
    return store(MEASURED, host="one", lab="mine", facts=facts, run="r1", stage="cyclictest")


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
    assert (stored.summary.p99, stored.summary.maximum) == ("", 8), "9 samples have no p99"
    assert (stored.stage, stored.layer, stored.policy) == ("cyclictest", "host", "fifo 90")
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
        ({"schema_version": SCHEMA + 1}, "a newer kubert-tui wrote it"),
        ({"schema_version": 0}, "schema_version"),
        ({"schema_version": "2"}, "schema_version"),
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


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("version-*.json")), ids=lambda p: p.stem)
def test_files_of_earlier_versions_are_read(path: Path, tmp_path: Path) -> None:
    told = json.loads(path.read_text())
    back = load(path)
    assert back.schema_version == SCHEMA
    for key, value in told.items():
        if key not in ("schema_version", "summary"):
            assert back.model_dump(mode="json")[key] == value, key
    assert back.snapshot().samples == told["summary"]["samples"]
    assert (back.stage, back.layer) == ("cyclictest", "host")
    assert back.policy == told.get("policy", "")
    # What was read is written in the present form, and comes back the same.
    save(tmp_path / "now.json", back)
    assert load(tmp_path / "now.json") == back


def test_there_is_a_file_of_every_version() -> None:
    found = {json.loads(path.read_text())["schema_version"] for path in FIXTURES.glob("*.json")}
    assert found == set(range(1, SCHEMA + 1)), "keep a real file of each version for ever"


@pytest.mark.parametrize("told", [None, [], {}, {"schema_version": None}, {"schema_version": -1}])
def test_what_is_no_measurement_is_not_upgraded(told: object) -> None:
    assert upgraded(told) == told


def test_the_description_is_that_of_the_model() -> None:
    path = Path(__file__).parents[2] / "docs" / "measurements.md"
    again = "python -m kubert_tui.latency.describe > docs/measurements.md"
    assert path.read_text() == document(), f"the model has changed; run: {again}"


def test_every_key_is_described() -> None:
    told = schema()
    for name, part in {"the file": told, **told["$defs"]}.items():
        for key, field in part["properties"].items():
            assert field.get("description"), (
                f"{name}: say below `{key}` what it means, and its unit"
            )


def test_the_schema_is_that_of_the_files(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    for path in (file, FIXTURES / f"version-{SCHEMA}.json"):
        validator.validate(json.loads(path.read_text()))
    assert not validator.is_valid(json.loads(file.read_text()) | {"extra": 1})
