"""The registry finds the stages, and every guide says what the README says, word for word."""

from types import ModuleType

import pytest

from kubert_tui.base.errors import UsageError
from kubert_tui.checks.catalogue import ALL, CLUSTER
from kubert_tui.lab.model import Permission
from kubert_tui.stages import registry
from kubert_tui.stages.model import Stage
from kubert_tui.stages.registry import all_stages, stage
from tests.support.blank import blank_lab

IDS = [
    "connect",
    "update",
    "kernel",
    "hyperthreading",
    "cpu-plan",
    "irqbalance",
    "rt-tests",
    "cyclictest",
    "causes",
    "virtualization",
    "image",
    "bridge",
    "machines",
    "guest-update",
    "guest-kernel",
    "guest-irqbalance",
    "guest-rt-tests",
    "ladder",
]

CCRMA = "http://ccrma.stanford.edu/planetccrma/mirror/fedora/linux/planetcore/33/x86_64/"
BUILD = "5.10.2-200.rt20.1.fc33.ccrma.x86_64"

LITERAL = {
    "update": ["sudo yum update"],
    "kernel": [
        "sudo rpm -ivh \\",
        f"{CCRMA}kernel-rt-core-{BUILD}.rpm \\",
        f"{CCRMA}kernel-rt-modules-{BUILD}.rpm \\",
        f"{CCRMA}kernel-rt-modules-extra-{BUILD}.rpm \\",
        f"{CCRMA}kernel-rt-{BUILD}.rpm",
        f"sudo grubby --set-default /boot/vmlinuz-{BUILD}+rt",
    ],
    "hyperthreading": [
        "`System Utilities` screen",
        (
            "`System Configuration > BIOS/Platform Configuration (RBSU) > Processor Options > "
            "Intel (R) Hyperthreading Options > Disabled > Save Your Settings`"
        ),
        "`uname -a`",
    ],
    "cpu-plan": ["Let's isolate the interrupt requests (IRQ) in a range of CPUs."],
    "irqbalance": ["sudo systemctl stop irqbalance & sudo systemctl disable irqbalance"],
    "rt-tests": [
        "sudo dnf install numactl numactl-devel git \\",
        "make automake cmake gcc g++ kernel-devel",
        "git clone --recursive https://github.com/jpnorenam/kubert.git",
        "cd kubert/rt-tests",
        "git checkout stable/v1.0",
        "make all",
        "sudo make install",
    ],
    "image": ["vagrant box add fedora/cloud-base-33"],
    "virtualization": [
        "sudo dnf group install --with-optional virtualization",
        "sudo dnf install python3 vagrant ansible",
    ],
}


def test_the_stages_come_in_the_readmes_order() -> None:
    assert [one.id for one in all_stages()][: len(IDS)] == IDS


def test_a_stage_is_found_by_its_id() -> None:
    assert stage("irqbalance").title == "IRQ balancing off"


def test_an_unknown_stage_is_refused_and_the_ids_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        stage("irqs")
    assert all(name in caught.value.fix for name in IDS)


def test_a_stage_file_without_a_stage_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "import_module", ModuleType)
    all_stages.cache_clear()
    try:
        with pytest.raises(TypeError, match="has no STAGE"):
            all_stages()
    finally:
        monkeypatch.undo()
        all_stages.cache_clear()


@pytest.mark.parametrize("stage_id", sorted(LITERAL))
def test_the_guide_has_the_readmes_literal_commands(stage_id: str) -> None:
    lines = stage(stage_id).guide.readme.splitlines()
    for literal in LITERAL[stage_id]:
        if literal.startswith("`"):
            assert any(literal in line for line in lines), literal
        else:
            assert literal in lines


@pytest.mark.parametrize("one", all_stages(), ids=lambda one: one.id)
def test_every_stage_is_whole(one: Stage) -> None:
    guide = one.guide
    assert guide.what
    assert guide.why
    assert guide.readme
    assert guide.ours
    known = {check.id for check in (*ALL, *CLUSTER)}
    assert {check.id for check in one.checks} <= known
    # What is not judged cannot be a goal.
    assert one.goals <= {check.id for check in one.checks}
    assert one.goals or (one.change is None and one.decision is None) or one.measures
    assert not (one.change and one.decision)


def test_each_stage_asks_for_its_own_permission() -> None:
    lab = blank_lab()
    needed = {one.id: one.change.needs(lab, lab.hosts[0]) for one in all_stages()[:7] if one.change}
    assert needed == {
        "update": {Permission.PACKAGES},
        "kernel": {Permission.KERNEL, Permission.REBOOT},
        "hyperthreading": {Permission.REBOOT},
        "irqbalance": {Permission.SERVICES},
        "rt-tests": {Permission.PACKAGES},
    }


def test_only_consequential_stages_want_a_confirmation() -> None:
    confirmed = [one.id for one in all_stages() if one.change and one.change.confirm]
    assert confirmed[:2] == ["kernel", "hyperthreading"]
    assert "guest-kernel" in confirmed
