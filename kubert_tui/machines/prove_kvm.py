"""Boots a kernel on KVM to see whether guests run. Runs on the host itself, by its own Python.

    python3 - ORDER-AS-JSON <prove_kvm.py

It prints one line of JSON, which `facts.parse_libvirt.boot_outcome` reads, and keeps it in a file
that a restart of the host takes along. QEMU gets a deadline and dies with this program, however
that ends; there is no disk, no network, and nothing but the kernel in the guest.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

KEPT = "/run/kubert-tui/kvm"
FAILED_AGE = 600.0  # seconds after which a failure is tried again: the host may have been busy
# What a kernel says when all of it has come up and it finds nothing to go on with.
WHOLE = (b"Unable to mount root fs", b"No working init found", b"as init process")
EARLY = b"Linux version "
PROGRAMS = ("/usr/bin/qemu-system-x86_64", "/usr/libexec/qemu-kvm", "/usr/bin/qemu-kvm")
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer from what is kept, else try."""
    order = json.loads(sys.argv[1])
    kept = Path(order.get("kept", KEPT))
    outcome = _kept(kept, order)
    if outcome is None:
        signal.alarm(int(order["limit"]) + 20)
        outcome = dict(_try(order), boot=_boot(), qemu=order["qemu"], at=_uptime())
        _keep(kept, outcome)
    sys.stdout.write(json.dumps(outcome) + "\n")


def _kept(path: Path, order: "dict[str, object]") -> "dict[str, object] | None":
    try:
        outcome = json.loads(path.read_text())
        same = (outcome["boot"], outcome["qemu"]) == (_boot(), order["qemu"])
        fresh = outcome["boots"] is True or _uptime() - outcome["at"] < FAILED_AGE
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return outcome if same and fresh else None


def _keep(path: Path, outcome: "dict[str, object]") -> None:
    # A login without root rights keeps nothing.
    new = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new.write_text(json.dumps(outcome))
        new.replace(path)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _uptime() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def _try(order: "dict[str, object]") -> "dict[str, object]":
    kernel = str(order.get("kernel") or _kernel())
    program = next(filter(os.path.exists, PROGRAMS), "")
    if not program or not kernel:
        lacking = "no QEMU for x86-64" if not program else "no kernel image in /boot to try it with"
        return {"boots": None, "told": f"there is {lacking}", "kernel": kernel}
    cpus = order.get("cpus") or os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.nice(19)
    with contextlib.suppress(OSError, ValueError):
        os.sched_setaffinity(0, cpus)  # type: ignore[arg-type]
    accelerator = str(order.get("accel", "kvm"))
    model = "host" if accelerator == "kvm" else "max"
    argv = [program, "-accel", accelerator, "-cpu", model, "-m", "512",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-kernel", kernel,
            "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1"]  # fmt: skip
    boots, told = _watch(argv, float(str(order["limit"])))
    return {"boots": boots, "told": told, "kernel": kernel}


def _kernel() -> str:
    """Return the running kernel's image, else the newest that there is."""
    release = os.uname().release
    own = [Path(f"/boot/vmlinuz-{release}"), Path(f"/lib/modules/{release}/vmlinuz")]
    others = [path for path in Path("/boot").glob("vmlinuz-*") if path.is_file()]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    usable = [path for path in own + others if path.is_file() and path.stat().st_size]
    return str(usable[0]) if usable else ""


def _in_child() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _watch(argv: "list[str]", limit: float) -> "tuple[bool, str]":
    """Return whether the kernel came up, and what was seen."""
    process = subprocess.Popen(
        argv, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_in_child,  # noqa: PLW1509 -- there are no threads
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101
    output = process.stdout.fileno()
    said = b""
    deadline = time.monotonic() + limit
    try:
        while select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0]:
            data = os.read(output, 65536)
            said += data
            if any(mark in said for mark in WHOLE):
                return True, "the kernel came up"
            if not data:
                return False, f"QEMU ended with status {process.wait()}: {_last(said)}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if EARLY in said:
        return False, f"the kernel started and hung: {_last(said)}"
    return False, f"the kernel said not a word within {limit:.0f} s"


def _last(said: bytes) -> str:
    lines = [line.strip() for line in said.decode("ascii", "replace").splitlines()]
    return ([line for line in lines if line] or ["without a word"])[-1][:160]


if __name__ == "__main__":
    main()
