"""What a face sees of the engine: events out, requests and answers in. Nothing else."""

from collections.abc import Iterator
from typing import Protocol

from kubert_tui.events.model import Event
from kubert_tui.events.questions import Answer
from kubert_tui.lab.model import Lab
from kubert_tui.machines.order import Order
from kubert_tui.stages.machines_acts import Raw
from kubert_tui.stages.model import Stage


class Engine(Protocol):
    """One run of one lab. Thread-safe; the work happens on the engine's own threads."""

    @property
    def lab(self) -> Lab:
        """The lab of this run."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, in order."""

    def events(self) -> Iterator[Event]:
        """Yield every event in order; ends after `Finished`. One consumer."""

    def submit(self, stage: str, *, again: bool = False) -> None:
        """Ask for one stage to be worked on, after those already asked for.

        `again` repeats a measurement that this run already has.
        """

    def skip(self, stage: str, reason: str) -> None:
        """Mark a stage as skipped, with the user's reason."""

    def machines(self, order: Order, raw: Raw | None = None) -> None:
        """Ask for something to be done about machines, after what was asked for already.

        `OrderStarted` and `OrderEnded` tell of it, `FactsGathered` how the machines are. A
        console is followed until `cancel`; `raw` takes it as it is, instead of events.
        """

    def answer(self, question: int, answer: Answer) -> None:
        """Answer an open question by its number; a second answer is ignored."""

    def load(self, host: str, preset: str) -> None:
        """Load a host while it is measured, at once, whatever is queued; `none` ends the load.

        `LoadChanged` tells that it was done, `LoadRefused` that it could not be.
        """

    def watch_cluster(self, *, on: bool) -> None:
        """Watch the lab's cluster from now on, beside whatever is at work; or end that.

        `ClusterWatched` tells how it is, `ClusterHeard` whether it answers. Nobody is asked
        anything: hosts that were never connected to are told as trouble. What fails is tried
        again until the watch is ended.
        """

    def cancel(self) -> None:
        """Cancel the stage at work and what is queued behind it. Measurements on hosts end."""

    def detach(self) -> None:
        """End the run's work here at once; a measurement on a host goes on by itself."""

    def close(self) -> None:
        """Finish when the queued work is done: `Finished` is the last event."""
