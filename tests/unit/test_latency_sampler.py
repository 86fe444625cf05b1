"""The sampler: its grammar, its judgement, and its reading of both layouts."""

import array
import ast
import ctypes
import os
import struct
from importlib.resources import files
from pathlib import Path

import pytest

from kubert_tui.latency.counters import parse_counters
from kubert_tui.latency.sampler import (
    Figures,
    GoneError,
    Process,
    Thread,
    counted,
    find_threads,
    match,
)
from kubert_tui.latency.sampler import Memory as Source

BUCKETS = 4
TID = 4242


def test_it_is_python_3_6_and_needs_nothing_of_ours() -> None:
    source = files("kubert_tui.latency").joinpath("sampler.py").read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {
        name.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported <= {
        "array",
        "contextlib",
        "json",
        "operator",
        "os",
        "pathlib",
        "struct",
        "sys",
        "time",
        "typing",
    }
    # Evaluated on the host: annotations with newer generics must stay strings.
    annotations = [
        node.annotation if isinstance(node, ast.AnnAssign | ast.arg) else node.returns
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign | ast.arg | ast.FunctionDef)
    ]
    assert not [a for a in annotations if isinstance(a, ast.Subscript | ast.BinOp)]


def figures(
    cycles: int, counts: list[int], overflows: int = 0, low: int = 1, high: int = 2
) -> Figures:
    return Figures(cycles, low, high, 0, overflows, array.array("Q", counts))


@pytest.mark.parametrize(
    ("state", "consistent"),
    [
        (figures(3, [0, 1, 2, 0]), True),
        (figures(0, [0, 0, 0, 0], low=1_000_000, high=0), True),
        (figures(4, [0, 1, 2, 0], overflows=1, high=77), True),
        (figures(2, [0, 1, 2, 0]), False),
        (figures(4, [0, 1, 2, 0]), False),
        (figures(3, [0, 1, 2, 0], low=0), False),
        (figures(3, [0, 1, 2, 0], high=3), False),
        (figures(3, [0, 1, 2, 0], high=77), False),
        (figures(3, [0, 1, 2, 0], high=-1), False),
    ],
)
def test_torn_states_are_seen(state: Figures, consistent: bool) -> None:
    assert state.consistent() is consistent


class Memory(Process):
    """Memory of this very process, laid out as cyclictest lays it out."""

    def __init__(self, *, is_array: bool) -> None:
        super().__init__(0, 0)
        self.counts = array.array("Q", [0, 1, 2, 0])
        self.histogram = ctypes.create_string_buffer(64)
        self.stat = ctypes.create_string_buffer(512)
        self.is_array = is_array
        self.write(cycles=4, low=1, high=9, overflows=1)

    def write(self, *, cycles: int, low: int, high: int, overflows: int) -> None:
        base = 128
        struct.pack_into("=Q8xqq", self.stat, base, cycles, low, high)
        struct.pack_into("=d", self.stat, base + 40, 14.0)
        buckets = self.counts.buffer_info()[0]
        pointer = buckets if self.is_array else ctypes.addressof(self.histogram)
        struct.pack_into("=Q", self.stat, base + 64, pointer)
        struct.pack_into("=ii", self.stat, base + (88 if self.is_array else 80), 2, TID)
        if self.is_array:
            struct.pack_into("=Q", self.stat, base + 120, overflows)
        else:
            struct.pack_into(
                "=7Q", self.histogram, 0, buckets, 1, BUCKETS, cycles, 0, BUCKETS, overflows
            )

    def alive(self) -> bool:
        return True

    def measuring(self) -> list[int]:
        return [TID]

    def writable_maps(self) -> list[tuple[int, int]]:
        start = ctypes.addressof(self.stat)
        return [(start, start + len(self.stat))]

    def read(self, address: int, size: int) -> bytes:
        known = (
            (self.counts.buffer_info()[0], BUCKETS * 8),
            (ctypes.addressof(self.histogram), len(self.histogram)),
            (ctypes.addressof(self.stat), len(self.stat)),
        )
        if not any(start <= address and address + size <= start + n for start, n in known):
            raise GoneError
        return ctypes.string_at(address, size)


@pytest.fixture(params=[True, False], ids=["1.0-2.6", "2.7-2.10"])
def memory(request: pytest.FixtureRequest) -> Memory:
    return Memory(is_array=request.param)


def found(memory: Memory) -> Thread:
    threads, why = find_threads(memory, BUCKETS)
    assert why == ""
    (thread,) = threads
    return thread


def test_the_figures_are_found_and_read(memory: Memory) -> None:
    thread = found(memory)
    assert thread.is_array is memory.is_array
    assert thread.update() == [4, 1, 9, 14, 1, [1, 1, 0, 2]]


def test_found_as_it_ends_it_is_gone_not_on_too_few_cpus(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(name: str) -> str:
        raise GoneError(name)

    monkeypatch.setattr(memory, "text", ended)
    monkeypatch.setattr(memory, "open_memory", lambda: None)
    with pytest.raises(GoneError):
        Source(memory, BUCKETS, expected=1)


def test_only_what_grew_is_told(memory: Memory) -> None:
    thread = found(memory)
    thread.update()
    memory.counts[0] += 1
    memory.counts[3] += 5
    memory.write(cycles=10, low=0, high=9, overflows=1)
    assert thread.update() == [10, 0, 9, 14, 1, [0, 1, 2, 5]]
    assert thread.update() == [10, 0, 9, 14, 1, []]


def test_a_torn_state_is_not_told(memory: Memory) -> None:
    thread = found(memory)
    before = thread.update()
    memory.counts[1] += 1
    assert thread.update()[:5] == before[:5]
    memory.write(cycles=5, low=1, high=9, overflows=1)
    assert thread.update() == [5, 1, 9, 14, 1, [1, 1]]


def test_counts_never_fall(memory: Memory) -> None:
    thread = found(memory)
    thread.update()
    memory.counts[1] -= 1
    memory.counts[3] += 3
    memory.write(cycles=6, low=2, high=9, overflows=1)
    with pytest.raises(GoneError):
        thread.update()


def test_a_thread_that_has_not_measured_is_not_accepted(memory: Memory) -> None:
    for index in range(BUCKETS):
        memory.counts[index] = 0
    memory.write(cycles=0, low=1_000_000, high=0, overflows=0)
    threads, why = find_threads(memory, BUCKETS)
    assert threads == []
    assert "1 of 1" in why


def test_another_number_of_buckets_is_not_accepted(memory: Memory) -> None:
    assert find_threads(memory, BUCKETS - 2)[0] == []


def test_a_pattern_by_chance_is_not_a_thread(memory: Memory) -> None:
    pattern = struct.pack("=ii", 2, TID)
    assert match(memory, b"\0" * 200 + pattern, 0, pattern, BUCKETS) is None


def test_what_the_hardware_counts_is_read_of_our_own_cpu(tmp_path: Path) -> None:
    ours, other = 0, 1
    allowed = os.sched_getaffinity(0)
    devices, cpus = tmp_path / "dev", tmp_path / "cpus"
    for cpu, smis in ((ours, 7), (other, 9)):
        (devices / str(cpu)).mkdir(parents=True)
        (devices / str(cpu) / "msr").write_bytes(bytes(0x34) + smis.to_bytes(8, "little"))
        heat = cpus / f"cpu{cpu}" / "thermal_throttle"
        heat.mkdir(parents=True)
        (heat / "core_throttle_count").write_text(f"{cpu}\n")
    os.sched_setaffinity(0, {ours})
    try:
        told = parse_counters(counted(devices, cpus))
        nothing = parse_counters(counted(tmp_path, tmp_path))
    finally:
        os.sched_setaffinity(0, allowed)
    assert (told.smi, told.throttle) == ({ours: 7}, {ours: 0, other: 1})
    assert (nothing.smi, nothing.throttle) == ({}, {})
    assert "MSR 0x34 cannot be read" in nothing.smi_unknown
