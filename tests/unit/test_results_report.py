"""A report is complete, honest, and safe to open."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.base.paths import runs
from kubert_tui.causes.hwlat import Gap, HardwareLatency
from kubert_tui.causes.store import save as save_cause
from kubert_tui.causes.store import stored_hwlat, stored_timerlat
from kubert_tui.causes.timerlat import Column, Kind, TimerLatency
from kubert_tui.cli.main import main
from kubert_tui.lab.limits import limit_of
from kubert_tui.latency.breaktrace import StoredBreak
from kubert_tui.latency.counters import Happened
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import StoredMeasurement, save, store
from kubert_tui.results.report.content import HEADINGS, chapter
from kubert_tui.results.report.markdown import markdown
from kubert_tui.results.report.page import page
from kubert_tui.results.report.plot import plot
from tests.support.latency_facts import facts_of

KINDS: tuple[Kind, ...] = ("IRQ", "thread")
EVIL = "<script>alert(1)</script>|`x`[y](z)"


def _stored(host: str = "bull1", shift: int = 0) -> StoredMeasurement:
    counts = (0,) * shift + (0, 3, 900, 80, 16) + (0,) * (15 - shift)
    thread = ThreadHistogram(0, counts, 1, 1 + shift, 2.1 + shift, 44)
    other = ThreadHistogram(1, counts, 0, 1 + shift, 2.1 + shift, 4 + shift)
    order = MeasurementOrder(
        f"run-{host}-1", ("cyclictest", "--smp"), "2.4", 200, 1000, len(counts), (0, 1)
    )
    final = Snapshot(3, 0.2, (thread, other), final=True)
    measured = Measured(order, final, "# Histogram", True, 1000.0, 1000.2, (f"a note {EVIL}",))
    return store(measured, host=host, lab="twins", facts=facts_of(online=(0, 1)), run="r1")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = []
    for name, shift in (("bull1", 0), ("bull2", 2)):
        made.append(tmp_path / f"{name}.json")
        save(made[-1], _stored(name, shift))
    return made


def test_every_cpu_has_a_row_and_unsupported_percentiles_are_left_out() -> None:
    told = chapter(_stored(), limit_of("seapath"))
    assert [row[0] for row in told.figures] == ["all", "0", "1"]
    merged = dict(zip(HEADINGS, told.figures[0], strict=True))
    assert merged["samples"] == "1999"
    assert merged["p99.9"] == "-"
    assert (merged["p50"], merged["max"], merged["overflows"]) == ("< 3", "44", "1")


def test_html_holds_everything_and_runs_nothing(
    files: list[Path], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["report", *map(str, files), "--limit", "100"]) == ExitCode.OK
    text = capsysbinary.readouterr().out.decode()
    assert text.count("<svg") == 3, "one over both, one for each"
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"(?:src|href)=[\"']https?:", text)
    for host in ("bull1", "bull2"):
        assert f"<h2>{host}" in text
    assert "cyclictest --smp" in text
    assert "6.1.0-rt" in text


def test_markdown_is_markdown_only_where_we_wrote_it(
    files: list[Path], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["report", "--md", str(files[0])]) == ExitCode.OK
    text = capsysbinary.readouterr().out.decode()
    assert "<script>" not in text
    assert "[y](z)" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, len(HEADINGS) + 1}


def test_plots_are_the_same_each_time_and_show_the_limit(tmp_path: Path, files: list[Path]) -> None:
    limit = limit_of("40")
    drawn = plot([_stored()], limit, "svg")
    assert drawn == plot([_stored()], limit, "svg")
    text = drawn.decode()
    assert "limit 40 us" in text
    assert "CPU 1" in text
    ET.fromstring(text)
    target = tmp_path / "out.png"
    assert main(["report", "--png", "-o", str(target), *map(str, files)]) == ExitCode.OK
    assert target.read_bytes().startswith(b"\x89PNG")


def test_comparing_like_with_like(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *map(str, files)]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "+2.00" in text
    mean = next(line for line in text.splitlines() if line.startswith("mean"))
    assert "not resolved" not in mean


def test_unlike_runs_are_refused_unless_that_is_the_point(
    tmp_path: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    unlike = _stored("bull3")
    mark = unlike.fingerprint.model_copy(update={"kernel": "6.12-stock"})
    save(tmp_path / "unlike.json", unlike.model_copy(update={"fingerprint": mark}))
    command = ["compare", str(files[0]), str(tmp_path / "unlike.json")]
    assert main(command) == ExitCode.MEASUREMENT_FAILED
    assert "--differ kernel" in capsys.readouterr().err
    assert main([*command, "--differ", "kernel", "--json"]) == ExitCode.OK
    assert main([*command, "--differ", "colour"]) == ExitCode.USAGE
    assert main(["compare", str(files[0])]) == ExitCode.USAGE
    assert main(["report", "no-such-run"]) == ExitCode.USAGE


def _judged(stored: StoredMeasurement) -> StoredMeasurement:
    """Of a real-time kernel beyond doubt, and long enough that no periods are missing."""
    realtime = {"/sys/kernel/realtime": "yes", "uname -v": "yes"}
    known = stored.fingerprint.model_copy(update={"realtime": realtime})
    return stored.model_copy(update={"fingerprint": known})


def test_what_the_run_found_beside_it_is_told() -> None:
    stored = _judged(_stored())
    about = {"host": "bull1", "run": "r1", "boot_id": stored.fingerprint.boot_id}
    found = HardwareLatency(60, 10, 1_000_000, 500_000, (Gap(1.0, 1, 12, 345, 2),))
    hardware = stored_hwlat(
        found, Happened(7, "", None, False), identity="r1-bull1-hwlat-1", command=("h",), **about
    )
    columns = tuple(
        Column(kind, cpu, ((3, 2000 - cpu),), cpu, 3, 3, 9) for kind in KINDS for cpu in (0, 1)
    )
    timer = stored_timerlat(
        TimerLatency("6.1", columns), 250, identity="r1-bull1-timerlat-1", command=("t",), **about
    )
    save_cause(runs() / "r1" / "hwlat-bull1-9.json", hardware.model_copy(update={"maximum": 1}))
    save_cause(runs() / "r1" / "hwlat-bull1-10.json", hardware)
    save_cause(runs() / "r1" / "timerlat-bull1-1.json", timer)
    told = chapter(stored, None)
    assert [row[0] for row in told.figures] == [
        "all", "0", "1", "timerlat, IRQ", "timerlat, thread",
    ]  # fmt: skip
    assert told.figures[-1][1:4] == ("4000", "3", "3.00")
    assert "345 us, in 60 s" in dict(told.facts)["hardware latency"]
    assert "7 SMIs" in dict(told.facts)["hardware latency"]
    assert any("345 us at once" in reason for reason in told.verdict.reasons)
    assert "345 us" in markdown([told])


def test_what_another_boot_or_host_found_is_not_told() -> None:
    stored = _stored()
    found = HardwareLatency(60, 10, 1_000_000, 500_000, (Gap(1.0, 1, 12, 345, 2),))
    for host, boot in (("bull1", "another"), ("bull2", stored.fingerprint.boot_id)):
        about = {"host": host, "run": "r1", "boot_id": boot, "identity": "i", "command": ("h",)}
        kept = stored_hwlat(found, Happened(None, "no", None, False), **about)
        save_cause(runs() / "r1" / f"hwlat-{host}-1.json", kept)
    told = chapter(stored, None)
    assert dict(told.facts)["hardware latency"] == "not measured in this run"
    foreign = stored.model_copy(update={"run": "../r1", "host": "bull2"})
    assert dict(chapter(foreign, None).facts)["hardware latency"] == "not measured in this run"


def test_a_trace_is_shown_as_it_stands() -> None:
    broke = StoredBreak(
        threshold=20, traced=True, latency=44, cpu=0, cycles=9, trace="t.txt.gz", excerpt=(EVIL,)
    )
    told = chapter(_judged(_stored()).model_copy(update={"breaktrace": broke}), None)
    facts = dict(told.facts)
    assert facts["breaktrace"] == "stopped at 44 us on CPU 0 by breaktrace after 9 cycles"
    assert "t.txt.gz" in facts["trace"]
    assert any("traced" in reason for reason in told.verdict.reasons)
    assert f"    {EVIL}" in markdown([told])
    assert "<script" not in page([told], [""])
