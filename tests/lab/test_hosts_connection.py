"""Connections over SSH: jumps, losses, silence, and what cannot be reached."""

import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from kubert_tui.base.errors import UnreachableError
from kubert_tui.hosts import connection, dialling
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.interface import Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.sshd import Answers, Sshd, is_alive, start_sshd

pytestmark = pytest.mark.lab


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with start_sshd(tmp_path / "sshd") as started:
        yield started


def open_host(*specs: HostSpec) -> Host:
    """Connect to the first of `specs`, which are the lab's hosts."""
    return connect(specs[0], Lab(hosts=specs), Answers(accept_host_keys=True))


def when_it_runs(host: Host, act: Event) -> Invocation:
    """Return a long command that sets `act` as soon as it runs."""
    return Invocation(
        ("sh", "-c", "echo $$; exec sleep 300"), on_stdout=lambda _: act.set(), timeout=None
    )


def test_a_connection_cut_in_mid_command_is_reported_as_lost(server: Sshd) -> None:
    host, running = open_host(server.spec("alpha")), Event()

    def cut() -> None:
        running.wait(30)
        server.kill_connections()

    Thread(target=cut, daemon=True).start()
    with pytest.raises(UnreachableError, match="alpha: the connection was lost"):
        host.run(when_it_runs(host, running))
    with pytest.raises(UnreachableError, match="the connection was lost"):
        host.run(Invocation(("true",)))


def test_a_host_gone_silent_is_noticed(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE", 0.1)
    monkeypatch.setattr(connection, "SILENCE_LIMIT", 1.0)
    host, running = open_host(server.spec("alpha")), Event()

    def freeze() -> None:
        running.wait(30)
        server.freeze()

    Thread(target=freeze, daemon=True).start()
    with pytest.raises(UnreachableError, match="the connection was lost"):
        host.run(when_it_runs(host, running))


def test_starting_a_command_on_a_silent_host_does_not_hang(
    server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE", 0.1)
    monkeypatch.setattr(connection, "SILENCE_LIMIT", 1.0)
    host = open_host(server.spec("alpha"))
    server.freeze()
    with pytest.raises(UnreachableError):
        host.run(Invocation(("true",), timeout=None))


def test_a_quiet_but_living_host_is_left_alone(
    server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE", 0.1)
    monkeypatch.setattr(connection, "SILENCE_LIMIT", 1.0)
    assert open_host(server.spec("alpha")).run(Invocation(("sleep", "3"))).ok


def test_through_a_jump_host_of_the_lab(server: Sshd, tmp_path: Path) -> None:
    with start_sshd(tmp_path / "jump") as jump:
        answers = Answers(accept_host_keys=True)
        far = server.spec("far", jump="near")
        near = jump.spec("near")
        host = connect(far, Lab(hosts=(far, near)), answers)
        assert host.run(Invocation(("echo", "through"))).stdout == b"through\n"
        assert [(offer.host, offer.port) for offer in answers.offers] == [
            ("near", jump.port),
            ("far", server.port),
        ]
        jump.kill_connections()
        with pytest.raises(UnreachableError):
            host.run(Invocation(("true",)))


def test_through_a_jump_host_named_by_address(server: Sshd, tmp_path: Path) -> None:
    with start_sshd(tmp_path / "jump") as jump:
        (Path.home() / ".ssh").mkdir()
        # An address has no key in the lab file: ssh's configuration (or the agent) has it.
        (Path.home() / ".ssh/config").write_text(f"Host *\n IdentityFile {jump.identity}\n")
        host = open_host(server.spec("far", jump=f"root@127.0.0.1:{jump.port}"))
        assert host.run(Invocation(("true",))).ok


def test_through_two_jump_hosts_of_ssh_config(server: Sshd, tmp_path: Path) -> None:
    with start_sshd(tmp_path / "one") as one, start_sshd(tmp_path / "two") as two:
        (Path.home() / ".ssh").mkdir()
        (Path.home() / ".ssh/config").write_text(
            f"Host one\n HostName 127.0.0.1\n Port {one.port}\n IdentityFile {one.identity}\n"
            f"Host two\n HostName 127.0.0.1\n Port {two.port}\n IdentityFile {two.identity}\n"
            f"Host far\n HostName 127.0.0.1\n Port {server.port}\n"
            f" IdentityFile {server.identity}\n ProxyJump one,two\n"
        )
        answers = Answers(accept_host_keys=True)
        spec = HostSpec(name="far")
        host = connect(spec, Lab(hosts=(spec,)), answers)
        assert host.run(Invocation(("true",))).ok
        assert [offer.port for offer in answers.offers] == [one.port, two.port, server.port]


def test_a_jump_host_that_cannot_reach_the_host_is_named(server: Sshd) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        far = HostSpec(name="far", address="127.0.0.1", port=unused.getsockname()[1], jump="near")
        with pytest.raises(UnreachableError, match="far: the jump host near cannot reach"):
            open_host(far, server.spec("near"))


def test_a_proxy_command(server: Sshd) -> None:
    (Path.home() / ".ssh").mkdir()
    relay = Path.home() / "relay.py"
    relay.write_text(
        "import socket, sys, threading, os\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    (Path.home() / ".ssh/config").write_text(
        f"Host *\n ProxyCommand {shlex.quote(sys.executable)} {relay} %h %p\n"
    )
    host = open_host(server.spec("alpha"))
    assert len(host.run(Invocation(("head", "-c", "3000000", "/dev/zero"))).stdout) == 3_000_000
    server.kill_connections()
    with pytest.raises(UnreachableError):
        host.run(Invocation(("sleep", "300"), timeout=None))
    host.close()


def test_a_name_without_address() -> None:
    with pytest.raises(UnreachableError, match=r"for the name no-such\.invalid"):
        open_host(HostSpec(name="alpha", address="no-such.invalid"))


def test_a_refused_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        spec = HostSpec(name="alpha", address="127.0.0.1", port=unused.getsockname()[1])
        with pytest.raises(UnreachableError, match="refuses connections") as caught:
            open_host(spec)
    assert "sshd" in caught.value.fix


def test_something_else_than_ssh() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 101)

        Thread(target=answer, daemon=True).start()
        spec = HostSpec(name="alpha", address="127.0.0.1", port=listener.getsockname()[1])
        with pytest.raises(UnreachableError, match="does not speak SSH"):
            open_host(spec)


def test_a_port_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "CONNECT_LIMIT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        spec = HostSpec(name="alpha", address="127.0.0.1", port=listener.getsockname()[1])
        with pytest.raises(UnreachableError, match="does not speak SSH"):
            open_host(spec)


def test_a_login_that_runs_no_commands(tmp_path: Path) -> None:
    with (
        start_sshd(tmp_path / "sshd", extra=("ForceCommand echo go away",)) as server,
        pytest.raises(UnreachableError, match="does not run commands") as caught,
    ):
        open_host(server.spec("alpha")).run(Invocation(("true",)))
    assert caught.value.details == "go away"


def test_noise_of_a_login_shell_is_no_output(tmp_path: Path) -> None:
    noisy = 'ForceCommand echo noise; echo noise >&2; eval "$SSH_ORIGINAL_COMMAND"'
    with start_sshd(tmp_path / "sshd", extra=(noisy,)) as server:
        done = open_host(server.spec("alpha")).run(Invocation(("echo", "clean")))
    assert (done.stdout, done.stderr) == (b"clean\n", b"")


def test_a_transfer_cut_short_leaves_the_old_file(server: Sshd, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    host = open_host(server.spec("alpha"))
    started = Event()

    def cut() -> None:
        while not list(tmp_path.glob("target.*")):
            started.wait(0.01)
        server.kill_connections()

    Thread(target=cut, daemon=True).start()
    with pytest.raises(UnreachableError):
        host.put(b"x" * 60_000_000, str(target))
    assert target.read_bytes() == b"old"


def test_what_runs_detached_survives_the_connection(server: Sshd) -> None:
    host = open_host(server.spec("alpha"))
    script = "setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $!"
    number = int(host.run(Invocation(("sh", "-c", script))).stdout)
    host.close()
    try:
        assert is_alive(number)
    finally:
        open_host(server.spec("alpha")).run(Invocation(("kill", str(number))))
