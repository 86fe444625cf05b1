"""A kernel on trial inside a machine that only its host reaches: GRUB, restart, and found again."""

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode
from kubert_tui.machines import keys
from tests.lab.test_kernel_trial import HOST, PATIENT, adopted, offering
from tests.support.headless import auto
from tests.support.sshd import Sshd, start_sshd
from tests.support.virtual_kernels import Kernel, rt_release
from tests.support.virtual_twins import VirtualTwins, virtual_host

__all__ = ["virtual_host"]
pytestmark = [
    pytest.mark.lab,
    pytest.mark.virtual,
    pytest.mark.long,
    pytest.mark.timeout(7200),
]

ADDRESS = "127.77.0.10"
"""Of the machine, in a network of this computer's own."""


@contextmanager
def relay(place: tuple[str, int]) -> Iterator[None]:
    """The machine's sshd at ADDRESS, port 22: practice machines have it on another port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                there = socket.create_connection(place)
            except OSError:
                return  # it restarts: so the connection is closed, as its own kernel would
            back = Thread(target=_pump, args=(there, self.request), daemon=True)
            back.start()
            _pump(self.request, there)
            back.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

    with Server((ADDRESS, 22), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def write_lab(path: Path, host: Sshd) -> Path:
    """`here` is this computer over ssh, and has the machine."""
    spec = host.spec("here")
    path.write_text(
        f"name: ladder\n"
        f"hosts: [{{name: here, address: 127.0.0.1, port: {spec.port}, user: {spec.user},"
        f" identity_file: {spec.identity_file}}}]\n"
        f"allow: [kernel, reboot]\n"
        f"network: {{prefix: 127.77.0.1, gateway: none}}\n"
        f"machines: [{{name: inside, address: {ADDRESS}}}]\n"
    )
    return path


def test_a_guest_tries_a_kernel_as_a_host_does(virtual_host: VirtualTwins, tmp_path: Path) -> None:
    machine, directory = virtual_host.machine(HOST), virtual_host.practice.directory
    # What its seed would have given the machine, it has: it is told here.
    kept = keys.login_key_file("ladder").parent
    kept.mkdir(parents=True, mode=0o700)
    (kept / "key").write_bytes(directory.user_key.read_bytes())
    (kept / "inside.host-key").write_bytes(directory.host_key(HOST).read_bytes())
    for file in kept.iterdir():
        file.chmod(0o600)
    with (
        start_sshd(tmp_path / "host") as host,
        relay((machine.address, machine.port)),
        offering(virtual_host, Kernel.GOOD),
    ):
        paths.known_hosts().write_text(host.known_hosts_line())
        lab = write_lab(tmp_path / "lab.yaml", host)
        run = auto("--yes", "--only", "guest-kernel", *PATIENT, lab=lab)
        assert run.finish() == ExitCode.OK, [(e["what"], e["fix"]) for e in run.named("failure")]
    (finished,) = run.named("stage-finished")
    assert finished["hosts"] == {"inside": "done"}
    (restarting,) = run.named("restarting")
    assert restarting["host"] == "inside"
    adopted(virtual_host, rt_release())
