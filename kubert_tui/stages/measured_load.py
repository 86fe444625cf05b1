"""The load beside a measurement that is under way: started and stopped on request, and told of."""

from dataclasses import dataclass, field, replace
from threading import Event as Flag
from threading import RLock, Thread

from kubert_tui.base.errors import KubertError, MeasurementError
from kubert_tui.events.measuring import LoadChanged
from kubert_tui.latency.launch import Process, Run
from kubert_tui.latency.load_order import load_for
from kubert_tui.latency.loads import Load
from kubert_tui.latency.measurement import Launched
from kubert_tui.latency.stored import StoredLoad
from kubert_tui.stages.model import Work

PERIOD = 3.0
"""Seconds between two looks at a load that runs. Where none does, nobody looks."""
_BEGINNING = 0.5
"""Seconds between two looks for a load that was ordered and is just starting."""
_LOOKS = 20
_BEGAN = 1
"""Told of a load that has not ended: its beginning."""


@dataclass(slots=True)
class MeasuredLoad:
    """What loads one host while it is measured; a context around the measurement. Thread-safe."""

    work: Work
    host: str
    directory: str
    """That of all runs, on the host."""
    _launched: Launched | None = field(init=False, default=None)
    _process: Process | None = field(init=False, default=None)
    _told: dict[float, int] = field(init=False, default_factory=dict)
    """By the beginning of each load: how much was told of it, as `load_changes` has it."""
    _lock: RLock = field(init=False, default_factory=RLock)
    _over: Flag = field(init=False, default_factory=Flag)
    _wake: Flag = field(init=False, default_factory=Flag)
    _watcher: Thread | None = field(init=False, default=None)

    def __enter__(self) -> "MeasuredLoad":
        self.work.takes_loads(self.host, self.request)
        return self

    def __exit__(self, *_: object) -> None:
        self.work.takes_loads(self.host, None)
        self._over.set()
        self._wake.set()

    def started(self, launched: Launched) -> None:
        """It is under way; told again whenever it was attached to again."""
        self._launched = launched
        if launched.attached or launched.order.load is not None:
            self._watch()

    def ended(self, loads: tuple[Load, ...]) -> None:
        """It is over: tell what has not been told of its loads."""
        self._over.set()
        self._wake.set()
        with self._lock:
            self._tell(loads)

    def request(self, preset: str) -> None:
        """Start a load, or stop it (by a preset that starts nothing); return when that is told.

        Raises KubertError, such as MeasurementError when nothing is measured or a tool is missing.
        """
        launched = self._launched
        if launched is None or self._over.is_set():
            raise MeasurementError(
                "nothing is measured there now", fix="start a measurement first", host=self.host
            )
        order = load_for(self.work.lab, self.work.facts(self.host), preset)
        with self._lock:
            run = self._run(launched)
            if order is None:
                run.stop_load()
            else:
                run.start_load(order, launched.order.housekeeping)
            self._look(run)
        self._watch()

    def _run(self, launched: Launched) -> Run:
        return Run(self.work.host(self.host), self.directory, launched.order.identity)

    def _watch(self) -> None:
        """See to it that what becomes of a load is told."""
        self._wake.set()
        with self._lock:
            if self._watcher is None and not self._over.is_set():
                name = f"{self.host} load"
                self._watcher = Thread(target=self._watched, name=name, daemon=True)
                self._watcher.start()

    def _watched(self) -> None:
        looks = 0
        while not self._over.is_set():
            self._wake.clear()
            launched = self._launched
            try:
                with self._lock:
                    if launched is not None and not self._over.is_set():
                        self._look(self._run(launched))
            except KubertError:
                pass  # whoever follows the measurement tells of it, and comes back
            looks += 1
            expected = launched is not None and launched.order.load is not None
            if expected and not self._told and looks < _LOOKS:
                self._wake.wait(_BEGINNING)
            else:
                runs = _BEGAN in self._told.values()
                self._wake.wait(PERIOD if runs else None)

    def _look(self, run: Run) -> None:
        self._process = self._process or run.look().process
        if self._process is not None:
            self._tell(run.loads(self._process))

    def _tell(self, loads: tuple[Load, ...]) -> None:
        for load in loads:
            told = self._told.setdefault(load.after, 0)
            for change in load_changes(self.host, load)[told:]:
                self._told[load.after] += 1
                self.work.emit(change)


def load_changes(host: str, load: Load | StoredLoad) -> tuple[LoadChanged, ...]:
    """Return what is told of a load: that it began; and that it ended, if it has."""
    began = LoadChanged(
        host=host,
        preset=load.preset,
        command=load.command,
        cpus=load.cpus,
        elapsed=load.after,
        on=True,
    )
    if load.until is None:
        return (began,)
    return began, replace(began, elapsed=load.until, on=False, reason=load.ended)
