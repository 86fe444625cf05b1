"""Virtual machines, as far as no QEMU is needed: seeds, addresses, ports, control, finding KVM."""

import io
import json
import os
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.practice import acceleration, disk, qmp, virtual
from kubert_tui.practice.acceleration import Acceleration, Kernel, boots, cpio, find_acceleration
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.virtual import Virtual
from kubert_tui.practice.virtual_machine import ACCELERATION, PORT, VirtualMachine
from kubert_tui.practice.virtual_seed import seed

MARK = "test:virtual"


@pytest.fixture
def lab(tmp_path: Path) -> LabDirectory:
    path = tmp_path / "lab"
    path.mkdir()
    lab = LabDirectory(path, "practice-virtual")
    for file, text in (
        ("key", "private"), ("key.pub", "ssh-ed25519 AAA lab"), ("engineer.password", "opensesame"),
        ("bull1.host-key", "private1"), ("bull1.host-key.pub", "ssh-ed25519 BBB bull1"),
    ):  # fmt: skip
        (path / file).write_text(text)
    return lab


# --- the seed


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar.getmembers()}


def content(archive: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read().decode()


def test_a_seed_makes_a_machine_its_own(lab: LabDirectory) -> None:
    archive = seed(lab, "bull1")
    assert content(archive, "etc/hostname") == "bull1\n"
    assert "127.0.1.1\tbull1\n" in content(archive, "etc/hosts")
    assert content(archive, "etc/ssh/ssh_host_ed25519_key") == "private1"
    for home in ("root", "home/engineer"):
        assert content(archive, f"{home}/.ssh/authorized_keys") == "ssh-ed25519 AAA lab"
    assert content(archive, "passwords") == "engineer:opensesame\n"


def test_what_is_private_in_a_seed_is_private_on_the_disk(lab: LabDirectory) -> None:
    found = members(seed(lab, "bull1"))
    assert found["etc/ssh/ssh_host_ed25519_key"].mode == 0o600
    assert found["root/.ssh"].mode == 0o700
    engineers = found["home/engineer/.ssh/authorized_keys"]
    assert (engineers.uname, engineers.gname, engineers.mode) == ("engineer", "engineer", 0o600)
    assert all(member.uname == "root" for name, member in found.items() if "engineer" not in name)


def test_the_users_private_key_stays_here(lab: LabDirectory) -> None:
    lab.user_key.write_text("the user's own secret")
    assert b"the user's own secret" not in seed(lab, "bull1")


# --- addresses and ports


@pytest.fixture
def machine(lab: LabDirectory) -> VirtualMachine:
    machine = VirtualMachine(lab, "bull1")
    machine.directory.mkdir()
    (machine.directory / PORT).write_text("2222")
    (machine.directory / ACCELERATION).write_text("tcg")
    return machine


def test_each_machine_has_a_loopback_address_of_its_own(tmp_path: Path) -> None:
    labs = [LabDirectory(tmp_path / name, "practice-virtual") for name in ("one", "two")]
    machines = [VirtualMachine(lab, name) for lab in labs for name in lab.machines]
    addresses = {machine.address for machine in machines}
    assert len(addresses) == len(machines)
    assert all(address.startswith("127.") for address in addresses)
    assert not any(address.startswith(("127.0.", "127.1.")) for address in addresses)


def test_a_port_in_use_is_left_alone(machine: VirtualMachine) -> None:
    with socket.create_server((machine.address, 2222)):
        assert virtual._free_port(machine) == 2223
    assert virtual._free_port(machine) == 2222


def test_a_machine_keeps_its_port(machine: VirtualMachine) -> None:
    (machine.directory / PORT).write_text("2250")
    assert virtual._free_port(machine) == 2250


def test_there_are_no_machines_before_all_are_whole(
    lab: LabDirectory, machine: VirtualMachine
) -> None:
    assert Virtual().machines(lab) == ()
    lab.of("bull2").mkdir()
    (lab.of("bull2") / PORT).write_text("2222")
    assert [one.name for one in Virtual().machines(lab)] == ["bull1", "bull2"]


def test_no_secret_is_on_the_command_line(machine: VirtualMachine, lab: LabDirectory) -> None:
    line = " ".join(machine._command())
    assert "opensesame" not in line
    assert "private1" not in line
    assert f"hostfwd=tcp:{machine.address}:2222-:22" in line


def test_a_qemu_that_ends_at_once_is_reported_in_its_own_words(
    machine: VirtualMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_qemu(tmp_path, monkeypatch, "echo 'Could not set up host forwarding rule' >&2; exit 1")
    with pytest.raises(KubertError, match="bull1 cannot be switched on") as told:
        machine.start()
    assert "host forwarding rule" in told.value.details
    assert not machine.running()


def test_a_machine_that_is_off_cannot_be_reset(machine: VirtualMachine) -> None:
    with pytest.raises(KubertError, match="cannot be controlled"):
        machine.reset()


# --- finding KVM


def play_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put a shell script in QEMU's place; returns the file it may write to (`$NOTES`)."""
    programs, notes = tmp_path / "bin", tmp_path / "notes"
    programs.mkdir(exist_ok=True)
    program = programs / acceleration.QEMU
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTES", str(notes))
    return notes


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    (tmp_path / "vmlinuz").write_bytes(b"kernel")
    (tmp_path / "initrd").write_bytes(b"archive")
    return Kernel(tmp_path / "vmlinuz", tmp_path / "initrd")


def test_a_kernel_that_reaches_userland_proves_it(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_qemu(tmp_path, monkeypatch, "echo 'Linux version'; echo 'practice-probe: userland'")
    assert boots(("-accel", "kvm"), kernel, MARK)


def test_the_program_comes_after_the_initramfs_where_a_kernel_finds_it(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'while [ "$1" != -initrd ]; do shift; done; cat "$2" >"$NOTES"'
    notes = play_qemu(tmp_path, monkeypatch, script)
    assert not boots((), kernel, MARK)
    given = notes.read_bytes()
    assert given[:8] == b"archive\0"
    assert given[8:].startswith(b"070701")


@pytest.mark.parametrize(
    "script",
    [
        "echo Booting from ROM..; exec sleep 1000",
        "echo 'failed to set MSR 0x10a' >&2; exit 134",
        "dd if=/dev/zero bs=1000 count=1000 2>/dev/null; exec sleep 1000",
    ],
)
def test_anything_else_is_no_acceleration(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    notes = play_qemu(tmp_path, monkeypatch, f'echo $$ >"$NOTES"; {script}')
    assert not boots((), kernel, MARK, limit=0.5)
    assert not Path("/proc", notes.read_text().strip()).exists()


def test_no_qemu_is_no_acceleration(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "QEMU", "no-such-program")
    assert not boots((), kernel, MARK)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(acceleration, "_KVM", device)
    return device


@pytest.mark.parametrize(
    ("works", "found"), [(True, Acceleration.KVM), (False, Acceleration.EMULATION)]
)
def test_what_was_found_is_remembered_until_something_changes(
    *,
    works: bool,
    found: Acceleration,
    kernel: Kernel,
    device: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play_qemu(tmp_path, monkeypatch, "echo QEMU emulator version 7.2")
    tried: list[object] = []

    def played(options: object, *_: object) -> bool:
        tried.append(options)
        return works

    monkeypatch.setattr(acceleration, "boots", played)
    assert find_acceleration(kernel, tmp_path, MARK) is found
    assert find_acceleration(kernel, tmp_path, MARK) is found
    assert tried == [Acceleration.KVM.options]
    kernel.image.write_bytes(b"another kernel")
    assert find_acceleration(kernel, tmp_path, MARK) is found
    play_qemu(tmp_path, monkeypatch, "echo QEMU emulator version 9.0")
    assert find_acceleration(kernel, tmp_path, MARK) is found
    assert len(tried) == 3
    (tmp_path / "acceleration.json").write_text("[not what we wrote")
    assert find_acceleration(kernel, tmp_path, MARK) is found
    assert len(tried) == 4


def test_without_the_device_nothing_is_tried(
    kernel: Kernel, device: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.unlink()
    monkeypatch.setattr(acceleration, "boots", lambda *_: pytest.fail("tried"))
    assert find_acceleration(kernel, tmp_path, MARK) is Acceleration.EMULATION


def test_an_archive_is_made_of_aligned_parts() -> None:
    archive = cpio("probe", b"#!/bin/sh\n")
    assert len(archive) % 4 == 0
    assert int(archive[54:62], 16) == len("#!/bin/sh\n")
    assert archive[110:116] == b"probe\0"
    start = archive.index(b"#!/bin/sh")
    assert start % 4 == 0
    assert archive.index(b"070701", start) % 4 == 0
    assert b"TRAILER!!!\0" in archive


# --- QEMU's control socket


class PlayedMonitor:
    """Listens as QEMU does, and answers what it is told to."""

    def __init__(self, path: Path, answer: Callable[[dict[str, object]], list[object]]) -> None:
        self.asked: list[dict[str, object]] = []
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        directory = os.open(path.parent, os.O_PATH)
        self._listener.bind(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, client.makefile("rwb") as lines:
            lines.write(b'{"QMP": {"version": {}}}\n')
            lines.flush()
            for line in lines:
                order = json.loads(line)
                self.asked.append(order)
                for told in self._answer(order):
                    lines.write(json.dumps(told).encode() + b"\n")
                lines.flush()
                if not self._answer(order):
                    return

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Callable[..., tuple[Path, PlayedMonitor]]]:
    started = []

    def start(answer: Callable[[dict[str, object]], list[object]]) -> tuple[Path, PlayedMonitor]:
        # Longer than an address of a Unix socket can be.
        directory = tmp_path / ("d" * 100) / ("e" * 100)
        directory.mkdir(parents=True)
        played = PlayedMonitor(directory / "qmp", answer)
        started.append(played)
        return directory / "qmp", played

    yield start
    for played in started:
        played.close()


def test_commands_are_told_from_events(
    monitor: Callable[..., tuple[Path, PlayedMonitor]],
) -> None:
    path, played = monitor(
        lambda order: [{"event": "RESET"}, {"return": {"for": order["execute"]}}]
    )
    assert qmp.execute(path, "set_link", name="outside", up=False) == {"for": "set_link"}
    assert [order["execute"] for order in played.asked] == ["qmp_capabilities", "set_link"]
    assert played.asked[1]["arguments"] == {"name": "outside", "up": False}


def test_a_refusal_is_an_error_with_clean_words(
    monitor: Callable[..., tuple[Path, PlayedMonitor]],
) -> None:
    def answer(order: dict[str, object]) -> list[object]:
        if order["execute"] == "qmp_capabilities":
            return [{"return": {}}]
        return [{"error": {"class": "GenericError", "desc": "no \x1b[31msuch\x1b[0m device"}}]

    path, _ = monitor(answer)
    with pytest.raises(KubertError, match="QEMU refused: no such device"):
        qmp.execute(path, "set_link", name="outside", up=True)


def test_a_qemu_that_dies_meanwhile_is_an_oserror(
    monitor: Callable[..., tuple[Path, PlayedMonitor]],
) -> None:
    path, _ = monitor(
        lambda order: [{"return": {}}] if order["execute"] == "qmp_capabilities" else []
    )
    with pytest.raises(OSError, match="closed"):
        qmp.execute(path, "system_reset")


def test_a_qemu_that_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qmp, "_LIMIT", 0.1)
    path = tmp_path / "qmp"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(OSError, match="timed out"):
            qmp.execute(path, "system_reset")


# --- the recipe


def test_the_recipe_holds_all_that_shapes_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = disk.recipe()
    assert "linux-image-amd64" in before
    assert "grub-install" in before
    for name in ("disk_root", "disk_boot"):
        text = Path(disk.__file__).with_name(f"{name}.sh").read_text()
        (tmp_path / f"{name}.sh").write_text(text)
    monkeypatch.setattr(disk, "_script", lambda name: tmp_path / f"{name}.sh")
    assert disk.recipe() == before
    (tmp_path / "disk_root.sh").write_text("something else\n")
    assert disk.recipe() != before


def test_all_steps_are_announced_once() -> None:
    names = [step.name for step in Virtual().build_steps]
    assert len(names) == len(set(names))
