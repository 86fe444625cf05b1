"""Prints what making machines costs: ours against virt-install and `vagrant up`, in pairs.

    python -m benchmarks.machines [--pairs 6] [--machines 3] [--write]

All work with the same libvirtd (a private one, in namespaces of its own), emulated; virt-install
from the same image to the same definition as far as it goes, started and not waited for; vagrant
(where vagrant-libvirt runs) from the same disk until somebody can log in. Pairs alternate which
comes first. `--write` puts the tables into docs/machines-benchmark.md.
"""

import argparse
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.machines import ours, until_login
from benchmarks.ratios import interval_of
from kubert_tui.machines.guest import POOL_PATH
from kubert_tui.machines.hypervisor import open_hypervisor
from kubert_tui.machines.storage import Storage
from tests.support.libvirt_here import PrivateLibvirt, private_libvirt
from tests.support.vagrant_here import lacking

DOCUMENT = Path(__file__).parents[2] / "docs" / "machines-benchmark.md"


def seconds(act: Callable[[], object]) -> float:
    """Return how long `act` takes by the wall clock."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def own(libvirt: PrivateLibvirt, number: int, act: str) -> float:
    """Run our side; return libvirt's part of it, in seconds."""
    argv = [sys.executable, "-m", "benchmarks.machines.ours", libvirt.uri, str(number), act]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=600)
    return float(done.stdout)


def virt_install(libvirt: PrivateLibvirt, number: int) -> None:
    """Make the machines one after the other, as its users do. It sees files as libvirtd does."""
    enter = ["nsenter", f"--target={libvirt.process}", "--net", "--mount"]
    for one in range(number):
        disk = (
            f"path={POOL_PATH}/vi-m{one}.qcow2,size={ours.DISK_MIB / 1024:g},format=qcow2,"
            f"backing_store={POOL_PATH}/{ours.IMAGE},backing_format=raw,cache=none,discard=unmap"
        )
        argv = [
            *("virt-install", "--connect", libvirt.uri, "--name", f"vi-m{one}", "--import"),
            *(
                "--virt-type",
                "qemu",
                "--machine",
                "q35",
                "--arch",
                "x86_64",
                "--cpu",
                "mode=maximum",
            ),
            *("--vcpus", "1", "--memory", str(ours.MEMORY_MIB), "--iothreads", "1"),
            *("--disk", disk, "--network", "network=vi,model=virtio", "--graphics", "none"),
            *("--rng", "/dev/urandom", "--osinfo", "detect=off,require=off"),
            "--noautoconsole",
        ]
        subprocess.run([*enter, *argv], check=True, stdout=subprocess.DEVNULL, timeout=300)


def clear_virt_install(libvirt: PrivateLibvirt, number: int) -> None:
    """Remove what virt-install made."""
    for one in range(number):
        libvirt.virsh("destroy", f"vi-m{one}")
        libvirt.virsh("undefine", f"vi-m{one}")
        (libvirt.images / "kubert-tui" / f"vi-m{one}.qcow2").unlink()


def prepare(libvirt: PrivateLibvirt, directory: Path) -> None:
    """Have an image in the pool, and a network for virt-install that is like the lab's."""
    prepare_image(libvirt)
    network = directory / "network.xml"
    network.write_text(
        "<network><name>vi</name><forward mode='nat'/><bridge stp='on' delay='0'/>"
        "<ip address='192.168.78.1' prefix='24'/></network>"
    )
    libvirt.virsh("net-define", str(network))
    libvirt.virsh("net-start", "vi")


def paired(libvirt: PrivateLibvirt, pairs: int, number: int) -> list[str]:
    """Make and remove machines by turns; return the table."""
    times: dict[str, list[float]] = {}
    wall: dict[str, list[float]] = {"ours": [], "virt-install": []}

    def make_ours() -> None:
        wall["ours"].append(seconds(lambda: kept("create")))
        kept("look")
        kept("converge")
        own(libvirt, number, "destroy")
        prepare_image(libvirt)

    def kept(act: str) -> None:
        times.setdefault(act, []).append(own(libvirt, number, act))

    def make_theirs() -> None:
        wall["virt-install"].append(seconds(lambda: virt_install(libvirt, number)))
        clear_virt_install(libvirt, number)

    for pair in range(pairs):
        for act in (make_ours, make_theirs) if pair % 2 else (make_theirs, make_ours):
            act()
        print(f"pair {pair + 1} of {pairs}", file=sys.stderr, flush=True)

    rows = [
        ("made by us / by virt-install, processes and all", wall["ours"], wall["virt-install"]),
        ("made by us, in libvirt only / by virt-install", times["create"], wall["virt-install"]),
        ("looking at the finished lab / making it", times["look"], times["create"]),
        ("converging the finished lab / making it", times["converge"], times["create"]),
        ("looking at the finished lab / converging it", times["look"], times["converge"]),
    ]
    ours_, theirs = median(wall["ours"]), median(wall["virt-install"])
    look = median(times["look"]) * 1000
    return [
        f"| {number} machines, started | ratio | 95 % interval | of single pairs |",
        "|---|---|---|---|",
        *(f"| {name} | {ratio(a, b)} |" for name, a, b in rows),
        "",
        f"Medians: {ours_:.2f} s by us, {theirs:.2f} s by virt-install; a look: {look:.0f} ms.",
    ]


def ratio(a: list[float], b: list[float]) -> str:
    """The cells of a row: mean of the pairs' ratios, how well that is known, how they spread."""
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    mean, low, high = interval_of([math.log(one) for one in ratios])
    return f"{mean:.3f} | {low:.3f} to {high:.3f} | {min(ratios):.3f} to {max(ratios):.3f}"


def until_login_table(libvirt: PrivateLibvirt, directory: Path, pairs: int, n: int) -> list[str]:
    """The table of `vagrant up`; why there is none, where it does not run."""
    if why := lacking():
        return [f"`vagrant up` did not take part: {why}."]
    ours_, theirs = until_login.paired(libvirt, directory, pairs, n)
    return [
        f"| {n} machines, until somebody can log in | ratio | 95 % interval | of single pairs |",
        "|---|---|---|---|",
        f"| the stage machines / `vagrant up` | {ratio(ours_, theirs)} |",
        "",
        f"Medians: {median(ours_):.1f} s by us, {median(theirs):.1f} s by vagrant.",
    ]


def prepare_image(libvirt: PrivateLibvirt) -> None:
    """Bring the image back, which is removed with the last machine."""
    with open_hypervisor("here", libvirt.uri) as hypervisor:
        storage = Storage(hypervisor)
        storage.ensure()
        storage.write(ours.IMAGE, bytes(1 << 20))


def main() -> None:
    """Print the document, and keep it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--machines", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    if not shutil.which("virt-install"):
        sys.exit("needs virt-install (Debian: apt-get install virtinst)")
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["HOME"] = name
        for kind in ("STATE", "CONFIG", "CACHE", "DATA"):
            os.environ[f"XDG_{kind}_HOME"] = str(directory / "home" / kind.lower())
        (directory / "libvirt").mkdir()
        with private_libvirt(directory / "libvirt") as libvirt:
            prepare(libvirt, directory)
            table = paired(libvirt, chosen.pairs, chosen.machines)
            after = os.getloadavg()[0]
            login = until_login_table(libvirt, directory, chosen.pairs, chosen.machines)
    loads = f"{before:.1f} at the start, {after:.1f} after the first table, "
    where = (
        f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, {os.cpu_count()} CPUs "
        f"(emulated, without KVM), load average {loads}{os.getloadavg()[0]:.1f} at the end, our "
        f"machines' own included; {chosen.pairs} pairs, alternating."
    )
    text = "\n".join(
        [
            "# What making machines costs",
            "",
            "Printed by `python -m benchmarks.machines --write`; not written by hand.",
            "",
            where,
            "",
            *table,
            "",
            "Both use one libvirtd, one image and one definition as far as virt-install goes; the",
            "machines are started, not waited for. Ours are one process for all, with a seed",
            "and keys for each, and virt-install is one process for each and makes no seed.",
            "",
            *login,
            "",
            "Both have their image in the pool beforehand; it is one disk, made to start in",
            "seconds, for nothing is quick without KVM. Vagrant's machines get their address by",
            "DHCP, and a key of their own in place of the one that everybody has.",
            "",
        ]
    )
    print(text)
    if chosen.write:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
