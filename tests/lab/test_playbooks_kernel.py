"""kernel.yml, kernel-adopt.yml and kernel-disarm.yml on a /boot of the test's own.

With a real ansible-playbook and GRUB's own programs. The kernel that "runs" is this machine's.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.boot_directory import (
    ANOTHER_BOOT,
    BOOT_ID,
    RUNNING,
    TRIAL_ARGUMENTS,
    Boot,
    entry_of,
    make_boot,
)
from tests.support.playground import PLAYBOOKS, Playground, make_playground, plain

DEBIAN = Path("/etc/debian_version").exists()
TOOLS = all(map(shutil.which, ("grub-editenv", "grub-set-default", "grub-script-check")))

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="the playbooks become root"),
    pytest.mark.skipif(not DEBIAN, reason="GRUB as Debian has it"),
    pytest.mark.skipif(not TOOLS, reason="GRUB's own tools (grub2-common)"),
]

KERNEL = PLAYBOOKS / "kernel.yml"
ADOPT = PLAYBOOKS / "kernel-adopt.yml"
DISARM = PLAYBOOKS / "kernel-disarm.yml"
RT = "6.1.0-28-rt-amd64"


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return make_playground(tmp_path)


@pytest.fixture
def boot(playground: Playground) -> Boot:
    return make_boot(playground)


@pytest.mark.long
def test_a_kernel_is_armed_once_given_up_and_remembered(boot: Boot) -> None:
    boot.kernel("6.1.0-9-rt-amd64", realtime=True)
    boot.kernel(RT, realtime=True)
    boot.custom.write_text("# a line of their own\n")
    # A power cut in the middle of an installation can leave a menu without the initramfs.
    boot.defaults.write_text("GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\n")
    initramfs = boot.directory / f"initrd.img-{RT}"
    initramfs.unlink()
    boot.write_menu()
    initramfs.write_text("made when the installation was finished")
    ended = boot.play(KERNEL, kubert_trial_seconds=90)
    assert ended.status == 0, ended.text

    pinned = {"other": "thing", "saved_entry": entry_of(RUNNING)}
    armed = {"kubert_trial": f"{RT},{BOOT_ID}", "next_entry": "kubert-trial"}
    assert boot.kept() == pinned | armed
    assert boot.defaults.read_text() == "GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\n"
    assert 'set default="${saved_entry}"' in boot.menu.read_text()
    custom = boot.custom.read_text()
    assert custom.startswith("# a line of their own\n")
    assert f"\tinitrd\t/boot/initrd.img-{RT}\n" in custom
    assert f"vmlinuz-{RT} root=UUID=1111 ro  quiet {TRIAL_ARGUMENTS} kubert.trial={RT}\n" in custom
    subprocess.run(["grub-script-check", str(boot.custom)], check=True)
    unit = boot.units / "kubert-trial.service"
    assert f"ConditionKernelCommandLine=kubert.trial={RT}\n" in unit.read_text()
    assert "sleep 90;" in unit.read_text()
    assert (boot.units / "sysinit.target.wants" / unit.name).resolve() == unit
    verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")

    again = boot.play(KERNEL, kubert_trial_seconds=90)
    assert (again.status, again.changed) == (0, 0), again.text

    boot.keep(kubert_trial=f"{RT},{ANOTHER_BOOT}", kubert_trial_ended="unconfirmed")
    given_up = boot.play(DISARM, kubert_failed_kernel=RT)
    assert given_up.status == 0, given_up.text
    assert boot.kept() == pinned | {"kubert_trial_failed": RT}
    assert boot.custom.read_text() == "# a line of their own\n"
    assert not unit.exists()
    again = boot.play(DISARM, kubert_failed_kernel=RT)
    assert (again.status, again.changed) == (0, 0), again.text

    assert boot.play(KERNEL).status == 0
    assert boot.kept() == pinned | armed, "what failed before is forgotten"


@pytest.mark.long
def test_the_previews_change_nothing(boot: Boot) -> None:
    boot.kernel(RT, realtime=True)
    boot.write_menu()
    before = boot.content()
    ended = boot.play(KERNEL, check=True)
    assert ended.status == 0, ended.text
    assert "+GRUB_DEFAULT=saved" in ended.text
    assert f"Would run: grub-set-default '{entry_of(RUNNING)}'" in ended.text
    assert f"Would have GRUB boot {RT} once" in ended.text
    assert f"kubert.trial={RT}" in ended.text
    assert boot.content() == before

    make_trial(boot)
    before = boot.content()
    ended = boot.play(ADOPT, check=True)
    assert ended.status == 0, ended.text
    assert boot.content() == before


def test_the_running_kernel_is_saved_before_grub_is_told_to_boot_what_is_saved(boot: Boot) -> None:
    """Cut the power at the worst moment: GRUB's menu boots what is saved, and nothing is."""
    boot.kernel(RT, realtime=True)
    boot.write_menu()
    log = boot.playground.directory / "log"
    for tool, then in (("grub-mkconfig", "exit 1"), ("grub-set-default", "exit 0")):
        real = shutil.which(tool, path=f"{boot.playground.tools}:{os.environ['PATH']}")
        assert real
        kept = boot.playground.directory / f"real-{tool}"
        shutil.copy(real, kept)
        boot.playground.tool(tool, f'echo {tool} >> {log}\n{kept} "$@"\n{then}')
    ended = boot.play(KERNEL)
    assert ended.status != 0, "the power was cut"
    assert log.read_text().split() == ["grub-set-default", "grub-mkconfig"]
    assert boot.kept()["saved_entry"] == entry_of(RUNNING)


def test_a_setting_that_overrides_ours_is_found_out(boot: Boot) -> None:
    boot.kernel(RT, realtime=True)
    mkconfig = boot.playground.tools / "grub-mkconfig"
    mkconfig.write_text(re.sub(r'(?m)^\. ".*"$', "GRUB_DEFAULT=0", mkconfig.read_text()))
    ended = boot.play(KERNEL)
    assert ended.status != 0
    assert "/etc/default/grub.d" in ended.text


def test_a_default_that_grub_does_not_keep_is_found_out(boot: Boot) -> None:
    boot.kernel(RT, realtime=True)
    boot.playground.tool("grub-set-default", "exit 0")
    ended = boot.play(KERNEL)
    assert ended.status != 0
    assert "GRUB did not keep the default" in plain(ended.text)
    assert "kubert_trial" not in boot.kept()


def test_a_running_kernel_that_is_gone_is_no_way_back(boot: Boot) -> None:
    boot.kernel(RT, realtime=True)
    for file in boot.directory.glob(f"*-{RUNNING}"):
        file.unlink()
    boot.write_menu()
    ended = boot.play(KERNEL)
    assert ended.status != 0
    assert "restart the host first" in plain(ended.text)


def test_a_one_shot_that_would_stick_is_refused_before_anything_is_changed(boot: Boot) -> None:
    boot.kernel(RT, realtime=True)
    boot.playground.tool("grub-probe", "case $1 in --target=fs) echo btrfs ;; esac")
    before = boot.content()
    ended = boot.play(KERNEL)
    assert ended.status != 0
    assert "lies on btrfs, which GRUB cannot safely write to" in plain(ended.text)
    assert "with the console at hand" in plain(ended.text)
    assert boot.content() == before


def test_a_host_without_grub_is_refused_before_anything_is_installed(
    playground: Playground,
) -> None:
    empty = playground.directory / "boot"
    empty.mkdir()
    ended = playground.play(KERNEL, {"kubert_boot_directory": str(empty)})
    assert ended.status != 0
    assert "This host has no GRUB" in plain(ended.text)
    assert "Install the" not in ended.text.partition("Refuse a host without GRUB")[2]


OLD = "5.10.0-1-amd64"


def make_trial(boot: Boot) -> Boot:
    """The running kernel was booted as the trial that was armed in an earlier boot."""
    boot.kernel(OLD, realtime=False)
    boot.kernel(RUNNING, realtime=True)
    boot.write_menu()
    boot.keep(saved_entry=entry_of(OLD), kubert_trial=f"{RUNNING},{ANOTHER_BOOT}")
    boot.custom.write_text(
        "# BEGIN kubert-tui: a kernel on trial\nx\n# END kubert-tui: a kernel on trial\n"
    )
    wants = boot.units / "sysinit.target.wants"
    wants.mkdir()
    (boot.units / "kubert-trial.service").write_text("[Unit]\n")
    (wants / "kubert-trial.service").symlink_to("../kubert-trial.service")
    return boot


@pytest.mark.long
def test_a_kernel_that_proved_itself_is_adopted_also_if_that_is_broken_off(boot: Boot) -> None:
    make_trial(boot)
    boot.playground.tool("sync", "exit 1")
    broken = boot.play(ADOPT)
    assert broken.status != 0
    assert boot.kept()["kubert_trial"], "the record goes last"
    (boot.playground.tools / "sync").unlink()

    ended = boot.play(ADOPT)
    assert ended.status == 0, ended.text
    assert boot.kept() == {"other": "thing", "saved_entry": entry_of(RUNNING)}
    assert "GRUB_DEFAULT=saved" in boot.defaults.read_text()
    assert not boot.custom.exists(), "it held nothing but our entry"
    assert [path.name for path in boot.units.rglob("*")] == ["sysinit.target.wants"]
    again = boot.play(ADOPT)
    assert (again.status, again.changed) == (0, 0), again.text
    nothing = boot.play(KERNEL)
    assert (nothing.status, nothing.changed) == (0, 0), nothing.text
    assert "runs already" in nothing.text


def test_a_kernel_that_runs_on_trial_is_not_taken_for_a_way_back(boot: Boot) -> None:
    make_trial(boot)
    boot.kernel("99.0.0-rt-amd64", realtime=True)
    ended = boot.play(KERNEL)
    assert ended.status != 0
    assert "runs on trial right now" in plain(ended.text)
    assert boot.kept()["saved_entry"] == entry_of(OLD)


def test_a_kernel_that_is_not_realtime_is_not_adopted(boot: Boot) -> None:
    boot.kernel(RT, realtime=True)
    ended = boot.play(ADOPT)
    assert ended.status != 0
    assert f"none of the PREEMPT_RT kernels in {boot.directory} ({RT})" in plain(ended.text)
    assert boot.kept() == {"other": "thing"}
