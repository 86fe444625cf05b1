"""KVM proved on a host by booting the host's own kernel in a guest: `prove_kvm.py` runs there."""

import json
from dataclasses import replace
from importlib.resources import files
from threading import Event as Flag
from typing import Any

from kubert_tui.base.text import clean_line, last_lines
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.parse_libvirt import boot_outcome
from kubert_tui.hosts.interface import CommandTimeout, Host, Invocation

LIMIT = 30.0
"""Seconds for the kernel to come up. On KVM it takes one or two."""


def prove_kvm(
    host: Host, facts: Facts, plan: CpuPlan | None, cancel: Flag | None = None, **order: Any
) -> Facts:
    """Return `facts` with `kvm_boot` settled, if KVM looks usable and QEMU is there.

    One round trip, of up to a minute when nothing is kept for this boot and this QEMU. `order`
    replaces what is ordered there (for tests). Raises UnreachableError when the host is lost,
    CancelledError when `cancel` is set.
    """
    qemu = facts.tools.qemu
    if facts.kvm != Known("usable") or not isinstance(qemu, Known) or not qemu.value:
        return facts
    cpus = sorted(plan.housekeeping) if plan is not None else []
    whole = {"qemu": qemu.value, "cpus": cpus, "limit": LIMIT, **order}
    invocation = Invocation(
        ("python3", "-", json.dumps(whole)),
        stdin=files("kubert_tui.machines").joinpath("prove_kvm.py").read_bytes(),
        sudo=facts.privileged == Known(value=True),
        timeout=whole["limit"] + 60,
        cancel=cancel,
    )
    try:
        done = host.run(invocation)
    except CommandTimeout as error:
        return replace(facts, kvm_boot=Unknown(error.what))
    if not done.ok:
        said = clean_line(last_lines(done.stderr, 1), limit=120)
        return replace(facts, kvm_boot=Unknown(f"it could not be tried: {said}"))
    return replace(facts, kvm_boot=boot_outcome(done.stdout, facts.kernel.boot_id, qemu))
