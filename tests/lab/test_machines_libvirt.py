"""A machine of the lab under a real libvirtd and a real QEMU, from nothing to nothing."""

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import libvirt as libvirt_functions
import pytest

from kubert_tui.base.errors import HostKeyError, KubertError, UnreachableError
from kubert_tui.cpus.placement import Placement
from kubert_tui.hosts.known_hosts import remember
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.machines import keys
from kubert_tui.machines.address import uri_of
from kubert_tui.machines.console import wait_for_words
from kubert_tui.machines.elements import Case
from kubert_tui.machines.ensure import ensure, look, rebuild
from kubert_tui.machines.guest import BASE, POOL, guests_of
from kubert_tui.machines.hypervisor import Hypervisor, State, open_hypervisor
from kubert_tui.machines.lifecycle import (
    cut_power,
    destroy_all,
    leftovers,
    leftovers_here,
    machines,
    stop,
)
from kubert_tui.machines.storage import Storage
from kubert_tui.machines.traits import Traits
from kubert_tui.practice.disk import DISK, STEPS
from kubert_tui.practice.images import Images
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.virtual import Virtual
from tests.support.libvirt_here import PrivateLibvirt, private_libvirt
from tests.support.sshd import start_sshd
from tests.support.twins import CACHE, patient_order, skip_unless_possible

pytestmark = [pytest.mark.lab, pytest.mark.virtual, pytest.mark.timeout(1800)]

IMAGE = f"{BASE}practice.img"
EMULATED = Traits(False, "emulated in this test")


@pytest.fixture(scope="module")
def libvirt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateLibvirt]:
    with private_libvirt(tmp_path_factory.mktemp("libvirt")) as running:
        yield running


@pytest.fixture
def hypervisor(libvirt: PrivateLibvirt) -> Iterator[Hypervisor]:
    with open_hypervisor("here", libvirt.uri) as opened:
        yield opened
        for lab in ("twins", "other"):
            destroy_all(opened, lab)


def lab(
    memory: str = "256MiB",
    vcpus: int = 1,
    prefix: str = "192.168.77.1",
    kind: str = "nat",
    realtime: str = "yes",
) -> Lab:
    return parse_lab(
        f"name: twins\nhosts: [{{name: here, connection: local}}]\n"
        f"network: {{kind: {kind}, prefix: {prefix}}}\n"
        f"machines: [{{name: one, memory: {memory}, vcpus: {vcpus}, disk: 8GiB,"
        f" realtime: {realtime}}}]\n",
        "lab.yaml",
    )


def case(wanted: Lab, *cpus: int) -> Case:
    (guest,) = guests_of(wanted)
    return Case(guest, EMULATED, Placement(guest.name, cpus or (1,), (0,), 0, False))


def image(libvirt: PrivateLibvirt) -> str:
    """Have the practice machines' disk as the image in the pool; return its name."""
    skip_unless_possible(Virtual.kind)
    built = Images(CACHE, Virtual()).ensure(Pace(patient_order(), STEPS)) / DISK
    target = libvirt.images / POOL / IMAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", built, target], check=True)
    return IMAGE


def empty_image(hypervisor: Hypervisor) -> str:
    """Have an image in the pool that nothing boots from; return its name."""
    storage = Storage(hypervisor)
    storage.ensure()
    name = f"{BASE}empty.img"
    if storage.volume(name) is None:
        storage.write(name, bytes(1 << 20))
    return name


@pytest.mark.long
def test_from_nothing_to_nothing(libvirt: PrivateLibvirt, hypervisor: Hypervisor) -> None:
    before = whole_state(libvirt)
    base = image(libvirt)
    first = case(lab())
    guest = first.guest
    keys.introduce("twins", (guest,))
    assert look(hypervisor, first).create

    made = ensure(hypervisor, first, base)
    assert (made.created, made.started, made.restart) == (True, True, ())
    left_out = {one.name: one for one in made.left_out}
    assert {"hugepages", "host-passthrough", "tsc-deadline"} <= left_out.keys()
    assert {"vcpupin", "emulatorpin", "iothreadpin", "nosharepages", "pmu"}.isdisjoint(left_out)
    # Whether libvirt may lock memory and schedule first-in, first-out is this machine's matter:
    # it is in the definition, or it is told, with the hypervisor's words and what it costs.
    xml = libvirt.virsh("dumpxml", "twins-one")
    for name in ("locked", "vcpusched"):
        assert (f"<{name}" in xml) != (name in left_out)
        if name in left_out:
            assert left_out[name].refused
            assert left_out[name].why
            assert left_out[name].cost
            assert left_out[name].remedy
    assert libvirt.virsh("vcpupin", "twins-one").split()[-1] == "1"

    said = wait_for_words(hypervisor, "twins-one", b"Linux version", limit=600)
    assert b"Linux version" in said
    assert look(hypervisor, first).empty
    again = ensure(hypervisor, first, base)
    assert (again.created, again.started, again.changed, again.restart) == (False, False, (), ())
    assert {one.name for one in again.left_out} == left_out.keys()

    moved = case(lab(), 0)
    done = ensure(hypervisor, moved, base)
    assert [str(one) for one in done.changed] == ["vcpupin 0: 1 -> 0"]
    assert done.restart == ()
    assert libvirt.virsh("vcpupin", "twins-one", "--live").split()[-1] == "0"
    assert look(hypervisor, moved).empty

    larger = case(lab("320MiB", 2), 0, 1)
    waiting = ensure(hypervisor, larger, base)
    names = {one.setting for one in waiting.restart}
    assert names == {"memory", "vcpus", "vcpupin 1", "topology"} | {
        f"vcpusched {number}" for number in (1,) if "vcpusched" not in left_out
    }
    assert "262144 KiB" in libvirt.virsh("dominfo", "twins-one")
    assert {one.setting for one in look(hypervisor, larger).restart} == names
    libvirt.virsh("suspend", "twins-one")
    assert look(hypervisor, larger).start
    assert ensure(hypervisor, larger, base).started
    assert not look(hypervisor, larger).start
    with pytest.raises(KubertError, match="did not switch off"):
        stop(hypervisor, guest, limit=0)
    cut_power(hypervisor, guest)
    off = look(hypervisor, larger)
    assert (off.create, off.changes, off.restart, off.start) == (False, (), (), True)
    assert ensure(hypervisor, larger, base).started
    assert "327680 KiB" in libvirt.virsh("dominfo", "twins-one")
    assert look(hypervisor, larger).empty

    elsewhere = case(lab("320MiB", 2, prefix="192.168.88.1"), 0, 1)
    pending = {one.setting for one in ensure(hypervisor, elsewhere, base).restart}
    assert pending == {"seed", "network address"}
    cut_power(hypervisor, guest)
    assert ensure(hypervisor, elsewhere, base).restart == ()
    assert "192.168.88.1" in libvirt.virsh("net-dumpxml", "kubert-twins")
    larger = elsewhere

    hypervisor.snapshot("twins-one", "fresh")
    assert hypervisor.snapshots("twins-one") == ("fresh",)

    # Destroyed by somebody else: first its definition, then its disk, too.
    libvirt.virsh("destroy", "twins-one")
    libvirt.virsh("undefine", "twins-one", "--snapshots-metadata")
    assert not look(hypervisor, larger).volumes
    assert ensure(hypervisor, larger, base).created
    libvirt.virsh("destroy", "twins-one")
    libvirt.virsh("undefine", "twins-one", "--remove-all-storage")
    plan = look(hypervisor, larger)
    assert plan.create
    assert plan.volumes
    assert ensure(hypervisor, larger, base).created
    assert rebuild(hypervisor, larger, base).created
    assert [(one.name, one.state) for one in machines(hypervisor, "twins")] == [
        ("one", State.RUNNING)
    ]

    assert leftovers(hypervisor, "twins")
    destroy_all(hypervisor, "twins")
    assert leftovers(hypervisor, "twins") == ()
    assert leftovers_here("twins")
    keys.forget("twins")
    assert leftovers_here("twins") == ()
    assert whole_state(libvirt) == before


def test_only_what_the_lab_made_is_touched(
    libvirt: PrivateLibvirt, hypervisor: Hypervisor, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign.xml"
    foreign.write_text(
        "<domain type='qemu'><name>twins-one</name><memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64'>hvm</type></os></domain>"
    )
    libvirt.virsh("define", str(foreign))
    wanted = case(lab())
    with pytest.raises(KubertError, match="this lab did not make"):
        look(hypervisor, wanted)
    for act in (ensure, rebuild):
        with pytest.raises(KubertError, match="this lab did not make"):
            act(hypervisor, wanted, IMAGE)
    with pytest.raises(KubertError, match="has made no machine one"):
        cut_power(hypervisor, wanted.guest)
    destroy_all(hypervisor, "twins")
    assert libvirt.virsh("list", "--all", "--name") == "twins-one"
    libvirt.virsh("undefine", "twins-one")

    network = tmp_path / "network.xml"
    network.write_text("<network><name>kubert-twins</name></network>")
    libvirt.virsh("net-define", str(network))
    with pytest.raises(KubertError, match="network kubert-twins that this lab did not make"):
        ensure(hypervisor, wanted, IMAGE)
    destroy_all(hypervisor, "twins")
    assert libvirt.virsh("net-list", "--all", "--name") == "kubert-twins"
    libvirt.virsh("net-undefine", "kubert-twins")


def test_a_lab_leaves_the_volumes_of_another_alone(hypervisor: Hypervisor) -> None:
    storage = Storage(hypervisor)
    storage.ensure()
    for name in ("twins+one.seed.iso", "twins-2+one.seed.iso", f"{BASE}unused.img"):
        storage.write(name, b"content")
    destroy_all(hypervisor, "twins")
    assert [one.name for one in storage.volumes()] == ["twins-2+one.seed.iso"]
    destroy_all(hypervisor, "twins-2")
    assert not storage.present


class KilledError(BaseException):
    """We were killed: nothing of ours runs any more."""


class Counting:
    """libvirt's C functions, counted; from a certain call on there is nobody to make them."""

    def __init__(self, functions: Any, last: int) -> None:
        self._functions = functions
        self._last = last
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._functions, name)
        # What the kernel does for a process that is killed: its connections end.
        ends = name.endswith("Free") or name == "virConnectClose"
        if ends or not callable(function) or name.startswith("virEvent"):
            return function
        return partial(self._call, function)

    def _call(self, function: Any, *arguments: Any) -> Any:
        self.calls += 1
        if self.calls > self._last:
            raise KilledError
        return function(*arguments)


def test_killed_anywhere_it_goes_on_and_leaves_nothing(
    libvirt: PrivateLibvirt, hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = whole_state(libvirt)
    wanted = case(lab("64MiB", realtime="no"))

    def counted(act: Callable[[], object], last: int = 1 << 30) -> int:
        counting = Counting(libvirt_functions.libvirtmod, last)
        with monkeypatch.context() as patch, suppress(KilledError):
            patch.setattr(libvirt_functions, "libvirtmod", counting)
            act()
        return counting.calls

    def make() -> None:
        with open_hypervisor("here", libvirt.uri) as own:
            ensure(own, wanted, empty_image(own))

    def unmake() -> None:
        with open_hypervisor("here", libvirt.uri) as own:
            destroy_all(own, "twins")

    for first, act in ((unmake, make), (make, unmake)):
        first()
        total = counted(act)
        for part in (0.1, 0.4, 0.6, 0.9):
            first()
            assert counted(act, round(total * part)) > round(total * part)
            # Whoever goes on need not know how far it came.
            make()
            assert look(hypervisor, wanted).empty
            unmake()
            assert leftovers(hypervisor, "twins") == ()
            assert whole_state(libvirt) == before


def test_bridged(libvirt: PrivateLibvirt, hypervisor: Hypervisor) -> None:
    base = empty_image(hypervisor)
    wanted = case(lab("64MiB", kind="bridge", realtime="no"))
    with pytest.raises(KubertError, match="make the bridge br0") as caught:
        ensure(hypervisor, wanted, base)
    assert "br0" in caught.value.details
    libvirt.inside("ip", "link", "add", "br0", "type", "bridge")
    assert ensure(hypervisor, wanted, base).started
    assert look(hypervisor, wanted).empty
    assert "br0" in libvirt.virsh("domiflist", "twins-one")
    destroy_all(hypervisor, "twins")
    libvirt.inside("ip", "link", "delete", "br0")


def test_what_is_uploaded_arrives(libvirt: PrivateLibvirt, hypervisor: Hypervisor) -> None:
    storage = Storage(hypervisor)
    storage.ensure()
    content = os.urandom(600_000)
    storage.write("other+one.seed.iso", content)
    file = libvirt.images / POOL / "other+one.seed.iso"
    assert file.read_bytes() == content
    assert file.stat().st_mode & 0o777 == 0o600
    storage.write(f"{BASE}large.img", bytes(2 << 20))
    with pytest.raises(KubertError, match="too small for the image"):
        storage.copy_on_write("other+one.qcow2", f"{BASE}large.img", 1)
    with pytest.raises(KubertError, match="has no image"):
        storage.copy_on_write("other+one.qcow2", f"{BASE}none.img", 1)


def test_over_ssh_with_our_known_hosts_only(
    libvirt: PrivateLibvirt, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not shutil.which("nc"):
        pytest.skip("needs nc installed: libvirt uses it where its socket is at another place")
    with start_sshd(tmp_path / "host") as server:
        spec = server.spec("bull1")
        of = Lab(hosts=(spec,))
        socket = str(libvirt.socket)
        with uri_of(spec, of, socket=socket) as uri, pytest.raises(HostKeyError) as caught:
            open_hypervisor("bull1", uri)
        assert caught.value.host == "bull1"
        kind, blob = server.host_key()
        remember(f"[127.0.0.1]:{server.port}", kind, base64.b64decode(blob))
        with uri_of(spec, of, socket=socket) as uri:
            opened = open_hypervisor("bull1", uri)
        with opened as hypervisor:
            # The program that libvirt ran as ssh is gone by now; the connection is not.
            assert hypervisor.domains() == ()
            with pytest.raises(KubertError, match="machine twins-none"):
                hypervisor.start("twins-none")
            server.stop()
            with pytest.raises(UnreachableError) as lost:
                hypervisor.domains()
            assert lost.value.host == "bull1"
        with uri_of(spec, of, socket=socket) as uri, pytest.raises(UnreachableError):
            open_hypervisor("bull1", uri)
    assert capfd.readouterr() == ("", "")


def whole_state(libvirt: PrivateLibvirt) -> dict[str, str]:
    """All that libvirt has, and all files of its machines."""
    lists = {
        kind: libvirt.virsh(kind, "--all", "--name") for kind in ("list", "pool-list", "net-list")
    }
    state = libvirt.directory / "var/lib/libvirt"
    files = sorted(str(path.relative_to(state)) for path in state.rglob("*") if path.is_file())
    files += sorted(str(path.relative_to(state)) for path in libvirt.images.rglob("*"))
    return {**lists, "files": "\n".join(files)}
