"""Why a run gave no result: cyclictest's ways to fail, told so that one can act on them."""

import re
import signal

from kubert_tui.base.errors import CancelledError, MeasurementError
from kubert_tui.base.text import clean, clean_line, last_lines
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.statistics import missed_periods


class MeasurementInterruptedError(MeasurementError):
    """The run was cut off: killed, or the host was started anew.

    `measured` is what is known of it until then, labelled as interrupted; None if nothing is.
    """

    def __init__(self, what: str, *, host: str, measured: Measured | None, fix: str = "") -> None:
        super().__init__(what, host=host, fix=fix or "start the measurement again")
        self.measured = measured


class OrderDiffersError(MeasurementError):
    """The measurement under way was ordered otherwise. `order` is what it was ordered to do."""

    def __init__(self, what: str, *, host: str, order: MeasurementOrder) -> None:
        super().__init__(what, host=host)
        self.order = order


class MeasurementCancelledError(CancelledError):
    """It was cancelled. `measured` is what cyclictest had measured, labelled as interrupted."""

    def __init__(self, what: str, *, host: str, measured: Measured | None) -> None:
        super().__init__(what, host=host)
        self.measured = measured


_KNOWN = (
    (
        r"kubert-tui: tracing cannot be set up",
        "tracing for cyclictest.breaktrace cannot be set up",
        "see the details; without breaktrace in the lab file it measures without a trace",
    ),
    (
        r"Unable to change scheduling policy",
        "cyclictest may not use real-time scheduling",
        "run it as root; is root refused too, its cgroup needs a cpu.rt_runtime_us above 0",
    ),
    (
        r"mlockall",
        "cyclictest cannot lock its memory",
        "run it as root, or raise the memlock limit (about 8 MB per measured CPU)",
    ),
    (
        r"failed to create thread",
        "cyclictest cannot create its threads",
        "raise the memlock and process limits (about 8 MB of locked memory per measured CPU)",
    ),
    (
        r"unrecognized option|invalid option|Usage:",
        "cyclictest printed its usage: this version does not accept one of the options",
        "compare the command with what `cyclictest --help` lists on the host",
    ),
    (
        r"failed to set pid \d+'s affinity",
        "cyclictest may not run on the CPUs that are to be measured",
        "see which CPUs are online and which the cpuset of the login allows",
    ),
    (
        r"No space left on device",
        "the disk of the host is full",
        "make room on the host and run it again",
    ),
)


def explain(
    error: MeasurementError,
    order: MeasurementOrder,
    *,
    host: str,
    stdout: bytes,
    stderr: bytes,
    exit_status: int | None,
) -> MeasurementError:
    """Return what to tell about a run whose output could not be read (`error` says how)."""
    errors = clean(stderr[-20_000:])
    said = errors + "\n" + clean(stdout[:2_000])
    if exit_status is not None and 128 < exit_status <= 128 + signal.SIGRTMAX:
        killer = _signal(exit_status - 128)
        what = f"the measurement was interrupted: cyclictest was ended by {killer}"
        return MeasurementInterruptedError(what, host=host, measured=None)
    what, fix = error.what, error.fix
    for pattern, known, advice in _KNOWN:
        if re.search(pattern, said):
            what, fix = known, advice
            break
    else:
        if exit_status in (126, 127):
            what, fix = f"{order.command[0]} cannot be started", "build rt-tests on the host first"
        elif exit_status:
            what = f"cyclictest ended with status {exit_status}: {error.what}"
    return MeasurementError(
        what,
        fix=fix,
        host=host,
        command=order.command,
        exit_status=exit_status,
        details=last_lines(errors) or error.details,
    )


def remarks(
    order: MeasurementOrder, final: Snapshot, stderr: bytes, *, dma_latency: bool
) -> tuple[str, ...]:
    """Return what a reader of a finished measurement must know."""
    notes = []
    if not dma_latency:
        notes.append(
            "cyclictest did not hold /dev/cpu_dma_latency: idle states were not kept off,"
            " so the figures do not compare with others"
        )
    warnings = stderr.decode("utf-8", errors="replace").splitlines()[:20]
    notes += [
        f"cyclictest: {clean_line(line)}"
        for line in warnings
        # Expected: the README's --distance=0 together with a histogram.
        if line.startswith("WARN")
        and "distance is ignored" not in line
        # What cyclictest did not find there was done for it.
        and not (dma_latency and "/dev/cpu_dma_latency" in line)
    ]
    # Start and end take a moment that is no missed period.
    elapsed = max(final.elapsed - 0.2, 0.0)
    periods = int(elapsed * 1_000_000 / order.interval)
    missed = {t.cpu: missed_periods(elapsed, order.interval, t.samples) for t in final.threads}
    short = [cpu for cpu, count in missed.items() if count > max(periods // 100, 2)]
    if short:
        worst = max(short, key=missed.__getitem__)
        few = missed[worst] * 10 > periods
        suspect = "; real-time throttling or a stalled (virtual) CPU is likely" if few else ""
        notes.append(
            f"{missed[worst]} of {periods} periods on CPU {worst} have no sample"
            f" ({len(short)} CPUs miss more than 1 %){suspect}"
        )
    return tuple(notes)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
