"""CPU lists, as the kernel and people write them."""

import re
from collections.abc import Sequence

from kubert_tui.base.errors import MeasurementError


def cpu_list(cpus: Sequence[int]) -> str:
    """Return CPUs in the kernel's notation: (2, 3, 4, 8) is `2-4,8`."""
    ranges: list[tuple[int, int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], cpu)
        else:
            ranges.append((cpu, cpu))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Return the CPUs of `2-4,8`, ascending; MeasurementError when it is no CPU list."""
    cpus: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,5})(?:-(\d{1,5}))?\s*", part)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise MeasurementError(f"{text!r} is not a CPU list", fix="write it as 2-15 or 0,2,4-7")
        cpus.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return tuple(sorted(cpus))
