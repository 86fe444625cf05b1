"""How soon one sees the present after coming back to a measurement."""

import contextlib
import tempfile
import threading
import time
from pathlib import Path
from threading import Event as Flag

from benchmarks.latency.runs import CountingHost
from kubert_tui.base.errors import CancelledError, DetachedError
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measure import measure
from kubert_tui.latency.measurement import Hooks, Launched, MeasurementOrder

_WAIT = 30.0


def attach_times(order: MeasurementOrder, times: int) -> list[float]:
    """Return the seconds from attaching to the first snapshot, `times` times; then end it."""
    with tempfile.TemporaryDirectory() as directory:
        _watch(order, Path(directory))
        return [_watch(order, Path(directory), end=number == times - 1) for number in range(times)]


def _watch(order: MeasurementOrder, directory: Path, *, end: bool = False) -> float:
    """Attach (or start) until the first snapshot; return the seconds it took."""
    seen, cancel, detach = Flag(), Flag(), Flag()
    when: list[float] = []

    def snapshot(_: Snapshot) -> None:
        when.append(time.monotonic())
        seen.set()

    def started(_: Launched) -> None:
        """Nothing is to be done."""

    def work() -> None:
        with contextlib.suppress(DetachedError, CancelledError):
            measure(
                CountingHost(), order, directory=str(directory), hooks=Hooks(started, snapshot),
                cancel=cancel, detach=detach, systemd=False,
            )  # fmt: skip

    began = time.monotonic()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    seen.wait(_WAIT)
    (cancel if end else detach).set()
    thread.join(_WAIT)
    return when[0] - began if when else float("inf")
