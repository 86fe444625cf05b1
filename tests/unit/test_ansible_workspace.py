"""The private directory of a run, and that nothing outlives the run."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kubert_tui.ansible.protocol import Order
from kubert_tui.ansible.settings import environment
from kubert_tui.ansible.workspace import MARK, end_processes, workspace


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A runtime directory with a short path."""
    link = Path(f"/tmp/ktw{os.getpid()}")
    link.symlink_to(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(link))
    yield link
    link.unlink()


@contextmanager
def sleeper(variables: dict[str, str], ignore: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A process with that environment, which is asleep already; `ignore`: SIGTERM."""
    code = "import signal,time;"
    code += "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if ignore else ""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}print('up', flush=True);time.sleep(600)"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_is_private_and_goes_away(base: Path) -> None:
    with workspace() as directory:
        assert directory.parent == base
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (directory / "deep").mkdir()
    assert not list(base.iterdir())


def test_it_goes_away_after_an_error_with_what_runs_there(base: Path) -> None:
    started = list[subprocess.Popen[str]]()

    def break_off(stack: ExitStack) -> None:
        with workspace() as directory:
            started.append(stack.enter_context(sleeper({MARK: str(directory)})))
            raise RuntimeError

    with ExitStack() as stack:
        with pytest.raises(RuntimeError):
            break_off(stack)
        assert started[0].wait(60) == -signal.SIGTERM
    assert not list(base.iterdir())


def test_dead_runs_are_swept_and_living_ones_are_not(base: Path) -> None:
    stale = base / "kubert-ansible-stale"
    stale.mkdir()
    (base / "other").mkdir()
    with sleeper({MARK: str(stale)}) as orphan, workspace() as living:
        assert orphan.wait(60) == -signal.SIGTERM
        assert not stale.exists()
        with workspace():
            assert living.exists()
    assert [path.name for path in base.iterdir()] == ["other"]


def test_only_the_runs_processes_are_ended_even_stubborn_ones(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubert_tui.ansible.workspace._GRACE", 0.5)
    one, two = base / "one", base / "two"
    with (
        sleeper({MARK: str(one)}) as polite,
        sleeper({MARK: str(one)}, ignore=True) as stubborn,
        sleeper({MARK: str(two)}) as other,
        sleeper({"OTHER": str(one)}) as unmarked,
    ):
        end_processes(one)
        assert polite.wait(60) == -signal.SIGTERM
        assert stubborn.wait(60) == -signal.SIGKILL
        assert other.poll() is None
        assert unmarked.poll() is None


def test_shared_memory_with_a_password_is_removed(base: Path) -> None:
    memory = Path(f"/dev/shm/psm_kubert{os.getpid()}")
    memory.write_text("canary")
    try:
        with sleeper({MARK: str(base), "_ANSIBLE_SSH_ASKPASS_SHM": memory.name}):
            end_processes(base)
        assert not memory.exists()
    finally:
        memory.unlink(missing_ok=True)


def test_a_path_too_long_for_sockets_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with workspace() as directory:
        assert directory.parent != long
        # Ansible's socket names have ten characters, ssh adds seventeen while it makes one.
        assert len(str(directory / "cp" / ("0" * 10))) + 17 < 108


def test_ansibles_environment_is_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "evil")
    monkeypatch.setenv("MY_TOKEN", "canary")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    order = Order("/run/x", "/p.yml", "", "/our known", ("a",), False, "canary1", "canary2")
    values = environment(order)
    assert values["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    assert "ANSIBLE_STDOUT_CALLBACK" not in values
    assert "canary" not in repr(values)
    assert values["SSH_AUTH_SOCK"] == "/agent"
    assert values["PATH"].split(os.pathsep)[0] == str(Path(sys.prefix, "bin"))
    assert """'UserKnownHostsFile="/our known"'""" in values["ANSIBLE_SSH_ARGS"]
    assert "StrictHostKeyChecking=yes" in values["ANSIBLE_SSH_ARGS"]
