"""Which stream is chosen, from facts alone; and what a lossy one is worth."""

from dataclasses import replace

import pytest

from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts, MemoryAccess
from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab
from kubert_tui.latency.command import order_for, stream_for
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import INCONSISTENT, Measured
from kubert_tui.latency.streaming import account, choose
from kubert_tui.stages.measure_change import MeasureChange
from tests.support.latency_facts import NOT, facts_of

FACTS = facts_of(online=(0, 1))
ROOT, PLAIN = Known(True), Known(False)


def tracing(scope: Known[int] | Unknown, capable: Known[bool] | Unknown) -> Facts:
    return replace(FACTS, memory_access=MemoryAccess(scope, capable))


@pytest.mark.parametrize(
    ("facts", "version", "stream"),
    [
        (FACTS, "1.0", "memory"),
        (FACTS, "2.10", "memory"),
        (FACTS, "2.11", "verbose"),
        (FACTS, "3.0", "verbose"),
        (FACTS, "0.97", "verbose"),
        (FACTS, "", "memory"),
        (tracing(Known(0), ROOT), "2.4", "memory"),
        (tracing(Known(1), ROOT), "2.4", "memory"),
        (tracing(Known(2), ROOT), "2.4", "memory"),
        (tracing(Known(3), ROOT), "2.4", "verbose"),
        (tracing(Known(0), PLAIN), "2.4", "memory"),
        (tracing(Known(1), PLAIN), "2.4", "verbose"),
        (tracing(Known(2), PLAIN), "2.4", "verbose"),
        (tracing(NOT, PLAIN), "2.4", "memory"),
        (tracing(Known(1), NOT), "2.4", "memory"),
        (replace(FACTS, kernel=replace(FACTS.kernel, machine=Known("armv7l"))), "2.4", "verbose"),
        (replace(FACTS, kernel=replace(FACTS.kernel, machine=Known("aarch64"))), "2.4", "memory"),
    ],
)
def test_the_fallback_is_for_where_memory_is_known_not_to_do(
    facts: Facts, version: str, stream: str
) -> None:
    choice = choose("auto", facts, version)
    assert choice.stream == stream
    assert choice.why


def test_without_python_nothing_needs_to_be_told() -> None:
    facts = tracing(Known(3), ROOT)
    facts = replace(facts, tools=replace(facts.tools, python=Known("")))
    assert choose("auto", facts, "2.4").stream == "memory"


@pytest.mark.parametrize("wanted", ["memory", "verbose"])
def test_the_lab_file_has_the_last_word(wanted: str) -> None:
    spec = CyclictestSpec.model_validate({"stream": wanted})
    lab = Lab(name="lab", hosts=(HostSpec(name="one"),), cyclictest=spec)
    for facts in (FACTS, tracing(Known(3), ROOT)):
        order = order_for(lab, facts, "x")
        assert order.stream == wanted
        assert ("--verbose" in order.command) is (wanted == "verbose")
        assert "lab file" in str(stream_for(lab, facts))


def test_the_plan_says_which_and_why() -> None:
    lab = Lab(name="lab", hosts=(HostSpec(name="one"),))
    for facts, words in (
        (FACTS, "out of its memory, read from outside"),
        (tracing(Known(3), ROOT), "out of its --verbose (kernel.yama.ptrace_scope is 3"),
    ):
        measuring, streaming = MeasureChange().plan(lab, facts)
        assert ("--verbose" in measuring.command) is ("--verbose" in words)
        assert words in streaming.title


def seen(*counts: int) -> Snapshot:
    threads = (ThreadHistogram(0, counts, 0, 0, 0.0, 2), ThreadHistogram(1, counts, 1, 0, 0.0, 9))
    return Snapshot(1, 1.0, threads, final=True)


def measured(exact: bool = True) -> Measured:
    lab = Lab(name="lab", hosts=(HostSpec(name="one"),))
    order = order_for(lab, FACTS, "x")
    return Measured(order, seen(1, 2, 3), "", exact, 0.0, 1.0, ("a note",))


def test_what_was_not_streamed_is_counted() -> None:
    result = account(measured(), seen(1, 1, 1))
    assert (result.unseen, result.exact) == (6, True)
    assert result.notes == ("a note", "lossy: 6 samples were not seen live (stream: --verbose)")


def test_all_streamed_needs_no_note() -> None:
    assert account(measured(), seen(1, 2, 3)) == measured()


def test_nothing_streamed_is_all_unseen() -> None:
    result = account(measured(), None)
    assert (result.unseen, result.exact) == (13, True)


def test_samples_that_were_never_measured_are_told() -> None:
    result = account(measured(), seen(1, 4, 1))
    assert (result.unseen, result.exact) == (0, False)
    assert result.notes == ("a note", INCONSISTENT)
    assert account(measured(exact=False), seen(1, 4, 1)).notes == ("a note",)
