"""What loaded a host: from the presets to the record, the evidence and the comparison."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import MeasurementError
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.load_presets import LOAD_PRESETS
from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab
from kubert_tui.latency.command import order_for
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.load_order import load_for
from kubert_tui.latency.loads import Load, covered, parse_loads, settled
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import store
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import evidence_of, share_loaded
from kubert_tui.results.likeness import marks
from kubert_tui.results.report.content import chapter
from tests.support.fuzzing import cases, harmless
from tests.support.latency_facts import facts_of

TICKS = 10_000
"""cyclictest began 100 s after boot."""


def record(*lines: str) -> tuple[Load, ...]:
    return parse_loads("".join(f"{line}\n" for line in lines).encode(), TICKS)


def lab(load: str = "none", load_cpus: str = "") -> Lab:
    spec = CyclictestSpec.model_validate({"load": load, "load_cpus": load_cpus})
    return Lab(hosts=(HostSpec(name="one"),), cyclictest=spec)


def facts(
    stress_ng: str = "/usr/bin/stress-ng",
    hackbench: str = "/opt/hackbench",
    isolated: tuple[int, ...] = (),
) -> Facts:
    there = facts_of(online=(0, 1, 2, 3))
    there = replace(there, processors=replace(there.processors, isolated=Known(isolated)))
    tools = replace(there.tools, stress_ng=Known(stress_ng), hackbench=Known(hackbench))
    return replace(there, tools=tools)


def test_the_lab_knows_all_presets_and_no_others() -> None:
    for name in LOAD_PRESETS:
        assert lab(name).cyclictest.load == name
    with pytest.raises(ValueError, match="load"):
        lab("fire")
    with pytest.raises(ValueError, match="backwards"):
        lab("cpu", "3-1")


@pytest.mark.parametrize("preset", LOAD_PRESETS.values(), ids=LOAD_PRESETS)
def test_a_preset_is_a_command_or_nothing(preset: object) -> None:
    name = getattr(preset, "name", "")
    one = LOAD_PRESETS[name]
    assert one.what
    if not one.tool:
        assert name in ("none", "coffee")
        with pytest.raises(ValueError, match="starts nothing"):
            one.command("x", "0", 1)
        return
    assert one.source
    argv = one.command("/path/to/it", "2-3,8", 3)
    assert argv[:4] == ("taskset", "-c", "2-3,8", "/path/to/it")
    assert not [word for word in argv if "{" in word]
    assert not [word for word in argv if word.startswith(("--sched", "--nice", "-F"))]
    if one.tool == "stress-ng":
        assert argv[argv.index("--temp-path") + 1] == "load.tmp", "its files are the run's own"


def test_many_cpus_do_not_mean_many_files_or_groups() -> None:
    disk = LOAD_PRESETS["disk"].command("stress-ng", "0-79", 80)
    assert disk[disk.index("--hdd") + 1] == "4"
    groups = LOAD_PRESETS["hackbench"].command("hackbench", "0-79", 80)
    assert groups[groups.index("-g") + 1] == "20"


def test_the_order_says_what_where_and_how() -> None:
    assert load_for(lab(), facts(), "coffee") is None
    assert order_for(lab(), facts(), "x").load is None
    everywhere = order_for(lab("hackbench"), facts(), "x").load
    assert everywhere is not None
    assert (everywhere.preset, everywhere.cpus) == ("hackbench", "0-3")
    assert everywhere.command[:4] == ("taskset", "-c", "0-3", "/opt/hackbench")
    some = order_for(lab("cpu", "0,2"), facts(), "x").load
    assert some is not None
    assert some.command[:4] == ("taskset", "-c", "0,2", "/usr/bin/stress-ng")
    assert some.command[-2:] == ("--cpu", "2")


def test_isolated_cpus_are_loaded_only_if_they_are_named_and_then_one_by_one() -> None:
    apart = facts(isolated=(2, 3))
    usual = load_for(lab(), apart, "cpu")
    assert usual is not None
    assert (usual.cpus, usual.spread) == ("0-1", ())
    named = load_for(lab("none", "1-3"), apart, "cpu")
    assert named is not None
    assert (named.cpus, named.spread) == ("1-3", (1, 2, 3))
    nothing_else = load_for(lab(), facts(isolated=(0, 1, 2, 3)), "cpu")
    assert nothing_else is not None
    assert nothing_else.spread == (0, 1, 2, 3)


def test_what_is_missing_is_named_before_anything_starts() -> None:
    with pytest.raises(MeasurementError, match="needs stress-ng") as caught:
        order_for(lab("memory"), facts(stress_ng=""), "x")
    assert "rt-tests stage" in caught.value.fix
    with pytest.raises(MeasurementError, match="needs hackbench"):
        order_for(lab("hackbench"), facts(hackbench=""), "x")
    with pytest.raises(MeasurementError, match="CPUs 7 are to be loaded"):
        order_for(lab("cpu", "7"), facts(), "x")
    with pytest.raises(MeasurementError, match="no load 'fire'"):
        load_for(lab(), facts(), "fire")


def test_where_nobody_could_look_the_program_is_tried() -> None:
    there = facts()
    blind = replace(there, tools=replace(there.tools, stress_ng=Unknown("denied")))
    order = load_for(lab("cpu"), blind, "cpu")
    assert order is not None
    assert order.command[3] == "stress-ng"


def test_a_record_is_read_in_seconds_since_the_start() -> None:
    first, second = record(
        "on 100.30 cpu 0-1 taskset -c 0-1 stress-ng --cpu 2",
        "off 110.00 asked for",
        "off 110.50 the measurement is over",
        "on 120.00 hackbench 3 taskset -c 3 '/opt/my hackbench'",
    )
    command = ("taskset", "-c", "0-1", "stress-ng", "--cpu", "2")
    assert first == Load("cpu", command, "0-1", 0.3, 10.0, "asked for")
    assert second == Load("hackbench", ("taskset", "-c", "3", "/opt/my hackbench"), "3", 20.0)


def test_what_makes_no_sense_is_left_out() -> None:
    assert record("off 110.00 asked for", "nonsense", "on x cpu 0 a", "on 1.0 CPU! 0 a") == ()
    (torn,) = parse_loads(b"on 101.00 cpu 0 a\noff 10", TICKS)
    assert torn.until is None
    (hostile,) = record("on 101.00 cpu 0 \x1b[31mred 'unclosed", "off 99.00 \x1b]0;title\x07x")
    assert hostile.command == ("red 'unclosed",)
    assert hostile.until == hostile.after, "no load ends before it begins"
    assert "\x1b" not in hostile.ended


def test_a_load_without_an_end_ran_until_it_was_last_seen() -> None:
    (load,) = record("on 101.00 cpu 0 a")
    assert settled((load,), 60.0, b"155.00\n", TICKS)[0].until == 60.0
    assert settled((load,), 60.0, b"120.00\n", TICKS)[0].until == 20.0
    assert settled((load,), 60.0, b"", TICKS) == ()
    assert settled((replace(load, until=90.0),), 60.0, b"", TICKS)[0].until == 60.0
    assert settled((replace(load, after=61.0, until=62.0),), 60.0, b"", TICKS) == ()


def test_a_load_that_failed_at_once_is_kept_with_its_reason() -> None:
    loads = record("on 101.00 cpu 0 a", "off 101.00 it ended with status 3: no such thing")
    (load,) = settled(loads, 60.0, b"", TICKS)
    assert (load.after, load.until) == (1.0, 1.0)
    assert load.ended == "it ended with status 3: no such thing"
    assert settled(loads, 1.0, b"", TICKS) == (), "it began when cyclictest had ended"


def test_time_that_is_covered_twice_counts_once() -> None:
    assert covered([]) == 0
    assert covered([(5.0, 10.0), (0.0, 2.0)]) == 7.0
    assert covered([(0.0, 10.0), (5.0, 6.0), (9.0, 12.0)]) == 12.0


def measured(*loads: Load) -> StoredMeasurement:
    order = MeasurementOrder("id", ("cyclictest",), "2.4", 200, 5, 3, (0,))
    final = Snapshot(1, 100.0, (ThreadHistogram(0, (0, 5, 0), 0, 1, 1.0, 1),), final=True)
    whole = Measured(order, final, "", True, 1000.0, 1100.0, loads=loads)
    return store(whole, host="one", lab="mine", facts=facts())


CPU = Load("cpu", ("stress-ng", "--cpu", "2"), "0-1", 0.3, 100.0, "the measurement is over")
HALF = replace(CPU, until=50.3, ended="asked for")
BOTH = "cpu on CPUs 0-1, hackbench on CPUs 2"
REST = Load("hackbench", ("hackbench",), "2", 52.0, 100.0)


@pytest.mark.parametrize(
    ("loads", "load", "share", "mark"),
    [
        ((), "", 0.0, "none"),
        ((CPU,), "cpu on CPUs 0-1", 1.0, "cpu on CPUs 0-1"),
        ((HALF,), "", 0.5, "cpu for 50 % of the time"),
        ((HALF, REST), BOTH, 0.98, BOTH),
    ],
)  # fmt: skip
def test_what_a_verdict_and_a_comparison_make_of_it(
    loads: tuple[Load, ...], load: str, share: float, mark: str
) -> None:
    stored = measured(*loads)
    assert evidence_of(stored).load == load
    assert share_loaded(stored) == pytest.approx(share, abs=0.005)
    assert evidence_of(stored).loaded == share_loaded(stored)
    assert marks(stored)["load"] == mark


def test_the_report_tells_what_ran_and_when() -> None:
    facts_told = [value for key, value in chapter(measured(HALF), None).facts if "load" in key]
    assert "cpu on CPUs 0-1, 0.3 s to 50.3 s (asked for): stress-ng --cpu 2" in facts_told
    nothing = [value for key, value in chapter(measured(), None).facts if "load beside" in key]
    assert nothing == ["none was started"]


def test_a_file_without_loads_is_read_and_one_with_them_comes_back() -> None:
    stored = measured(CPU, REST)
    again = StoredMeasurement.model_validate_json(stored.model_dump_json())
    assert again == stored
    assert [one.preset for one in again.loads] == ["cpu", "hackbench"]
    old = stored.model_dump()
    del old["loads"]
    assert StoredMeasurement.model_validate(old).loads == ()


LOAD_LINES = st.sampled_from((
    "on 101.50 cpu 0-1 stress-ng --cpu 2", "off 105.25 asked for", "off 90.00 x", "on 1e9 cpu 0 a",
    "on 99999999999.99 all 0 '", "off 102.00", "on 103.00 hackbench 3 \x1b]0;t\x07", "", "\0",
))  # fmt: skip


@cases(100)
@given(st.lists(LOAD_LINES, max_size=12), st.binary(max_size=20), st.floats(0, 1e9))
def test_a_record_of_loads_is_in_order_and_within_the_run(
    lines: list[str], torn: bytes, elapsed: float
) -> None:
    loads = parse_loads("\n".join(lines).encode() + b"\n" + torn, TICKS)
    kept = settled(loads, elapsed, torn, TICKS)
    for one in kept:
        assert one.until is not None
        assert 0 <= one.after <= one.until <= elapsed
        assert one.after < elapsed
        assert all(map(harmless, (*one.command, one.ended, one.preset, one.cpus)))
    assert covered((one.after, one.until or 0.0) for one in kept) <= elapsed + 1e-6
