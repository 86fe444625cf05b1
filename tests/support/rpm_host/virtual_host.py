"""One virtual machine of the Fedora family under test."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kubert_tui.lab.model import HostSpec, RpmPackage
from kubert_tui.practice.images import Images
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import Kind
from tests.support.rpm_host.driver import PACKAGES, RpmVirtual
from tests.support.rpm_host.hosts import RpmHost, served
from tests.support.twins import CACHE, patient_order, places_in, skip_unless_possible
from tests.support.virtual_twins import VirtualTwins

_NAME = "bull1"


@dataclass(frozen=True)
class RpmMachine(RpmHost):
    """A host with a disk, GRUB and a reset button of its own."""

    machine: VirtualTwins

    def spec(self) -> HostSpec:
        """How the lab file names it."""
        return self.machine.spec(self.name)

    def packages(self) -> AbstractContextManager[tuple[RpmPackage, ...]]:
        """Serve the packages of its PREEMPT_RT kernel by http."""
        # QEMU's user network: 10.0.2.2 is this computer.
        return served(_packages(), "127.0.0.1", seen_as="10.0.2.2")

    def write(self, path: str, text: str) -> None:
        """Write a file there, and onto its disk."""
        self.machine.inside(self.name, "sh", "-euc", f"cat >{path} && sync", stdin=text)

    def console(self) -> str:
        """All that it ever said on its console."""
        return self.machine.machine(self.name).console.read_text(errors="replace")

    def restart(self) -> None:
        """Press the reset button, and wait until it has booted."""
        before = self.machine.boot_id(self.name)
        self.machine.machine(self.name).reset()
        self.machine.await_boot(self.name, before)


@contextmanager
def rpm_machine() -> Iterator[RpmMachine]:
    """Start one, fresh, known to this test's HOME; remove it at the end. The image is cached."""
    skip_unless_possible(Kind.VIRTUAL)
    with tempfile.TemporaryDirectory(prefix=f"kubert-virtual-{os.getpid()}-") as directory:
        driver = RpmVirtual()
        practice = Practice(places_in(Path(directory)), Kind.VIRTUAL, driver=driver)
        practice.directory = replace(practice.directory, machines=(_NAME,))
        try:
            practice.up(patient_order())
            twins = VirtualTwins(practice)
            twins.introduce()
            yield RpmMachine(twins, _NAME, twins)
        finally:
            practice.down(patient_order())


def _packages() -> Path:
    return Images(CACHE, RpmVirtual()).path / PACKAGES
