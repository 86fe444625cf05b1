"""Vagrant with vagrant-libvirt on a libvirtd of the tests' own, and a box that starts in seconds.

vagrant = Vagrant(libvirt, tmp_path / "project", machines=2)   # its Vagrantfile is written
vagrant("up")
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.libvirt_here import PrivateLibvirt
from tests.support.seeded_disk import vagrant_box

_FILE = """\
Vagrant.configure('2') do |config|
  config.vm.box = 'seeded'
  config.vm.synced_folder '.', '/vagrant', disabled: true
  config.vm.boot_timeout = 1800
  config.vm.provider :libvirt do |libvirt|
    libvirt.driver = 'qemu'
    libvirt.cpu_mode = 'maximum'
    libvirt.machine_type = 'q35'
    libvirt.cpus = 1
    libvirt.memory = {memory}
    libvirt.graphics_type = 'none'
    libvirt.random model: 'random'
  end
{machines}end
"""
_POOL = "default"
_LIMIT = 1800.0


def lacking() -> str:
    """Return why vagrant-libvirt does not run here; empty if it does."""
    if not shutil.which("vagrant"):
        return "vagrant is not installed (Debian: apt-get install vagrant vagrant-libvirt)"
    done = subprocess.run(
        ["vagrant", "plugin", "list"], capture_output=True, text=True, check=False
    )
    return "" if "vagrant-libvirt" in done.stdout else "vagrant has no vagrant-libvirt"


@dataclass(frozen=True)
class Vagrant:
    """A project of vagrant's, in a directory of its own; its machines are called m0, m1, ..."""

    libvirt: PrivateLibvirt
    directory: Path
    machines: int = 1
    memory: int = 256
    """MiB each."""

    def prepare(self) -> None:
        """Write its Vagrantfile, have the box known, and the pool that it works in."""
        self.directory.mkdir(exist_ok=True)
        machines = (f"  config.vm.define 'm{number}'\n" for number in range(self.machines))
        text = _FILE.format(memory=self.memory, machines="".join(machines))
        (self.directory / "Vagrantfile").write_text(text)
        self.libvirt.images.mkdir(parents=True, exist_ok=True)
        place = ("--target", "/var/lib/libvirt/images")
        self.libvirt.virsh("pool-define-as", _POOL, "dir", *place)
        self.libvirt.virsh("pool-start", _POOL)
        self("box", "add", "--name", "seeded", str(vagrant_box()))

    def __call__(self, *arguments: str) -> str:
        """Run vagrant beside the libvirtd; return what it prints. AssertionError if it fails."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [*self.libvirt.enter, "vagrant", *arguments],
            env={
                **os.environ, "HOME": str(home), "VAGRANT_HOME": str(home / ".vagrant.d"),
                # Who enters a mount namespace stands at its root.
                "VAGRANT_CWD": str(self.directory),
                "VAGRANT_DEFAULT_PROVIDER": "libvirt", "VAGRANT_CHECKPOINT_DISABLE": "1",
                "LIBVIRT_DEFAULT_URI": "qemu:///system",
            },
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_LIMIT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def domain(self, number: int = 0) -> str:
        """What libvirt calls its machine."""
        return f"{self.directory.name}_m{number}"
