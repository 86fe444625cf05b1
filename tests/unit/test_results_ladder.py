"""The ladder: who stands below whom, what a difference is, and where it is shown."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode, KubertError
from kubert_tui.cli.ladder_command import show
from kubert_tui.cli.main import main
from kubert_tui.cli.text import TextReport, plain_console
from kubert_tui.engine.targets import with_guests
from kubert_tui.events.measuring import LatencyStarted
from kubert_tui.events.model import Note, RunStarted
from kubert_tui.lab.limits import limit_of
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.latency.command import order_for
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.store import save
from kubert_tui.latency.stored import StoredLoad, StoredMeasurement
from kubert_tui.results.ladder import FIGURES, is_ladder, ladder, rows
from kubert_tui.results.likeness import one_runs_the_other
from kubert_tui.screens.run_order import depth_of, in_order
from tests.support.latency_facts import facts_of
from tests.support.stored import stored_measurement

LAB = """\
name: twins
hosts: [{name: bull1, address: bull1.invalid}]
machines: [{name: master, vcpus: 4}, {name: single, vcpus: 1}]
"""


def measured(
    host: str, latencies: dict[int, int], parent: str = "", *, size: int = 100, **changes: object
) -> StoredMeasurement:
    """So many samples of these latencies; those beyond `size` are overflows."""
    counts = [0] * size
    for us, many in latencies.items():
        if us < size:
            counts[us] = many
    beyond = sum(many for us, many in latencies.items() if us >= size)
    thread = ThreadHistogram(
        0, tuple(counts), beyond, min(latencies), 3.0, max(latencies)
    )  # fmt: skip
    stored = stored_measurement(host, Snapshot(1, 60.0, (thread,), final=True))
    marks = stored.fingerprint.model_copy(update={"realtime": {"uname -v": "yes"}})
    about = {"parent": parent, "layer": "guest" if parent else "host", "fingerprint": marks}
    # So that no period lacks a sample.
    named = {"identity": f"r1-{host}-1", "interval": 600, "policy": "fifo 90"}
    return stored.model_copy(update={**about, **named, **changes})


HOST = {2: 99_000, 9: 990, 30: 10}
GUEST = {4: 99_000, 19: 990, 71: 10}


def guest_like(stored: StoredMeasurement) -> StoredMeasurement:
    """What cannot be as on its host."""
    marks = {"virtualization": "kvm", "microcode": "unknown: none", "bios": "SeaBIOS"}
    print_ = stored.fingerprint.model_copy(update={**marks, "command_line": "quiet"})
    load = (StoredLoad(preset="cpu", command=("x",), cpus="0", after=0, until=60),)
    return stored.model_copy(update={"fingerprint": print_, "loads": load})


def loaded(stored: StoredMeasurement) -> StoredMeasurement:
    load = (StoredLoad(preset="cpu", command=("x",), cpus="0-79", after=0, until=60),)
    return stored.model_copy(update={"loads": load})


def test_each_guest_stands_below_its_host_with_what_it_adds() -> None:
    given = [
        measured("worker", GUEST, "bull2"), measured("bull1", HOST),
        measured("master", GUEST, "bull1"), measured("bull2", HOST),
    ]  # fmt: skip
    found = ladder(given)
    assert [(rung.stored.host, rung.inside) for rung in found] == [
        ("bull1", False), ("master", True), ("bull2", False), ("worker", True),
    ]  # fmt: skip
    assert found[0].told() == ("< 3", "< 3", "< 10", "30")
    assert found[1].told() == ("< 5", "< 5", "< 20", "71")
    assert dict(zip(FIGURES, found[1].deltas, strict=True)) == {
        "p50": 2, "p99": 2, "p99.9": 10, "max": 41,
    }  # fmt: skip
    assert found[1].told_deltas() == ("+2", "+2", "+10", "+41")


def pod(host: str, latencies: dict[int, int], parent: str) -> StoredMeasurement:
    return measured(host, latencies, parent, layer="pod")


def test_a_pod_stands_on_its_machine_and_that_on_its_host() -> None:
    given = [
        pod("master-pod", {9: 100_000}, "master"), measured("bull1", HOST),
        pod("bull1-pod", {3: 100_000}, "bull1"), measured("master", GUEST, "bull1"),
    ]  # fmt: skip
    found = ladder(given)
    assert [(rung.stored.host, rung.depth) for rung in found] == [
        ("bull1", 0), ("bull1-pod", 1), ("master", 1), ("master-pod", 2),
    ]  # fmt: skip
    assert [rung.deltas[0] for rung in found if rung.inside] == [1, 2, 5]
    assert [row[0] for row in rows(found)] == [
        "bull1", "└ bull1-pod", "└ master", "  └ master-pod",
    ]  # fmt: skip


def test_a_host_is_beneath_the_pod_of_its_machine() -> None:
    host, machine = measured("bull1", HOST), measured("master", GUEST, "bull1")
    inside = pod("master-pod", GUEST, "master")
    assert one_runs_the_other(inside, machine)
    assert one_runs_the_other(host, inside, (machine, inside))
    assert not one_runs_the_other(host, inside), "nobody says what is between them"
    assert not one_runs_the_other(measured("bull2", HOST), inside, (machine, host))
    assert not one_runs_the_other(host.model_copy(update={"lab": "x"}), inside, (machine,))


def test_what_says_that_it_stands_on_itself_is_shown_once() -> None:
    strange = [pod("one", HOST, "two"), pod("two", HOST, "one"), measured("a", HOST, "a")]
    assert [(rung.stored.host, rung.depth) for rung in ladder(strange)] == [
        ("one", 0), ("two", 0), ("a", 0),
    ]  # fmt: skip


def test_what_is_not_known_has_no_difference() -> None:
    off = measured("master", {4: 50_000, 500: 50_000}, "bull1")
    _, rung = ladder([measured("bull1", HOST), off])
    assert rung.deltas == (2, None, None, 470)
    assert rung.told()[1] == ">= 100"
    assert rung.told_deltas()[1] == "?"
    few = measured("master", {4: 5}, "bull1")
    assert ladder([measured("bull1", HOST), few])[1].deltas == (None, None, None, -26)


def test_a_guest_is_compared_with_its_own_host_of_the_same_run_only() -> None:
    guest = measured("master", GUEST, "bull1")
    assert not is_ladder(ladder([guest, measured("bull2", HOST)]))
    assert not is_ladder(ladder([guest, measured("bull1", HOST, run="another")]))
    assert not is_ladder(ladder([measured("bull1", HOST), measured("bull2", HOST)]))
    # Measured twice: against the newest.
    again = measured("bull1", {3: 100_000}, started=1_800_000_000.0)
    assert ladder([measured("bull1", HOST), again, guest])[2].deltas[0] == 1


def test_beside_each_figure_stands_what_it_was_made_under() -> None:
    (row, inside) = rows(
        ladder(
            [loaded(measured("bull1", HOST)), measured("master", GUEST, "bull1")], limit_of("50")
        )
    )
    assert row[0] == "bull1"
    assert inside[:4] == ("└ master", "guest", "< 5 (+2)", "< 5 (+2)")
    assert row[6:] == (
        "50 us: met", "60 s, every 600 us", "cpu on CPUs 0-79", "6.1.0-rt (PREEMPT_RT)", row[10],
    )  # fmt: skip
    assert "isolated" in row[10]
    assert inside[6] == "50 us: NOT met"


def test_the_table_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = measured("master", GUEST, "bull1", interrupted="\x1b[31mkilled")
    show(plain_console(stderr=False), ladder([measured("bull1", HOST), evil]))
    told = capsys.readouterr().out
    assert "  └ master" in told
    lines = told.splitlines()
    (difference,) = [line for line in lines if "difference" in line]
    assert difference.split() == ["difference", "+2", "+2", "+10", "+41"]
    assert "kernel: 6.1.0-rt (PREEMPT_RT)" in told
    assert "load: none" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("form", ["--md", "--html"])
def test_a_report_of_a_ladder_has_it_as_a_table(tmp_path: Path, form: str) -> None:
    files = [tmp_path / "host.json", tmp_path / "guest.json", tmp_path / "other.json"]
    save(files[0], measured("bull1", HOST))
    save(files[1], measured("master", GUEST, "bull1"))
    save(files[2], measured("bull2", HOST))
    out = tmp_path / "report"
    for other, expected in ((files[1], True), (files[2], False)):
        assert main(["report", str(files[0]), str(other), form, "-o", str(out)]) == ExitCode.OK
        assert ("Ladder" in out.read_text()) is expected
        assert ("(+41)" in out.read_text().replace("\\", "")) is expected


def compare(tmp_path: Path, guest: StoredMeasurement, *arguments: str) -> int:
    one, two = tmp_path / "host.json", tmp_path / "guest.json"
    save(one, loaded(measured("bull1", HOST)))
    save(two, guest)
    return main(["compare", str(one), str(two), "--json", *arguments])


def test_a_guest_is_compared_with_its_host_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = guest_like(measured("master", GUEST, "bull1"))
    assert compare(tmp_path, guest) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    # It is told all the same.
    assert {"layer", "virtualization"} <= {one["key"] for one in told["differences"]}


def test_another_kernel_inside_is_no_matter_of_the_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = guest_like(measured("master", GUEST, "bull1"))
    marks = guest.fingerprint.model_copy(update={"kernel": "5.4"})
    guest = guest.model_copy(update={"fingerprint": marks})
    assert compare(tmp_path, guest) == ExitCode.MEASUREMENT_FAILED
    told = capsys.readouterr().err
    assert "kernel: 6.1.0-rt and 5.4" in told
    assert "bios" not in told
    assert compare(tmp_path, guest, "--differ", "kernel") == ExitCode.OK


def test_a_guest_of_another_host_needs_the_word_layer(tmp_path: Path) -> None:
    guest = guest_like(measured("master", GUEST, "bull2"))
    assert compare(tmp_path, guest) == ExitCode.MEASUREMENT_FAILED
    assert compare(tmp_path, guest, "--differ", "layer") == ExitCode.OK


def lab(**cyclictest: str) -> Lab:
    data = parse_lab(LAB, "lab.yaml")
    settings = data.cyclictest.model_copy(update=cyclictest)
    return with_guests(data.model_copy(update={"cyclictest": settings}))


@pytest.mark.parametrize(
    ("host", "chosen", "cpus"),
    [
        ("master", "", (0, 1, 2, 3)),
        ("master", "isolated", (1, 2, 3)),
        # Numbers are those of the hosts' CPUs.
        ("master", "20-39", (1, 2, 3)),
        ("single", "isolated", (0,)),
    ],
)
def test_which_cpus_of_a_guest_are_measured(host: str, chosen: str, cpus: tuple[int, ...]) -> None:
    online = (0, 1, 2, 3) if host == "master" else (0,)
    facts = facts_of(online=online)
    order = order_for(lab(cpus=chosen), replace(facts, host=host), "id")
    assert order.cpus == cpus
    assert order.housekeeping == ((0,) if len(online) > 1 else ())


def test_numbers_of_cpus_hold_for_the_hosts() -> None:
    with pytest.raises(KubertError, match="not online"):
        order_for(lab(cpus="20-39"), replace(facts_of(online=(0, 1)), host="bull1"), "id")


def test_a_ladder_needs_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("hosts: [{name: bull1, address: bull1.invalid}]\n")
    assert main(["ladder", "--lab", str(path)]) == ExitCode.USAGE
    assert "machines: {preset: upstream}" in capsys.readouterr().err
    assert main(["monitor", "--lab", str(path), "master", "--json"]) == ExitCode.USAGE


def test_what_is_measured_is_shown_in_the_labs_order_guests_below_their_hosts() -> None:
    def started(host: str, parent: str = "") -> LatencyStarted:
        return LatencyStarted(
            host=host, command=("c",), version="", interval=200, loops=1, cpus=(0,), started=0,
            parent=parent,
        )  # fmt: skip

    begun = {"worker": "bull2", "master": "bull1", "bull2": "", "bull1": "", "stray": "bull9"}
    known = {host: started(host, parent) for host, parent in begun.items()}
    assert list(in_order(known, ("bull1", "master", "bull2", "worker"))) == [
        "bull1", "master", "bull2", "worker", "stray",
    ]  # fmt: skip
    on = {**known, "master-pod": replace(known["master"], host="master-pod", parent="master")}
    assert list(in_order(on, ("bull1", "bull2", "master-pod", "master")))[:3] == [
        "bull1", "master", "master-pod",
    ]  # fmt: skip
    assert [depth_of(one, on) for one in ("bull1", "master", "master-pod")] == [0, 1, 2]
    circle = {one: replace(known["master"], host=one, parent=other) for one, other in ("ab", "ba")}
    assert list(in_order(circle, ())) == ["a", "b"]
    assert depth_of("a", circle) == 2
    # A replay knows no lab.
    assert list(in_order(known, ())) == ["bull2", "worker", "bull1", "master", "stray"]


def test_guests_are_indented_in_the_plain_face(capsys: pytest.CaptureFixture[str]) -> None:
    report = TextReport()
    report.show(
        RunStarted(
            run="r", lab="twins", hosts=("bull1",), stages=(), version="1",
            guests={"master": "bull1"},
        )
    )  # fmt: skip
    report.show(Note(host="master", text="hello"))
    report.show(Note(host="bull1", text="hello"))
    told = capsys.readouterr().err
    assert "  └ master: hello" in told
    assert "\n  bull1: hello" in told
