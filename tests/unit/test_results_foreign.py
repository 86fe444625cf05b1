"""What others measured comes in exactly, and what is not told is not invented."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import MeasurementError, UsageError
from kubert_tui.latency.store import load, save
from kubert_tui.results.foreign import read_foreign

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cyclictest"
WHOLE = sorted(
    path
    for path in FIXTURES.glob("v*.txt")
    if "stderr" not in path.name and "# Max Latencies" in path.read_text()
)


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_real_outputs_of_every_version(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    stored = read_foreign(path, interval=200)
    minima = next(line for line in text.splitlines() if line.startswith("# Min Latencies:"))
    assert [t.minimum for t in stored.threads] == [int(n) for n in minima.split(":")[1].split()]
    for thread in stored.threads:
        listed = next(n for n in text.splitlines() if n.startswith(f"# Thread {thread.cpu}:"))
        cycles, _, others = listed.partition(":")[2].partition("#")
        assert thread.overflows == len(cycles.split()) + int((others.split() or ["0"])[0])
    assert stored.fingerprint.realtime == {"imported": "unknown: imported"}
    assert "imported from" in stored.notes[0]
    save(tmp_path / "kept.json", stored)
    assert load(tmp_path / "kept.json") == stored


def test_the_interval_is_asked_for() -> None:
    with pytest.raises(UsageError, match="how often"):
        read_foreign(WHOLE[0])


def _json(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "file_version": 1,
        "cmdline:": "cyclictest --smp -q -i 250 -l 10 -h 60",
        "rt_test_version:": "2.40",
        "end_time": "Tue, 24 Nov 2026 01:57:18 +0000",
        "sysinfo": {"nodename": "bull1", "release": "6.1-rt", "version": "#1", "realtime": 1},
        "thread": {
            "0": {"histogram": {"3": 6, "9": 2}, "cycles": 10, "min": 3, "max": 77, "avg": 19.0,
                  "cpu": 2, "node": 0},
        },
    }  # fmt: skip
    return {**told, **changes}


def _written(directory: Path, told: object) -> Path:
    path = directory / "theirs.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def test_json_of_2_x(tmp_path: Path) -> None:
    stored = read_foreign(_written(tmp_path, _json()))
    assert (stored.interval, stored.histogram, stored.host) == (250, 60, "bull1")
    (thread,) = stored.threads
    assert (thread.cpu, thread.overflows, thread.maximum) == (2, 2, 77)
    assert thread.buckets == ((3, 6), (9, 2))
    assert stored.fingerprint.realtime == {"imported": "yes"}
    assert stored.finished == 1795485438.0


@pytest.mark.parametrize(
    "told",
    [
        "", "{", "[]", "{}", "hello", '{"thread": 3, "sysinfo": {}}',
        _json(thread={}),
        _json(thread={"0": {"histogram": {"3": 11}, "cycles": 10, "min": 3, "max": 3, "avg": 3,
                            "cpu": 0}}),
        _json(thread={"0": {"histogram": {"99999999": 1}, "cycles": 1, "min": 3, "max": 3,
                            "avg": 3, "cpu": 0}}),
        _json(thread={"0": {"histogram": {"-1": 1}, "cycles": 1, "min": 0, "max": 0, "avg": 0,
                            "cpu": 0}}),
        _json(sysinfo=None),
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_result_is_refused_by_name(told: object, tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"theirs\.json|cyclictest"):
        read_foreign(_written(tmp_path, told), interval=200)


def test_escapes_do_not_come_in(tmp_path: Path) -> None:
    system = {"nodename": "a\x1b[31mb", "release": "6\x07", "version": "\x9bx", "realtime": 0}
    stored = read_foreign(_written(tmp_path, _json(sysinfo=system)))
    assert stored.model_dump_json().isascii() or "\\u001b" not in stored.model_dump_json()
    assert "\x1b" not in stored.host + stored.fingerprint.kernel


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_foreign(Path("/nonexistent/file.txt"))
