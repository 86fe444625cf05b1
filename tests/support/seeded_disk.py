"""A disk that boots in seconds rather than minutes and sets itself up from a machine's seed.

It is the practice machines' disk with another process 1 (`seeded_guest.py`): no systemd, which is
most of a start under emulation; and with cyclictest. There is a Vagrant box of it, too. Made in
seconds, once, and kept in the cache beside theirs.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

from kubert_tui.practice import disk
from kubert_tui.practice.images import Images
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.virtual import Virtual
from tests.support.twins import CACHE, patient_order, skip_unless_possible

_GUEST = Path(__file__).with_name("seeded_guest.py")
_INIT = "/seeded-init"
# As cloud-init's: it ends when the machine has set itself up.
_CLOUD_INIT = "#!/bin/sh\nwhile [ ! -e /run/seeded ]; do sleep 0.2; done\necho 'status: done'\n"


def seeded_disk() -> Path:
    """Return the disk (a raw image), made if it is not in the cache."""
    skip_unless_possible(Virtual.kind)
    practice = Images(CACHE, Virtual()).ensure(Pace(patient_order(), disk.STEPS)) / disk.DISK
    recipe = "\n".join((str(practice), _GUEST.read_text(), Path(__file__).read_text()))
    target = CACHE / f"seeded-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    if not target.is_dir():
        building = target.with_name(f".building-{target.name}")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        _build(practice, building)
        building.rename(target)
    return target / disk.DISK


def _build(practice: Path, directory: Path) -> None:
    image = directory / disk.DISK
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", practice, image], check=True)
    script = directory / "cloud-init"
    script.write_text(_CLOUD_INIT)
    configuration = directory / "grub.cfg"
    _debugfs(image, f"dump /boot/grub/grub.cfg {configuration}")
    lines = configuration.read_text().replace(" ro ", f" ro init={_INIT} quiet loglevel=5 ")
    configuration.write_text(lines.replace("set timeout=1", "set timeout=0"))
    package = Path(yaml.__file__).parent
    modules = [path for path in package.glob("*.py") if path.name != "cyaml.py"]
    place = "/usr/lib/python3/dist-packages/yaml"
    _debugfs(
        image,
        "rm /boot/grub/grub.cfg",
        f"write {configuration} /boot/grub/grub.cfg",
        f"write {_GUEST} {_INIT}",
        f"sif {_INIT} mode 0100755",
        f"write {script} /usr/bin/cloud-init",
        "sif /usr/bin/cloud-init mode 0100755",
        f"mkdir {place}",
        *(f"write {path} {place}/{path.name}" for path in modules),
        # This computer's is of the same distribution; what it is linked to is there.
        f"write {shutil.which('cyclictest')} /usr/bin/cyclictest",
        "sif /usr/bin/cyclictest mode 0100755",
        f"write {shutil.which('busybox')} /usr/bin/busybox",
        "sif /usr/bin/busybox mode 0100755",
    )


def vagrant_box() -> Path:
    """Return a box for vagrant-libvirt with this disk, made if it is not in the cache."""
    disk_image = seeded_disk()
    box = disk_image.with_name("seeded.box")
    if not box.exists():
        with tempfile.TemporaryDirectory(dir=box.parent) as name:
            parts = Path(name)
            raw = parts / "raw"
            _run("cp", "--sparse=always", "--reflink=auto", disk_image, raw)
            key = parts / "vagrant.pub"
            # Everybody has the other half: vagrant changes it when it gets in first.
            (published,) = Path("/usr/share").glob("*/*/gems/vagrant-*/keys/vagrant.pub")
            key.write_text(published.read_text())
            _debugfs(raw, f"write {key} /etc/vagrant.pub")
            _run("qemu-img", "convert", "-O", "qcow2", "-f", "raw", raw, parts / "box.img")
            size = -(-raw.stat().st_size >> 30)
            metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": size}
            (parts / "metadata.json").write_text(json.dumps(metadata))
            (parts / "Vagrantfile").write_text("Vagrant.configure('2') do |config|\nend\n")
            files = ("metadata.json", "Vagrantfile", "box.img")
            _run("tar", "-cf", parts / "box", "-C", parts, *files)
            (parts / "box").rename(box)
    return box


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True)


def _debugfs(image: Path, *commands: str) -> None:
    done = subprocess.run(
        ["debugfs", "-w", "-f", "/dev/stdin", f"{image}?offset={disk._ROOT}"],
        input="\n".join(commands) + "\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    # It ends with 0 whatever happens; what it says beside its prompts is a complaint.
    complaints = [
        line
        for line in (done.stderr + done.stdout).splitlines()
        if line and not line.startswith(("debugfs ", "debugfs:", "Allocated inode"))
    ]
    assert not complaints, complaints
