"""From the engine's thread to the screens: batches, one slot per host, and a last word."""

from collections.abc import Iterator
from threading import Event as Flag
from typing import Any

from kubert_tui.events.model import Event, Finished, Note, Output
from kubert_tui.screens.bridge import TAKE_LIMIT, Bridge
from tests.screens import sample_history, sample_latency


class _Engine:
    """Only events."""

    def __init__(self, *events: Event, error: Exception | None = None) -> None:
        self._events = events
        self._error = error

    def events(self) -> Iterator[Event]:
        yield from self._events
        if self._error is not None:
            raise self._error


def _read(*events: Event, error: Exception | None = None) -> tuple[Bridge, list[str], list[str]]:
    wakes: list[str] = []
    problems: list[str] = []
    done = Flag()

    def ended(problem: str) -> None:
        problems.append(problem)
        done.set()

    engine: Any = _Engine(*events, error=error)
    bridge = Bridge(engine, wake=lambda: wakes.append("wake"), ended=ended)
    bridge.start()
    assert done.wait(10)
    return bridge, wakes, problems


def test_many_events_make_one_wake_up() -> None:
    bridge, wakes, problems = _read(*(Note(text=str(number)) for number in range(100)))
    assert len(wakes) == 1
    assert [event.text for event in bridge.take() if isinstance(event, Note)] == [
        str(number) for number in range(100)
    ]
    assert bridge.take() == ()
    assert problems == [""]


def test_a_batch_is_bounded_and_the_rest_wakes_again() -> None:
    bridge, wakes, _ = _read(*(Note(text="x") for _ in range(TAKE_LIMIT + 1)))
    assert len(bridge.take()) == TAKE_LIMIT
    assert len(wakes) == 2
    assert len(bridge.take()) == 1


def test_output_of_one_host_is_joined_in_order() -> None:
    bridge, _, _ = _read(
        Output(host="a", lines=("1",)),
        Output(host="a", lines=("2", "3")),
        Output(host="b", lines=("4",)),
        Note(text="between"),
        Output(host="b", lines=("5",)),
    )
    events = bridge.take()
    assert [event.lines for event in events if isinstance(event, Output)] == [
        ("1", "2", "3"),
        ("4",),
        ("5",),
    ]
    assert isinstance(events[2], Note)


def test_snapshots_are_no_messages_and_only_the_newest_counts() -> None:
    bridge, wakes, _ = _read(*(sample_latency.live("bull1", number) for number in range(1, 50)))
    assert not wakes
    assert bridge.latest["bull1"].snapshot.sequence == 49


def test_a_new_measurement_forgets_the_old_figures() -> None:
    bridge, _, _ = _read(sample_latency.live("bull1", 9), sample_latency.measuring("bull1"))
    assert "bull1" not in bridge.latest


def test_an_error_of_the_stream_is_told() -> None:
    finished = Finished(states={}, results=(), journal="", exit_code=0)
    _, _, problems = _read(finished, error=RuntimeError("the stream broke"))
    assert problems == ["RuntimeError: the stream broke"]


def test_the_hosts_records_fill_a_gap() -> None:
    live = sample_history.events("bull1")
    gap = (sample_latency.measuring("bull1"), *live[:40], live[-1], sample_history.past("bull1"))
    bridge, _, _ = _read(*gap)
    assert bridge.of_history("bull1", lambda history: history.step) == 16.0
    worst = bridge.of_history("bull1", lambda history: history.worst)
    assert worst
    assert [(one.latency, one.after, one.before) for one in worst[:2]] == [
        (333, 20.0, 30.0), (87, 10.0, 20.0),
    ]  # fmt: skip


def test_what_was_seen_all_the_time_is_finer_than_records() -> None:
    live = sample_history.events("bull1")
    bridge, _, _ = _read(sample_latency.measuring("bull1"), *live, sample_history.past("bull1"))
    assert bridge.of_history("bull1", lambda history: history.step) == 0.5
    assert bridge.of_history("nobody", lambda history: history.step) is None


def test_a_fresh_measurement_begins_a_history_of_its_own() -> None:
    first = (sample_latency.measuring("bull1"), *sample_history.events("bull1"))
    bridge, _, _ = _read(*first, sample_latency.measuring("bull1"))
    assert bridge.of_history("bull1", lambda history: history.step) is None
