"""What a lying or broken cyclictest, sampler or result file can make us believe: nothing."""

import copy
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import MeasurementError
from kubert_tui.latency.cpu_lists import parse_cpu_list
from kubert_tui.latency.failures import explain, remarks
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.launch import parse_state
from kubert_tui.latency.measurement import Measured
from kubert_tui.latency.parse import SIZE_LIMIT, FinalOutput, parse_final
from kubert_tui.latency.statistics import (
    furthest,
    merge,
    missed_periods,
    percentile,
    remaining,
    summarise,
    summarise_thread,
)
from kubert_tui.latency.store import load, save, store
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.latency.stream import SampleStream, StreamError, at_or_below
from tests.support.fact_samples import HPE, facts_of
from tests.support.fuzzing import ESCAPES, LONG_CASES, cases, check_told, mutated, mutated_bytes
from tests.support.latency_host import sample
from tests.support.latency_played import FINAL, FIRST, ORDER, SECOND, THREADS

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cyclictest"
TEXTS = {path.stem: path.read_text() for path in sorted(FIXTURES.glob("*.txt"))}
WORDS = (
    *("# Max Latencies: 00002 00002\n", "# Total: 000001 000002\n", "# SMIs: 1 2\n", "\t", " "),
    *(
        "000007 000003\t000002\n",
        "-00001",
        "1e5",
        "# Thread 0: 1 2 # 3 others\n",
        "Usage:\n",
        "\n\n",
    ),
)
SHAPES = st.sampled_from([(1, 250), (2, 250), (2, 8), (2, 1), (40, 250), (1, 100_000)])


def test_the_fixtures_are_there() -> None:
    assert len(TEXTS) > 40


def judged(text: str, threads: int, histogram: int) -> FinalOutput | None:
    """Read `text`; whatever is believed must hold together, and nothing else may come out."""
    try:
        output = parse_final(text, cpus=range(threads), histogram=histogram)
    except MeasurementError as error:
        check_told(error, limit=1000)
        return None
    assert len(output.threads) == threads
    for thread in output.threads:
        assert len(thread.counts) == histogram
        assert min((*thread.counts, thread.overflows)) >= 0
        if thread.samples:
            assert thread.minimum <= thread.average <= thread.maximum
    assert all(line.isprintable() for line in output.warnings)
    summary = summarise(Snapshot(1, 1.0, output.threads))
    assert summary.samples == sum(thread.samples for thread in output.threads)
    return output


RUNS = {
    name: (text, (1 if "one-thread" in name else 2, 8 if "overflow" in name else 250))
    for name, text in TEXTS.items()
    if re.fullmatch(r"v[0-9.]+-(readme|overflow|one-thread|sigterm|sigint)", name)
}
"""Results that are believed: text, threads and buckets."""


@pytest.mark.parametrize("name", sorted(RUNS))
def test_the_fixtures_are_believed(name: str) -> None:
    text, shape = RUNS[name]
    assert judged(text, *shape)


@cases(200, LONG_CASES)
@given(
    st.sampled_from(sorted(RUNS.values())).flatmap(
        lambda run: st.tuples(mutated([run[0]], edits=2, words=WORDS), st.just(run[1]))
    )
)
def test_results_with_mistakes(output: tuple[str, tuple[int, int]]) -> None:
    judged(output[0], *output[1])


def test_a_minimum_above_all_overflows_is_refused() -> None:
    text, shape = RUNS["v2.10-overflow"]
    changed = re.sub(r"# Min Latencies: \d+", "# Min Latencies: 100000", text)
    assert judged(changed, *shape) is None


@cases(200, LONG_CASES)
@given(mutated(list(TEXTS.values()), words=WORDS), SHAPES)
def test_outputs_spliced_from_many(text: str, shape: tuple[int, int]) -> None:
    judged(text, *shape)


@dataclass(frozen=True)
class Truth:
    """What some threads measured, and cyclictest's words for it."""

    threads: tuple[ThreadHistogram, ...]
    text: str


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Histograms of any numbers, printed as cyclictest 1.0 or 2.10 would."""
    columns, rows = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    threads = []
    for cpu in range(columns):
        count = st.one_of(st.integers(0, 3), st.sampled_from([0, 0, 10**6, 2**40]))
        counts = tuple(draw(st.lists(count, min_size=rows, max_size=rows)))
        beyond = tuple(draw(st.lists(st.integers(rows, 10**6), max_size=3)))
        used = [us for us, number in enumerate(counts) if number] + sorted(beyond)
        total = sum(us * number for us, number in enumerate(counts)) + sum(beyond)
        samples = sum(counts) + len(beyond)
        low, high = (used[0], used[-1]) if used else (0, 0)
        average = total / samples if samples and not beyond else total // max(samples, 1)
        threads.append(ThreadHistogram(cpu, counts, len(beyond), low, average, high))
    return Truth(tuple(threads), printed(threads, with_totals=draw(st.booleans())))


def printed(threads: list[ThreadHistogram], *, with_totals: bool) -> str:
    """Return what cyclictest prints of these threads."""

    def line(label: str, numbers: Iterable[float]) -> str:
        return f"# {label}: " + " ".join(f"{int(number):05}" for number in numbers)

    lines = ["# /dev/cpu_dma_latency set to 0us", "# Histogram"]
    for row, values in enumerate(zip(*(thread.counts for thread in threads), strict=True)):
        if with_totals or any(values):
            lines.append(f"{row:06} " + "\t".join(f"{value:06}" for value in values))
    if with_totals:
        lines.append(line("Total", (sum(thread.counts) for thread in threads)))
    lines += [
        line("Min Latencies", (thread.minimum for thread in threads)),
        line("Avg Latencies", (thread.average for thread in threads)),
        line("Max Latencies", (thread.maximum for thread in threads)),
        line("Histogram Overflows", (thread.overflows for thread in threads)),
        "# Histogram Overflow at cycle number:",
    ]
    for index, thread in enumerate(threads):
        cycles = " ".join(f"{cycle:05}" for cycle in range(thread.overflows))
        lines.append(f"# Thread {index}: {cycles}")
    return "\n".join(lines) + "\n\n"


@cases(150, LONG_CASES)
@given(truths())
def test_what_was_measured_is_what_is_read(truth: Truth) -> None:
    output = judged(truth.text, len(truth.threads), len(truth.threads[0].counts))
    assert output is not None
    assert output.threads == truth.threads


@cases(150, LONG_CASES)
@given(truths(), st.data())
def test_one_number_changed_is_noticed_or_no_count(truth: Truth, data: st.DataObject) -> None:
    """Rows and totals, extremes and averages check each other; only what they allow gets by."""
    numbers = [m.span() for m in re.finditer(r"(?<=[ \t])\d{5,}", truth.text)]
    start, end = data.draw(st.sampled_from(numbers))
    number = st.one_of(st.integers(-1, 10**7), st.sampled_from([2**53, 2**64, 10**30]))
    text = f"{truth.text[:start]}{data.draw(number):05}{truth.text[end:]}"
    output = judged(text, len(truth.threads), len(truth.threads[0].counts))
    if output is not None and "# Total" in text:
        rows = [(thread.counts, thread.overflows) for thread in output.threads]
        assert rows == [(thread.counts, thread.overflows) for thread in truth.threads]


WHOLE = FINAL.decode()
LIES = {
    "a million columns": (WHOLE.replace("000003\t", "000003\t" * 1_000_000), "2 numbers"),
    "a column of a million digits": (WHOLE.replace("000003", "3" * 1_000_000), "impossibly large"),
    "more than can be counted": (WHOLE.replace("000003", str(2**53 + 1)), "impossibly large"),
    "a negative count": (WHOLE.replace("000003", "-00003"), "not a number"),
    "digits that are none": (WHOLE.replace("000003", "\u0663"), "not a number"),
    "the maxima twice": (
        WHOLE.replace("# Max Latencies: 00002 00002\n", "# Max Latencies: 00002 00002\n" * 2),
        "expected `# Histogram Overflows:`",
    ),
    "a bucket twice": (WHOLE.replace("000002 000001", "000001 000001"), "out of order"),
    "a bucket beyond": (WHOLE.replace("000002 000001", "000099 000001"), "beyond 10"),
    "an endless preamble": ("WARN: x\n" * 200 + WHOLE, "expected `# Histogram`"),
    "more than we read": ("#" * (SIZE_LIMIT + 1), "too large"),
    "a second result": (WHOLE + WHOLE, "nothing was expected"),
    "no maximum that fits": (
        WHOLE.replace("# Max Latencies: 00002 00002", "# Max Latencies: 00002 90071"),
        "does not belong",
    ),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", sorted(LIES))
def test_a_cyclictest_that_lies(name: str) -> None:
    text, told = LIES[name]
    assert judged(WHOLE, 2, 10), "the truth is believed"
    with pytest.raises(MeasurementError) as caught:
        parse_final(text, cpus=(0, 1), histogram=10)
    assert told in f"{caught.value.what} {caught.value.details}"
    assert len(str(caught.value)) + len(caught.value.details) < 2000


COUNTS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**53)), max_size=30).map(tuple)
THREADS_OF = st.builds(
    ThreadHistogram,
    cpu=st.integers(0, 5),
    counts=COUNTS,
    overflows=st.integers(0, 2**53),
    minimum=st.integers(0, 2**53),
    average=st.floats(0, 2**53),
    maximum=st.integers(0, 2**53),
)


@cases(150)
@given(st.lists(THREADS_OF, max_size=5).map(tuple), st.fractions(Fraction(1, 10**6), 1))
def test_figures_of_any_histogram(threads: tuple[ThreadHistogram, ...], q: Fraction) -> None:
    snapshot = Snapshot(1, 1.0, threads)
    merged = merge(threads)
    assert (
        merged.samples == sum(thread.samples for thread in threads) == summarise(snapshot).samples
    )
    for thread in (*threads, merged):
        found = percentile(thread.counts, thread.overflows, q, thread.maximum)
        assert (found is None) == (thread.samples == 0)
        if found is not None:
            below = sum(thread.counts[: found.value - 1])
            assert below < q * thread.samples
            assert str(found)
        summarise_thread(thread)
    assert remaining(10**11, 200, furthest(snapshot)) >= 0
    assert at_or_below(snapshot, snapshot)


SAMPLER = b"".join(
    json.dumps(line).encode() + b"\n"
    for line in (THREADS, FIRST, SECOND, {"type": "waiting"}, {"type": "end"})
)
LATER = json.dumps(sample(3, (4, 3, [2, 1]), (3, 2, [1, 1]))).encode() + b"\n"
BLIND = b'{"type": "blind", "reason": "\\u001b[2J[red]no"}\n'


def followed(data: bytes, size: int) -> None:
    """Feed `data` in pieces; only messages that hold together or a StreamError come out."""
    stream = SampleStream((0, 1), 10)
    previous: Snapshot | None = None
    try:
        for start in range(0, len(data), size):
            for message in stream.feed(data[start : start + size]):
                if not isinstance(message, Snapshot):
                    texts = (getattr(message, "reason", ""), *getattr(message, "cpus", ()))
                    assert all(text.isprintable() for text in texts)
                    continue
                assert all(len(thread.counts) == 10 for thread in message.threads)
                assert previous is None or message.sequence == previous.sequence + 1
                previous = message
                summarise(message)
    except StreamError as error:
        check_told(error)


@cases(200, LONG_CASES)
@given(mutated_bytes([SAMPLER, SAMPLER + LATER, BLIND, LATER]), st.integers(1, 400))
def test_a_sampler_that_says_anything(data: bytes, size: int) -> None:
    followed(data, size)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 12),
        st.integers(),
        st.floats(),
        st.sampled_from(["sample", "threads", "blind", "end", "", *ESCAPES]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=7), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@cases(80)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["sample", "threads", "blind", "end", "x"])},
            optional={
                "seq": st.one_of(st.integers(1, 3), JSON),
                "elapsed": JSON,
                "load": st.one_of(st.just([0.1, 0.2, 0.3]), JSON),
                "threads": st.one_of(st.lists(st.lists(JSON, max_size=6), max_size=3), JSON),
                "cpus": JSON,
                "reason": JSON,
            },
        ),
        max_size=4,
    )
)
def test_a_sampler_whose_lines_are_json(lines: list[dict[str, object]]) -> None:
    followed(b"".join(json.dumps(line).encode() + b"\n" for line in lines), 1 << 16)


STATE = (
    "launched\nboot 793f7a11-f478-4f9f-94eb-26bc5f34c43c\n"
    "process 4711 99 1000.5 793f7a11-f478-4f9f-94eb-26bc5f34c43c\nalive\n"
)
STATES = ("absent\n", "prepared\n", STATE, STATE.replace("alive", "exit 0 1795000000.5"))


@cases(150)
@given(mutated(STATES, words=("cancelled\n", "exit ", "alive ", "boot ")))
def test_the_state_of_a_run_on_a_host_that_lies(text: str) -> None:
    try:
        state = parse_state(text)
    except MeasurementError as error:
        check_told(error)
    else:
        assert state.exit_status is None or 0 <= state.exit_status <= 999


@cases(100)
@given(st.text(alphabet="0123456789-, \u0663\x1b", max_size=30))
def test_cpu_lists(text: str) -> None:
    try:
        assert list(parse_cpu_list(text)) == sorted(set(parse_cpu_list(text)))
    except MeasurementError as error:
        check_told(error)


@cases(100)
@given(
    mutated_bytes([TEXTS["v2.10-plain-user.stderr"].encode(), b"mlockall: x\n", b"WARN: \x1b[1m"]),
    st.one_of(st.none(), st.integers(0, 255)),
)
def test_what_a_failed_run_left_is_told_cleanly(errors: bytes, status: int | None) -> None:
    error = explain(
        MeasurementError("no result"),
        ORDER,
        host="bull1",
        stdout=errors,
        stderr=errors,
        exit_status=status,
    )
    check_told(error)
    final = Snapshot(1, 1.0, (ThreadHistogram(0, (1,), 0, 0, 0.0, 0),))
    assert all(note.isprintable() for note in remarks(ORDER, final, errors, dma_latency=False))


def stored_measurement() -> dict[str, Any]:
    output = parse_final(WHOLE, cpus=(0, 1), histogram=10)
    measured = Measured(
        order=ORDER,
        final=Snapshot(1, 1.0, output.threads, (0.1, 0.2, 0.3), final=True),
        output=WHOLE,
        exact=True,
        started=1.0,
        finished=2.0,
    )
    kept = store(measured, host="bull1", lab="twins", facts=facts_of(HPE))
    return kept.model_dump(mode="json")


STORED = stored_measurement()
PLACES = st.sampled_from(["threads", "summary", "cpus", "load", "fingerprint", "command", *STORED])


@cases(150)
@given(
    st.one_of(
        mutated([json.dumps(STORED), json.dumps(STORED, indent=1)]).map(str.encode),
        st.builds(
            lambda place, value: json.dumps({**copy.deepcopy(STORED), place: value}).encode(),
            PLACES,
            JSON,
        ),
        st.sampled_from([b"[" * 100_000, b"1" * 5000, b'{"a":' * 50_000, b"1e999", b"\xff\xfe"]),
    )
)
def test_results_that_somebody_changed(content: bytes) -> None:
    path = Path.home() / "result.json"
    path.write_bytes(content)
    try:
        kept = load(path)
    except MeasurementError as error:
        check_told(error)
        return
    summarise(kept.snapshot())
    kept.order()
    save(path, kept)
    assert load(path) == kept


def test_a_result_is_read_back_as_it_was() -> None:
    kept = StoredMeasurement.model_validate(STORED)
    path = Path.home() / "result.json"
    save(path, kept)
    assert load(path) == kept


@cases(100)
@given(st.floats(0, 10**6), st.integers(1, 10**6), st.integers(0, 2**53))
def test_missed_periods_are_never_negative(elapsed: float, interval: int, samples: int) -> None:
    assert missed_periods(elapsed, interval, samples) >= 0
