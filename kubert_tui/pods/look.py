"""Looks, on a node, at what a pod of ours was given. Runs there by itself, with Python 3.6.

    python3 look.py PID UID

PID is a process of its container, UID the pod's. Prints JSON: {"groups": [[path, us], ...],
"policy": "static", "default": "0", "own": "1", "others": ["2"]}.
`groups` are the cgroups of the controller cpu, from the topmost that has a real-time budget to the
pod's container, with the budget of each; [] where the kernel has no such budgets (only cgroup v1
has them). The rest is from the kubelet's cpu_manager_state: the CPUs of all pods that have none of
their own, those of this one (null: none), and of the others.
"""

import json
import sys
from pathlib import Path

STATE = Path("/var/lib/kubelet/cpu_manager_state")


def hierarchy(mounts: str) -> "tuple[int, str]":
    """The version of cgroups that the controller cpu is in, and where that is mounted."""
    unified = ""
    for line in mounts.splitlines():
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup" and "cpu" in options.split(","):
            return 1, place
        if kind == "cgroup2":
            unified = place
    return 2, unified


def group_of(text: str, version: int) -> str:
    """The cgroup in the lines of /proc/PID/cgroup."""
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(",") if version == 1 else number == "0":
            return path
    return ""


def budgets(top: Path, path: str) -> "list[list[object]]":
    """Each cgroup on the way to `path` with its budget in us; none where there are no budgets."""
    found = []
    here = top
    for part in path.strip("/").split("/"):
        here = here / part
        try:
            budget = int((here / "cpu.rt_runtime_us").read_text())
        except (OSError, ValueError):
            continue
        found.append([f"/{here.relative_to(top)}", budget])
    return found


def look(pid: str, uid: str) -> "dict[str, object]":
    """All of it."""
    version, place = hierarchy(Path("/proc/mounts").read_text())
    group = group_of(Path(f"/proc/{pid}/cgroup").read_text(), version)
    state = json.loads(STATE.read_text())
    entries = state.get("entries") or {}
    own = entries.get(uid) or {}
    return {
        "groups": budgets(Path(place), group),
        "policy": state.get("policyName"),
        "default": state.get("defaultCpuSet"),
        "own": next(iter(own.values()), None),
        "others": [cpus for one in entries if one != uid for cpus in entries[one].values()],
    }


if __name__ == "__main__":
    print(json.dumps(look(*sys.argv[1:])))  # noqa: T201 -- its output
