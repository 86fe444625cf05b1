"""One container machine: systemd-nspawn on a copy-on-write root, in a network namespace."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.practice import mounts, processes
from kubert_tui.practice.container_disk import ROOT, UPPER, is_overlay, mount_disk
from kubert_tui.practice.network import LabNetwork
from kubert_tui.practice.state import LabDirectory

_SCRIPT = Path(__file__).with_name("container.sh")
_NSPAWN = Path("/run/systemd/nspawn")
_CGROUPS = Path("/sys/fs/cgroup")
_CAPABILITIES = "CAP_SYS_NICE,CAP_IPC_LOCK,CAP_NET_ADMIN"
"""Beyond nspawn's own: real-time priorities, locked memory, its own network. Not all of them:
with CAP_SYS_TIME a machine would set this computer's clock."""


_DEVICES = [f"--bind={name}" for name in ("/dev/cpu_dma_latency",) if Path(name).exists()]
"""What cyclictest holds to keep processors awake."""


@dataclass(frozen=True, slots=True)
class Container:
    """A machine; see `practice.model.Machine`."""

    lab: LabDirectory
    name: str

    @property
    def network(self) -> LabNetwork:
        """The lab's network."""
        return LabNetwork(self.lab)

    @property
    def address(self) -> str:
        return self.network.address(self.name)

    @property
    def port(self) -> int:
        return 22

    @property
    def console(self) -> Path:
        return self.lab.of(self.name) / "console.log"

    @property
    def root(self) -> Path:
        """Its file system as this computer sees it. What it wrote is there at once."""
        return self.lab.of(self.name) / ROOT

    @property
    def disk(self) -> Path:
        """What it wrote; may be emptied and filled while it is off and not mounted."""
        directory = self.lab.of(self.name)
        return directory / (UPPER if is_overlay(directory) else ROOT)

    def unmount(self) -> None:
        """Let go of the disk of a machine that is off; `start` takes it again."""
        mounts.unmount_below(self.lab.of(self.name))

    @property
    def mark(self) -> str:
        """The mark of its processes that run here, not in it."""
        return f"{self.lab.tag}/{self.name}"

    def running(self) -> bool:
        return bool(processes.marked(self.mark))

    def start(self) -> None:
        if self.running():
            return
        self._remove_traces()
        mount_disk(self.lab, self.lab.of(self.name))
        unit = self.unit
        nspawn = ["systemd-nspawn", f"--directory={self.root}", "--boot", "--quiet",
                  "--register=no", "--keep-unit", f"--machine={unit}", f"--hostname={self.name}",
                  f"--capability={_CAPABILITIES}", "--resolv-conf=off", "--timezone=off",
                  "--link-journal=no", *_DEVICES, *self.options(),
                  f"--network-namespace-path={self.network.namespace(self.name)}"]  # fmt: skip
        if _has_systemd():
            # A unit of its own survives our session, and has a cgroup to hand on.
            argv = ["systemd-run", "--quiet", "--collect", f"--unit={unit}",
                    "--slice=machine.slice", f"--property=Delegate={self.controllers}",
                    "--property=TasksMax=16384",
                    f"--property=StandardOutput=append:{self.console}",
                    f"--property=StandardError=append:{self.console}",
                    f"--setenv={processes.VARIABLE}={self.mark}",
                    "sh", str(_SCRIPT), "", "", *nspawn]  # fmt: skip
            processes.run(argv, mark=self.mark)
        else:
            argv = ["sh", str(_SCRIPT), unit, " ".join(map(str, self.hierarchies())), *nspawn]
            processes.start(argv, mark=self.mark, log=self.console)

    def cut_power(self) -> None:
        if _has_systemd():
            kill = ["systemctl", "kill", "--signal=KILL", self.unit]
            processes.run(kill, mark=self.mark, check=False)
        processes.kill_until_gone(self._processes)
        self._remove_traces()

    def reset(self) -> None:
        self.cut_power()
        self.start()

    def drop_packets(self, drop: bool) -> None:
        self.network.plug(self.name, plugged=not drop)

    def leader(self) -> int:
        """The process here that is process 1 in it; 0 while it is off."""
        for process in processes.in_network(self.network.namespace(self.name)):
            with suppress(OSError):
                status = Path(f"/proc/{process}/status").read_text()
                numbers = next(line for line in status.splitlines() if line.startswith("NSpid:"))
                if numbers.split()[2:] == ["1"]:
                    return process
        return 0

    @property
    def unit(self) -> str:
        """What its unit and its cgroups are called on this computer."""
        return f"{self.lab.tag}-{self.name}"

    @property
    def controllers(self) -> str:
        """What systemd hands on to it: with `cpu`, some kernels give it no real-time budget."""
        return "pids"

    def hierarchies(self) -> list[Path]:
        """Where it has a cgroup of its own if there is no systemd here.

        Each systemd takes the cgroup it is started in for its own: two must not share one. These
        have no controllers, so that real-time budgets stay as they are.
        """
        tops = [_CGROUPS / "systemd", _CGROUPS / "unified", _CGROUPS]
        return [top for top in tops if (top / "cgroup.procs").exists()]

    def options(self) -> list[str]:
        """What else systemd-nspawn is told."""
        return []

    def _processes(self) -> set[int]:
        """Those of nspawn, and those inside: they outlive a killed nspawn."""
        found = {*processes.marked(self.mark)}
        found.update(processes.in_network(self.network.namespace(self.name)))
        for group in self._cgroups():
            # They go away while we look: os.walk does not mind.
            for path, _, _ in os.walk(group):
                with suppress(OSError):
                    found.update(map(int, Path(path, "cgroup.procs").read_text().split()))
        return found

    def _cgroups(self) -> list[Path]:
        return [group for top in self.hierarchies() if (group := top / self.unit).is_dir()]

    def _remove_traces(self) -> None:
        """What nspawn and its systemd leave when they are killed."""
        unit = self.unit
        with suppress(OSError):
            (_NSPAWN / "propagate" / unit).rmdir()
        with suppress(OSError):
            status = self.root.stat()
            (_NSPAWN / "locks" / f"inode-{status.st_dev}:{status.st_ino}").unlink()
        for group in self._cgroups():
            _remove_cgroup(group)


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _remove_cgroup(group: Path) -> None:
    for path in group.iterdir():
        if path.is_dir():
            _remove_cgroup(path)
    with suppress(OSError):
        group.rmdir()
