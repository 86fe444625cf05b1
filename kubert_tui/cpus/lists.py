"""CPU numbers as the kernel writes them: `0-3,8`."""

import re
from collections.abc import Iterable

CPU_LIMIT = 65_536
"""No CPU of a list has this number or a higher one."""

_PART = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)


def cpu_list(cpus: Iterable[int]) -> str:
    """Return CPUs in the kernel's notation, `` for none: (2, 3, 4, 8) is `2-4,8`."""
    ranges: list[list[int]] = []
    for cpu in sorted({*cpus}):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def cpus_of(text: str) -> frozenset[int]:
    """Return the CPUs of such a list; `` are none. ValueError says what is wrong with it."""
    found: set[int] = set()
    for part in text.split(",") if text.strip() else ():
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is no CPU and no range of CPUs")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"{part.strip()} runs backwards")
        if last >= CPU_LIMIT:
            raise ValueError(f"{last} is no number of a CPU")
        found.update(range(first, last + 1))
    return frozenset(found)
