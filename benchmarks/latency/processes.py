"""CPU time and memory of processes, read from /proc."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all of its threads, to the nanosecond."""
    tasks = Path("/proc", str(pid), "task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def age(pid: int) -> float:
    """Seconds since it started."""
    stat = Path("/proc", str(pid), "stat").read_text()
    started = int(stat[stat.rindex(")") + 2 :].split()[19]) / _TICKS
    return float(Path("/proc/uptime").read_text().split()[0]) - started


def resident(pid: int) -> int:
    """Bytes of memory it has in use; of ourselves for 0."""
    return int(Path("/proc", str(pid or "self"), "statm").read_text().split()[1]) * os.sysconf(
        "SC_PAGE_SIZE"
    )


def with_word(word: str) -> list[int]:
    """Python processes with an argument that ends like this."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            name = (process / "comm").read_text()
        except OSError:
            continue
        if name.startswith("python") and any(one.endswith(word.encode()) for one in words):
            found.append(int(process.name))
    return found
