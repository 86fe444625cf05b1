"""The streamer: whoever kills it, wherever it is, loses nothing and counts nothing twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.latency import streamer
from kubert_tui.latency.launch import program
from kubert_tui.latency.recorded import parse_recorded
from kubert_tui.latency.streamer import CHUNK, HEAD, LONGEST, Chunk, State
from tests.support.twins import wait_until

BUCKETS = 30
FINAL = b"# Histogram\n000007 000001\t000002\n# Max Latencies: 00007 00007\n\n"


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(b"%8d:%8d:%8d\n" % (n % 2, n, 3 + n % 30) for n in range(first, first + count))


class Killed(BaseException):
    """What `kill -9` is to the program."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    directory.mkdir()
    (directory / "live").symlink_to(tmp_path / "memory")
    return directory


def begin(run: Path) -> State:
    return State(run, 2, BUCKETS)


def receive(state: State, data: bytes) -> None:
    """As if it had been read from the pipe."""
    end = state.chunk.used + len(data)
    state.chunk.memory[state.chunk.used : end] = data
    state.chunk.used = end


def cycles(state: State) -> int:
    return sum(one.figures()[0] for one in state.tallies.threads)


def test_what_was_read_is_added_up_by_the_next_one(run: Path) -> None:
    first = begin(run)
    receive(first, lines(50))
    second = begin(run)
    second.commit(1.0, ended=False)
    assert cycles(second) == 50
    receive(second, lines(30) + b"       0:   ")
    third = begin(run)
    receive(third, b"   99:       7\n")
    third.commit(2.0, ended=False)
    assert cycles(third) == 81
    assert cycles(begin(run)) == 81


def test_killed_before_its_sums_are_kept(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = begin(run)
    receive(state, lines(40))
    state.commit(1.0, ended=False)
    receive(state, lines(10) + FINAL[:20])

    def killed(_: float) -> str:
        raise Killed

    monkeypatch.setattr(state, "_line", killed)
    with pytest.raises(Killed):
        state.commit(2.0, ended=False)
    assert (run / "stdout").read_bytes() == FINAL[:12], "the result was begun"
    again = begin(run)
    receive(again, FINAL[20:])
    again.commit(3.0, ended=True)
    assert cycles(again) == 50
    assert (run / "stdout").read_bytes() == FINAL


def test_killed_after_its_sums_are_kept(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = begin(run)
    receive(state, lines(40) + FINAL)

    def killed(_: int) -> None:
        raise Killed

    monkeypatch.setattr(state.chunk, "begin", killed)
    with pytest.raises(Killed):
        state.commit(1.0, ended=False)
    again = begin(run)
    again.commit(2.0, ended=True)
    assert cycles(again) == 40
    assert (run / "stdout").read_bytes() == FINAL


def test_memory_that_is_lost_costs_ten_seconds_and_no_result(run: Path) -> None:
    state = begin(run)
    receive(state, lines(40) + FINAL)
    state.commit(1.0, ended=False)
    for file in state.live.iterdir():
        file.unlink()
    again = begin(run)
    again.commit(2.0, ended=True)
    assert cycles(again) == 0
    assert (run / "stdout").read_bytes() == FINAL


def test_it_goes_on_without_memory(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "live").unlink()
    (run / "live").write_text("in the way")
    state = begin(run)
    receive(state, lines(40) + FINAL)
    state.commit(1.0, ended=True)
    assert cycles(state) == 40
    assert (run / "stdout").read_bytes() == FINAL


def test_a_line_without_an_end_takes_no_room(run: Path) -> None:
    state = begin(run)
    for _ in range(3):
        receive(state, b"x" * (CHUNK - HEAD))
        state.commit(1.0, ended=False)
    receive(state, b"\n" + lines(2) + FINAL)
    state.commit(2.0, ended=True)
    assert len(state.rest) <= LONGEST
    assert cycles(state) == 2
    assert (run / "stdout").read_bytes().endswith(FINAL)


def test_the_result_is_no_longer_than_a_result_can_be(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamer, "OUTPUT", 1000)
    state = begin(run)
    for _ in range(3):
        receive(state, b"x\n" * 400)
        state.commit(1.0, ended=False)
    assert (run / "stdout").stat().st_size == 1000


def test_a_chunk_of_another_time_is_not_taken(tmp_path: Path) -> None:
    chunk = Chunk(tmp_path / "chunk")
    chunk.begin(7)
    chunk.memory[HEAD : HEAD + 3] = b"abc"
    again = Chunk(tmp_path / "chunk")
    again.find()
    assert (again.number, again.data()) == (7, b"abc")
    again.begin(8)
    last = Chunk(tmp_path / "chunk")
    last.find()
    assert (last.number, last.data()) == (8, b"")


@pytest.fixture
def writer(run: Path) -> Iterator[int]:
    """The end of the pipe that cyclictest has; it reads, too."""
    os.mkfifo(run / "told")
    (run / "stream.pyz").write_bytes(program("streamer"))
    order = {"cpus": [0, 1], "histogram": BUCKETS, "housekeeping": []}
    (run / "order.json").write_text(json.dumps(order))
    (run / "process").write_text("1 1 1.0 boot\n")
    end = os.open(run / "told", os.O_RDWR)
    yield end
    os.close(end)


def start(run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "stream.pyz"], cwd=run)


def kept(run: Path) -> int:
    try:
        told = json.loads((run / "live" / "last").read_text())
    except (OSError, ValueError):
        return 0
    return sum(thread[0] for thread in told["threads"])


def test_killed_again_and_again_it_is_exact(run: Path, writer: int) -> None:
    # The real program, and a reading end that outlives it, as the launcher has it.
    holder = os.open(run / "told", os.O_RDONLY | os.O_NONBLOCK)
    memory = (run / "live").resolve()
    sent = 0
    for _ in range(4):
        process = start(run)
        for _ in range(20):
            os.write(writer, lines(500, sent))
            sent += 500
        os.write(writer, b"       0:")
        before = kept(run)
        wait_until(lambda: kept(run) > before, "it has added up more", 30)  # noqa: B023
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        os.write(writer, b"%8d:%8d\n" % (sent, 5))
        sent += 1
    os.write(writer, FINAL)
    process = start(run)
    os.dup2(os.open(os.devnull, os.O_WRONLY), writer)  # cyclictest is gone
    assert process.wait(30) == 0
    os.close(holder)
    last = parse_recorded(
        (run / "past").read_bytes(), (run / "last").read_bytes(), (0, 1), BUCKETS
    ).last
    assert last is not None
    assert last.samples == sent
    assert (run / "stdout").read_bytes() == FINAL
    assert not memory.exists(), "nothing is left in memory"


def test_only_one_adds_up(run: Path, writer: int) -> None:
    process = start(run)
    wait_until((run / "live" / "last").exists, "it is at work", 30)
    argv = [sys.executable, "-I", "stream.pyz", "revived"]
    assert subprocess.run(argv, cwd=run, check=False, timeout=30).returncode == 0
    assert process.poll() is None
    process.kill()
    process.wait()
