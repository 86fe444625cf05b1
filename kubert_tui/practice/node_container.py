"""A container machine that may be a Kubernetes node: kubelet and containers run in it.

Beyond an ordinary one it has cgroups of its own in every hierarchy, with controllers; the kernel's
log; the system calls of container runtimes; and /var/lib/containerd beside its disk, since no
overlay can lie on an overlay. `node.sh` does the rest inside, when it boots.
"""

from dataclasses import dataclass
from pathlib import Path

from kubert_tui.practice.container import Container

RUNTIME = Path("var/lib/containerd")
"""Where containerd keeps images and containers, in the machine."""
_STORE = "containerd"
_CAPABILITIES = "CAP_SYSLOG"
"""Kubelet reads the kernel's log, where it finds who was killed for want of memory."""
_CALLS = "add_key keyctl bpf perf_event_open"
"""runc's: keyrings, and filters of devices."""
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class NodeContainer(Container):
    """A machine; see `practice.model.Machine`."""

    @property
    def store(self) -> Path:
        """What containerd keeps, as this computer sees it."""
        return self.lab.of(self.name) / _STORE

    @property
    def controllers(self) -> str:
        return "yes"

    def hierarchies(self) -> list[Path]:
        """All of them, so that two kubelets do not share one."""
        if (_CGROUPS / "cgroup.procs").exists():
            return [_CGROUPS]
        tops = {top.resolve() for top in _CGROUPS.iterdir() if (top / "cgroup.procs").exists()}
        return sorted(tops)

    def options(self) -> list[str]:
        return [
            f"--capability={_CAPABILITIES}",
            *(f"--bind={name}" for name in ("/dev/kmsg",) if Path(name).exists()),
            f"--system-call-filter={_CALLS}",
            f"--bind={self.store}:/{RUNTIME}",
        ]
