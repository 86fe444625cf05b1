"""Real ansible-runner over a real sshd: passwords, passphrases, jump hosts, host keys."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.ansible import settings
from kubert_tui.ansible.request import HostSecrets
from kubert_tui.base import paths
from kubert_tui.base.errors import AuthenticationError
from kubert_tui.base.secrets import MASK, Secret
from tests.lab.ansible_support import LIMIT, Watched, processes_in, request
from tests.support.sshd import Sshd, SystemUser, make_key, start_sshd, throwaway_user

pytestmark = pytest.mark.lab


@pytest.fixture
def runtime(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A runtime directory of this test's own, empty again at the end."""
    directory = Path(f"/tmp/kt{os.getpid()}-{tmp_path_factory.mktemp('r').name}")
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory
    left = list(directory.iterdir())
    mine = processes_in(directory)
    shutil.rmtree(directory, ignore_errors=True)
    assert not left
    assert not mine


@pytest.fixture
def server(tmp_path: Path, runtime: Path) -> Iterator[Sshd]:
    with start_sshd(tmp_path / "sshd") as server:
        trust(server)
        yield server


@pytest.fixture
def user() -> Iterator[SystemUser]:
    with throwaway_user(sudoers="ALL=(ALL) ALL") as user:
        yield user


def trust(*servers: Sshd) -> None:
    lines = "".join(server.known_hosts_line() for server in servers)
    paths.write_private(paths.known_hosts(), lines)


def test_a_host_over_ssh_with_a_key(server: Sshd) -> None:
    watched = Watched(
        request("outcomes.yml", server.spec("alpha"), target=str(server.directory / "new"))
    )
    outcome = watched.run()
    assert outcome.status == "successful", "\n".join(watched.lines)
    assert watched.outcomes()["Write a file"] == "changed"
    assert outcome.changed["alpha"] >= 1


def test_an_unknown_host_key_is_refused(server: Sshd) -> None:
    paths.known_hosts().unlink()
    watched = Watched(request("outcomes.yml", server.spec("alpha"), target="/nonexistent/x"))
    outcome = watched.run()
    assert outcome.status == "failed"
    assert outcome.failures == {"alpha": 1}
    assert [result.outcome for result in watched.tasks] == ["unreachable"]
    assert "Host key verification failed" in watched.tasks[0].message
    assert not paths.known_hosts().exists()


def test_a_changed_host_key_is_refused(server: Sshd) -> None:
    server.change_host_key()
    watched = Watched(request("outcomes.yml", server.spec("alpha"), target="/nonexistent/x"))
    assert watched.run().status == "failed"
    assert [result.outcome for result in watched.tasks] == ["unreachable"]


@pytest.mark.parametrize("mechanism", ["sshpass", "ssh_askpass"])
def test_passwords_reach_ssh_and_sudo_and_nothing_else(
    server: Sshd,
    user: SystemUser,
    runtime: Path,
    monkeypatch: pytest.MonkeyPatch,
    mechanism: str,
) -> None:
    tmp_path = server.directory
    path = path_with_sshpass() if mechanism == "sshpass" else path_without_sshpass(tmp_path)
    release, log = tmp_path / "release", tmp_path / "run.log"
    spec = server.spec("alpha", user=user.name, identity_file="")
    secret = Secret(user.password)
    watched = Watched(
        request(
            "waits.yml",
            spec,
            log=log,
            secrets={"alpha": HostSecrets(login=secret, sudo=secret)},
            release=str(release),
        )
    )
    with monkeypatch.context() as patch:
        patch.setenv("PATH", path)
        assert settings.password_mechanism() == mechanism
        future = watched.start()
        assert watched.begun.wait(LIMIT), watched.lines
    found = processes_in(runtime)
    assert any(b"ssh" in argv for argv, _ in found.values())
    canary = user.password.encode()
    for argv, environ in found.values():
        assert canary not in argv
        assert canary not in environ
    assert canary not in everything_in(runtime)
    release.touch()
    assert future.result(LIMIT).status == "successful", watched.lines
    assert watched.outcomes() == {"Begin": "ok", "Wait": "ok"}
    assert canary not in everything_in(runtime) + log.read_bytes()
    assert not list(Path("/dev/shm").glob("psm_*"))


def test_a_cancelled_run_leaves_no_password_in_shared_memory(
    server: Sshd, user: SystemUser, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = Secret(user.password)
    watched = Watched(
        request(
            "waits.yml",
            server.spec("alpha", user=user.name, identity_file=""),
            secrets={"alpha": HostSecrets(login=secret, sudo=secret)},
            release=str(tmp_path / "never"),
        )
    )
    with monkeypatch.context() as patch:
        patch.setenv("PATH", path_without_sshpass(tmp_path))
        future = watched.start()
        assert watched.begun.wait(LIMIT), watched.lines
    watched.cancel.set()
    assert future.result(LIMIT).status == "canceled"
    for memory in Path("/dev/shm").glob("psm_*"):
        assert user.password.encode() not in memory.read_bytes()


def test_a_wrong_password_is_unreachable_and_never_shown(
    server: Sshd, user: SystemUser, tmp_path: Path
) -> None:
    wrong = Secret('wrong "canary" \\ password')
    watched = Watched(
        request(
            "outcomes.yml",
            server.spec("alpha", user=user.name, identity_file=""),
            secrets={"alpha": HostSecrets(login=wrong)},
            log=tmp_path / "log",
            target="/nonexistent/x",
        )
    )
    outcome = watched.run()
    assert outcome.failures == {"alpha": 1}
    assert [result.outcome for result in watched.tasks] == ["unreachable"]
    assert "canary" not in "".join(watched.lines) + outcome.last_lines


def test_a_wrong_sudo_password_fails(server: Sshd, user: SystemUser, tmp_path: Path) -> None:
    watched = Watched(
        request(
            "outcomes.yml",
            server.spec("alpha", user=user.name, identity_file=""),
            secrets={
                "alpha": HostSecrets(login=Secret(user.password), sudo=Secret("wrong-canary"))
            },
            target="/nonexistent/x",
        )
    )
    outcome = watched.run()
    assert outcome.status == "failed"
    assert "sudo" in watched.tasks[0].message
    assert "wrong-canary" not in "".join(watched.lines)


def test_secrets_a_host_prints_are_masked(server: Sshd, tmp_path: Path) -> None:
    canary = Secret('pa"ss\\canary')
    log = tmp_path / "log"
    watched = Watched(
        request(
            "hostile.yml",
            server.spec("alpha"),
            secrets={"alpha": HostSecrets(sudo=canary)},
            log=log,
            target=str(tmp_path / "target"),
            words=f"<{canary.reveal()}>",
        )
    )
    assert watched.run().status == "failed"
    assert f"<{MASK}>" in [result.message for result in watched.tasks]
    assert "canary" not in "".join(watched.lines) + log.read_text()


def test_a_passphrase_opens_the_key(server: Sshd, runtime: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path / 'my %h "key"', passphrase="open canary sesame")
    with (server.directory / "authorized_keys").open("w") as file:
        file.write(key.with_name(key.name + ".pub").read_text())
    release = tmp_path / "release"
    secrets = HostSecrets(passphrases={str(key): Secret("open canary sesame")})
    watched = Watched(
        request(
            "waits.yml",
            server.spec("alpha", identity_file=str(key)),
            secrets={"alpha": secrets},
            release=str(release),
        )
    )
    future = watched.start()
    assert watched.begun.wait(LIMIT), watched.lines
    assert b"canary" not in everything_in(runtime)
    for argv, environ in processes_in(runtime).values():
        assert b"canary" not in argv + environ
    release.touch()
    assert future.result(LIMIT).status == "successful", watched.lines


def test_a_wrong_passphrase_says_which_key(server: Sshd, tmp_path: Path) -> None:
    key = make_key(tmp_path / "key", passphrase="right")
    secrets = HostSecrets(passphrases={str(key): Secret("wrong-canary")})
    spec = server.spec("alpha", identity_file=str(key))
    with pytest.raises(AuthenticationError) as caught:
        Watched(request("variables.yml", spec, secrets={"alpha": secrets}, words="x")).run()
    assert str(key) in caught.value.what
    assert "canary" not in caught.value.what + caught.value.details


def test_jump_hosts_are_held_to_the_same_known_hosts(
    server: Sshd, runtime: Path, tmp_path: Path
) -> None:
    with start_sshd(tmp_path / "first") as first, start_sshd(tmp_path / "second") as second:
        trust(server, first, second)
        near = first.spec("near")
        far = second.spec("far", jump="near")
        target = server.spec("alpha", jump="far")

        def go() -> str:
            return (
                Watched(
                    request(
                        "outcomes.yml",
                        target,
                        jump_hosts={"near": near, "far": far},
                        target=str(tmp_path / "target"),
                    )
                )
                .run()
                .status
            )

        assert go() == "successful"
        assert "Accepted publickey" in (first.directory / "log").read_text()
        assert "Accepted publickey" in (second.directory / "log").read_text()
        trust(server, second)
        assert go() == "failed"


def test_hosts_with_different_passwords_run_side_by_side(
    server: Sshd, user: SystemUser, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    alpha = server.spec("alpha", user=user.name, identity_file="")
    beta = server.spec("beta")
    secret = Secret(user.password)
    watched = Watched(
        request(
            "waits.yml",
            alpha,
            beta,
            secrets={"alpha": HostSecrets(login=secret, sudo=secret)},
            release=str(release),
        )
    )
    future = watched.start()
    assert watched.begun.wait(LIMIT), watched.lines
    release.touch()
    outcome = future.result(LIMIT)
    assert outcome.status == "successful", "\n".join(watched.lines)
    assert set(outcome.changed) == {"alpha", "beta"}
    assert {result.host for result in watched.tasks} == {"alpha", "beta"}


def test_an_unreachable_host_does_not_stop_the_others(server: Sshd, tmp_path: Path) -> None:
    with start_sshd(tmp_path / "gone") as gone:
        trust(server, gone)
        lost = gone.spec("lost")
    watched = Watched(
        request("outcomes.yml", server.spec("alpha"), lost, target=str(tmp_path / "target"))
    )
    outcome = watched.run()
    assert outcome.status == "failed"
    assert outcome.failures == {"lost": 1}
    assert outcome.changed["alpha"] >= 1


def everything_in(directory: Path) -> bytes:
    parts = []
    for path in directory.rglob("*"):
        if path.is_file():
            try:
                parts.append(path.read_bytes())
            except FileNotFoundError:  # a file that Ansible just removed
                continue
    return b"".join(parts)


def path_with_sshpass() -> str:
    if not shutil.which("sshpass"):
        pytest.skip("no sshpass on this machine")
    return os.environ["PATH"]


def path_without_sshpass(tmp_path: Path) -> str:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("ssh", "sftp", "scp", "ssh-agent", "ssh-add", "sh", "python3"):
        (programs / name).symlink_to(str(shutil.which(name)))
    return str(programs)
