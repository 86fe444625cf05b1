"""Logging in to a real sshd: agent, keys, passwords, and refusals that say what was tried."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.base.errors import AuthenticationError
from kubert_tui.base.secrets import MASK, redactor
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.interface import Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.sshd import Answers, Sshd, make_key, start_sshd, throwaway_user

pytestmark = pytest.mark.lab


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with start_sshd(tmp_path / "sshd", extra=("MaxAuthTries 4",)) as started:
        yield started


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real ssh-agent; the environment leads to it. Yields its socket."""
    path = tmp_path / "agent"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield path
    process.terminate()
    process.wait()


def add_to_agent(key: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(key)], check=True, env=dict(os.environ))


def authorize(server: Sshd, key: Path) -> None:
    """Let `key` in instead of the server's own identity."""
    (server.directory / "authorized_keys").write_text(Path(f"{key}.pub").read_text())


def log_in(spec: HostSpec, answers: Answers) -> Host:
    answers.accept_host_keys = True
    host = connect(spec, Lab(hosts=(spec,)), answers)
    assert host.run(Invocation(("true",))).ok
    return host


def test_the_agent_comes_first(server: Sshd, agent: Path) -> None:
    add_to_agent(server.identity)
    log_in(server.spec("alpha", identity_file=""), Answers())


def test_no_agent_is_forwarded(server: Sshd, agent: Path) -> None:
    add_to_agent(server.identity)
    host = log_in(server.spec("alpha", identity_file=""), Answers())
    assert host.run(Invocation(("printenv", "SSH_AUTH_SOCK"))).stdout == b""


def test_the_named_key_goes_before_an_agent_full_of_others(
    server: Sshd, agent: Path, tmp_path: Path
) -> None:
    for number in range(6):
        add_to_agent(make_key(tmp_path / f"other{number}"))
    log_in(server.spec("alpha"), Answers())


def test_a_host_that_hangs_up_after_many_keys_is_no_lost_connection(
    server: Sshd, agent: Path, tmp_path: Path
) -> None:
    for number in range(6):
        add_to_agent(make_key(tmp_path / f"other{number}"))
    with pytest.raises(AuthenticationError, match="agent key other0") as caught:
        log_in(server.spec("alpha", identity_file=""), Answers())
    assert "hung up" in caught.value.fix


def test_an_agent_that_is_gone_does_no_harm(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
    log_in(server.spec("alpha"), Answers())


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_default_key_files(server: Sshd, kind: str) -> None:
    directory = Path.home() / ".ssh"
    directory.mkdir()
    authorize(server, make_key(directory / f"id_{kind}", kind=kind))
    log_in(server.spec("alpha", identity_file=""), Answers())


def test_the_key_of_ssh_config(server: Sshd, tmp_path: Path) -> None:
    (Path.home() / ".ssh").mkdir()
    (Path.home() / ".ssh/config").write_text(
        f"Host lab\n HostName 127.0.0.1\n Port {server.port}\n IdentityFile {server.identity}\n"
    )
    log_in(HostSpec(name="lab"), Answers())


def test_an_encrypted_key_asks_once_per_key(server: Sshd, tmp_path: Path) -> None:
    key = make_key(tmp_path / "locked", passphrase="open sesame")
    authorize(server, key)
    answers = Answers(passphrases=["wrong", "open sesame"])
    log_in(server.spec("alpha", identity_file=str(key)), answers)
    assert answers.asked == [f"passphrase {key}", f"passphrase {key}"]
    log_in(server.spec("beta", identity_file=str(key)), answers)
    assert len(answers.asked) == 2


def test_an_encrypted_key_the_agent_holds_asks_nothing(
    server: Sshd, agent: Path, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "locked")
    add_to_agent(key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-f", str(key)], check=True)
    authorize(server, key)
    answers = Answers()
    log_in(server.spec("alpha", identity_file=str(key)), answers)
    assert answers.asked == []


def test_what_was_tried_is_listed(server: Sshd, tmp_path: Path) -> None:
    locked = make_key(tmp_path / "locked", passphrase="open sesame")
    (Path.home() / ".ssh").mkdir()
    default = make_key(Path.home() / ".ssh" / "id_ed25519")
    garbage = Path.home() / ".ssh" / "id_rsa"
    garbage.write_text("no key\n")
    (server.directory / "authorized_keys").write_text("")
    with pytest.raises(AuthenticationError) as caught:
        log_in(server.spec("alpha", identity_file=str(locked)), Answers())
    what = caught.value.what
    assert f"key {default}" in what
    assert f"key {locked} (encrypted, and no passphrase was given)" in what
    assert f"key {garbage} (not usable" in what
    assert "password (nobody could give it)" in what
    assert "The host takes: keyboard-interactive, password, publickey" in what
    assert caught.value.host == "alpha"


def test_a_missing_key_file_is_named(server: Sshd, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match=r"absent \(not readable: No such file"):
        log_in(server.spec("alpha", identity_file=str(tmp_path / "absent")), Answers())


def test_a_password(server: Sshd) -> None:
    with throwaway_user() as user:
        answers = Answers(passwords=["wrong", user.password])
        spec = server.spec("alpha", user=user.name, identity_file="")
        host = log_in(spec, answers)
        assert host.run(Invocation(("id", "-un"))).stdout.decode().strip() == user.name
        host.close()
        assert answers.asked == ["password alpha", "password alpha"]
        assert redactor.redact(user.password) == MASK


def test_wrong_passwords_end_after_three(tmp_path: Path) -> None:
    with start_sshd(tmp_path / "sshd") as server, throwaway_user() as user:
        answers = Answers(passwords=["one", "two", "three", "four"])
        with pytest.raises(AuthenticationError, match="password; password; password"):
            log_in(server.spec("alpha", user=user.name, identity_file=""), answers)
        assert len(answers.asked) == 3
