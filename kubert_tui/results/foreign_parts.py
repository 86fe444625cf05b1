"""What all imported results have in common: how they become a measurement of ours."""

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.latency.fingerprint import Fingerprint
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import packed
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.options import UNKNOWN_OPTIONS, flag, number

THREADS_LIMIT = 4096
BUCKETS_LIMIT = 1_000_000
IMPORTED = "imported"
"""`lab` of what others measured."""
UNKNOWN = "unknown: imported"
DEFAULT_INTERVAL = 1000
"""us; cyclictest's own."""

_MACHINE = re.compile(r"x86_64|i[3-6]86|aarch64|arm\w*|ppc\w*|riscv\w*|s390x|mips\w*")
_UNAME = re.compile(r"Linux (?P<host>\S+) (?P<release>\S+) (?P<version>#.*?)(?: \S*GNU/Linux)?$")


@dataclass(frozen=True, slots=True)
class Told:
    """What the user says about a result, where it does not say so itself."""

    interval: int = 0
    """us; 0: not told."""
    host: str = ""
    command: str = ""
    """cyclictest's command line."""
    uname: str = ""
    """What `uname -a` says there."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is known about an imported result."""

    name: str
    """The file's."""
    command: tuple[str, ...] = ("cyclictest", *UNKNOWN_OPTIONS)
    version: str = "unknown"
    interval: int = 0
    host: str = "imported"
    policy: str = ""
    kernel: str = UNKNOWN
    kernel_version: str = UNKNOWN
    machine: str = UNKNOWN
    realtime: str = UNKNOWN
    """Whether it was PREEMPT_RT: yes, no or unknown."""


def words_of(line: str) -> tuple[str, ...]:
    """Return the argv of a command line, cleaned, without what a shell does with its output."""
    plain = re.split(r"[|>;&]", line)[0]
    try:
        words = shlex.split(plain)
    except ValueError:
        words = plain.split()
    return tuple(clean_line(word, limit=500) for word in words)


def with_kernel(source: Source, uname: str) -> Source:
    """Return `source` with what a line of `uname -a` says; the same object if it is none."""
    found = _UNAME.search(clean_line(uname, limit=500))
    if found is None:
        return source
    version, _, machine = found["version"].rpartition(" ")
    if not _MACHINE.fullmatch(machine):
        version, machine = found["version"], UNKNOWN
    return replace(
        source,
        host=found["host"],
        kernel=found["release"],
        kernel_version=version,
        machine=machine,
        # Older kernels say "PREEMPT RT" (patches for 3.x to 5.x), newer ones "PREEMPT_RT".
        realtime="yes" if re.search(r"\bPREEMPT[ _]RT\b", version) else "no",
    )


def with_told(source: Source, told: Told) -> Source:
    """Return `source` with what its user tells beyond it. UsageError when that makes no sense."""
    if told.command:
        source = replace(source, command=words_of(told.command))
    if told.uname:
        known = with_kernel(source, told.uname)
        if known is source:
            raise UsageError("--uname is not what `uname -a` prints", fix="copy its whole line")
        source = known
    interval = told.interval or source.interval or interval_of(source.command)
    return replace(source, interval=interval, host=told.host or source.host)


def stored(
    source: Source,
    threads: Sequence[ThreadHistogram],
    *,
    finished: float,
    output: str,
    notes: Sequence[str] = (),
) -> StoredMeasurement:
    """Return the measurement; ValueError when it has no samples or is not in microseconds."""
    loops = max((thread.samples for thread in threads), default=0)
    if not loops:
        raise ValueError("it has no samples")
    if flag(source.command, "--nsecs", "-N"):
        raise ValueError("it is in nanoseconds (--nsecs); we keep microseconds")
    interval = source.interval
    elapsed = loops * interval / 1_000_000
    order = MeasurementOrder(
        identity=f"imported-{source.name}",
        command=source.command,
        version=source.version,
        interval=interval,
        loops=loops,
        histogram=len(threads[0].counts),
        cpus=tuple(thread.cpu for thread in threads),
    )
    final = Snapshot(1, elapsed, tuple(threads), final=True)
    when = time.strftime("%Y-%m-%d", time.gmtime())
    first = f"imported from {source.name} on {when}; what it does not say is unknown"
    measured = Measured(
        order, final, output, True, max(finished - elapsed, 0), finished, (first, *notes),
        policy=source.policy,
    )  # fmt: skip
    kept = packed(measured, host=source.host, lab=IMPORTED, fingerprint=_fingerprint(source))
    return kept.model_copy(update={"smi_unknown": "imported"})


def interval_of(command: Sequence[str]) -> int:
    """Return the interval a command asks for, in us; 0 when its options are not known."""
    if tuple(command[1:]) == UNKNOWN_OPTIONS:
        return 0
    return number(command, "-i", "--interval") or DEFAULT_INTERVAL


def _fingerprint(source: Source) -> Fingerprint:
    return Fingerprint.model_validate({
        **dict.fromkeys(Fingerprint.model_fields, UNKNOWN),
        "kernel": source.kernel,
        "kernel_version": source.kernel_version,
        "machine": source.machine,
        "realtime": {"imported": source.realtime},
    })  # fmt: skip
