"""The practice lab: up, status, down. All kinds alike; what differs is in the kind's driver."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.hosts.known_hosts import replace_marked
from kubert_tui.practice import lab_file, mounts
from kubert_tui.practice.answering import answers
from kubert_tui.practice.driver import Driver
from kubert_tui.practice.drivers import driver_of
from kubert_tui.practice.images import Images
from kubert_tui.practice.keys import TOOLS, make_keys, public_key
from kubert_tui.practice.locking import locked
from kubert_tui.practice.model import NAMES, Kind, Machine, Order, Places
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.status import MachineStatus, Status
from kubert_tui.practice.tools import missing, refuse_missing, require_root

_COPYING = "making the machines"
_WAITING = "waiting for the machines to answer"
_REMOVING = "removing the machines"
_START_STEPS = {
    Kind.CONTAINERS: (Step(_COPYING, 1.5), Step(_WAITING, 4)),
    Kind.NODES: (Step(_COPYING, 1.5), Step(_WAITING, 4)),
    Kind.VIRTUAL: (Step(_COPYING, 5), Step(_WAITING, 150)),
}
_BOOT_LIMIT = {Kind.CONTAINERS: 120.0, Kind.NODES: 120.0, Kind.VIRTUAL: 900.0}
"""Seconds after which a machine that does not answer is not going to."""
_POLL = 0.2
_BUSY = "another kubert-tui works on the practice lab"


class Practice:
    """One practice lab. Any number may exist, each with a name (and state directory) of its own."""

    def __init__(
        self,
        places: Places,
        kind: Kind = Kind.CONTAINERS,
        *,
        name: str = "",
        driver: Driver | None = None,
    ) -> None:
        self.kind = kind
        self.name = name or NAMES[kind]
        self.places = places
        self.directory = LabDirectory(places.state / self.name, self.name)
        self.lab_file = places.labs / f"{self.name}.yaml"
        self._driver = driver or driver_of(kind)
        self._images = Images(places.cache, self._driver)
        self._lock = places.state / f".{self.name}.lock"

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machines, whether they run or not; empty where there is no lab."""
        return self._driver.machines(self.directory) if self._exists else ()

    def machine(self, name: str) -> Machine:
        """Return the machine called `name`; KubertError if there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        names = ", ".join(machine.name for machine in self.machines) or "none: the lab is not up"
        raise KubertError(f"there is no practice machine {name!r}", fix=f"machines: {names}")

    def up(self, order: Order) -> Path:
        """Build what the cache lacks, start what is not running; return the lab file.

        Returns when all machines answer. A lab that is up is left as it is. Raises KubertError:
        ToolMissingError, CancelledError (a lab that was not there before is removed again), ...
        """
        require_root()
        refuse_missing([*self._driver.missing(), *missing(TOOLS)])
        lab_file.refuse_foreign(self.lab_file)
        paths.private_directory(self.places.state)
        pace = Pace(order, self._steps(), self._images.durations)
        with locked(self._lock, _BUSY, pace.wait):
            fresh = not self._exists
            try:
                return self._up(pace)
            except CancelledError:
                if fresh:
                    self._remove()
                    self._lock.unlink()
                raise

    def status(self) -> Status:
        """Look: which machines run and answer. Takes a fraction of a second per machine."""
        machines = tuple(
            MachineStatus(
                name=machine.name,
                address=machine.address,
                port=machine.port,
                running=(running := machine.running()),
                answers=running and answers(self.directory, machine, limit=5),
                console=machine.console,
            )
            for machine in self.machines
        )
        return Status(
            kind=self.kind,
            name=self.name,
            exists=self._exists,
            machines=machines,
            lab_file=self.lab_file if lab_file.is_ours(self.lab_file) else None,
            key=self.directory.user_key,
            password=self.directory.password,
            known_hosts=self.places.known_hosts,
            image_built=self._images.present,
            cache=self.places.cache,
        )

    def cache_bytes(self) -> int:
        """Return what this kind's images take on disk."""
        return self._images.size()

    def down(self, order: Order) -> None:
        """Remove the lab and all that belongs to it; the image stays. Idempotent.

        It is not called off half-way: `order.cancel` counts only while another process is busy
        with the lab.
        """
        if not self.places.state.is_dir():
            if os.geteuid() == 0:
                # Somebody removed our files by hand; what runs is found without them.
                self._remove()
            return
        pace = Pace(order, (Step(_REMOVING, 2),))
        if self._exists:
            require_root()
            pace.begin(_REMOVING)
        with locked(self._lock, _BUSY, pace.wait):
            self._remove()
            self._images.clean()
            self._lock.unlink()
        pace.finish()

    def forget(self) -> None:
        """Remove this kind's images from the cache. BusyError while a lab runs from one."""
        if self._exists:
            raise KubertError(
                f"the lab {self.name} is still there", fix="take it down first, with its image"
            )
        self._images.remove()

    @property
    def _exists(self) -> bool:
        return self.directory.path.is_dir()

    def _steps(self) -> Sequence[Step]:
        building = () if self._images.present else self._driver.build_steps
        return (*building, *_START_STEPS[self.kind])

    def _up(self, pace: Pace) -> Path:
        if self._removing.exists():
            self._remove()
        image = self._image(pace)
        paths.private_directory(self.directory.path)
        paths.write_private(self._image_name, image.name)
        pace.begin(_COPYING)
        make_keys(self.directory)
        self._driver.create(self.directory, image)
        machines = self._driver.machines(self.directory)
        started = [machine for machine in machines if not machine.running()]
        for machine in started:
            machine.start()
        pace.begin(_WAITING)
        self._wait(machines, pace)
        self._publish(machines)
        # How long it takes to find that there is nothing to do is worth no memory.
        pace.finish(remember=len(started) == len(machines))
        return self.lab_file

    def _image(self, pace: Pace) -> Path:
        """The image that the lab's copies are of; one of the present recipe for a new lab."""
        try:
            name = self._image_name.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            name = ""
        if name.startswith(f"{self.kind}-") and (image := self.places.cache / name).is_dir():
            return image
        if self._exists:
            # Copies of what is gone (or of what was never finished) are of no use.
            self._remove()
        return self._images.ensure(pace)

    def _wait(self, machines: Sequence[Machine], pace: Pace) -> None:
        deadline = time.monotonic() + _BOOT_LIMIT[self.kind]
        silent = list(machines)
        while silent := [one for one in silent if not answers(self.directory, one)]:
            for machine in silent:
                if not machine.running() or time.monotonic() > deadline:
                    what = "does not answer" if machine.running() else "went off while starting"
                    raise KubertError(
                        f"the practice machine {machine.name} {what}",
                        fix=f"its console: {machine.console}; `kubert-tui practice down`, then up",
                        details=_console_end(machine),
                    )
            pace.tick()
            time.sleep(_POLL)

    def _publish(self, machines: Sequence[Machine]) -> None:
        """Make the lab known: its host keys and its file."""
        keys = []
        for machine in machines:
            host, port = machine.address, machine.port
            known_as = host if port == 22 else f"[{host}]:{port}"
            keys.append((known_as, *public_key(self.directory.host_key(machine.name))))
        replace_marked(self._mark, keys, self.places.known_hosts)
        lab_file.publish(self.lab_file, self.name, machines, self.directory.user_key)

    def _remove(self) -> None:
        """Remove everything of the lab. Cut off anywhere, it can be called again."""
        if self._exists:
            self._removing.touch()
        self._driver.destroy(self.directory)
        lab_file.remove(self.lab_file)
        replace_marked(self._mark, (), self.places.known_hosts)
        mounts.remove_tree(self.directory.path)

    @property
    def _removing(self) -> Path:
        """There while `down` is at work, or was when it was killed."""
        return self.directory.path / ".removing"

    @property
    def _image_name(self) -> Path:
        return self.directory.path / "image"

    @property
    def _mark(self) -> str:
        return f"kubert-tui-practice-{self.directory.tag}"


def _console_end(machine: Machine) -> str:
    try:
        return last_lines(machine.console.read_bytes()[-20_000:])
    except OSError:
        return ""
