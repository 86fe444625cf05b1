"""What cyclictest 2.x writes with --json."""

import json
from email.utils import parsedate_to_datetime
from typing import Any

from kubert_tui.base.text import clean_line
from kubert_tui.facts.parse_tools import cyclictest_version
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.foreign_parts import (
    BUCKETS_LIMIT,
    THREADS_LIMIT,
    UNKNOWN,
    Source,
    Told,
    stored,
    with_told,
    words_of,
)
from kubert_tui.results.options import number


def of_json(text: str, name: str, told: Told) -> StoredMeasurement:
    """Return the measurement. ValueError, KeyError or TypeError for what it is not."""
    content = json.loads(text)
    # The keys' colons are cyclictest's.
    command = words_of(str(content.get("cmdline:", content.get("cmdline", "cyclictest"))))
    version = str(content.get("rt_test_version:", content.get("rt_test_version", "")))
    system = content["sysinfo"]
    threads = content["thread"]
    if content.get("resolution_in_ns"):
        raise ValueError("it is in nanoseconds (--nsecs); we keep microseconds")
    if not isinstance(threads, dict) or not 0 < len(threads) <= THREADS_LIMIT:
        raise ValueError("it has no threads")
    size = max(number(command, option) for option in ("-h", "--histogram", "-H", "--histofall"))
    highest = max((int(us) for one in threads.values() for us in one["histogram"]), default=0)
    size = max(size, highest + 1)
    if size > BUCKETS_LIMIT:
        raise ValueError(f"a histogram of {size} buckets")
    source = Source(
        name=name,
        command=command,
        version=_version(version),
        host=clean_line(str(system.get("nodename", "imported")), limit=100),
        kernel=clean_line(str(system.get("release", UNKNOWN)), limit=200),
        kernel_version=clean_line(str(system.get("version", UNKNOWN)), limit=200),
        machine=clean_line(str(system.get("machine", UNKNOWN)), limit=40),
        realtime={1: "yes", 0: "no"}.get(system.get("realtime"), UNKNOWN),
    )
    return stored(
        with_told(source, told),
        [_thread(one, size) for one in threads.values()],
        finished=_moment(content.get("end_time")),
        output="",
    )


def _version(told: str) -> str:
    """Return 2.4 for 2.40. 2.1 and 2.10 say the same; the newer one is likelier."""
    return "2.10" if told == "2.10" else cyclictest_version(f"cyclictest V {told}") or "unknown"


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


def _moment(value: object) -> float:
    try:
        return max(parsedate_to_datetime(str(value)).timestamp(), 0.0)
    except ValueError:
        return 0.0
