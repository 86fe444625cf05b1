"""A virtual machine that looks like a lab's own machine: reached through its host only.

    with as_guest(virtual_host, "bull1", tmp_path, allow="kernel, reboot") as lab: ...

The host is this computer over a real sshd; what a machine's seed would have set up, is told here.
"""

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from kubert_tui.base import paths
from kubert_tui.machines import keys
from tests.support.sshd import Sshd, start_sshd
from tests.support.virtual_twins import VirtualTwins

GUEST = "inside"
_LAB = "ladder"
_ADDRESS = "127.77.0.10"
"""Of the machine, in a network of this computer's own."""


def possible() -> bool:
    """Whether port 22 is free there: an sshd of this computer's own has it on all addresses."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_ADDRESS, 22))
        except OSError:
            return False
    return True


@contextmanager
def _relay(place: tuple[str, int]) -> Iterator[None]:
    """The machine's sshd at _ADDRESS, port 22: practice machines have it on another port."""

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

    with Server((_ADDRESS, 22), Handler) as server:
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


def _write_lab(path: Path, host: Sshd, allow: str) -> Path:
    """`here` is this computer over ssh, and has the machine."""
    spec = host.spec("here")
    path.write_text(
        f"name: {_LAB}\n"
        f"hosts: [{{name: here, address: 127.0.0.1, port: {spec.port}, user: {spec.user},"
        f" identity_file: {spec.identity_file}}}]\n"
        f"allow: [{allow}]\n"
        f"network: {{prefix: 127.77.0.1, gateway: none}}\n"
        f"machines: [{{name: {GUEST}, address: {_ADDRESS}}}]\n"
    )
    return path


@contextmanager
def as_guest(twins: VirtualTwins, name: str, directory: Path, *, allow: str) -> Iterator[Path]:
    """Have the machine `name` as the guest `inside` of this computer; yield the lab file."""
    machine, there = twins.machine(name), twins.practice.directory
    kept = keys.login_key_file(_LAB).parent
    kept.mkdir(parents=True, mode=0o700)
    (kept / "key").write_bytes(there.user_key.read_bytes())
    (kept / f"{GUEST}.host-key").write_bytes(there.host_key(name).read_bytes())
    for file in kept.iterdir():
        file.chmod(0o600)
    with start_sshd(directory / "host") as host, _relay((machine.address, machine.port)):
        paths.known_hosts().write_text(host.known_hosts_line())
        yield _write_lab(directory / "guest-lab.yaml", host, allow)
