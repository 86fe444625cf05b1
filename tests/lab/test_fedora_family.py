"""The Fedora family's way through the stages, with real dnf and rpm, on container twins.

See tests/support/rpm_host/image.py for what in them is real and what stands in. They hide that
they are containers, so the kernel stage arms its trial and restarts them; there is no GRUB that
would boot the new kernel, so they come back on the old one.
"""

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.latency.store import load
from tests.support.headless import Headless, auto
from tests.support.playground import plain
from tests.support.rpm_host.hosts import RpmHost, RpmTwins, rpm_twins
from tests.support.rpm_host.image import LATER, OLD, REALTIME, UPDATED
from tests.support.twins import skip_unless_possible, wait_until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(900),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="its packages are for x86_64"),
]

BUILD = "5.10.2-200.rt20.1.fc33.ccrma.x86_64"
KERNEL = {f"kernel-rt{part}-{BUILD}" for part in ("", "-core", "-modules")}
TRIAL = ["panic=30", "rd.shell=0", "rd.emergency=reboot", f"kubert.trial={REALTIME}"]
UNIT = "etc/systemd/system/kubert-trial.service"


@pytest.fixture(scope="module")
def module_twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RpmTwins]:
    skip_unless_possible()
    with rpm_twins(tmp_path_factory.mktemp("fedora")) as made:
        yield made


@pytest.fixture
def fedora(module_twins: RpmTwins, own_directories: Path) -> RpmTwins:
    """The twins, as new, known to this test's HOME."""
    if module_twins.twins.used:
        module_twins.twins.renew()
    module_twins.twins.used = True
    module_twins.twins.introduce()
    return module_twins


def only(lab: Path, *stages: str, options: tuple[str, ...] = ()) -> Headless:
    chosen = (word for stage in stages for word in ("--only", stage))
    return auto("--yes", *chosen, *options, lab=lab)


def cut_off_installation(host: RpmHost) -> None:
    """Take the power away while dnf has the initramfs of the PREEMPT_RT kernel made."""
    maker = host.root / "usr/lib/practice/make-initramfs"
    whole = maker.read_text()
    maker.write_text("#!/bin/sh\ntouch /var/tmp/making\nexec sleep 3600\n")
    host.run("setsid -f dnf -y --enablerepo=rt install kernel-rt >/dev/null 2>&1")
    wait_until((host.root / "var/tmp/making").exists, "dnf has the initramfs made")
    machine = host.twins.machine(host.name)
    machine.cut_power()
    maker.write_text(whole)
    machine.start()
    host.twins.await_answer(host.name)
    assert host.installed() >= KERNEL, "rpm calls it installed"
    assert not (host.root / f"boot/initramfs-{REALTIME}.img").exists(), "and it cannot boot"


@pytest.mark.long
def test_packages_by_address(fedora: RpmTwins, tmp_path: Path) -> None:
    bull1, bull2 = fedora.hosts
    settings = (bull1.root / "etc/sysconfig/kernel").read_bytes()
    with fedora.serving("rt") as packages:
        lab = fedora.lab(tmp_path / "lab.yaml", packages)
        before = [host.files() for host in fedora.hosts]
        dry = auto("--dry-run", lab=lab)
        assert dry.finish() == ExitCode.OK, dry.errors()
        assert [host.files() for host in fedora.hosts] == before
        states = dry.seen[-1]["states"]
        changed = ("update", "kernel", "irqbalance", "rt-tests", "cyclictest")
        assert {states[stage] for stage in changed} == {"would change"}

        cut_off_installation(bull2)
        boots = [fedora.twins.boot_id(host.name) for host in fedora.hosts]
        run = only(lab, "kernel", options=("--set", "cyclictest.duration=2s"))
        assert run.finish() == ExitCode.CHANGE_FAILED, run.errors()
    told = {entry["host"]: entry["what"] for entry in run.named("failure")}
    for host, boot in zip(fedora.hosts, boots, strict=True):
        assert f"{host.name} came back by itself on {OLD}" in told[host.name]
        assert "GRUB did not take the one-shot entry" in told[host.name]
        assert fedora.twins.boot_id(host.name) != boot
        assert host.installed() > KERNEL
        # Nothing of the trial is left but the word that it failed.
        assert host.default() == OLD
        assert host.grub().keys() == {"saved_entry", "kubert_trial_failed"}
        assert host.grub()["kubert_trial_failed"] == REALTIME
        assert host.arguments(REALTIME) == host.arguments(OLD)
        assert (host.root / "etc/sysconfig/kernel").read_bytes() == settings
        assert not (host.root / UNIT).exists()


@pytest.mark.long
def test_a_package_that_is_not_the_one_meant(fedora: RpmTwins, tmp_path: Path) -> None:
    before = [host.installed() for host in fedora.hosts]
    with fedora.serving("rt") as (first, *others):
        wrong = first.model_copy(update={"sha256": others[0].sha256})
        run = only(fedora.lab(tmp_path / "lab.yaml", (wrong, *others)), "kernel")
        assert run.finish() == ExitCode.CHANGE_FAILED
    assert "checksum" in str(run.named("failure")).lower()
    assert [host.installed() for host in fedora.hosts] == before
    assert {host.default() for host in fedora.hosts} == {OLD}


@pytest.mark.long
def test_the_kernel_of_a_repository(fedora: RpmTwins) -> None:
    bull1, bull2 = fedora.hosts
    (bull2.root / "usr/lib/practice/abstraction").write_text("lvm\n")
    before = bull1.installed()
    refused = fedora.play("kernel.yml")
    assert refused.status != 0
    assert "No enabled repository of this Fedora has kernel-rt" in plain(refused.text)
    assert "lies on lvm, which GRUB cannot write to" in plain(refused.text)
    assert {*bull1.installed(), *bull2.installed()} == before

    (bull2.root / "usr/lib/practice/abstraction").unlink()
    for host in fedora.hosts:
        host.run("sed -i s/enabled=0/enabled=1/ /etc/yum.repos.d/rt.repo")
    armed = fedora.play("kernel.yml")
    assert armed.status == 0, armed.text
    for host in fedora.hosts:
        assert host.installed() == before | KERNEL
        assert host.default() == OLD
        kept = host.grub()
        boot = fedora.twins.boot_id(host.name)
        assert kept["saved_entry"] == host.entry(OLD)["id"]
        assert kept["next_entry"] == host.entry(REALTIME)["id"]
        assert kept["kubert_trial"] == f"{REALTIME},{boot}"
        assert host.arguments(REALTIME) == [*host.arguments(OLD), *TRIAL]
        assert "UPDATEDEFAULT=no" in (host.root / "etc/sysconfig/kernel").read_text()
        assert (host.root / UNIT).exists()

    before_again = [host.files() for host in fedora.hosts]
    again = fedora.play("kernel.yml")
    assert again.status == 0, again.text
    assert again.text.count("changed=0 ") == 2, again.text
    assert [host.files() for host in fedora.hosts] == before_again


@pytest.mark.long
def test_updates_do_not_take_the_default_back(fedora: RpmTwins, tmp_path: Path) -> None:
    _, bull2 = fedora.hosts
    for host in fedora.hosts:
        # The kernel of this computer, in the clothes of a PREEMPT_RT kernel that was tried.
        host.run("dnf -y upgrade")
        host.run("dnf -y --setopt=protect_running_kernel=False remove 'kernel*-5.8.15'")
        host.run("dnf -y --enablerepo=running install kernel-rt")
        host.run(f"grubby --set-default /boot/vmlinuz-{UPDATED}")
    (bull2.root / "usr/lib/practice/like-fedora-33").touch()

    adopted = fedora.play("kernel-adopt.yml")
    assert adopted.status == 0, adopted.text
    assert {host.default() for host in fedora.hosts} == {OLD}

    for host in fedora.hosts:
        host.run("dnf -y --enablerepo=later upgrade")
        assert (host.root / f"boot/vmlinuz-{LATER}").exists()
        assert host.default() == OLD, host.name


def test_the_other_stages(fedora: RpmTwins, tmp_path: Path) -> None:
    lab = fedora.lab(tmp_path / "lab.yaml")
    stages = ("update", "irqbalance", "rt-tests", "cyclictest")
    run = only(lab, *stages, options=("--set", "cyclictest.duration=2s"))
    assert run.finish() == ExitCode.OK, run.errors()
    assert {run.seen[-1]["states"][stage] for stage in stages} == {"done"}
    for host in fedora.hosts:
        assert "linux-firmware-20201218-1.fc33.noarch" in host.installed()
        assert host.default() == UPDATED
        assert host.run("systemctl is-enabled irqbalance || true") == "disabled\n"
        assert host.run("systemctl is-active irqbalance || true") == "inactive\n"
        owner = host.run("rpm --query --file /usr/bin/cyclictest")
        assert owner.startswith("realtime-tests-")
    assert len(run.named("latency-stored")) == 2
    for entry in run.named("latency-stored"):
        assert entry["exact"]
        assert load(Path(entry["path"])).exact

    again = only(lab, *stages[:3])
    assert again.finish() == ExitCode.OK, again.errors()
    assert {again.seen[-1]["states"][stage] for stage in stages[:3]} == {"satisfied"}
