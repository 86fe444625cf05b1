"""A report is complete, honest, and safe to open."""

import json
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
from kubert_tui.latency.store import save, store
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.comparison import unlike
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
    lines = capsys.readouterr().out.splitlines()
    (median,) = (line for line in lines if line.startswith("p50"))
    assert "+2" in median
    assert "not resolved" not in median
    assert any(line.startswith("worst") and "seen" in line for line in lines)
    # The histograms over each other, and the verdicts with their reasons.
    assert any("1" in line and "2" in line and "░" in line for line in lines)
    assert sum("no verdict: the kernel was not PREEMPT_RT" in line for line in lines) == 2


def test_three_are_compared_with_the_first(
    tmp_path: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "bull3.json", _stored("bull3", 4))
    names = [*map(str, files), str(tmp_path / "bull3.json")]
    assert main(["compare", *names]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "1 against 2" in text
    assert "1 against 3" in text
    assert main(["compare", *names, "--json"]) == ExitCode.OK
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["second"] for one in told] == ["run-bull2-1", "run-bull3-1"]
    assert [one["deltas"][0]["change"] for one in told] == [2, 4]
    assert main(["compare", *[str(files[0])] * 10]) == ExitCode.USAGE


@pytest.mark.parametrize("form", ["html", "svg", "png"])
def test_a_comparison_as_a_file(tmp_path: Path, files: list[Path], form: str) -> None:
    target = tmp_path / f"out.{form}"
    command = ["compare", *map(str, files), f"--{form}", "-o", str(target), "--limit", "rt-guest"]
    assert main(command) == ExitCode.OK
    data = target.read_bytes()
    if form == "png":
        assert data.startswith(b"\x89PNG")
        return
    text = data.decode()
    assert text.count("<svg") == 1
    assert "limit 40 us" in text
    assert ">2 bull2, 6.1.0-rt<" in text
    if form == "html":
        assert "<h2>1 against 2</h2>" in text
        assert "&lt; 5" in text
        assert "<script" not in text
        assert "it has no interval" in text


def test_runs_of_unlike_length_have_no_comparable_maxima(
    tmp_path: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    longer = _stored("bull3")
    threads = tuple(
        one.model_copy(
            update={"buckets": tuple((us, n * 10) for us, n in one.buckets), "overflows": 10}
        )
        for one in longer.threads
    )
    samples = sum(one.overflows + sum(n for _, n in one.buckets) for one in threads)
    summary = longer.summary.model_copy(update={"samples": samples})
    longer = longer.model_copy(update={"threads": threads, "summary": summary})
    save(tmp_path / "longer.json", longer)
    command = ["compare", str(files[0]), str(tmp_path / "longer.json")]
    assert main(command) == ExitCode.MEASUREMENT_FAILED
    assert "--differ loops" in capsys.readouterr().err
    assert main([*command, "--differ", "loops"]) == ExitCode.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "The second has 10.0 times as many samples" in text
    assert "Half of all random parts of it as long as the other have a worst of at most" in text
    assert "1e0 │" in text, "shares, not counts"


def test_what_makes_runs_unlike() -> None:
    one = _stored()

    def differing(**update: object) -> set[str]:
        return {mark.key for mark in unlike(one, one.model_copy(update=update))}

    assert differing(identity="other", started=5.0, run="r2", load=(9.0, 9.0, 9.0)) == set()
    assert differing(layer="guest") == {"layer"}
    assert differing(stage="pod-latency") == {"stage"}
    assert differing(interval=100) == {"interval"}
    assert differing(command=("cyclictest", "--smp", "--mlockall")) == {"options"}
    assert differing(policy="rr 90") == {"policy"}
    assert differing(output="# /dev/cpu_dma_latency set to 0us") == {"dma_latency"}
    boot = one.fingerprint.model_copy(update={"boot_id": "another"})
    assert differing(fingerprint=boot) == set()
    for key in ("microcode", "smt", "governor", "tuned_profile", "isolated", "command_line"):
        assert differing(fingerprint=one.fingerprint.model_copy(update={key: "x"})) == {key}


def test_a_report_tells_missed_periods_and_how_it_was_measured() -> None:
    told = chapter(_stored().model_copy(update={"elapsed": 0.45, "policy": "fifo 90"}), None)
    rows = [dict(zip(HEADINGS, row, strict=True)) for row in told.figures]
    assert [row["missed"] for row in rows] == ["501", "250", "251"]
    facts = dict(told.facts)
    assert facts["threads"] == "fifo 90"
    assert facts["measured on"] == "host"
    assert facts["idle states kept off"] == "not held"


def test_many_cpus_have_a_scale_of_colours() -> None:
    one = _stored()
    threads = tuple(one.threads[1].model_copy(update={"cpu": cpu}) for cpu in range(80))
    many = one.model_copy(update={"threads": threads, "cpus": tuple(range(80))})
    drawn = plot([many], limit_of("40"), "svg")
    assert drawn == plot([many], limit_of("40"), "svg")
    text = drawn.decode()
    assert ">CPU<" in text
    assert ">CPU 3<" not in text
    assert ">70<" in text
    assert ">limit 40 us<" in text


def test_markdown_in_a_file_has_its_picture_beside_it(tmp_path: Path, files: list[Path]) -> None:
    target = tmp_path / "my report.md"
    assert main(["report", "--md", "-o", str(target), str(files[0])]) == ExitCode.OK
    assert "(<my%20report.svg>)" in target.read_text()
    ET.fromstring((tmp_path / "my report.svg").read_text())


def test_a_limit_of_others_is_told_with_its_source(
    files: list[Path], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for form in ("--html", "--md"):
        assert main(["report", form, str(files[0]), "--limit", "seapath"]) == ExitCode.OK
        text = capsysbinary.readouterr().out.decode()
        assert "https://github.com/seapath/ci" in text
        assert "100 us" in text
    unknown = _stored().model_copy(update={"limit": "a preset of another version"})
    assert chapter(unknown, None).verdict.limit is None


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


def test_what_a_file_says_does_not_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = _stored("b\x1b]0;owned\x07ull").model_copy(update={"interrupted": "\x1b[2Jcut"})
    mark = evil.fingerprint.model_copy(update={"kernel": "6\x9b31m"})
    save(tmp_path / "a.json", evil)
    save(tmp_path / "b.json", evil.model_copy(update={"fingerprint": mark}))
    command = ["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    assert main(command) == ExitCode.MEASUREMENT_FAILED
    assert main([*command, "--differ", "any"]) == ExitCode.OK
    assert main(["monitor", "--replay", str(tmp_path / "b.json")]) == ExitCode.OK
    told = capsys.readouterr()
    assert "6.1.0-rt" in told.out
    assert not set("\x1b\x9b\x07") & set(told.out + told.err)


def _judged(stored: StoredMeasurement) -> StoredMeasurement:
    """Of a real-time kernel beyond doubt, and long enough that no periods are missing."""
    realtime = {"/sys/kernel/realtime": "yes", "uname -v": "yes"}
    known = stored.fingerprint.model_copy(update={"realtime": realtime})
    return stored.model_copy(update={"fingerprint": known, "policy": "fifo 90"})


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
    assert "<script" not in page([told], ["<svg></svg>"])
