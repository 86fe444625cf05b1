"""What the recorder keeps: whole after any kill, bounded, believed only as far as it adds up."""

import json
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.latency import recorder
from kubert_tui.latency.history import History
from kubert_tui.latency.recorded import Recorded, parse_recorded
from kubert_tui.latency.recorder import Recorder, gaps, ungapped
from kubert_tui.latency.sampler import Figures, Process

BUCKETS = 20
CPUS = [0, 2]


class Measured:
    """Two threads that measure what they are told, and a recorder that looks at them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.counts = [array("Q", bytes(8 * BUCKETS)) for _ in CPUS]
        self.overflows = [0] * len(CPUS)
        self.highest = [0] * len(CPUS)
        self.start()

    def start(self) -> None:
        self.recorder = Recorder(self.directory, Process(1, 1), CPUS, BUCKETS)

    def sample(self, thread: int, us: int, times: int = 1) -> None:
        self.highest[thread] = max(self.highest[thread], us)
        if us < BUCKETS:
            self.counts[thread][us] += times
        else:
            self.overflows[thread] += times

    def record(self, elapsed: float) -> None:
        figures = [
            Figures(sum(counts) + over, 0, high, 0, over, array("Q", counts))
            for counts, over, high in zip(self.counts, self.overflows, self.highest, strict=True)
        ]
        self.recorder.record(figures, elapsed)

    def read(self) -> Recorded:
        past, last = (self.directory / name for name in ("past", "last"))
        return parse_recorded(past.read_bytes(), last.read_bytes(), tuple(CPUS), BUCKETS)


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return Measured(tmp_path)


@given(st.dictionaries(st.integers(0, 10**6), st.integers(1, 2**53)))
def test_buckets_survive_their_encoding(counts: dict[int, int]) -> None:
    assert ungapped(gaps(sorted(counts.items()))) == counts


def test_what_was_measured_is_what_is_read(measured: Measured) -> None:
    measured.sample(0, 3, 100)
    measured.sample(1, 4, 50)
    measured.record(10.0)
    measured.sample(1, 4, 50)
    measured.sample(1, 333)
    measured.record(20.0)
    recorded = measured.read()
    first, second = recorded.stretches
    assert (first.after, first.until, first.counts) == (0.0, 10.0, {3: 100, 4: 50})
    assert first.worst == ((4, 2), (3, 0))
    assert (second.after, second.until, second.counts) == (10.0, 20.0, {4: 50})
    assert (second.overflows, second.worst) == (1, ((333, 2),))
    assert recorded.last is not None
    assert recorded.last.elapsed == 20.0
    assert [thread.samples for thread in recorded.last.threads] == [100, 101]
    assert [thread.cpu for thread in recorded.last.threads] == CPUS


def test_a_recorder_that_was_killed_goes_on_without_a_gap(measured: Measured) -> None:
    measured.sample(0, 3, 7)
    measured.record(10.0)
    measured.sample(0, 5, 2)
    measured.start()
    measured.record(25.0)
    one, two = measured.read().stretches
    assert (two.after, two.until, two.counts) == (10.0, 25.0, {5: 2})
    assert one.counts == {3: 7}


@pytest.mark.parametrize("torn", [0.3, 0.9, 1.0])
def test_a_kill_between_the_two_files_counts_nothing_twice(measured: Measured, torn: float) -> None:
    measured.sample(0, 3, 7)
    measured.record(10.0)
    last = (measured.directory / "last").read_bytes()
    before = (measured.directory / "past").read_bytes()
    measured.sample(0, 5, 2)
    measured.record(20.0)
    (measured.directory / "last").write_bytes(last)
    past = (measured.directory / "past").read_bytes()
    keep = len(before) + int((len(past) - len(before)) * torn)
    (measured.directory / "past").write_bytes(past[:keep])
    assert [one.counts for one in measured.read().stretches] == [{3: 7}]
    measured.start()
    measured.record(30.0)
    stretches = measured.read().stretches
    assert [one.counts for one in stretches] == [{3: 7}, {5: 2}]
    assert stretches[-1].after == 10.0


def test_a_long_past_takes_bounded_room_and_loses_no_sample(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "STRETCHES", 8)
    for turn in range(1, 101):
        measured.sample(turn % 2, turn % BUCKETS)
        measured.record(10.0 * turn)
        assert len(measured.recorder.past.stretches) <= 8
    recorded = measured.read()
    assert recorded.stretches[-1].until == 1000.0
    assert sum(sum(one.counts.values()) for one in recorded.stretches) == 100
    for one, following in zip(recorded.stretches, recorded.stretches[1:], strict=False):
        assert one.until == following.after


def test_a_full_disk_costs_nothing_once_there_is_room(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    measured.sample(0, 3)
    measured.record(10.0)
    with monkeypatch.context() as patched:
        patched.setattr(recorder, "replace", full)
        patched.setattr("os.fsync", full)
        measured.sample(0, 4)
        measured.record(20.0)
    measured.sample(0, 5)
    measured.record(30.0)
    assert [one.counts for one in measured.read().stretches] == [{3: 1}, {4: 1}, {5: 1}]


HOSTILE = [
    b"",
    b"\xff\xfe\x00\n",
    b"[]\n",
    b'{"after":0,"until":5,"counts":[0,-1],"overflows":0,"worst":[]}\n',
    b'{"after":0,"until":5,"counts":[99,1],"overflows":0,"worst":[]}\n',
    b'{"after":9,"until":5,"counts":[],"overflows":0,"worst":[]}\n',
    b'{"after":0,"until":1e999,"counts":[],"overflows":0,"worst":[]}\n',
    b'{"after":0,"until":5,"counts":[0,1],"overflows":0,"worst":[["x",0]]}\n',
    b"[" * 100_000 + b"\n",
]


@pytest.mark.parametrize("data", HOSTILE)
def test_nonsense_is_left_out(measured: Measured, data: bytes) -> None:
    measured.sample(0, 3)
    measured.record(10.0)
    last = (measured.directory / "last").read_bytes()
    past = (measured.directory / "past").read_bytes()
    assert len(parse_recorded(data + past, last, tuple(CPUS), BUCKETS).stretches) == 1
    assert parse_recorded(past, data, tuple(CPUS), BUCKETS) == Recorded()


def test_a_last_state_that_does_not_add_up_is_none(measured: Measured) -> None:
    measured.sample(0, 3)
    measured.record(10.0)
    told = json.loads((measured.directory / "last").read_bytes())
    told["threads"][0][0] += 1
    past = (measured.directory / "past").read_bytes()
    lying = json.dumps(told).encode() + b"\n"
    assert parse_recorded(past, lying, tuple(CPUS), BUCKETS) == Recorded()


def test_a_history_goes_on_where_the_past_ends(measured: Measured) -> None:
    for turn in range(1, 7):
        measured.sample(0, turn)
        measured.record(10.0 * turn)
    recorded = measured.read()
    history = History(step=0.5)
    history.precede(recorded)
    assert history.step == 16.0
    assert history.worst[0].latency == 6
    assert (history.worst[0].after, history.worst[0].before) == (50.0, 60.0)
    seen = [us for column in history.columns for us in sorted(column.counts)]
    assert seen == [1, 2, 3, 4, 5, 6]
    measured.sample(1, 9)
    measured.record(64.0)
    now = measured.read().last
    assert now is not None
    history.take(now)
    assert sum(sum(column.counts.values()) for column in history.columns) == 7
    with pytest.raises(ValueError, match="empty"):
        history.precede(recorded)
