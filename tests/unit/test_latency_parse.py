"""The final output of every version, and everything that only looks like one."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import MeasurementError
from kubert_tui.latency.parse import FinalOutput, parse_final

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cyclictest"
VERSIONS = ("1.0", "2.4", "2.6", "2.10")


def text_of(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_text()


def parse(text: str, *, threads: int = 2, histogram: int = 250) -> FinalOutput:
    return parse_final(text, cpus=range(threads), histogram=histogram)


def refused(text: str, *, threads: int = 2, histogram: int = 250) -> str:
    with pytest.raises(MeasurementError) as caught:
        parse(text, threads=threads, histogram=histogram)
    return caught.value.what


@pytest.mark.parametrize("version", VERSIONS)
def test_the_readmes_run_is_read_exactly(version: str) -> None:
    text = text_of(f"v{version}-readme")
    output = parse(text)
    lines = [line for line in text.splitlines() if re.match(r"\d{6} ", line)]
    rows = {int(line[:6]): line[7:].split("\t") for line in lines}
    for index, thread in enumerate(output.threads):
        assert thread.cpu == index
        assert thread.samples == 5000
        assert len(thread.counts) == 250
        assert {us: int(row[index]) for us, row in rows.items() if int(row[index])} == {
            us: count for us, count in enumerate(thread.counts) if count
        }
    assert output.dma_latency
    assert output.warnings == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_samples_beyond_the_histogram_are_counted(version: str) -> None:
    output = parse(text_of(f"v{version}-overflow"), histogram=8)
    assert [thread.samples for thread in output.threads] == [5000, 5000]
    assert all(thread.overflows > 4900 for thread in output.threads)


@pytest.mark.parametrize("version", VERSIONS)
def test_one_thread_and_a_chosen_cpu(version: str) -> None:
    text = text_of(f"v{version}-one-thread")
    output = parse_final(text, cpus=(7,), histogram=250)
    assert [thread.cpu for thread in output.threads] == [7]


@pytest.mark.parametrize("name", ["v1.0-sigterm", "v2.4-sigint", "v2.4-sigterm", "v2.10-sigterm"])
def test_a_run_that_was_stopped_is_whole_too(name: str) -> None:
    assert all(thread.samples > 5000 for thread in parse(text_of(name)).threads)


def test_the_average_is_exact_where_it_can_be() -> None:
    thread = parse(text_of("v2.4-readme")).threads[0]
    if not thread.overflows:
        total = sum(us * count for us, count in enumerate(thread.counts))
        assert thread.average == total / 5000
    assert thread.minimum <= thread.average <= thread.maximum


def test_an_average_that_overflows_hide_stays_cyclictests() -> None:
    text = text_of("v2.10-overflow")
    printed = re.search(r"# Avg Latencies: (\d+) (\d+)", text)
    assert printed
    averages = [thread.average for thread in parse(text, histogram=8).threads]
    assert averages == [int(printed[1]), int(printed[2])]


@pytest.mark.parametrize("name", ["help", "nanosleep-refused"])
@pytest.mark.parametrize("version", ["2.4", "2.6", "2.10"])
def test_the_usage_text_is_no_result(version: str, name: str) -> None:
    assert "usage" in refused(text_of(f"v{version}-{name}"))


@pytest.mark.parametrize("name", ["v2.4-no-histogram", "v2.4-histofall", "v2.10-histofall"])
def test_what_we_never_ask_for_is_refused(name: str) -> None:
    assert "line" in refused(text_of(name))


def test_no_output_is_told_apart() -> None:
    with pytest.raises(MeasurementError, match="no result") as caught:
        parse(" \n")
    assert "full" in caught.value.fix


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["readme", "overflow"])
def test_cut_off_at_any_line_it_is_refused(version: str, kind: str) -> None:
    histogram = 250 if kind == "readme" else 8
    text = text_of(f"v{version}-{kind}")
    parse(text, histogram=histogram)
    ends = [match.end() for match in re.finditer("\n", text)]
    for end in ends[:-1]:
        assert refused(text[:end], histogram=histogram)
        assert refused(text[: end - 1], histogram=histogram)


@pytest.mark.parametrize("version", VERSIONS)
def test_cut_off_at_any_character_it_is_refused(version: str) -> None:
    text = text_of(f"v{version}-one-thread")
    for end in range(0, len(text) - 1, 7):
        assert refused(text[:end], threads=1)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_line_that_is_missing_or_doubled_is_noticed(version: str) -> None:
    lines = text_of(f"v{version}-readme").splitlines(keepends=True)
    for index in range(lines.index("# Histogram\n"), len(lines)):
        line = lines[index]
        if line.strip():
            assert refused("".join([*lines[: index + 1], *lines[index:]]))
        without = "".join(lines[:index] + lines[index + 1 :])
        if version == "2.10" and line[0].isdigit():
            # Rows of zeros are left out there and nothing sums them up: the samples tell.
            try:
                samples = [thread.samples for thread in parse(without).threads]
            except MeasurementError:
                continue
            assert samples != [5000, 5000]
        else:
            assert refused(without)


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (r"(?m)^(000017) .*", r"\1 -00001\t000001", "not a number"),
        (r"(?m)^(000017) .*", r"\1 00000x\t000001", "not a number"),
        (r"(?m)^(000017) .*", r"\1 NaN\t000001", "not a number"),
        (r"(?m)^(000017) .*", r"\1 ١٢٣٤٥٦\t000001", "not a number"),
        (r"(?m)^(000017) .*", r"\1 " + "9" * 5000 + r"\t000001", "impossibly large"),
        (r"(?m)^(000017) .*", r"\1 9007199254740993\t000001", "impossibly large"),
        (r"(?m)^(000017) .*", r"\1 000001", "one per thread"),
        (r"(?m)^(000017) .*", r"\1 " + "000001\t" * 1_000_000, "one per thread"),
        (r"(?m)^000017 ", "000016 ", "out of order"),
        (r"(?m)^000017 ", "000250 ", "out of order"),
        (r"# Min Latencies: .*", "# Min Latencies: 00000 00000", "minimum"),
        (r"# Max Latencies: .*", "# Max Latencies: 00001 00001", "maximum"),
        (r"# Avg Latencies: .*", "# Avg Latencies: 99999 99999", "average"),
        (r"# Avg Latencies:", "# Average Latencies:", "expected `# Avg Latencies:`"),
        (r"# Thread 1:", "# Thread 2:", "expected `# Thread 1:`"),
        (r"# Thread 1:.*", "# Thread 1: # 99999 others", "overflows are listed"),
        (r"# Thread 1:.*", "# Thread 1: # 00009 more", "expected `# N others`"),
        (r"# Histogram\n", "# Histogram\n\x1b[31mrubbish\x1b[0m\n", "expected"),
        (r"\n\Z", "\nand more\n", "nothing was expected"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_garbled_is_named(version: str, pattern: str, replacement: str, said: str) -> None:
    text = text_of(f"v{version}-readme")
    garbled = re.sub(pattern, replacement.replace("\\t", "\t"), text, count=1)
    assert garbled != text
    what = refused(garbled)
    assert said in what
    assert "line" in what
    assert "\x1b" not in what


def test_a_total_that_is_not_the_sum_is_noticed() -> None:
    text = re.sub("# Total: .*", "# Total: 000005001 000005000", text_of("v2.4-readme"))
    assert "totals" in refused(text)


def test_an_overflow_more_or_less_is_noticed() -> None:
    text = text_of("v2.4-overflow")
    found = re.search(r"# Histogram Overflows: (\d+)", text)
    assert found
    changed = text.replace(found[0], f"# Histogram Overflows: {int(found[1]) + 1:05}")
    assert "overflows are listed" in refused(changed, histogram=8)


def test_hostile_sizes_are_refused_early() -> None:
    assert "too large" in refused("0" * (64 * 1024 * 1024 + 1))
    assert refused("\n".join(["# /dev/cpu_dma_latency set to 0us"] * 1000))


@given(st.text())
def test_any_text_is_an_error_and_nothing_else(text: str) -> None:
    refused(text)


@given(st.data())
def test_any_change_is_an_error_or_a_consistent_result(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["v2.10-readme", "v2.4-overflow", "v1.0-overflow"]))
    text = text_of(name)
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    inserted = data.draw(st.text(alphabet="0123456789 \t\n#:-.abcTN", max_size=40))
    changed = text[:at] + inserted + text[at + length :]
    try:
        output = parse(changed, histogram=250 if "readme" in name else 8)
    except MeasurementError:
        return
    for thread in output.threads:
        assert thread.minimum <= thread.maximum or not thread.samples


@pytest.mark.parametrize(
    ("version", "thread", "latency"), [("1.0", 0, 45), ("2.4", 0, 45), ("2.10", 1, 16)]
)
def test_what_broke_off_at_the_threshold(version: str, thread: int, latency: int) -> None:
    output = parse(text_of(f"v{version}-breaktrace"), histogram=20)
    assert output.broke == thread
    assert output.threads[thread].maximum == latency
    assert output.threads[thread].samples == 1
    idle = [one for one in output.threads if not one.samples]
    assert all((one.minimum, one.average, one.maximum) == (0, 0, 0) for one in idle)


@pytest.mark.parametrize("version", ["1.0", "2.4", "2.10"])
def test_a_threshold_that_nothing_was_above(version: str) -> None:
    output = parse(text_of(f"v{version}-breaktrace-untouched"), histogram=20)
    assert output.broke is None
    assert max(thread.samples for thread in output.threads) == 20


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("# Thread Ids: 21498 21499\n", "# Thread Ids: 21498\n"),
        ("# Break thread: 21498\n", "# Break thread: 7\n"),
        ("# Break thread: 21498\n", "# Break thread: -1\n"),
        ("# Break value: 45\n", ""),
        ("# Break value: 45\n", "# Break value: 45\nmore\n"),
    ],
)
def test_a_break_that_makes_no_sense_is_refused(found: str, instead: str) -> None:
    text = text_of("v2.4-breaktrace")
    assert found in text
    refused(text.replace(found, instead), histogram=20)
