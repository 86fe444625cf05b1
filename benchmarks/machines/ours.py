"""Makes the machines of the benchmark's lab as the machines stage does, in a process of its own.

    python -m benchmarks.machines.ours URI NUMBER create|converge|look|destroy

It prints how long libvirt's part took, without the start of the process.
"""

import sys
import time

from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.machines import keys
from kubert_tui.machines.elements import Case
from kubert_tui.machines.ensure import ensure, look
from kubert_tui.machines.guest import BASE, guests_of
from kubert_tui.machines.hypervisor import open_hypervisor
from kubert_tui.machines.lifecycle import destroy_all
from kubert_tui.machines.traits import Traits

LAB = "bench"
IMAGE = f"{BASE}bench.img"
MEMORY_MIB = 64
DISK_MIB = 1024


def lab_of(number: int) -> Lab:
    """Return a lab of so many small machines that are not real-time: virt-install makes such."""
    machines = ", ".join(
        f"{{name: m{one}, memory: {MEMORY_MIB}MiB, vcpus: 1, disk: {DISK_MIB}MiB, realtime: no}}"
        for one in range(number)
    )
    text = f"name: {LAB}\nhosts: [{{name: here, connection: local}}]\nmachines: [{machines}]\n"
    return parse_lab(text, "lab.yaml")


def main() -> None:
    """Do what is asked for."""
    uri, number, act = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    cases = [
        Case(guest, Traits(False, "emulated here"), None) for guest in guests_of(lab_of(number))
    ]
    started = time.perf_counter()
    with open_hypervisor("here", uri) as hypervisor:
        if act == "destroy":
            destroy_all(hypervisor, LAB)
            keys.forget(LAB)
        for case in cases if act != "destroy" else ():
            if act == "look":
                assert look(hypervisor, case).empty
            else:
                assert ensure(hypervisor, case, IMAGE).created == (act == "create")
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
