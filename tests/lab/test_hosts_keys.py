"""Host keys of a real sshd: unknown, known, changed, refused, revoked."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from kubert_tui.base.errors import HostKeyError
from kubert_tui.base.paths import known_hosts
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.interface import Host, Invocation
from kubert_tui.lab.model import Lab
from tests.support.sshd import Answers, Sshd, start_sshd

pytestmark = pytest.mark.lab


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with start_sshd(tmp_path / "sshd") as started:
        yield started


def log_in(server: Sshd, answers: Answers, name: str = "alpha") -> Host:
    spec = server.spec(name)
    return connect(spec, Lab(hosts=(spec,)), answers)


def users_file() -> Path:
    path = Path.home() / ".ssh" / "known_hosts"
    path.parent.mkdir(exist_ok=True)
    return path


def test_an_unknown_key_is_shown_accepted_and_stored(server: Sshd) -> None:
    answers = Answers(accept_host_keys=True)
    log_in(server, answers)
    (offer,) = answers.offers
    listed = subprocess.run(
        ["ssh-keygen", "-lf", str(server.directory / "host_ed25519.pub")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert offer.fingerprint == listed.stdout.split()[1]
    assert (offer.host, offer.address, offer.port) == ("alpha", "127.0.0.1", server.port)
    assert known_hosts().read_text() == server.known_hosts_line()
    assert known_hosts().stat().st_mode & 0o777 == 0o600
    log_in(server, answers)
    assert len(answers.offers) == 1


def test_ssh_itself_trusts_the_file_we_wrote(server: Sshd) -> None:
    log_in(server, Answers(accept_host_keys=True))
    options = ("StrictHostKeyChecking=yes", f"UserKnownHostsFile={known_hosts()}", "BatchMode=yes")
    done = subprocess.run(
        ["ssh", "-F", "/dev/null", "-i", str(server.identity), "-p", str(server.port)]
        + [word for option in options for word in ("-o", option)]
        + ["127.0.0.1", "true"],
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_refused_key_is_not_stored(server: Sshd) -> None:
    with pytest.raises(HostKeyError, match="was not accepted") as caught:
        log_in(server, Answers())
    assert "--accept-new-host-keys" in caught.value.fix
    assert not known_hosts().exists()


def test_a_changed_key_is_a_hard_stop(server: Sshd) -> None:
    log_in(server, Answers(accept_host_keys=True)).close()
    before = known_hosts().read_bytes()
    server.change_host_key()
    answers = Answers(accept_host_keys=True)
    with pytest.raises(HostKeyError, match="the host key has changed") as caught:
        log_in(server, answers)
    assert answers.offers == []
    assert answers.asked == []
    assert known_hosts().read_bytes() == before
    assert f"{known_hosts()}, line 1" in caught.value.what
    assert caught.value.what.count("SHA256:") == 2
    # The way out that it names really is one.
    command = caught.value.fix.rpartition("run `")[2].partition("`")[0]
    assert command == f"ssh-keygen -R '[127.0.0.1]:{server.port}' -f {known_hosts()}"
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    log_in(server, answers)
    assert len(answers.offers) == 1


def test_another_type_of_key_is_a_change_too(server: Sshd, tmp_path: Path) -> None:
    log_in(server, Answers(accept_host_keys=True)).close()
    with start_sshd(tmp_path / "other", host_keys=("rsa",)) as other:
        server.stop()
        other.stop()
        other.port = server.port
        other.start()
        with pytest.raises(HostKeyError, match="now shows ssh-rsa"):
            log_in(other, Answers(accept_host_keys=True))


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_the_known_type_is_asked_for(tmp_path: Path, kind: str) -> None:
    with start_sshd(tmp_path / "sshd", host_keys=("rsa", "ecdsa", "ed25519")) as server:
        users_file().write_text(server.known_hosts_line(kind))
        answers = Answers()
        log_in(server, answers)
        assert answers.offers == []


@pytest.mark.parametrize("hashed", [False, True])
def test_a_key_the_user_trusts_is_copied_into_our_file(server: Sshd, hashed: bool) -> None:
    users_file().write_text(server.known_hosts_line())
    if hashed:
        subprocess.run(
            ["ssh-keygen", "-H", "-f", str(users_file())], check=True, capture_output=True
        )
        assert users_file().read_text().startswith("|1|")
    before = users_file().read_bytes()
    answers = Answers()
    log_in(server, answers)
    assert answers.offers == []
    assert known_hosts().read_text() == server.known_hosts_line()
    assert users_file().read_bytes() == before


def test_a_changed_key_in_the_users_file_stops_us_too(server: Sshd, tmp_path: Path) -> None:
    with start_sshd(tmp_path / "other") as other:
        line = server.known_hosts_line().split()[0] + " " + " ".join(other.host_key()) + "\n"
    users_file().write_text(line)
    with pytest.raises(HostKeyError, match="has changed") as caught:
        log_in(server, Answers(accept_host_keys=True))
    assert str(users_file()) in caught.value.what
    assert users_file().read_text() == line


def test_a_revoked_key_is_a_hard_stop(server: Sshd) -> None:
    users_file().write_text(f"@cert-authority * ssh-rsa AAAA\n@revoked {server.known_hosts_line()}")
    answers = Answers(accept_host_keys=True)
    with pytest.raises(HostKeyError, match="revoked"):
        log_in(server, answers)
    assert answers.offers == []


def test_two_connections_at_once_ask_once(server: Sshd) -> None:
    answers = Answers(accept_host_keys=True)
    hosts: list[Host] = []
    threads = [
        Thread(target=lambda n=n: hosts.append(log_in(server, answers, f"host{n}")))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [host.run(Invocation(("true",))).ok for host in hosts] == [True] * 4
    assert len(answers.offers) == 1
    assert known_hosts().read_text() == server.known_hosts_line()
