"""The load beside a measurement that is under way: started and stopped on request, and told of."""

from dataclasses import dataclass, field
from threading import Event as Flag
from threading import RLock, Thread

from kubert_tui.base.errors import KubertError, MeasurementError
from kubert_tui.events.measuring import LoadChanged
from kubert_tui.latency.launch import Process, Run
from kubert_tui.latency.load_order import load_for
from kubert_tui.latency.loads import Load
from kubert_tui.latency.measurement import Launched
from kubert_tui.stages.model import Work

PERIOD = 3.0
"""Seconds between two looks at a load that runs. Where none does, nobody looks."""
_BEGINNING = 0.5
"""Seconds between two looks for a load that was ordered and is just starting."""
_LOOKS = 20


@dataclass(slots=True)
class MeasuredLoad:
    """What loads one host while it is measured; a context around the measurement. Thread-safe."""

    work: Work
    host: str
    directory: str
    """That of all runs, on the host."""
    _launched: Launched | None = field(init=False, default=None)
    _process: Process | None = field(init=False, default=None)
    _told: dict[float, bool] = field(init=False, default_factory=dict)
    """By the beginning of each load: whether its end was told, too."""
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
                runs = False in self._told.values()
                self._wake.wait(PERIOD if runs else None)

    def _look(self, run: Run) -> None:
        self._process = self._process or run.look().process
        if self._process is not None:
            self._tell(run.loads(self._process))

    def _tell(self, loads: tuple[Load, ...]) -> None:
        for load in loads:
            if load.after not in self._told:
                self._told[load.after] = False
                self._emit(load, on=True)
            if load.until is not None and not self._told[load.after]:
                self._told[load.after] = True
                self._emit(load, on=False)

    def _emit(self, load: Load, *, on: bool) -> None:
        self.work.emit(
            LoadChanged(
                host=self.host,
                preset=load.preset,
                command=load.command,
                cpus=load.cpus,
                elapsed=load.after if on or load.until is None else load.until,
                on=on,
                reason="" if on else load.ended,
            )
        )
