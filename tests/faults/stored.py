"""Stored measurements looked at with eyes of their own: not by the code that wrote them."""

import json
import re
from pathlib import Path
from typing import Any

_TOTAL = re.compile(r"^# Total:((?:[ \t]+\d+)+)[ \t]*$", re.MULTILINE)
_OVERFLOWS = re.compile(r"^# Histogram Overflows:((?:[ \t]+\d+)+)[ \t]*$", re.MULTILINE)
_ROW = re.compile(r"^(\d{6})((?:[ \t]+\d+)+)[ \t]*$", re.MULTILINE)


def results(state: Path, host: str, *, interrupted: bool = False) -> list[Path]:
    """Every result of a host below a state directory, of all runs; or those cut off instead."""
    found = sorted((state / "runs").glob(f"*/latency-{host}-*.json"))
    return [
        path for path in found if bool(json.loads(path.read_text())["interrupted"]) is interrupted
    ]


def problems(path: Path, loops: int) -> list[str]:
    """What is not exact about a stored measurement; nothing is as it should be.

    Every bucket of every thread is that of cyclictest's own text; buckets and overflows add up
    to its totals; the thread that ended the run has `loops` samples, and no thread has more.
    """
    told: dict[str, Any] = json.loads(path.read_text())
    theirs = buckets_of(told["output"])
    totals = _numbers(_found(_TOTAL, told["output"]))
    overflows = _numbers(_found(_OVERFLOWS, told["output"]))
    wrong = []
    counted = []
    for number, thread in enumerate(told["threads"]):
        buckets = dict(thread["buckets"])
        if buckets != theirs[number]:
            wrong.append(f"CPU {thread['cpu']}: buckets differ from cyclictest's")
        if thread["overflows"] != overflows[number]:
            wrong.append(f"CPU {thread['cpu']}: overflows differ from cyclictest's")
        if sum(buckets.values()) != totals[number]:
            wrong.append(f"CPU {thread['cpu']}: buckets do not add up to cyclictest's total")
        counted.append(sum(buckets.values()) + thread["overflows"])
    if max(counted, default=0) != loops:
        wrong.append(f"{counted} samples, {loops} loops were ordered")
    if sum(counted) != told["summary"]["samples"]:
        wrong.append("the summary counts other samples")
    if not told["exact"]:
        wrong.append("the live histogram did not agree with the final one")
    return wrong


def buckets_of(output: str) -> list[dict[int, int]]:
    """Samples by us for each thread, of cyclictest's own text; only those that are there."""
    rows = {int(us): _numbers(counts) for us, counts in _ROW.findall(output)}
    width = max(map(len, rows.values()), default=0)
    return [
        {us: counts[number] for us, counts in rows.items() if counts[number]}
        for number in range(width)
    ]


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]
