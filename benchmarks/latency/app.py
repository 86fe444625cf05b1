"""The monitor on a pretended measurement, in a terminal: what it costs. Started by `screen.py`.

    python -m benchmarks.latency.app REPORT CPUS BUCKETS RATE SNAPSHOTS

Writes CPU time and memory into REPORT as JSON. RATE is in snapshots a second; 0 is as fast as
they are taken.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Event as Flag
from typing import Any

from benchmarks.latency.processes import resident
from benchmarks.latency.source import Source
from kubert_tui.cli.wizard_command import make_watch
from kubert_tui.engine.replay import STAGE
from kubert_tui.events.measuring import LatencySnapshot, LatencyStarted
from kubert_tui.events.model import Event, StageStarted
from kubert_tui.events.questions import Answer
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.latency.stream import SampleStream, Snapshot
from kubert_tui.screens.latency_plots import LatencyPlots
from kubert_tui.screens.widgets.histogram_layout import Figure
from kubert_tui.stages.model import Stage
from kubert_tui.stages.registry import all_stages

WARM = 0.1
"""Share of the snapshots before the costs are counted."""
READ_AT = (0.1, 0.4, 0.7, 1.0)
"""Shares of the run at which the memory is read."""


class Pretended:
    """An engine that tells of one host, and ends the app when it has told all."""

    def __init__(self, report: Path, source: Source, rate: float, snapshots: int) -> None:
        self.lab = Lab(name="bench", hosts=(HostSpec(name="here", connection="local"),))
        self.over = Flag()
        self.drawn = 0
        """Frames so far."""
        self._report = report
        self._source = source
        self._rate = rate
        self._number = snapshots

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All of them."""
        return all_stages()

    def events(self) -> Iterator[Event]:
        """Tell, at the rate; then write the report."""
        cpus = tuple(range(self._source.cpus))
        yield StageStarted(stage=STAGE, title="a pretended measurement")
        yield LatencyStarted(
            stage=STAGE, host="here", command=("cyclictest", "--smp"), version="2.4", interval=200,
            loops=36_000_000, cpus=cpus, started=time.time(), limit=100,
        )  # fmt: skip
        stream = SampleStream(cpus, self._source.buckets)
        lines: Any = islice(self._source.lines(), self._number)
        if self._rate:
            # Made beforehand: what the source costs is none of ours.
            lines = list(lines)
        memory: list[int] = []
        used = began = 0.0
        drawn = 0
        begin = time.monotonic()
        for number, line in enumerate(lines, start=1):
            if self._rate:
                self.over.wait(max(begin + number / self._rate - time.monotonic(), 0.0))
            for message in stream.feed(line):
                if isinstance(message, Snapshot):
                    yield LatencySnapshot(stage=STAGE, host="here", snapshot=message)
            if number == max(1, int(self._number * WARM)):
                used, began, drawn = time.process_time(), time.monotonic(), self.drawn
            if number in {int(self._number * share) for share in READ_AT}:
                memory.append(resident(0))
            if self.over.is_set():
                return
        told = {
            "cpu": time.process_time() - used,
            "seconds": time.monotonic() - began,
            "frames": self.drawn - drawn,
            "memory": memory,
        }
        self._report.write_text(json.dumps(told))
        self.over.set()

    def submit(self, stage: str, *, again: bool = False) -> None:
        """Nothing is done."""

    def skip(self, stage: str, reason: str) -> None:
        """Nothing is done."""

    def answer(self, question: int, answer: Answer) -> None:
        """Nothing is asked."""

    def cancel(self) -> None:
        """End."""
        self.over.set()

    def detach(self) -> None:
        """End."""
        self.over.set()

    def close(self) -> None:
        """End."""
        self.over.set()


def main() -> None:
    report, cpus, buckets, rate, snapshots = sys.argv[1:]
    engine = Pretended(
        Path(report), Source(int(cpus), int(buckets), 8), float(rate), int(snapshots)
    )
    _count(engine)
    app = make_watch(engine.lab, lambda _: engine, STAGE)
    app.call_later(_leave_when_over, app, engine)
    app.run()


def _count(engine: Pretended) -> None:
    show = LatencyPlots.show_figure

    def counted(plots: LatencyPlots, figure: Figure) -> None:
        engine.drawn += 1
        show(plots, figure)

    LatencyPlots.show_figure = counted  # type: ignore[method-assign]


async def _leave_when_over(app: Any, engine: Pretended) -> None:
    app.set_interval(0.2, lambda: app.exit(0) if engine.over.is_set() else None)


if __name__ == "__main__":
    main()
