"""The sampler's lines: added up exactly, or refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.stream import (
    LINE_LIMIT,
    Blind,
    Counted,
    Ended,
    SampleStream,
    StreamError,
    ThreadsFound,
    at_or_below,
)
from tests.support.latency_host import sample


def lines(*told: dict[str, object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in told)


def snapshots(stream: SampleStream, data: bytes) -> list[Snapshot]:
    return [message for message in stream.feed(data) if isinstance(message, Snapshot)]


def test_samples_add_up() -> None:
    stream = SampleStream((3,), 10, sequence=7)
    first, second = snapshots(
        stream, lines(sample(1, (4, 6, [2, 3, 3, 1])), sample(2, (6, 6, [0, 2])))
    )
    assert first.threads[0].counts == (0, 0, 3, 0, 0, 0, 1, 0, 0, 0)
    assert second.threads[0].counts == (2, 0, 3, 0, 0, 0, 1, 0, 0, 0)
    assert (first.sequence, second.sequence) == (8, 9)
    assert second.threads[0].cpu == 3
    assert second.load == (0.5, 0.25, 0.125)
    assert second.elapsed == 0.5


def test_it_does_not_matter_how_the_bytes_come() -> None:
    data = lines({"type": "threads", "cpus": ["0"]}, sample(1, (1, 1, [1, 1])), {"type": "end"})
    stream = SampleStream((0,), 10)
    messages = [m for byte in data for m in stream.feed(bytes([byte]))]
    assert [type(message) for message in messages] == [ThreadsFound, Snapshot, Ended]


def test_overflows_and_the_average() -> None:
    line = sample(1, (4, 90, [2, 3]), overflows=1)
    line["threads"] = [[4, 2, 90, 96, 1, [2, 3]]]
    (snapshot,) = snapshots(SampleStream((0,), 10), lines(line))
    thread = snapshot.threads[0]
    assert (thread.overflows, thread.samples, thread.average) == (1, 4, 24.0)
    assert (thread.minimum, thread.maximum) == (2, 90)


def test_text_from_the_host_is_cleaned() -> None:
    (blind,) = SampleStream((0,), 10).feed(lines({"type": "blind", "reason": "\x1b[2Jno\nway"}))
    assert blind == Blind("no way")


def test_what_the_hardware_counts_is_handed_on() -> None:
    told: dict[str, object] = {"type": "counters", "text": "smi 0 7\nthrottle 0 1"}
    assert list(SampleStream((0,), 10).feed(lines(told))) == [Counted("smi 0 7\nthrottle 0 1")]


@pytest.mark.parametrize(
    "line",
    [
        sample(2, (1, 1, [1, 1])),
        sample(1, (2, 1, [1, 1])),
        sample(1, (1, 1, [10, 1])),
        sample(1, (1, 1, [1])),
        sample(1, (-1, 1, [1, -1])),
        sample(1, (1, 1, [-2, 1])),
        sample(1, (2**60, 1, [1, 2**60])),
        sample(1, (1, 1, [1, 1]), (1, 1, [1, 1])),
        {**sample(1, (1, 1, [1, 1])), "elapsed": float("nan")},
        {**sample(1, (1, 1, [1, 1])), "elapsed": "soon"},
        {**sample(1, (1, 1, [1, 1])), "load": [1, 2]},
        {**sample(1, (1, 1, [1, 1])), "load": [1, 2, float("inf")]},
        {**sample(1, (1, 1, [1, 1])), "threads": {"0": 1}},
        {**sample(1, (1, 1, [1, 1])), "threads": [[True, 1, 1, 1, 0, [1, 1]]]},
        {**sample(1, (1, 1, [1, 1])), "threads": [[1.0, 1, 1, 1, 0, [1, 1]]]},
        {"type": "threads"},
        {"type": "blind"},
        {},
    ],
)
def test_what_does_not_add_up_is_refused(line: dict[str, object]) -> None:
    with pytest.raises(StreamError):
        list(SampleStream((0,), 10).feed(lines(line)))


@pytest.mark.parametrize(
    "data", [b"\n", b"{\n", b"[]\n", b"1\n", b"\xff\n", b"[" * 100_000 + b"\n"]
)
def test_what_is_no_line_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(StreamError):
        list(SampleStream((0,), 10).feed(data))


def test_a_line_without_an_end_is_refused() -> None:
    stream = SampleStream((0,), 10)
    assert list(stream.feed(b" " * LINE_LIMIT)) == []
    with pytest.raises(StreamError):
        list(stream.feed(b" "))


@given(st.binary())
def test_any_bytes_are_a_stream_error_or_nothing(data: bytes) -> None:
    with contextlib.suppress(StreamError):
        list(SampleStream((0,), 10).feed(data))


def state(counts: tuple[int, ...], overflows: int = 0, maximum: int = 1) -> Snapshot:
    return Snapshot(1, 1.0, (ThreadHistogram(0, counts, overflows, 0, 0.0, maximum),))


@pytest.mark.parametrize(
    ("later", "holds"),
    [
        (state((1, 2)), True),
        (state((2, 2), 5, 9), True),
        (state((1, 1), 9), False),
        (state((0, 9)), False),
        (state((1, 2), maximum=0), False),
        (state((1, 2, 0)), False),
        (Snapshot(1, 1.0, ()), False),
    ],
)
def test_growing_in_every_bucket(later: Snapshot, holds: bool) -> None:
    assert at_or_below(state((1, 2)), later) is holds


def test_fewer_overflows_are_not_above() -> None:
    assert not at_or_below(state((1,), 2), state((1,), 1))
