"""To Vagrant and from there: its own words for our machines, and a machine of its own adopted."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.cli import machines_export
from kubert_tui.cli.main import main
from kubert_tui.lab.load import load_lab, parse_lab
from kubert_tui.machines.adopt import adopt
from kubert_tui.machines.cases import host_of
from kubert_tui.machines.elements import Case
from kubert_tui.machines.ensure import ensure, look, rebuild
from kubert_tui.machines.guest import guests_of
from kubert_tui.machines.hypervisor import Hypervisor, open_hypervisor
from kubert_tui.machines.lifecycle import destroy, destroy_all, leftovers, machines, release
from kubert_tui.machines.seen import seen
from kubert_tui.machines.traits import Traits
from tests.lab.test_machines_stage import Bench, empty_bench, states
from tests.support.libvirt_here import PrivateLibvirt, private_libvirt
from tests.support.vagrant_here import Vagrant, lacking

__all__ = ["empty_bench"]
pytestmark = [pytest.mark.lab, pytest.mark.virtual, pytest.mark.timeout(600)]

LAB = (
    "name: twins\n"
    "hosts:\n  - name: here\n    connection: local\n"
    '    cpus: {housekeeping: "0", isolated: "1"}\n'
)


@pytest.fixture(scope="module")
def libvirt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateLibvirt]:
    with private_libvirt(tmp_path_factory.mktemp("libvirt")) as running:
        yield running


@pytest.fixture
def hypervisor(libvirt: PrivateLibvirt) -> Iterator[Hypervisor]:
    with open_hypervisor("here", libvirt.uri) as opened:
        yield opened


@pytest.mark.skipif(not shutil.which("ruby"), reason="needs ruby installed")
def test_ruby_and_vagrant_take_what_is_exported(
    libvirt: PrivateLibvirt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = tmp_path / "lab.yaml"
    lab.write_text(
        LAB + "network: {kind: bridge}\nmachines:\n  - {name: one, vcpus: 1, disk: 2500MiB}\n"
        "  - {name: two, realtime: no, network: nat}\n"
    )
    file = tmp_path / "Vagrantfile"
    box = "it's \\ a #{system('touch oops')} box"
    argv = ["machines", "export", "--vagrantfile", "--lab", str(lab), "-o", str(file)]
    assert main([*argv, "--box", box]) == 0
    assert main(argv) == 2, "a file that is there is not replaced"
    capsys.readouterr()
    done = subprocess.run(["ruby", "-c", file], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Syntax OK", done.stderr
    # As Ruby reads it, the box's name is only a name.
    (line,) = (line for line in file.read_text().splitlines() if "vm.box" in line)
    script = f"puts({line.partition(' = ')[2]})"
    read = subprocess.run(
        ["ruby", "-e", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert read.stdout == f"{box}\n"
    assert not (tmp_path / "oops").exists()
    if shutil.which("vagrant"):
        # It asks libvirt for its networks, and looks for the bridge among the host's devices.
        libvirt.inside("ip", "link", "add", "br0", "type", "bridge")
        valid = subprocess.run(
            ["nsenter", f"--net=/proc/{libvirt.process}/ns/net", "vagrant", "validate"],
            cwd=tmp_path,
            env={**os.environ, "LIBVIRT_DEFAULT_URI": libvirt.uri},
            capture_output=True,
            text=True,
            check=False,
        )
        assert valid.returncode == 0, valid.stdout + valid.stderr


def test_what_vagrant_made_is_adopted_and_stays_whose_it_is(
    libvirt: PrivateLibvirt,
    hypervisor: Hypervisor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A domain as vagrant-libvirt names it, with its disk, and vagrant's own record of it.
    disk = libvirt.images / "proj_master.img"
    disk.parent.mkdir(parents=True, exist_ok=True)
    disk.write_bytes(bytes(1 << 20))
    xml = tmp_path / "domain.xml"
    xml.write_text(
        "<domain type='qemu'><name>proj_master</name><memory unit='MiB'>128</memory>"
        "<vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os><devices><disk type='file'>"
        "<source file='/var/lib/libvirt/images/proj_master.img'/><target dev='vda' bus='virtio'/>"
        "</disk></devices></domain>"
    )
    libvirt.virsh("define", str(xml))
    libvirt.virsh("start", "proj_master")
    before = libvirt.virsh("dumpxml", "--inactive", "proj_master")
    record = tmp_path / ".vagrant/machines/master/libvirt"
    record.mkdir(parents=True)
    (record / "id").write_text(libvirt.virsh("domuuid", "proj_master"))
    (record / "private_key").write_text("a key\n")
    lab = tmp_path / "lab.yaml"
    written = LAB + "# my machines\nmachines:\n  - name: one  # the first\nrestart_wait: 20m\n"
    lab.write_text(written)
    monkeypatch.setattr(
        machines_export, "_hypervisor", lambda *_: open_hypervisor("here", libvirt.uri)
    )
    argv = ["machines", "adopt", "--lab", str(lab), "--directory", str(tmp_path), "proj_master"]

    assert main(argv) == 1, "libvirt knows no address of it"
    assert "--address" in capsys.readouterr().err
    assert libvirt.virsh("dumpxml", "--inactive", "proj_master") == before
    argv += ["--address", "192.168.121.15"]
    assert main([*argv, "--as", "Not a name"]) == 2
    assert main(argv) == 0
    assert main(argv) == 0, "it can be repeated"

    changed = load_lab(lab)
    assert [line for line in written.splitlines() if line not in lab.read_text()] == []
    _, guest = guests_of(changed)
    assert (guest.name, guest.domain, guest.spec.vcpus) == ("master", "proj_master", 2)
    spec = host_of(guest, changed)
    assert (spec.user, spec.address) == ("vagrant", "192.168.121.15")
    assert spec.identity_file == str(record / "private_key")
    assert ("master", "proj_master") in [
        (one.name, one.domain) for one in machines(hypervisor, "twins")
    ]

    # It is started and looked at like the others, and its definition is left alone.
    case = Case(guest, Traits(False, "emulated here"), None)
    assert look(hypervisor, case).empty
    assert [one.state for one in seen(hypervisor, "twins", [case])] == ["running"]
    libvirt.virsh("destroy", "proj_master")
    assert [one.state for one in seen(hypervisor, "twins", [case])] == ["off"]
    assert look(hypervisor, case).start
    assert ensure(hypervisor, case, "base+none").started
    for act in (
        lambda: destroy(hypervisor, "twins", "master"),
        lambda: rebuild(hypervisor, case, "base+none"),
    ):
        with pytest.raises(
            KubertError, match=r"did not make proj_master.*proj_master\.img"
        ) as told:
            act()
        assert "machines release master" in told.value.fix
    with pytest.raises(KubertError, match="belongs to the lab twins already"):
        adopt(hypervisor, "other", "proj_master", "master")
    with pytest.raises(KubertError, match="there is no machine nobody"):
        adopt(hypervisor, "twins", "nobody", "nobody")

    release(hypervisor, "twins", "master")
    assert not machines(hypervisor, "twins")
    adopt(hypervisor, "twins", "proj_master", "master")

    # The lab goes; what was vagrant's is as it was before, and runs.
    destroy_all(hypervisor, "twins")
    assert leftovers(hypervisor, "twins") == ()
    assert libvirt.virsh("domstate", "proj_master") == "running"
    assert disk.exists()
    after = libvirt.virsh("dumpxml", "--inactive", "proj_master")
    assert after.replace("  <metadata/>\n", "") == before
    release(hypervisor, "twins", "master")

    # Gone where it was made: that is told, and no other is made in its place.
    libvirt.virsh("destroy", "proj_master")
    libvirt.virsh("undefine", "proj_master")
    assert look(hypervisor, case).create
    with pytest.raises(KubertError, match="adopted as master, is gone"):
        ensure(hypervisor, case, "base+none")
    assert parse_lab(lab.read_text(), "lab.yaml") == changed


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_machine_of_vagrant_up_is_one_of_the_lab_until_it_is_let_go(
    empty_bench: Bench, tmp_path: Path
) -> None:
    if why := lacking():
        pytest.skip(why)
    bench, vagrant = empty_bench, Vagrant(empty_bench.libvirt, tmp_path / "project")
    vagrant.prepare()
    vagrant("up")
    before = bench.libvirt.virsh("dumpxml", "--inactive", vagrant.domain())
    written = f"{LAB}allow: [machines]\n"
    bench.file.write_text(written)

    bench.machines("adopt", vagrant.domain(), "--directory", str(vagrant.directory))
    assert states(bench.stage()) == "satisfied"
    row = bench.listed()["m0"]
    assert row["state"] == "running"
    assert bench.ssh(row["ssh"], "id", "-un") == "vagrant"
    bench.machines("stop", "m0")
    made = bench.stage()
    assert states(made) == "done"
    assert bench.ssh(row["ssh"], "id", "-un") == "vagrant"

    bench.machines("destroy", "m0", "--yes", code=1)
    bench.machines("release", "m0")
    assert bench.file.read_text().rstrip("\n") == written.rstrip("\n")
    after = bench.libvirt.virsh("dumpxml", "--inactive", vagrant.domain())
    assert after.replace("  <metadata/>\n", "") == before
    assert vagrant("ssh", "-c", "id -un").strip() == "vagrant"
    vagrant("destroy", "--force")
    assert bench.libvirt.virsh("list", "--all", "--name") == ""
