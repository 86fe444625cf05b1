"""irqbalance.yml, reboot.yml, and the syntax of all, with a real ansible-playbook here."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.playground import ANSIBLE, PLAYBOOKS, Playground, make_playground, plain
from tests.support.twins import wait_until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="the playbooks become root"),
]


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return make_playground(tmp_path)


def test_every_playbook_is_valid() -> None:
    result = subprocess.run(
        [str(ANSIBLE), "-i", "localhost,", "--syntax-check", *map(str, PLAYBOOKS.glob("*.yml"))],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def false_irqbalance(playground: Playground) -> Iterator[subprocess.Popen[bytes]]:
    """A process called irqbalance that is none; skips where a real one could be hit."""
    if any(
        Path(f"/{place}/systemd/system/irqbalance.service").exists() for place in ("etc", "lib")
    ):
        pytest.skip("this machine has a real irqbalance")
    for process in Path("/proc").glob("[0-9]*/comm"):
        try:
            if process.read_text().strip() == "irqbalance":
                pytest.skip("an irqbalance runs here that is not ours")
        except OSError:
            continue
    program = playground.directory / "irqbalance"
    sleep = shutil.which("sleep")
    assert sleep
    shutil.copy(sleep, program)
    process_ = subprocess.Popen([str(program), "600"])
    yield process_
    if process_.poll() is None:
        process_.kill()
    process_.wait(30)


def test_irqbalance_is_previewed_and_left_alone(
    playground: Playground, false_irqbalance: subprocess.Popen[bytes]
) -> None:
    ended = playground.play(PLAYBOOKS / "irqbalance.yml", check=True)
    assert ended.status == 0, ended.text
    assert f"Would end the irqbalance processes {false_irqbalance.pid}" in plain(ended.text)
    assert ended.changed == 1
    assert false_irqbalance.poll() is None


def test_irqbalance_ends_and_a_second_run_has_nothing_to_do(
    playground: Playground, false_irqbalance: subprocess.Popen[bytes]
) -> None:
    ended = playground.play(PLAYBOOKS / "irqbalance.yml")
    assert ended.status == 0, ended.text
    assert false_irqbalance.wait(30) == -signal.SIGTERM
    again = playground.play(PLAYBOOKS / "irqbalance.yml")
    assert (again.status, again.changed) == (0, 0), again.text
    assert "nothing to do" in again.text


def test_the_preview_of_a_restart_restarts_nothing(playground: Playground) -> None:
    for name in ("shutdown", "systemctl", "systemd-run", "reboot"):
        playground.tool(name, f'touch "{playground.directory}/called"')
    ended = playground.play(PLAYBOOKS / "reboot.yml", check=True)
    assert ended.status == 0, ended.text
    assert "Would restart the host" in ended.text
    assert not (playground.directory / "called").exists()


@pytest.mark.parametrize("asked_in", ["this boot", "a boot before", "plain ansible-playbook"])
def test_a_host_restarts_once(playground: Playground, asked_in: str) -> None:
    called = playground.directory / "called"
    for name in ("shutdown", "systemd-run"):
        playground.tool(name, f'echo "$*" >"{called}.new"; mv "{called}.new" "{called}"')
    now = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    boot = {"this boot": now, "a boot before": "00000000-0000-0000-0000-000000000000"}.get(asked_in)
    variables: dict[str, object] = {"kubert_reboot_delay": 0}
    if boot:
        variables["kubert_reboot_boot"] = boot
    ended = playground.play(PLAYBOOKS / "reboot.yml", variables)
    assert ended.status == 0, ended.text
    if asked_in == "a boot before":
        assert ended.changed == 0
        assert not called.exists()
        return
    assert ended.changed == 1
    wait_until(called.exists, "the restart was asked for")
