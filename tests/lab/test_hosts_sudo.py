"""sudo with and without a password, over a real sshd as a throw-away user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from kubert_tui.base.errors import AuthenticationError, CancelledError
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.interface import CommandTimeout, Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.sshd import Answers, SystemUser, is_alive, start_sshd, throwaway_user

pytestmark = pytest.mark.lab

WITH_PASSWORD = "ALL=(ALL) ALL"
WITHOUT_PASSWORD = "ALL=(ALL) NOPASSWD: ALL"
WHO_AND_WHAT = Invocation(("sh", "-c", "id -u; cat"), stdin=b"first line\nrest", sudo=True)


@contextmanager
def user_host(directory: Path, sudoers: str, answers: Answers) -> Iterator[tuple[Host, SystemUser]]:
    """Log in as a user that may do what `sudoers` says."""
    answers.accept_host_keys = True
    with start_sshd(directory / "sshd") as server, throwaway_user(sudoers=sudoers) as user:
        answers.passwords = [user.password]
        spec = server.spec("alpha", user=user.name, identity_file="")
        host = connect(spec, Lab(hosts=(spec,)), answers)
        yield host, user
        host.close()


def test_the_password_is_asked_once_and_input_arrives_whole(tmp_path: Path) -> None:
    answers = Answers()
    with user_host(tmp_path, WITH_PASSWORD, answers) as (host, user):
        answers.sudo_passwords = [user.password]
        for _ in range(2):
            done = host.run(WHO_AND_WHAT)
            assert done.stdout == b"0\nfirst line\nrest"
            assert done.stderr == b""
        assert host.run(Invocation(("id", "-u"))).stdout != b"0\n"
    assert answers.asked == ["password alpha", "sudo alpha"]


def test_without_a_password_nothing_is_asked_and_input_arrives_whole(tmp_path: Path) -> None:
    answers = Answers()
    with user_host(tmp_path, WITHOUT_PASSWORD, answers) as (host, _):
        done = host.run(WHO_AND_WHAT)
    assert (done.stdout, done.stderr) == (b"0\nfirst line\nrest", b"")
    assert answers.asked == ["password alpha"]


def test_the_password_is_in_no_argument_or_environment(tmp_path: Path) -> None:
    answers = Answers()
    with user_host(tmp_path, WITH_PASSWORD, answers) as (host, user):
        answers.sudo_passwords = [user.password]
        look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"
        seen = host.run(Invocation(("sh", "-c", look), sudo=True)).stdout
    assert user.name.encode() in seen
    assert user.password.encode() not in seen


def test_a_wrong_password_is_asked_for_again(tmp_path: Path) -> None:
    answers = Answers()
    with user_host(tmp_path, WITH_PASSWORD, answers) as (host, user):
        answers.sudo_passwords = ["wrong", user.password]
        assert host.run(WHO_AND_WHAT).ok
    assert answers.asked[1:] == ["sudo alpha", "sudo alpha"]


def test_three_wrong_passwords_end_it(tmp_path: Path) -> None:
    answers = Answers(sudo_passwords=["one", "two", "three", "four"])
    with (
        user_host(tmp_path, WITH_PASSWORD, answers) as (host, _),
        pytest.raises(AuthenticationError, match="alpha: sudo refused 3 passwords"),
    ):
        host.run(WHO_AND_WHAT)
    assert answers.asked[1:] == ["sudo alpha"] * 3


def test_nobody_can_give_the_password(tmp_path: Path) -> None:
    answers = Answers()
    with (
        user_host(tmp_path, WITH_PASSWORD, answers) as (host, _),
        pytest.raises(AuthenticationError, match="nobody can give it") as caught,
    ):
        host.run(WHO_AND_WHAT)
    assert answers.asked[1:] == ["sudo alpha"]
    assert caught.value.fix


def test_a_login_that_may_not_use_sudo(tmp_path: Path) -> None:
    answers = Answers()
    with user_host(tmp_path, "", answers) as (host, user):
        answers.sudo_passwords = [user.password]
        with pytest.raises(AuthenticationError, match="sudo does not let this login") as caught:
            host.run(WHO_AND_WHAT)
    assert "sudoers" in caught.value.details


def test_threads_that_need_the_password_at_once_ask_once(tmp_path: Path) -> None:
    answers, outputs = Answers(), list[bytes]()
    with user_host(tmp_path, WITH_PASSWORD, answers) as (host, user):
        answers.sudo_passwords = [user.password]
        threads = [
            Thread(target=lambda: outputs.append(host.run(WHO_AND_WHAT).stdout)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert outputs == [b"0\nfirst line\nrest"] * 4
    assert answers.asked[1:] == ["sudo alpha"]


def test_files_of_root(tmp_path: Path) -> None:
    answers = Answers()
    with user_host(tmp_path, WITH_PASSWORD, answers) as (host, user):
        answers.sudo_passwords = [user.password]
        path = "/etc/kubert-tui-test"
        try:
            host.put(b"\0root's", path, mode=0o640, sudo=True)
            assert host.get(path, sudo=True) == b"\0root's"
            assert (Path(path).stat().st_uid, Path(path).stat().st_mode & 0o777) == (0, 0o640)
        finally:
            Path(path).unlink(missing_ok=True)


@pytest.mark.parametrize("defaults", ["!use_pty", "use_pty"])
@pytest.mark.parametrize(
    ("by", "sudoers"),
    [
        ("cancel", WITHOUT_PASSWORD),
        ("timeout", WITH_PASSWORD),
        pytest.param("cancel", WITH_PASSWORD, marks=pytest.mark.long),
        pytest.param("timeout", WITHOUT_PASSWORD, marks=pytest.mark.long),
    ],
)
def test_what_runs_under_sudo_is_ended_whole(
    tmp_path: Path, sudoers: str, defaults: str, by: str
) -> None:
    answers, cancel, running = Answers(), Event(), Event()
    seen = bytearray()

    def watch(data: bytes) -> None:
        seen.extend(data)
        if seen.count(b"\n") == 2:
            running.set()
            if by == "cancel":
                cancel.set()

    script = "sleep 300 & echo $!; sh -c \"trap '' TERM; echo \\$\\$; sleep 300; sleep 300\" & wait"
    with user_host(tmp_path, sudoers, answers) as (host, user):
        with (Path("/etc/sudoers.d") / user.name).open("a") as rules:
            rules.write(f"Defaults:{user.name} {defaults}\n")
        answers.sudo_passwords = [user.password]
        with pytest.raises(CancelledError if by == "cancel" else CommandTimeout) as caught:
            host.run(
                Invocation(
                    ("sh", "-c", script),
                    sudo=True,
                    on_stdout=watch,
                    cancel=cancel,
                    timeout=None if by == "cancel" else 3.0,
                )
            )
        assert running.is_set()
        numbers = [int(line) for line in seen.split()]
        assert not any(is_alive(number) for number in numbers)
        assert "may still" not in caught.value.what


def test_sudo_here_and_on_request_only() -> None:
    for setting, expected in (("yes", b"0\n"), ("no", b"")):
        spec = HostSpec.model_validate({"name": "here", "connection": "local", "sudo": setting})
        host = connect(spec, Lab(hosts=(spec,)), Answers())
        done = host.run(Invocation(("sh", "-c", "echo ${SUDO_UID}"), sudo=True))
        assert done.stdout.strip() == expected.strip()
