"""Results that others measured, read into our form: cyclictest's plain output and its --json.

What the text does not say is written as unknown, so that a comparison shows it and a verdict
is refused where it needs it.
"""

import json
import re
import shlex
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import MeasurementError, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.latency.fingerprint import Fingerprint
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.parse import SIZE_LIMIT, parse_final
from kubert_tui.latency.store import StoredMeasurement, packed

_THREADS = 4096
_BUCKETS = 1_000_000
_UNKNOWN = "unknown: imported"


def read_foreign(path: Path, *, interval: int = 0, host: str = "imported") -> StoredMeasurement:
    """Return the measurement in `path`: plain cyclictest output (1.0 to 2.10) or --json (2.x).

    `interval` in us is needed where the file does not tell it (plain output never does).
    Raises UsageError when the file cannot be read or the interval is missing, and
    MeasurementError naming what in it is wrong.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise UsageError(f"{clean_line(str(path))} is too large to be a measurement")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{clean_line(str(path))} cannot be read: {error.strerror}") from None
    name = clean_line(path.name, limit=100)
    try:
        if text.lstrip().startswith("{"):
            return _of_json(text, name, interval, host)
        return _of_text(text, name, interval, host, path.stat().st_mtime)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MeasurementError(
            f"{name} is no result of cyclictest: {clean_line(str(error), limit=200)}",
            fix="give what cyclictest printed with --histogram, or wrote with --json",
        ) from error


def _of_text(text: str, name: str, interval: int, host: str, ended: float) -> StoredMeasurement:
    if not interval:
        raise UsageError(
            f"{name} does not say how often cyclictest measured", fix="add --interval US"
        )
    # One figure per thread, also where other lines have a sum over all of them at their end.
    found = re.search(r"^# Min Latencies:((?: [0-9]+)+)$", text, re.MULTILINE | re.ASCII)
    if found is None:
        raise MeasurementError(f"{name} is no whole output of cyclictest --histogram")
    count = len(found[1].split())
    rows = re.findall(r"^([0-9]{6,7}) [0-9]", text, re.MULTILINE | re.ASCII)
    # cyclictest lists as many overflow cycles as it has buckets; where rows of zeros are left
    # out, that list may be all that tells how many there are.
    listed = re.findall(r"^# Thread [0-9]+:([^#\n]*)", text, re.MULTILINE | re.ASCII)
    size = max([1, *(int(row) + 1 for row in rows[-1:]), *(len(one.split()) for one in listed)])
    over = re.search(r"^# Histogram Overflows:((?: [0-9]+)+)$", text, re.MULTILINE | re.ASCII)
    notes: tuple[str, ...] = ()
    if "# Total:" not in text and over and any(map(int, over[1].split())):
        # 2.7 and later leave rows of zeros out, also the last ones.
        notes = (f"buckets above {size - 1} us were empty or do not exist: the file does not say",)
    final = parse_final(_without_sums(text, count), cpus=range(count), histogram=size)
    return _stored(
        name=name,
        host=host,
        command=("cyclictest", "(unknown options)"),
        version="unknown",
        interval=interval,
        threads=final.threads,
        finished=ended,
        notes=notes,
        output=text,
        fingerprint=_fingerprint(),
    )


def _without_sums(text: str, count: int) -> str:
    """Take the column of sums away that --histofall adds to rows, totals, maxima, overflows."""
    lines = []
    for line in text.split("\n"):
        if re.match(r"[0-9]{6,7} ", line):
            lines.append("\t".join(line.split("\t")[:count]))
        elif line.startswith(("# Total:", "# Max Latencies:", "# Histogram Overflows:")):
            label, _, figures = line.partition(":")
            lines.append(" ".join([f"{label}:", *figures.split()[:count]]))
        else:
            lines.append(line)
    return "\n".join(lines)


def _of_json(text: str, name: str, interval: int, host: str) -> StoredMeasurement:
    told = json.loads(text)
    command = tuple(shlex.split(str(told.get("cmdline:", told.get("cmdline", "cyclictest")))))
    version = str(told.get("rt_test_version:", told.get("rt_test_version", "unknown")))
    system = told["sysinfo"]
    threads = told["thread"]
    if not isinstance(threads, dict) or not 0 < len(threads) <= _THREADS:
        raise ValueError("it has no threads")
    size = _option(command, "-h", "--histogram", "--histofall", "-H") or 0
    highest = max((int(us) for one in threads.values() for us in one["histogram"]), default=0)
    size = max(size, highest + 1)
    if size > _BUCKETS:
        raise ValueError(f"a histogram of {size} buckets")
    step = interval or _option(command, "-i", "--interval") or 1000
    return _stored(
        name=name,
        host=clean_line(str(system.get("nodename", host)), limit=100),
        command=tuple(clean_line(word, limit=500) for word in command),
        version=clean_line(version, limit=40),
        interval=step,
        threads=tuple(_thread(one, size) for one in threads.values()),
        finished=_moment(told.get("end_time")),
        notes=(),
        output="",
        fingerprint=_fingerprint(
            kernel=clean_line(str(system.get("release", _UNKNOWN)), limit=200),
            kernel_version=clean_line(str(system.get("version", _UNKNOWN)), limit=200),
            machine=clean_line(str(system.get("machine", _UNKNOWN)), limit=40),
            realtime={1: "yes", 0: "no"}.get(system.get("realtime"), _UNKNOWN),
        ),
    )


def _thread(told: dict[str, Any], size: int) -> ThreadHistogram:
    counts = [0] * size
    for us, count in told["histogram"].items():
        counts[_count(int(us))] = _count(count)
    cycles = _count(told["cycles"])
    # The JSON does not tell overflows: they are the cycles that no bucket has.
    overflows = cycles - sum(counts)
    if overflows < 0:
        raise ValueError(f"CPU {told['cpu']} has more samples than cycles")
    return ThreadHistogram(
        _count(told["cpu"]),
        tuple(counts),
        overflows,
        _count(told["min"]) if cycles else 0,
        float(told["avg"]) if cycles else 0.0,
        _count(told["max"]) if cycles else 0,
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**53:
        raise ValueError(f"{value!r} is not a count")
    return value


def _option(command: tuple[str, ...], *names: str) -> int:
    """Return the number an option was given (`-i 200`, `-i200`, `--interval=200`), else 0."""
    for index, word in enumerate(command):
        for name in names:
            value = ""
            if word == name and index + 1 < len(command):
                value = command[index + 1]
            elif word.startswith(f"{name}=") or (len(name) == 2 and word.startswith(name)):
                value = word.removeprefix(name).removeprefix("=")
            if value.isascii() and value.isdigit():
                return int(value[:9])
    return 0


def _moment(value: object) -> float:
    try:
        return max(parsedate_to_datetime(str(value)).timestamp(), 0.0)
    except ValueError:
        return 0.0


def _stored(
    *,
    name: str,
    host: str,
    command: tuple[str, ...],
    version: str,
    interval: int,
    threads: tuple[ThreadHistogram, ...],
    finished: float,
    notes: tuple[str, ...],
    output: str,
    fingerprint: Fingerprint,
) -> StoredMeasurement:
    loops = max((thread.samples for thread in threads), default=0)
    if not loops:
        raise ValueError("it has no samples")
    elapsed = loops * interval / 1_000_000
    order = MeasurementOrder(
        identity=f"imported-{name}",
        command=command,
        version=version,
        interval=interval,
        loops=loops,
        histogram=len(threads[0].counts),
        cpus=tuple(thread.cpu for thread in threads),
    )
    final = Snapshot(1, elapsed, threads, final=True)
    when = time.strftime("%Y-%m-%d", time.gmtime())
    notes = (f"imported from {name} on {when}; what it does not say is unknown", *notes)
    measured = Measured(order, final, output, True, max(finished - elapsed, 0), finished, notes)
    return packed(measured, host=host, lab="imported", fingerprint=fingerprint)


def _fingerprint(
    *,
    kernel: str = _UNKNOWN,
    kernel_version: str = _UNKNOWN,
    machine: str = _UNKNOWN,
    realtime: str = _UNKNOWN,
) -> Fingerprint:
    rest = dict.fromkeys(Fingerprint.model_fields, _UNKNOWN)
    known = {"kernel": kernel, "kernel_version": kernel_version, "machine": machine}
    evidence = {"imported": realtime}
    return Fingerprint.model_validate({**rest, **known, "realtime": evidence})
