"""Adding up what cyclictest tells: real outputs of three versions, and others."""

import ast
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.latency.parse import parse_final
from kubert_tui.latency.tally import LARGEST, Tallies, Tally

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cyclictest"
BUCKETS = 30
FINAL = b"# Histogram\n000000 000001\n# Total: 000000001\n"


def line(thread: object, cycle: int, latency: object) -> bytes:
    return f"{thread:>8}:{cycle:8}:{latency:>8}\n".encode()


def found(tallies: Tallies) -> list[tuple[int, int, int, int, int, dict[int, int]]]:
    return [(*tally.figures(), tally.counts) for tally in tallies.threads]


def cycles(tallies: Tallies) -> list[int]:
    return [tally.figures()[0] for tally in tallies.threads]


@pytest.mark.parametrize("name", ["tally", "streamer", "told"])
def test_it_runs_with_python_3_6_and_the_standard_library(name: str) -> None:
    source = files("kubert_tui.latency").joinpath(f"{name}.py").read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    ours = {module for module in imported if module.startswith("kubert_tui")}
    assert ours <= {f"kubert_tui.latency{part}" for part in ("", ".sampler", ".recorder", ".tally")}
    # Evaluated on the host: annotations with newer generics must stay strings.
    evaluated = [
        annotation
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for annotation in (node.returns, *(argument.annotation for argument in node.args.args))
    ]
    assert not [one for one in evaluated if isinstance(one, ast.Subscript | ast.BinOp)]


@pytest.mark.parametrize("version", ["v1.0", "v2.4", "v2.10"])
def test_real_output_is_added_up_and_its_result_handed_on(version: str) -> None:
    data = (FIXTURES / f"{version}-verbose.txt").read_bytes()
    tallies = Tallies(2, BUCKETS)
    rest = tallies.feed(data)
    final = parse_final(rest.decode(), cpus=(0, 1), histogram=BUCKETS)
    assert final.warnings == ()
    assert final.dma_latency
    for tally, thread in zip(tallies.threads, final.threads, strict=True):
        samples, low, high, *_ = tally.figures()
        assert 0 < samples <= thread.samples
        assert tally.overflows <= thread.overflows
        assert all(thread.counts[us] >= count for us, count in tally.counts.items())
        assert tally.read().consistent()
        assert thread.minimum <= low <= high <= thread.maximum


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120_000)), max_size=60),
    st.integers(0, 10**9),
)
def test_it_makes_no_difference_how_much_comes_at_once(
    samples: list[tuple[int, int]], cycle: int
) -> None:
    lines = [line(thread, cycle + at, us) for at, (thread, us) in enumerate(samples)]
    at_once, one_by_one = Tallies(4, BUCKETS), Tallies(4, BUCKETS)
    assert at_once.feed(b"".join(lines)) == b""
    assert b"".join(map(one_by_one.feed, lines)) == b""
    assert found(at_once) == found(one_by_one)
    for number, tally in enumerate(at_once.threads):
        own = [us for thread, us in samples if thread == number]
        assert tally.figures() == (
            len(own),
            min(own, default=0),
            max(own, default=0),
            sum(own),
            sum(us >= BUCKETS for us in own),
        )
        again = Tally(BUCKETS)
        again.counts.update(tally.counts)
        again.restore(*tally.figures()[1:])
        again.add(77, 1)
        tally.add(77, 1)
        assert again.figures() == tally.figures()


def test_many_lines_are_counted_together() -> None:
    tallies = Tallies(12, BUCKETS)
    data = b"".join(line(n % 12, n, n % 40) for n in range(12_000))
    assert tallies._in_bulk(data), "the quick way is taken"
    assert sum(cycles(tallies)) == 12_000
    assert sum(one.overflows for one in tallies.threads) == 3_000


@pytest.mark.parametrize(
    "strange",
    [
        line(0, 5, -3),
        line(-1, 5, 3),
        line(7, 5, 3),
        line(99_999_999, 5, 3),
        line(0, 5, LARGEST),
        line(0, 5, "1" * 60),
        line("x", 5, 3),
        line(0, 5, "3x"),
        b"\0\xff\x1b[2J\n",
        b"A" * 3_000_000 + b"\n",
        b"9" * 3_000_000 + b"\n",
        b":" * 200_000 + b"\n",
        b"\r\n",
        b"\n",
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_what_cannot_be_is_not_counted(strange: bytes, times: int) -> None:
    tallies = Tallies(2, BUCKETS)
    rest = tallies.feed(line(0, 1, 7) + strange * times + line(1, 2, 8))
    assert cycles(tallies) == [1, 1]
    assert [one.counts for one in tallies.threads] == [{7: 1}, {8: 1}]
    assert rest in (b"", strange * times)
    assert tallies.feed(strange * times) in (b"", strange * times)
    assert cycles(tallies) == [1, 1]


@pytest.mark.parametrize("torn", [b"  7:      23\n", b":      23\n", b"      23\n", b"3\n", b":\n"])
def test_the_end_of_a_torn_line_does_not_get_into_the_result(torn: bytes) -> None:
    tallies = Tallies(1, BUCKETS)
    assert tallies.feed(torn + line(0, 1, 7) + FINAL) == FINAL
    assert cycles(tallies) == [1]


def test_nothing_is_taken_out_of_the_result() -> None:
    tallies = Tallies(1, BUCKETS)
    assert tallies.feed(line(0, 1, 7) + FINAL) == FINAL
    more = b"# Thread 0: 4\n" + line(0, 1, 7) + b"\n"
    assert tallies.feed(more) == more
    assert cycles(tallies) == [1]


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(data: bytes) -> None:
    tallies = Tallies(2, BUCKETS)
    assert len(tallies.feed(data)) <= len(data)
    assert all(one.read().consistent() for one in tallies.threads)
