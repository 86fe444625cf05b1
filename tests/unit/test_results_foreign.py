"""What others measured comes in exactly, and what is not told is not invented."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import MeasurementError, UsageError
from kubert_tui.latency.store import load, save
from kubert_tui.results.evidence import evidence_of, scheduled
from kubert_tui.results.foreign import read_foreign
from kubert_tui.results.foreign_parts import Told
from kubert_tui.results.likeness import marks

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cyclictest"
KEPT = FIXTURES.parent / "foreign"
OSADL = "cyclictest -l100000000 -m -Sp90 -i200 -h400 -q"
UNAME = "Linux rack5slot8 5.10.3-rt13 #1 SMP PREEMPT RT Wed Aug 16 10:00:00 2023 x86_64 GNU/Linux"
WHOLE = sorted(
    path
    for path in FIXTURES.glob("v*.txt")
    if "stderr" not in path.name and "# Max Latencies" in path.read_text()
)


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_real_outputs_of_every_version(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    stored = read_foreign(path, Told(interval=200))
    minima = next(line for line in text.splitlines() if line.startswith("# Min Latencies:"))
    # Of a thread without a sample cyclictest prints what it began with.
    printed = [0 if n == "1000000" else int(n) for n in minima.split(":")[1].split()]
    assert [t.minimum for t in stored.threads] == printed
    for thread in stored.threads:
        listed = next(n for n in text.splitlines() if n.startswith(f"# Thread {thread.cpu}:"))
        cycles, _, others = listed.partition(":")[2].partition("#")
        assert thread.overflows == len(cycles.split()) + int((others.split() or ["0"])[0])
    assert stored.fingerprint.realtime == {"imported": "unknown: imported"}
    assert "imported from" in stored.notes[0]
    save(tmp_path / "kept.json", stored)
    assert load(tmp_path / "kept.json") == stored


def test_as_osadls_script_leaves_it(tmp_path: Path) -> None:
    told = Told(command=f"{OSADL} >output", uname=UNAME, host="rack")
    stored = read_foreign(KEPT / "osadl-output.txt", told)
    assert " ".join(stored.command) == OSADL
    assert (stored.interval, stored.histogram, stored.host) == (200, 400, "rack")
    assert stored.fingerprint.realtime == {"imported": "yes"}
    assert stored.fingerprint.kernel == "5.10.3-rt13"
    assert stored.fingerprint.machine == "x86_64"
    assert evidence_of(stored).realtime is True
    assert scheduled(stored) == "fifo 90"
    packed = read_foreign(KEPT / "osadl-output.txt.gz", told)
    assert packed.threads == stored.threads
    assert marks(packed) == marks(stored)


def test_what_is_noted_above_the_output_is_read() -> None:
    stored = read_foreign(KEPT / "noted.txt")
    assert (stored.interval, stored.host) == (200, "rack5slot8")
    assert stored.command == ("cyclictest", "-l3000", "-m", "-Sp90", "-i200", "-h400", "-q")
    assert stored.fingerprint.realtime == {"imported": "yes"}
    assert stored.threads == read_foreign(KEPT / "osadl-output.txt", Told(interval=200)).threads


def test_status_lines_tell_interval_and_policy() -> None:
    stored = read_foreign(KEPT / "v2.4-not-quiet.txt")
    assert (stored.interval, stored.policy) == (200, "fifo 90")
    assert [thread.maximum for thread in stored.threads] == [60, 206]
    assert "\x1b" not in stored.output


def test_the_rows_alone() -> None:
    whole = read_foreign(KEPT / "osadl-output.txt", Told(interval=200))
    rows = read_foreign(KEPT / "osadl-histogram.txt", Told(interval=200))
    assert [one.buckets for one in rows.threads] == [one.buckets for one in whole.threads]
    assert [one.minimum for one in rows.threads] == [one.minimum for one in whole.threads]
    for thread in rows.threads:
        assert thread.maximum == thread.buckets[-1][0]
    assert any("off the histogram" in note for note in rows.notes)


@pytest.mark.parametrize("separator", [",", ";", ", ", " ", "\t"])
def test_tables_with_other_separators(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "table.csv"
    rows = ("us,cpu0,cpu1", "0,0,0", "1,5,0", "2,7,3", "")
    path.write_text("\n".join(rows).replace(",", separator))
    stored = read_foreign(path, Told(interval=100))
    assert [one.buckets for one in stored.threads] == [((1, 5), (2, 7)), ((2, 3),)]


@pytest.mark.parametrize(
    "rows",
    ["1 2\n1 3\n", "2 2\n1 3\n", "1 2\n2 3 4\n", "1 0\n", "9999999 1\n", "5\n6\n", "1 -2\n"],
)
def test_what_is_no_table(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "theirs.txt"
    path.write_text(rows)
    with pytest.raises(MeasurementError, match="no result of cyclictest"):
        read_foreign(path, Told(interval=200))


def test_an_output_cut_off_below_its_rows(tmp_path: Path) -> None:
    """As versions before 1.0 print it, or a copy that lost its end."""
    path = tmp_path / "old.txt"
    whole = (KEPT / "osadl-output.txt").read_text()
    path.write_text(whole[: whole.index("# Histogram Overflow at")].replace("\n", "\r\n"))
    stored = read_foreign(path, Told(interval=200))
    expected = read_foreign(KEPT / "osadl-output.txt", Told(interval=200))
    for old, new in zip(stored.threads, expected.threads, strict=True):
        assert (old.buckets, old.overflows, old.maximum) == (
            new.buckets, new.overflows, new.maximum,
        )  # fmt: skip


def test_of_several_results_in_a_file_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    texts = [(FIXTURES / name).read_text() for name in ("v1.0-readme.txt", "v2.4-readme.txt")]
    path.write_text("first:\n" + "then:\n".join(texts))
    stored = read_foreign(path, Told(interval=200))
    assert stored.threads == read_foreign(FIXTURES / "v2.4-readme.txt", Told(interval=200)).threads
    assert any("holds 2 results" in note for note in stored.notes)


def test_a_table_with_sums_has_no_cpu_more(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    whole = (FIXTURES / "v2.4-histofall.txt").read_text()
    path.write_text("\n".join(line for line in whole.splitlines() if line[:1] != "#"))
    assert len(read_foreign(path, Told(interval=200)).threads) == 2


def test_a_thread_that_was_off_the_histogram_all_the_time(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text(
        "# Histogram\n000001 000005\t000000\n"
        "# Max Latencies: 00001 00090\n# Histogram Overflows: 00000 00005\n"
    )
    first, second = read_foreign(path, Told(interval=200)).threads
    assert (first.overflows, first.maximum) == (0, 1)
    assert (second.overflows, second.minimum, second.maximum) == (5, 2, 90)


def test_nanoseconds_are_not_taken_for_microseconds() -> None:
    for command in ("cyclictest --nsecs -i200", "cyclictest -qN -i200"):
        with pytest.raises(MeasurementError, match="nanoseconds"):
            read_foreign(KEPT / "osadl-output.txt", Told(command=command))


def test_a_damaged_gzip_file(tmp_path: Path) -> None:
    path = tmp_path / "theirs.gz"
    path.write_bytes((KEPT / "osadl-output.txt.gz").read_bytes()[:200])
    with pytest.raises(MeasurementError, match="gzip"):
        read_foreign(path, Told(interval=200))


def test_real_json_of_2_4() -> None:
    stored = read_foreign(KEPT / "v2.4-json.json")
    assert (stored.version, stored.interval, stored.histogram) == ("2.4", 200, 100)
    assert max(sum(n for _, n in one.buckets) + one.overflows for one in stored.threads) == 3000
    assert stored.fingerprint.realtime == {"imported": "no"}
    assert scheduled(stored) == "fifo 90"


def test_a_word_that_is_no_kernel_is_refused() -> None:
    with pytest.raises(UsageError, match="uname"):
        read_foreign(KEPT / "osadl-output.txt", Told(interval=200, uname="PREEMPT_RT, honestly"))


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
        read_foreign(_written(tmp_path, told), Told(interval=200))


def test_escapes_do_not_come_in(tmp_path: Path) -> None:
    system = {"nodename": "a\x1b[31mb", "release": "6\x07", "version": "\x9bx", "realtime": 0}
    stored = read_foreign(_written(tmp_path, _json(sysinfo=system)))
    assert stored.model_dump_json().isascii() or "\\u001b" not in stored.model_dump_json()
    assert "\x1b" not in stored.host + stored.fingerprint.kernel


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_foreign(Path("/nonexistent/file.txt"))
