"""The image stage against a real libvirtd: brought, killed half-way, brought again, left alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.checks.finding import Level
from kubert_tui.checks.image import PRESENT, ROOM
from kubert_tui.events.model import Progress
from kubert_tui.facts.model import Facts
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.machines.base_images import make_base
from kubert_tui.machines.guest import BASE, IMAGE, POOL
from kubert_tui.machines.hypervisor import Hypervisor, open_hypervisor
from kubert_tui.machines.image_name import base_volume
from kubert_tui.machines.storage import Storage
from kubert_tui.stages.image_change import ImageChange, observe
from tests.support.libvirt_here import PrivateLibvirt, private_libvirt
from tests.support.playground import PLAYBOOKS, Playground, make_playground, plain
from tests.support.recording import RecordingWork, facts_of

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

MIB = 1 << 20


@dataclass
class Work(RecordingWork):
    """Work with a real libvirt, the same one for every host."""

    uri: str = ""

    def hypervisor(self, name: str) -> AbstractContextManager[Hypervisor]:
        return open_hypervisor(name, self.uri)

    def look(self, host: str = "bull1") -> Facts:
        return observe(self, facts_of(host))

    def level(self, host: str = "bull1") -> Level:
        return PRESENT(self.look(host), self.lab).level


@pytest.fixture(scope="module")
def libvirt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateLibvirt]:
    with private_libvirt(tmp_path_factory.mktemp("libvirt")) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(libvirt: PrivateLibvirt) -> Iterator[None]:
    yield
    with open_hypervisor("here", libvirt.uri) as hypervisor:
        storage = Storage(hypervisor)
        for volume in storage.volumes():
            if not volume.name.startswith((BASE, IMAGE)):
                storage.delete(volume.name)
        storage.remove_unused()
        assert not storage.present


def lab(path: Path, more: str = "") -> Lab:
    return parse_lab(
        f"name: twins\nhosts: [{{name: bull1}}]\nmachines: [{{name: one}}]\n"
        f"image: {{source: local, path: '{path}'{more}}}\n",
        "lab.yaml",
    )


def work_of(libvirt: PrivateLibvirt, path: Path, tmp_path: Path, more: str = "") -> Work:
    return Work(lab(path, more), tmp_path, uri=libvirt.uri)


def raw_image(path: Path, letter: bytes = b"x", mib: int = 48) -> Path:
    """A disk with data at its beginning and its end, and a hole between."""
    with path.open("wb") as file:
        file.write(letter * MIB)
        file.truncate(mib * MIB)
        file.seek((mib - 1) * MIB)
        file.write(letter * MIB)
    return path


def names(libvirt: PrivateLibvirt) -> list[str]:
    listed = libvirt.virsh("vol-list", "--pool", POOL).splitlines()
    return sorted(line.split()[0] for line in listed)


def content(libvirt: PrivateLibvirt, base: str, tmp_path: Path) -> bytes:
    """What a machine that starts from the base volume would see."""
    flat = tmp_path / "flat"
    top = libvirt.images / POOL / base
    # Paths in it are those of libvirt's own file system.
    argv = ["nsenter", f"--mount=/proc/{libvirt.process}/ns/mnt", "qemu-img", "convert", "-O",
            "raw", f"/var/lib/libvirt/images/{POOL}/{top.name}", str(flat)]  # fmt: skip
    subprocess.run(argv, check=True, timeout=120)
    return flat.read_bytes()


@pytest.mark.parametrize("kind", ["raw", "qcow2"])
def test_an_image_becomes_one_base_volume(
    libvirt: PrivateLibvirt, tmp_path: Path, kind: str
) -> None:
    path = raw_image(tmp_path / "image")
    expected = path.read_bytes()
    if kind == "qcow2":
        argv = ["qemu-img", "convert", "-O", "qcow2", str(path), f"{path}.qcow2"]
        subprocess.run(argv, check=True, timeout=120)
        path = tmp_path / "image.qcow2"
    work = work_of(libvirt, path, tmp_path)
    base = base_volume(work.lab)
    assert work.level() is Level.FAILED
    assert ROOM(work.look(), work.lab).level is not Level.FAILED
    assert ImageChange().plan(work.lab, facts_of())

    ImageChange().preview(work, ("bull1",))
    assert work.level() is Level.FAILED
    ImageChange().apply(work, ("bull1",))
    assert work.level() is Level.OK
    assert len(names(libvirt)) == 2
    assert content(libvirt, base, tmp_path) == expected
    below = next(name for name in names(libvirt) if name.startswith(IMAGE))
    listed = libvirt.virsh("vol-dumpxml", "--pool", POOL, below)
    assert f"<format type='{kind}'/>" in listed
    # What is a hole here is one there.
    stored = libvirt.images / POOL / below
    assert stored.stat().st_blocks * 512 < 8 * MIB
    told = [event for event in work.events if isinstance(event, Progress) and event.host]
    assert told[-1].done == told[-1].total == path.stat().st_size

    # The same again sends nothing.
    before = stored.stat().st_mtime_ns
    ImageChange().apply(work, ("bull1",))
    assert stored.stat().st_mtime_ns == before


UPLOADER = """\
import os, sys
from pathlib import Path
from kubert_tui.stages import image_change, progress
from tests.lab.test_stage_image import Work, lab
path, uri = Path(sys.argv[1]), sys.argv[2]
class Killed(Work):
    def emit(self, event):
        if getattr(event, "host", "") and getattr(event, "done", 0) > 8 << 20:
            os.kill(os.getpid(), 9)
progress._EVERY = 0
image_change.ImageChange().apply(Killed(lab(path), path.parent, uri=uri), ("bull1",))
"""


def test_killed_half_way_it_is_not_there_and_the_next_brings_it(
    libvirt: PrivateLibvirt, tmp_path: Path
) -> None:
    path = tmp_path / "image"
    path.write_bytes(os.urandom(32 * MIB))
    work = work_of(libvirt, path, tmp_path)
    argv = [sys.executable, "-c", UPLOADER, str(path), libvirt.uri]
    done = subprocess.run(argv, check=False, timeout=300, cwd=Path(__file__).parents[2])
    assert done.returncode == -9
    left = names(libvirt)
    assert len(left) == 1
    assert left[0].startswith(IMAGE)
    assert work.level() is Level.FAILED
    ImageChange().apply(work, ("bull1",))
    assert work.level() is Level.OK
    assert content(libvirt, base_volume(work.lab), tmp_path) == path.read_bytes()
    assert left[0] in names(libvirt)


def test_cancelled_it_leaves_nothing(libvirt: PrivateLibvirt, tmp_path: Path) -> None:
    path = raw_image(tmp_path / "image")
    work = work_of(libvirt, path, tmp_path)

    class Cancelled(Work):
        def emit(self, event: object) -> None:
            if isinstance(event, Progress) and event.host:
                self.cancel.set()

    stopped = Cancelled(work.lab, tmp_path, uri=libvirt.uri)
    with pytest.raises(CancelledError):
        ImageChange().apply(stopped, ("bull1",))
    assert names(libvirt) == []
    assert work.level() is Level.FAILED


def test_a_changed_file_is_another_image_and_disks_of_the_first_are_safe(
    libvirt: PrivateLibvirt, tmp_path: Path
) -> None:
    path = raw_image(tmp_path / "image")
    work = work_of(libvirt, path, tmp_path)
    base = base_volume(work.lab)
    ImageChange().apply(work, ("bull1",))
    with open_hypervisor("bull1", libvirt.uri) as hypervisor:
        Storage(hypervisor).copy_on_write("twins+one.qcow2", base, 64)
    raw_image(path, b"y")
    assert work.level() is Level.FAILED
    with pytest.raises(KubertError, match=r"disks are copies of that: twins\+one.qcow2"):
        ImageChange().apply(work, ("bull1",))
    assert content(libvirt, base, tmp_path)[:1] == b"x"

    # With its sum in the lab file it has a name of its own, and stands beside the other.
    digest = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True)
    other = work_of(libvirt, path, tmp_path, f", sha256: {digest.stdout.split()[0]}")
    ImageChange().apply(other, ("bull1",))
    assert other.level() is Level.OK
    assert content(libvirt, base_volume(other.lab), tmp_path)[:1] == b"y"

    with open_hypervisor("bull1", libvirt.uri) as hypervisor:
        Storage(hypervisor).delete("twins+one.qcow2")
    ImageChange().apply(work, ("bull1",))
    assert work.level() is Level.OK
    assert content(libvirt, base, tmp_path)[:1] == b"y"


def test_no_libvirt_is_unknown_and_says_why(tmp_path: Path) -> None:
    work = Work(
        lab(tmp_path / "image"), tmp_path, uri=f"qemu+unix:///system?socket={tmp_path}/none"
    )
    finding = PRESENT(work.look(), work.lab)
    assert finding.level is Level.UNKNOWN
    assert "libvirt" in finding.summary


def box(directory: Path, path: Path) -> Path:
    """A box such as vagrant-libvirt takes, with that disk."""
    made = directory / "made"
    made.mkdir()
    argv = ["qemu-img", "convert", "-O", "qcow2", str(path), str(made / "box.img")]
    subprocess.run(argv, check=True, timeout=120)
    metadata = '{"provider": "libvirt", "format": "qcow2", "virtual_size": 1}'
    (made / "metadata.json").write_text(metadata)
    (made / "Vagrantfile").write_text('Vagrant.configure("2") { |config| }\n')
    target = directory / "test.box"
    argv = ["tar", "-C", str(made), "-czf", str(target), "box.img", "metadata.json", "Vagrantfile"]
    subprocess.run(argv, check=True, timeout=120)
    return target


# What vagrant does for us: unpack a box where it keeps them.
STAND_IN = """\
[ "$1 $2" = "box add" ] || exit 1
echo "$*" >>"$VAGRANT_HOME/asked"
while [ "$#" -gt 1 ]; do [ "$1" != --name ] || name=$2; shift; done
place=$VAGRANT_HOME/boxes/$(echo "$name" | sed 's,/,-VAGRANTSLASH-,')/0/libvirt
mkdir -p "$place" && tar -C "$place" -xzf "$1"
"""


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.long)])
def playground(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Playground:
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "vagrant"))
    monkeypatch.setenv("VAGRANT_CHECKPOINT_DISABLE", "1")
    (tmp_path / "vagrant").mkdir()
    found = make_playground(tmp_path)
    if request.param == "stand-in":
        found.tool("vagrant", STAND_IN)
    elif not shutil.which("vagrant"):
        pytest.skip("needs vagrant installed")
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="the playbook becomes root")
def test_a_box_becomes_a_base_volume(
    libvirt: PrivateLibvirt, playground: Playground, tmp_path: Path
) -> None:
    disk = raw_image(tmp_path / "disk")
    made = box(tmp_path, disk)
    wanted = parse_lab(
        f"hosts: [{{name: bull1}}]\nmachines: [{{name: one}}]\n"
        f"image: {{source: vagrant, box: test/one, box_url: '{made}'}}\n",
        "lab.yaml",
    )
    work = Work(wanted, tmp_path, uri=libvirt.uri)
    with open_hypervisor("bull1", libvirt.uri) as hypervisor:
        Storage(hypervisor).ensure()
    base = base_volume(wanted)
    change = ImageChange()
    text = " ".join(step.title for step in change.plan(wanted, facts_of()))
    assert "Add the box at an address" in text
    variables: dict[str, object] = {
        "vagrant_box_name": "test/one",
        "vagrant_box_url": str(made),
        "vagrant_box_directory": str(libvirt.images / POOL),
        "vagrant_box_volume": f"{IMAGE}box-{base.rpartition('-')[2]}",
    }
    playbook = PLAYBOOKS / "vagrant-box.yml"

    check = playground.play(playbook, variables, check=True)
    assert check.status == 0, check.text
    assert "Would add the box test/one" in plain(check.text)
    assert not list((libvirt.images / POOL).iterdir())

    first = playground.play(playbook, variables)
    assert first.status == 0, first.text
    assert first.changed == 2
    again = playground.play(playbook, variables)
    assert again.changed == 0, again.text

    # The image is gone, the box is not: it is used as it is.
    (image,) = (libvirt.images / POOL).iterdir()
    image.unlink()
    (image.parent / f"{image.name}.part").write_bytes(b"of one that was killed")
    shutil.rmtree(tmp_path / "made")
    made.unlink()
    third = playground.play(playbook, variables)
    assert third.changed == 1, third.text

    assert work.level() is Level.FAILED
    with open_hypervisor("bull1", libvirt.uri) as hypervisor:
        make_base(Storage(hypervisor), base, image.name.removeprefix(IMAGE))
    assert work.level() is Level.OK
    assert content(libvirt, base, tmp_path) == disk.read_bytes()
