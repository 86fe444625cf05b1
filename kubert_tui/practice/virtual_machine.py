"""One virtual machine: QEMU with a disk of its own, free of us once it runs."""

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.practice import processes, qmp
from kubert_tui.practice.acceleration import QEMU, Acceleration
from kubert_tui.practice.disk import DRIVE
from kubert_tui.practice.state import LabDirectory

DISK = "disk.qcow2"
SEED = "seed.tar"
ACCELERATION = "acceleration"
PORT = "port"
_CONTROL = "qmp"
_UNPLUGGED = "unplugged"
_OUTSIDE = "outside"
_LOG = "qemu.log"
_BLOCKS = "driver=qcow2,node-name=disk,discard=unmap,file.driver=file"
_MEMORY = "1024"
_PROCESSORS = "2"
_LIMIT = 30.0
"""Seconds until a QEMU that was started listens on its control socket."""
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A machine; see `practice.model.Machine`."""

    lab: LabDirectory
    name: str

    @property
    def address(self) -> str:
        """An address of its own in 127.0.0.0/8: other programs there keep theirs."""
        digest = hashlib.sha256(self.lab.tag.encode()).digest()
        # 127.0 and 127.1 are what people use by hand.
        return f"127.{2 + digest[0] % 250}.{digest[1]}.{11 + self.lab.machines.index(self.name)}"

    @property
    def port(self) -> int:
        return int((self.directory / PORT).read_text(encoding="ascii"))

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    @property
    def directory(self) -> Path:
        """Where all that it is lies on this computer."""
        return self.lab.of(self.name)

    @property
    def disk(self) -> Path:
        """Its disk: what it wrote, over the image. Not to be touched while it is on."""
        return self.directory / DISK

    @property
    def mark(self) -> str:
        """The mark of its processes."""
        return f"{self.lab.tag}/{self.name}"

    def running(self) -> bool:
        return bool(processes.marked(self.mark))

    def start(self) -> None:
        """Switch it on; KubertError with QEMU's words if that fails."""
        if self.running():
            return
        for name in (_CONTROL, _LOG):
            (self.directory / name).unlink(missing_ok=True)
        # Sockets have short paths: QEMU works in the machine's directory.
        argv = ["sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", str(self.directory),
                *self._command()]  # fmt: skip
        if _has_systemd():
            # A unit of its own survives the end of our session.
            log = self.directory / _LOG
            argv = ["systemd-run", "--quiet", "--collect", f"--unit={self.lab.tag}-{self.name}",
                    f"--property=StandardOutput=append:{log}",
                    f"--property=StandardError=append:{log}",
                    f"--setenv={processes.VARIABLE}={self.mark}", *argv]  # fmt: skip
            processes.run(argv, mark=self.mark)
        else:
            processes.start(argv, mark=self.mark, log=self.directory / _LOG)
        self._await_control()
        if (self.directory / _UNPLUGGED).exists():
            self._plug(plugged=False)

    def cut_power(self) -> None:
        processes.kill_marked(self.mark)

    def reset(self) -> None:
        self._execute("system_reset")

    def resume(self) -> None:
        """Let it go on if QEMU paused it: it does when a disk here is full."""
        self._execute("cont")

    def drop_packets(self, drop: bool) -> None:
        flag = self.directory / _UNPLUGGED
        if drop:
            flag.touch()
        else:
            flag.unlink(missing_ok=True)
        if self.running():
            self._plug(plugged=not drop)

    def _plug(self, *, plugged: bool) -> None:
        self._execute("set_link", name=_OUTSIDE, up=plugged)

    def _execute(self, command: str, **arguments: object) -> None:
        try:
            qmp.execute(self.directory / _CONTROL, command, **arguments)
        except OSError as error:
            raise KubertError(
                f"the practice machine {self.name} cannot be controlled: {error}",
                fix="it is off, or its QEMU hangs: kubert-tui practice status",
            ) from error

    def _await_control(self) -> None:
        """Wait until QEMU is there, or see that it is not going to be."""
        deadline = time.monotonic() + _LIMIT
        while time.monotonic() < deadline:
            with suppress(OSError):
                qmp.connect(self.directory / _CONTROL).close()
                return
            time.sleep(_POLL)
            if not self.running():
                break
        with suppress(OSError):
            told = (self.directory / _LOG).read_bytes()
            raise KubertError(
                f"the practice machine {self.name} cannot be switched on",
                command=(QEMU,),
                details=last_lines(told),
            )

    def _command(self) -> list[str]:
        """QEMU's command line; all paths are relative to the machine's directory."""
        acceleration = Acceleration((self.directory / ACCELERATION).read_text(encoding="ascii"))
        mac = hashlib.sha256(self.mark.encode()).digest()[:3].hex(":")
        network = f"hostfwd=tcp:{self.address}:{self.port}-:22"
        return [
            QEMU, "-name", self.name, *acceleration.options, "-smp", _PROCESSORS, "-m", _MEMORY,
            "-nodefaults", "-no-user-config", "-display", "none",
            "-chardev", f"file,id=console,path={self.console.name},append=on",
            "-serial", "chardev:console",
            "-chardev", f"socket,id=control,path={_CONTROL},server=on,wait=off",
            "-mon", "chardev=control,mode=control",
            # As a disk with a cache: what the machine did not flush is lost when power is cut.
            "-blockdev", f"{_BLOCKS},file.filename={DISK}",
            "-device", DRIVE,
            # A hub in between: links behind it go dead without the machine's card noticing.
            "-netdev", f"user,id={_OUTSIDE},ipv6=off,hostname={self.name},{network}",
            "-netdev", f"hubport,id=wall,hubid=0,netdev={_OUTSIDE}",
            "-netdev", "hubport,id=socket,hubid=0",
            "-device", f"virtio-net-pci,netdev=socket,romfile=,mac=52:54:00:{mac}",
            "-device", "virtio-rng-pci",
            "-fw_cfg", f"name=opt/kubert-tui/seed,file={SEED}",
        ]  # fmt: skip


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()
