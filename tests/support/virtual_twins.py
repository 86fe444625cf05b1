"""Virtual practice machines as a fixture: their own disk, GRUB, kernels, reboots and power button.

Usage, in a lab test (`pytestmark = pytest.mark.lab`)::

    def test_x(virtual_host: VirtualTwins) -> None:     # one machine, bull1, of this test only
        virtual_host.inside("bull1", "uname", "-r")     # over ssh, as root
        before = virtual_host.boot_id("bull1")
        virtual_host.machine("bull1").reset()           # also: cut_power, start, drop_packets
        virtual_host.await_boot("bull1", before)
        with auto("--only", "kernel", lab=virtual_host.lab) as run: ...

    @contextmanager: `virtual_lab("bull1", "bull2")` for another number of machines.

The image is the user's own (as `tests.support.twins` says where); without one it is built: minutes.
Under emulation a start takes a minute on an idle computer of two cores, several on a busy one, so
limits are generous and every start counts. By hand, with a lab kept until `down`:

    python -m tests.support.virtual_twins up DIRECTORY [MACHINE...]     prints how to log in
    python -m tests.support.virtual_twins down DIRECTORY
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import Kind
from kubert_tui.practice.virtual_machine import VirtualMachine
from tests.support.twins import (
    Twins,
    patient_order,
    places_in,
    skip_unless_possible,
    stop_twins,
    wait_until,
)

BOOT_LIMIT = 900.0
"""Seconds from power on to an answer: sixty on an idle computer, and tests share it with others."""
_PREFIX = "kubert-virtual-"


@dataclass
class VirtualTwins(Twins):
    """A lab of virtual machines that is up."""

    def virtual(self, name: str) -> VirtualMachine:
        machine = self.practice.machine(name)
        assert isinstance(machine, VirtualMachine)
        return machine

    def ssh(self, name: str, *, user: str = "root", patience: float = 60.0) -> list[str]:
        """The command line of ssh to a machine, up to the command."""
        machine = self.machine(name)
        return ["ssh", "-F", "none", "-i", str(self.practice.directory.user_key),
                "-o", f"UserKnownHostsFile={self.practice.places.known_hosts}",
                "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes",
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", f"ConnectTimeout={patience:.0f}", "-o", "ServerAliveInterval=30",
                "-p", str(machine.port), f"{user}@{machine.address}"]  # fmt: skip

    def inside(
        self,
        name: str,
        *argv: str,
        stdin: str = "",
        check: bool = True,
        limit: float = BOOT_LIMIT,
    ) -> str:
        """Run a command on a machine as root, over ssh; return what it printed."""
        done = subprocess.run(
            [*self.ssh(name), shlex.join(argv)],
            input=stdin, capture_output=True, text=True, check=False, timeout=limit,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{name}: {argv}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def put(self, name: str, source: Path, target: str) -> None:
        """Copy a file to a machine, as root."""
        with source.open("rb") as file:
            command = [*self.ssh(name), f"cat >{shlex.quote(target)}"]
            subprocess.run(command, stdin=file, check=True, timeout=BOOT_LIMIT)

    def await_boot(self, name: str, before: str, limit: float = BOOT_LIMIT) -> str:
        """Wait until a machine answers with another boot id than `before`; return that."""
        found = ""

        def booted() -> bool:
            nonlocal found
            if not self.answers(name):
                return False
            found = self.inside(
                name, "cat", "/proc/sys/kernel/random/boot_id", check=False, limit=120
            ).strip()
            return found not in {"", before}

        wait_until(booted, f"{name} booted anew\n{self.console_end(name)}", limit)
        return found

    def await_answer(self, *names: str) -> None:
        for name in names or self.practice.directory.machines:
            wait_until(lambda name=name: self.answers(name), f"{name} answers", BOOT_LIMIT)  # type: ignore[misc]

    def console_end(self, name: str, lines: int = 30) -> str:
        """The last lines on a machine's console."""
        text = self.machine(name).console.read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def renew(self, *names: str) -> None:
        """Put these machines (all, if none is named) back to how they were first; start them."""
        for name in names or self.practice.directory.machines:
            self.machine(name).cut_power()
            shutil.rmtree(self.practice.directory.of(name))
        self.practice.up(patient_order())


def start_virtual(directory: Path, *machines: str) -> VirtualTwins:
    """Start a lab of these machines that keeps its state in `directory`."""
    skip_unless_possible(Kind.VIRTUAL)
    practice = Practice(places_in(directory), Kind.VIRTUAL)
    practice.directory = replace(practice.directory, machines=machines or ("bull1",))
    practice.up(patient_order())
    return VirtualTwins(practice)


@contextmanager
def virtual_lab(*machines: str) -> Iterator[VirtualTwins]:
    """A lab of these machines (bull1, if none is named); its HOME knows them."""
    _remove_strays()
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        twins = start_virtual(directory, *machines)
        twins.introduce()
        yield twins
    finally:
        stop_twins(directory)


@pytest.fixture
def virtual_host(own_directories: Path) -> Iterator[VirtualTwins]:
    """One virtual machine, bull1, of this test only."""
    with virtual_lab("bull1") as twins:
        yield twins


def _remove_strays() -> None:
    """End the labs of test processes that were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = re.search(r"-(\d+)-[^-]*$", directory.name)
        if owner and not Path("/proc", owner[1]).exists():
            try:
                stop_twins(directory)
            except (KubertError, OSError) as error:
                print(f"{directory}: {error}")


def main(what: str, where: str, *machines: str) -> None:
    """Work on a lab by hand; see above."""
    directory = Path(where).resolve()
    if what == "down":
        stop_twins(directory)
        return
    twins = start_virtual(directory, *machines)
    print(twins.lab)
    for machine in twins.practice.machines:
        print(shlex.join(twins.ssh(machine.name)))


if __name__ == "__main__":
    main(*sys.argv[1:])
