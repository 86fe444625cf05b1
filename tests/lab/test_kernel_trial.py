"""The kernel stage on a machine that boots: GRUB, kernels, a reset button. As a user runs it.

Under emulation everything takes long, and longer when others work here, so nothing is asserted of
how long. The first test, inside a guest (on a host where a guest's port is taken), is in every
run; the others, and that one on a host, in the long profile only (`./test long`). What GRUB was
told is looked at in both; that a later start follows it, on a host only: minutes less.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from tests.support.guest_lab import GUEST, as_guest, possible
from tests.support.headless import Entry, Headless, auto
from tests.support.twins import wait_until
from tests.support.virtual_kernels import (
    BROKEN,
    Kernel,
    install,
    rt_release,
    rt_repository,
    served,
    use_only,
)
from tests.support.virtual_twins import BOOT_LIMIT, VirtualTwins, virtual_host

__all__ = ["virtual_host"]
pytestmark = [pytest.mark.lab, pytest.mark.virtual, pytest.mark.timeout(7200)]

HOST = "bull1"
Target = AbstractContextManager[Callable[[], Headless]]
PATIENT = ("--set", "kernel.trial=60m", "--set", "restart_wait=90m")
"""More than any boot takes here, however busy the computer is."""


@contextmanager
def offering(twins: VirtualTwins, kernel: Kernel) -> Iterator[None]:
    """Make a kernel the one that the machine's apt can install."""
    with served(rt_repository(kernel)) as source:
        use_only(twins, HOST, source)
        yield


def small_initramfs(twins: VirtualTwins) -> None:
    """Have what boots a new kernel listed, not found out: that is a quarter of its installation."""
    twins.inside(
        HOST, "sed", "-i", "s/^MODULES=.*/MODULES=list/", "/etc/initramfs-tools/conf.d/practice"
    )


def stage(twins: VirtualTwins, *settings: str) -> Headless:
    return auto("--yes", "--only", "kernel", *(settings or PATIENT), lab=twins.lab)


@contextmanager
def on_host(twins: VirtualTwins, _: Path) -> Iterator[Callable[[], Headless]]:
    """Run the stage on the machine as a host of the lab."""
    yield lambda: stage(twins)


@contextmanager
def in_guest(twins: VirtualTwins, directory: Path) -> Iterator[Callable[[], Headless]]:
    """Run the stage on the machine as a guest of a host: it is reached through that only."""
    with as_guest(twins, HOST, directory, allow="kernel, reboot") as lab:
        yield lambda: auto("--yes", "--only", "guest-kernel", *PATIENT, lab=lab)


def ended(run: Headless) -> str:
    """Read to the end; return the state of the host, checked against the exit code."""
    code = run.finish()
    (finished,) = run.named("stage-finished")
    (state,) = map(str, finished["hosts"].values())
    told = [(e["what"], e["details"], e["log"]) for e in run.named("failure")]
    assert (code == ExitCode.OK) is (state in ("done", "satisfied")), told
    return state


def failure(run: Headless) -> Entry:
    (only,) = run.named("failure")
    return only


def running(twins: VirtualTwins) -> str:
    return twins.inside(HOST, "uname", "-r").strip()


def kept(twins: VirtualTwins) -> dict[str, str]:
    """GRUB's environment block."""
    listed = twins.inside(HOST, "grub-editenv", "/boot/grub/grubenv", "list")
    return dict(line.split("=", 1) for line in listed.splitlines())


def nothing_is_left(twins: VirtualTwins) -> None:
    """No trace of a trial, but for the default it led to."""
    assert {name for name in kept(twins) if name != "saved_entry"} <= {"kubert_trial_failed"}
    left = "/boot/grub/custom.cfg /etc/systemd/system/*kubert* /etc/systemd/system/*/*kubert*"
    assert twins.inside(HOST, "sh", "-c", f"ls {left} 2>/dev/null || :") == ""


def adopted(twins: VirtualTwins, release: str) -> None:
    assert running(twins) == release
    assert f">gnulinux-{release}-advanced-" in kept(twins)["saved_entry"]
    assert "kubert_trial_failed" not in kept(twins)
    nothing_is_left(twins)


def came_back(twins: VirtualTwins, old: str) -> None:
    assert running(twins) == old
    assert f">gnulinux-{old}-advanced-" in kept(twins)["saved_entry"]
    assert kept(twins)["kubert_trial_failed"] == rt_release()
    nothing_is_left(twins)


def console_has(twins: VirtualTwins, *words: str) -> Callable[[], bool]:
    """Whether the console has said all of these since it was switched on first."""
    console: Path = twins.machine(HOST).console
    return lambda: all(word in console.read_text(errors="replace") for word in words)


def boots_it_from_then_on(twins: VirtualTwins, release: str) -> None:
    boot = twins.boot_id(HOST)
    twins.inside(HOST, "systemctl", "reboot", check=False)
    twins.await_boot(HOST, boot)
    adopted(twins, release)
    assert "kubert.trial" not in twins.inside(HOST, "cat", "/proc/cmdline")


@pytest.mark.parametrize(
    "target",
    [in_guest, pytest.param(on_host, marks=pytest.mark.long)] if possible() else [on_host],
)
def test_a_good_kernel_is_tried_and_adopted(
    virtual_host: VirtualTwins, tmp_path: Path, target: Callable[[VirtualTwins, Path], Target]
) -> None:
    old, release = running(virtual_host), rt_release()
    boot = virtual_host.boot_id(HOST)
    small_initramfs(virtual_host)
    with target(virtual_host, tmp_path) as run_stage:
        with offering(virtual_host, Kernel.GOOD):
            run = run_stage()
            assert ended(run) == "done"
        (restarting,) = run.named("restarting")
        assert restarting["boot_id"] == boot, "it restarted once"
        assert restarting["host"] == (GUEST if target is in_guest else HOST)
        assert console_has(virtual_host, f"kubert.trial={release}", "panic=30")()
        assert release != old
        adopted(virtual_host, release)
        if target is on_host:
            boots_it_from_then_on(virtual_host, release)
            assert ended(run_stage()) == "satisfied"


@pytest.mark.long
def test_a_kernel_that_panics_is_left_and_tried_again_when_it_is_mended(
    virtual_host: VirtualTwins,
) -> None:
    old, release = running(virtual_host), rt_release()
    with offering(virtual_host, Kernel.PANICS):
        run = stage(virtual_host)
        assert ended(run) == "failed"
    what = failure(run)["what"]
    assert f"{release} did not prove itself: {HOST} came back by itself on {old}" in what
    assert "it panicked, hung or was restarted" in what
    assert f"{old} is still the default" in failure(run)["fix"]
    assert console_has(virtual_host, BROKEN, "Kernel panic - not syncing")()
    came_back(virtual_host, old)

    good = [deb for deb in rt_repository(Kernel.GOOD).glob("*.deb") if release in deb.name]
    install(virtual_host, HOST, *good)
    again = stage(virtual_host)
    assert ended(again) == "done"
    adopted(virtual_host, release)


@pytest.mark.long
def test_a_kernel_without_network_is_left_by_its_dead_mans_switch(
    virtual_host: VirtualTwins,
) -> None:
    old, release = running(virtual_host), rt_release()
    with offering(virtual_host, Kernel.MUTE):
        run = stage(virtual_host, "--set", "kernel.trial=3m", "--set", "restart_wait=90m")
        assert ended(run) == "failed"
    assert "nobody reached it in time: look at its network" in failure(run)["what"]
    assert console_has(virtual_host, f"nobody adopted {release} within 180 s")()
    came_back(virtual_host, old)


UNPACKING = "test -e /boot/vmlinuz-{0}.dpkg-new -o -d /lib/modules/{0}"
CONFIGURING = "test -e /boot/initrd.img-{0}.new"


@pytest.mark.long
@pytest.mark.parametrize("moment", [UNPACKING, CONFIGURING])
def test_power_cut_while_it_is_installed(virtual_host: VirtualTwins, moment: str) -> None:
    old, release = running(virtual_host), rt_release()
    boot = virtual_host.boot_id(HOST)
    with offering(virtual_host, Kernel.GOOD):
        run = stage(virtual_host)
        run.until("task-finished", task="Ask the package sources for a PREEMPT_RT kernel")
        wait = f"until {moment.format(release)}; do sleep 0.2; done"
        virtual_host.inside(HOST, "sh", "-c", wait)
        virtual_host.machine(HOST).reset()
        virtual_host.await_boot(HOST, boot)
        assert ended(run) == "failed"
        assert running(virtual_host) == old
        assert "next_entry" not in kept(virtual_host)

        again = stage(virtual_host)
        assert ended(again) == "done"
    adopted(virtual_host, release)
    left = virtual_host.inside(HOST, "dpkg", "--audit")
    assert left == ""
    meta = virtual_host.inside(HOST, "dpkg-query", "-Wf", "${Status}", "linux-image-rt-amd64")
    assert meta == "install ok installed"


def killed(twins: VirtualTwins, run: Headless) -> None:
    """Kill -9 of all that it started here."""
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()


def silenced(twins: VirtualTwins, run: Headless) -> None:
    """Packets vanish both ways until it gives up."""
    machine = twins.machine(HOST)
    machine.drop_packets(True)
    try:
        run.until("failure")
    finally:
        machine.drop_packets(False)
    assert run.finish() in (ExitCode.UNREACHABLE, ExitCode.CHANGE_FAILED)


@pytest.mark.long
@pytest.mark.parametrize("lose", [killed, silenced])
def test_the_operator_is_lost_while_it_is_installed(
    virtual_host: VirtualTwins, lose: Callable[[VirtualTwins, Headless], None]
) -> None:
    release = rt_release()
    with offering(virtual_host, Kernel.GOOD):
        run = stage(virtual_host)
        run.until("task-finished", task="Ask the package sources for a PREEMPT_RT kernel")
        wait = f"until {UNPACKING.format(release)}; do sleep 0.2; done"
        virtual_host.inside(HOST, "sh", "-c", wait)
        lose(virtual_host, run)

        again = stage(virtual_host)
        assert ended(again) == "done"
    assert len(again.named("restarting")) == 1
    adopted(virtual_host, release)
    assert virtual_host.inside(HOST, "dpkg", "--audit") == ""


@pytest.mark.long
def test_a_host_that_never_returns_and_then_does(virtual_host: VirtualTwins) -> None:
    old, release = running(virtual_host), rt_release()
    with offering(virtual_host, Kernel.GOOD):
        run = stage(virtual_host, "--set", "kernel.trial=1m", "--set", "restart_wait=10m")
        run.until("waiting")
        # GRUB has forgotten the one-shot, and the kernel on trial starts.
        wait_until(
            console_has(virtual_host, f"kubert.trial={release}"), "the trial starts", BOOT_LIMIT
        )
        virtual_host.machine(HOST).cut_power()
        assert ended(run) == "failed"
        assert "did not come back within 11 minutes" in failure(run)["what"]
        assert "start this stage again" in failure(run)["fix"]

        virtual_host.machine(HOST).start()
        virtual_host.await_answer(HOST)
        reported = stage(virtual_host)
        assert ended(reported) == "failed"
        assert f"{HOST} came back by itself on {old}" in failure(reported)["what"]
        came_back(virtual_host, old)

        assert ended(stage(virtual_host)) == "done"
    adopted(virtual_host, release)


@pytest.mark.long
def test_killed_while_it_waits_it_adopts_at_the_next_start(virtual_host: VirtualTwins) -> None:
    release = rt_release()
    boot = virtual_host.boot_id(HOST)
    with offering(virtual_host, Kernel.GOOD):
        run = stage(virtual_host)
        run.until("waiting")
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
        virtual_host.await_boot(HOST, boot)
        assert running(virtual_host) == release
        assert kept(virtual_host)["kubert_trial"] == f"{release},{boot}"
        again = stage(virtual_host)
        assert ended(again) == "done"
    assert again.named("restarting") == []
    adopted(virtual_host, release)
