"""From nothing to machines that somebody can log in to: the stage against `vagrant up`, in pairs.

One libvirtd, one disk that boots in seconds, the image in the pool beforehand on both sides. Each
waits in its own way until it got in.
"""

import subprocess
import sys
import time
from pathlib import Path

from kubert_tui.lab.load import load_lab
from kubert_tui.machines.guest import POOL
from kubert_tui.machines.image_name import base_volume
from tests.support.libvirt_here import PrivateLibvirt
from tests.support.seeded_disk import seeded_disk
from tests.support.vagrant_here import Vagrant

MEMORY_MIB = 256


def lab_file(directory: Path, number: int) -> Path:
    """Write a lab of so many machines as vagrant makes them: they are not real-time."""
    machines = "".join(
        f"  - {{name: m{one}, vcpus: 1, memory: {MEMORY_MIB}MiB, disk: 8GiB, realtime: no}}\n"
        for one in range(number)
    )
    path = directory / "lab.yaml"
    path.write_text(
        "name: bench\nhosts: [{name: here, connection: local}]\nallow: [machines]\n"
        f"machines:\n{machines}"
    )
    return path


class Ours:
    """kubert-tui, with a lab file."""

    def __init__(self, libvirt: PrivateLibvirt, directory: Path, number: int) -> None:
        self._libvirt = libvirt
        self._lab = lab_file(directory, number)

    def prepare(self) -> None:
        """Have the image there; it goes with the last machine."""
        image = self._libvirt.images / POOL / base_volume(load_lab(self._lab))
        image.parent.mkdir(parents=True, exist_ok=True)
        copy = ["cp", "--sparse=always", "--reflink=auto", str(seeded_disk()), str(image)]
        subprocess.run(copy, check=True)

    def make(self) -> None:
        """Make them, and wait until all of them answer by ssh."""
        self._run("--auto", "--only", "machines", "--lab", str(self._lab))

    def remove(self) -> None:
        """Leave nothing of them."""
        self._run("machines", "destroy", "--all", "--yes", "--lab", str(self._lab))

    def _run(self, *arguments: str) -> None:
        argv = [*self._libvirt.enter, sys.executable, "-m", "kubert_tui", *arguments]
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")


def paired(
    libvirt: PrivateLibvirt, directory: Path, pairs: int, number: int
) -> tuple[list[float], list[float]]:
    """Make and remove machines by turns; return the seconds of each pair, ours and vagrant's."""
    libvirt.hide_kvm()
    ours = Ours(libvirt, directory, number)
    vagrant = Vagrant(libvirt, directory / "bench", number, MEMORY_MIB)
    vagrant.prepare()
    # The first time, it brings the box into the pool; ours has its image there, too.
    vagrant("up")
    vagrant("destroy", "--force")
    told: tuple[list[float], list[float]] = ([], [])

    def make_ours() -> None:
        ours.prepare()
        started = time.perf_counter()
        ours.make()
        told[0].append(time.perf_counter() - started)
        ours.remove()

    def make_theirs() -> None:
        started = time.perf_counter()
        vagrant("up")
        told[1].append(time.perf_counter() - started)
        vagrant("destroy", "--force")

    for pair in range(pairs):
        for act in (make_ours, make_theirs) if pair % 2 else (make_theirs, make_ours):
            act()
        print(f"vagrant: pair {pair + 1} of {pairs}", file=sys.stderr, flush=True)
    return told
