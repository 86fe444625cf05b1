"""Practice labs that a test plays: how they stand, what `up` reports, and when it goes on."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.practice.model import MACHINES, NAMES, Kind, Order, Progress
from kubert_tui.practice.status import MachineStatus, Standing, Status


def lab_of(kind: Kind) -> Lab:
    """The lab of practice machines."""
    hosts = tuple(
        HostSpec(name=name, address=f"10.166.0.{number}", user="root")
        for number, name in enumerate(MACHINES, start=11)
    )
    return Lab(name=NAMES[kind], hosts=hosts, allow=frozenset(Permission))


def status_of(kind: Kind, standing: Standing, *, built: bool) -> Status:
    """How a practice lab stands."""
    up, there = standing is Standing.UP, standing is not Standing.ABSENT
    nowhere = Path("/nowhere")
    machines = tuple(
        MachineStatus(one, "10.166.0.11", 22, running=up, answers=up, console=nowhere)
        for one in MACHINES
    )
    return Status(
        kind=kind,
        name=NAMES[kind],
        exists=there,
        machines=machines if there else (),
        lab_file=nowhere if there else None,
        key=nowhere,
        password=nowhere,
        known_hosts=nowhere,
        image_built=built,
        cache=nowhere,
    )


@dataclass
class FakePractice:
    """Stands for the real ones: reports `steps`, then fails with `error` or waits for `go`."""

    stands: dict[Kind, Standing] = field(
        default_factory=lambda: dict.fromkeys(Kind, Standing.ABSENT)
    )
    steps: tuple[Progress, ...] = ()
    error: KubertError | None = None
    calls: list[tuple[str, Kind]] = field(default_factory=list)
    tidied: Flag = field(default_factory=Flag)
    """Set when `up` was called off and removed what it had begun."""
    built: bool = False
    look_error: KubertError | None = None
    go: Flag = field(default_factory=Flag)

    def look(self, kind: Kind) -> Status:
        if self.look_error is not None:
            raise self.look_error
        return status_of(kind, self.stands[kind], built=self.built)

    def up(self, kind: Kind, order: Order) -> Lab:
        self.calls.append(("up", kind))
        self._work(order)
        self.stands[kind] = Standing.UP
        return lab_of(kind)

    def down(self, kind: Kind, order: Order) -> None:
        self.calls.append(("down", kind))
        self._work(order)
        self.stands[kind] = Standing.ABSENT

    def _work(self, order: Order) -> None:
        for step in self.steps:
            order.on_progress(step)
        if self.error is not None:
            raise self.error
        while not self.go.wait(0.01):
            if order.cancel.is_set():
                self.tidied.set()
                order.stop_if_cancelled()
