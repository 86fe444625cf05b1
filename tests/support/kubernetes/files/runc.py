#!/usr/bin/python3
"""runc where this computer withholds CAP_SYS_RESOURCE, or real-time tasks have budgets.

A container's configuration is changed before runc sees it: no CAP_SYS_RESOURCE and no negative
oom_score_adj where this machine has none to give. Where the kernel has CONFIG_RT_GROUP_SCHED
(cgroup v1), a container that may set real-time priorities (CAP_SYS_NICE) gets a budget, and so do
the cgroups above it: without one, SCHED_FIFO is refused. With the capability and without such a
kernel, runc is run as it is.
"""

import itertools
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

RUNC = "/usr/sbin/runc"
SYS_RESOURCE = 24
CPU = Path("/sys/fs/cgroup/cpu")
SHARES = (3 / 4, 1 / 8, 9 / 80)
"""Of the machine's real-time budget: all pods, one pod, one container."""


def may_raise_limits() -> bool:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> SYS_RESOURCE & 1)


def without_resource(configuration: dict[str, Any]) -> None:
    process = configuration.get("process", {})
    for names in process.get("capabilities", {}).values():
        if "CAP_SYS_RESOURCE" in names:
            names.remove("CAP_SYS_RESOURCE")
    if process.get("oomScoreAdj", 0) < 0:
        process["oomScoreAdj"] = 0


def group_of(path: str) -> Path:
    """Return the cgroup of a cgroupsPath: a path, or SLICE:PREFIX:NAME of the systemd driver."""
    slice_, *rest = path.split(":")
    if len(rest) != 2:
        return CPU / path.lstrip("/")
    parts = slice_.removesuffix(".slice").split("-")
    slices = ["-".join(parts[: end + 1]) + ".slice" for end in range(len(parts))]
    return CPU.joinpath(*slices, f"{rest[0]}-{rest[1]}.scope")


def give_budget(configuration: dict[str, Any]) -> None:
    capabilities = configuration.get("process", {}).get("capabilities", {}).get("bounding", ())
    linux = configuration.get("linux", {})
    if "CAP_SYS_NICE" not in capabilities or not linux.get("cgroupsPath"):
        return
    if "CAP_SYS_ADMIN" in capabilities:
        return  # privileged: kube-proxy and its like, not real-time
    group = group_of(linux["cgroupsPath"])
    above = [one for one in (group, *group.parents) if CPU in one.parents][::-1]
    whole = int((CPU / "cpu.rt_runtime_us").read_text())
    all_pods, one_pod, container = (int(whole * share) for share in SHARES)
    budgets = [all_pods] * max(len(above) - 2, 0) + [one_pod, container]
    for one, budget in zip(above[:-1], budgets[:-1], strict=False):
        with suppress(OSError):
            one.mkdir(exist_ok=True)
            file = one / "cpu.rt_runtime_us"
            if int(file.read_text()) < budget:
                file.write_text(str(budget))
    cpu = linux.setdefault("resources", {}).setdefault("cpu", {})
    cpu["realtimeRuntime"] = container
    cpu["realtimePeriod"] = 1_000_000


def main() -> None:
    arguments = sys.argv[1:]
    if "create" in arguments or "run" in arguments:
        bundle = Path.cwd()
        for before, value in itertools.pairwise(arguments):
            if before in ("--bundle", "-b"):
                bundle = Path(value)
        file = bundle / "config.json"
        configuration = json.loads(file.read_text())
        if not may_raise_limits():
            without_resource(configuration)
        if (CPU / "cpu.rt_runtime_us").exists():
            give_budget(configuration)
        file.write_text(json.dumps(configuration))
    os.execv(RUNC, [RUNC, *arguments])


main()
