"""The kernel's tracing on this machine: how it stands, and a place to look at it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACE = Path("/sys/kernel/tracing")
_LOOKED_AT = ("tracing_on", "current_tracer", "set_event", "trace_clock", "tracing_cpumask")


def can_trace() -> bool:
    """Whether tracefs can be mounted here."""
    if os.geteuid() != 0 or not PLACE.is_dir():
        return False
    with mounted() as there:
        return there


@contextmanager
def mounted() -> Iterator[bool]:
    """Mount tracefs for a while, unless it is."""
    ours = not (PLACE / "trace").exists()
    if ours:
        subprocess.run(["mount", "-t", "tracefs", "nodev", PLACE], check=False, capture_output=True)
    try:
        yield (PLACE / "trace").exists()
    finally:
        if ours:
            subprocess.run(["umount", PLACE], check=False, capture_output=True)


def state() -> dict[str, str]:
    """How tracing stands; and what is mounted of it."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if _of_tracing(line)]
    with mounted():
        told = {name: (PLACE / name).read_text() for name in _LOOKED_AT}
        size = (PLACE / "buffer_size_kb").read_text().rpartition(" ")[2].strip(")\n")
        # The kernel takes whole pages for it, of a little less than 4 kB each.
        told["buffer"] = f"about {int(size) // 16 * 16} kB"
        told["instances"] = " ".join(path.name for path in (PLACE / "instances").iterdir())
    return {**told, "mounts": "\n".join(mounts)}


def _of_tracing(line: str) -> bool:
    return line.split()[2] in ("tracefs", "debugfs")
