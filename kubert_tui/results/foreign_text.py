"""What cyclictest prints, as people keep it: with notes above it, in old forms, or its rows alone.

A whole final output is read as strictly as our own. Where lines of it are missing (versions before
1.0, or the table that OSADL's script makes for gnuplot) the rows are all there is, and notes say
what they cannot tell.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean, clean_line
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.parse import SIZE_LIMIT, parse_final
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.foreign_parts import (
    BUCKETS_LIMIT,
    THREADS_LIMIT,
    Source,
    Told,
    stored,
    with_kernel,
    with_told,
    words_of,
)

_ROW = re.compile(r"[0-9]{1,7}(?:[ \t]*[,;\t ][ \t]*[0-9]{1,16})+", re.ASCII)
_FIGURES = re.compile(r"# (Min|Avg|Max) Latencies:|# Histogram Overflows:|# Total:")
_STATUS = re.compile(r"T: *[0-9]+ .* P: *(?P<priority>[0-9]+) I: *(?P<interval>[0-9]+) ")
_COMMAND = re.compile(r"(?:^|[\s#$>`])(?P<command>\S*cyclictest\s+-.*)")
_WHOLE = ("# Min Latencies", "# Avg Latencies", "# Max Latencies", "# Histogram Overflows",
          "# Histogram Overflow at cycle number", "# Thread 0")  # fmt: skip


@dataclass(slots=True)
class _Kept:
    """The lines of a file, by kind."""

    rows: list[list[int]] = field(default_factory=list)
    figures: dict[str, list[int]] = field(default_factory=dict)
    """Numbers by label, `# Max Latencies`."""
    others: list[str] = field(default_factory=list)
    result: list[str] = field(default_factory=list)
    """From `# Histogram` on, to the blank line that ends it."""
    results: int = 0
    """How many results the file holds; the last one is kept."""


def of_text(text: str, name: str, told: Told, ended: float) -> StoredMeasurement:
    """Return the measurement. UsageError when nobody tells the interval; ValueError."""
    cleaned = clean(text, line_limit=SIZE_LIMIT)
    kept = _sorted(cleaned.split("\n"))
    source = _source(kept.others, name, told)
    if not source.interval:
        raise UsageError(
            f"{name} does not say how often cyclictest measured",
            fix="add --interval US (200 in OSADL's and SEAPATH's scripts)",
        )
    whole = all(any(line.startswith(label) for line in kept.result) for label in _WHOLE)
    threads, notes = _whole(kept) if whole else _of_rows(kept)
    if kept.results > 1:
        notes = (*notes, f"the file holds {kept.results} results: this is the last one")
    return stored(source, threads, finished=ended, output=cleaned, notes=notes)


def _sorted(lines: Sequence[str]) -> _Kept:
    kept = _Kept()
    inside = headed = False
    for line in lines:
        plain = line.strip()
        if plain == "# Histogram":
            kept = _Kept(others=kept.others, results=kept.results + 1)
            inside = headed = True
        if inside:
            kept.result.append(line.rstrip())
            inside = bool(plain)
        if _ROW.fullmatch(plain) and (inside or not headed):
            kept.rows.append([int(number) for number in re.split(r"[ \t,;]+", plain)])
        elif _FIGURES.match(plain):
            label, _, numbers = plain.partition(":")
            words = [word for word in numbers.split() if word.isascii() and word.isdigit()]
            kept.figures[label] = [int(word[:17]) for word in words]
        elif plain and not plain.startswith("# Thread "):
            kept.others.append(plain)
    return kept


def _source(lines: Sequence[str], name: str, told: Told) -> Source:
    """Return what the lines beside the result tell, and what the user tells beyond that."""
    source = Source(name)
    policy = priority = ""
    for line in lines:
        if (found := _COMMAND.search(line)) and not line.startswith("WARN"):
            source = replace(source, command=words_of(found["command"]))
        elif (known := with_kernel(source, line)) is not source:
            source = known
        elif status := _STATUS.match(line):
            priority = status["priority"]
            source = replace(source, interval=int(status["interval"][:9]))
        elif line.startswith("policy: "):
            policy = clean_line(line.removeprefix("policy: ").partition(":")[0], limit=8)
    if policy and priority:
        source = replace(source, policy=f"{policy} {priority}")
    return with_told(source, told)


def _whole(kept: _Kept) -> tuple[tuple[ThreadHistogram, ...], tuple[str, ...]]:
    # One figure per thread, also where other lines have a sum over all of them at their end.
    count = len(kept.figures["# Min Latencies"])
    # cyclictest lists as many overflow cycles as it has buckets; where rows of zeros are left
    # out, that list may be all that tells how many there are.
    listed = [line.partition(":")[2].partition("#")[0] for line in kept.result
              if line.startswith("# Thread ")]  # fmt: skip
    last = kept.rows[-1][0] + 1 if kept.rows else 1
    size = max([last, *(len(one.split()) for one in listed)])
    notes: tuple[str, ...] = ()
    if "# Total" not in kept.figures and any(kept.figures["# Histogram Overflows"]):
        # 2.7 and later leave rows of zeros out, also the last ones.
        notes = (f"buckets above {size - 1} us were empty or do not exist: the file does not say",)
    result = "\n".join(_without_sums(line, count) for line in kept.result)
    final = parse_final(result.rstrip("\n") + "\n\n", cpus=range(count), histogram=size)
    return final.threads, notes


def _without_sums(line: str, count: int) -> str:
    """Take the column of sums away that --histofall adds to rows, totals, maxima, overflows."""
    if re.match(r"[0-9]{6,7} ", line):
        return "\t".join(line.split("\t")[:count])
    if line.startswith(("# Total:", "# Max Latencies:", "# Histogram Overflows:")):
        label, _, figures = line.partition(":")
        return " ".join([f"{label}:", *figures.split()[:count]])
    return line


def _of_rows(kept: _Kept) -> tuple[tuple[ThreadHistogram, ...], tuple[str, ...]]:
    """Return what the rows alone tell, with maxima and overflows where they stand below them."""
    if not kept.rows:
        raise ValueError("it has no rows of a histogram")
    count = len(kept.rows[0]) - 1
    if any(len(row) != count + 1 for row in kept.rows) or count > THREADS_LIMIT:
        raise ValueError("its rows have not all as many columns")
    if count > 1 and all(row[-1] == sum(row[1:-1]) for row in kept.rows):
        count -= 1  # the sums that --histofall adds
    latencies = [row[0] for row in kept.rows]
    if any(a >= b for a, b in pairwise(latencies)):
        raise ValueError("its rows are not in the order of their latencies")
    size = latencies[-1] + 1
    if size > BUCKETS_LIMIT:
        raise ValueError(f"a histogram of {size} buckets")
    told = {
        label: kept.figures.get(label, [])[:count]
        for label in ("# Avg Latencies", "# Max Latencies", "# Histogram Overflows")
        if len(kept.figures.get(label, [])) >= count
    }
    notes = []
    if "# Histogram Overflows" not in told:
        notes.append("how many samples were off the histogram is not told")
    if "# Max Latencies" not in told:
        notes.append("maxima are those of the rows; worse ones off the histogram are not told")
    threads = []
    for index in range(count):
        counts = [0] * size
        for row in kept.rows:
            counts[row[0]] = row[index + 1]
        threads.append(_thread(index, counts, {label: all_[index] for label, all_ in told.items()}))
    return tuple(threads), tuple(notes)


def _thread(number: int, counts: Sequence[int], told: Mapping[str, int]) -> ThreadHistogram:
    """Return one thread; `told` is what its file says of it, by label."""
    used = [us for us, samples in enumerate(counts) if samples]
    overflows = told.get("# Histogram Overflows", 0)
    if not used and not overflows:
        return ThreadHistogram(number, tuple(counts), 0, 0, 0.0, 0)
    lowest, highest = (used[0], used[-1]) if used else (len(counts), len(counts))
    average = float(told.get("# Avg Latencies", lowest))
    if not overflows:
        average = sum(us * samples for us, samples in enumerate(counts)) / sum(counts)
    return ThreadHistogram(
        number,
        tuple(counts),
        overflows,
        lowest,
        average,
        max(highest, told.get("# Max Latencies", 0)),
    )
