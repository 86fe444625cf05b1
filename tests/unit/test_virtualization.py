"""libvirt and KVM on a host: facts, checks at every level, and the stage that brings them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubert_tui.checks import virtualization as checks
from kubert_tui.checks.finding import Check, Level
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import KvmBoot, LibvirtService, Unit
from kubert_tui.hosts.host_lock import Holder
from kubert_tui.hosts.interface import CommandTimeout, Completed, Invocation
from kubert_tui.lab.image import ImageSpec
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.machines.kvm_proof import prove_kvm
from kubert_tui.stages import s10_virtualization as stage
from tests.support.fact_samples import DEBIAN, HPE, changed, facts_of, section
from tests.support.recording import RecordingWork

LAB = Lab(hosts=(HostSpec(name="alpha"),))
MACHINES = Lab.model_validate({"hosts": [{"name": "alpha"}], "machines": [{"name": "one"}]})
LOCAL = Lab(hosts=(HostSpec(name="alpha", connection="local"),))
BOOT = "793f7a11-f478-4f9f-94eb-26bc5f34c43c"
QEMU = "QEMU emulator version 5.1.0 (qemu-5.1.0-5.fc33)"
ALL = (
    "version libvirtd (libvirt) 9.0.0\ndriver\ngroups operator libvirt\nprogram nc\n"
    "program qemu-img\nprogram dnsmasq\n"
)


def kept(**differs: object) -> str:
    outcome = {"boots": False, "told": "the kernel said not a word within 30 s", "at": 9.0,
               "kernel": "/boot/vmlinuz", "boot": BOOT, "qemu": QEMU}  # fmt: skip
    return json.dumps({**outcome, **differs})


def test_the_service_of_the_finished_host() -> None:
    assert facts_of(HPE).libvirt_service == Known(
        LibvirtService(
            version="6.6.0",
            qemu_driver=True,
            processes=("libvirtd",),
            units=(
                Unit("libvirtd.service", "active", "enabled"),
                Unit("libvirtd.socket", "active", "enabled"),
                Unit("virtqemud.socket", "inactive", "disabled"),
            ),
            groups=("operator", "wheel", "libvirt"),
            programs=frozenset({"nc", "qemu-img", "dnsmasq", "virsh"}),
            nested="Y",
        )
    )


@pytest.mark.parametrize("content", ["", "\x1b[31m\n", "unit\n", "version\nsh: oops\n"])
def test_a_garbled_service_is_unknown(content: str) -> None:
    assert isinstance(facts_of(changed(HPE, libvirt_service=content)).libvirt_service, Unknown)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (kept(boot="another"), "not tried in this boot"),
        (kept(qemu="QEMU emulator version 9.1"), "with this QEMU"),
        (kept(boots=1), "understood"),
        (kept(boots="yes"), "understood"),
        (kept(told=None), "understood"),
        ("[]", "understood"),
        ("{", "understood"),
        ("[" * 100_000, "understood"),
    ],
)
def test_what_is_kept_of_another_boot_or_garbled_does_not_count(content: str, reason: str) -> None:
    fact = facts_of(changed(HPE, kvm_boot=content)).kvm_boot
    assert isinstance(fact, Unknown)
    assert reason in fact.reason


def test_what_is_kept_is_cleaned() -> None:
    fact = facts_of(changed(HPE, kvm_boot=kept(told="\x1b[31mred\n[b]"))).kvm_boot
    assert isinstance(fact, Known)
    assert "\x1b" not in fact.value.told + fact.value.kernel
    assert "\n" not in fact.value.told


CASES: list[tuple[Check, dict[str, str | bytes], Level, str]] = [
    (checks.INSTALLED, {}, Level.OK, "libvirt 6.6.0, QEMU emulator version 5.1.0."),
    (checks.INSTALLED, {"libvirt_service": ALL.replace("driver\n", "")}, Level.FAILED, "driver"),
    (checks.INSTALLED, {"libvirt_service": "groups a\n"}, Level.FAILED, "daemon, its driver"),
    (checks.RUNNING, {}, Level.OK, "libvirtd runs"),
    (checks.RUNNING, {"libvirt_service": "groups a\n"}, Level.FAILED, "not installed"),
    (checks.RUNNING, {"libvirt_service": ALL}, Level.FAILED, "does not run."),
    (checks.RUNNING, {"libvirt_service": ALL, "init": "sh"}, Level.FAILED, "no systemd"),
    (
        checks.RUNNING,
        {"libvirt_service": ALL + "process libvirtd\n", "init": "sh"},
        Level.WARNING,
        "not after a restart",
    ),
    (
        checks.RUNNING,
        {"libvirt_service": ALL + "unit virtqemud.socket active enabled\n"},
        Level.OK,
        "virtqemud.socket runs",
    ),
    (
        checks.RUNNING,
        {"libvirt_service": ALL + "process virtnetworkd\nunit virtnetworkd.socket active enabled"},
        Level.FAILED,
        "does not run",
    ),
    (checks.USABLE, {}, Level.OK, "operator may use libvirt"),
    (
        checks.USABLE,
        {"libvirt_service": ALL.replace(" libvirt\n", "\n")},
        Level.FAILED,
        "not in the group libvirt",
    ),
    (checks.USABLE, {"libvirt_service": "groups root\n", "id": "uid 0\nuser root\n"}, Level.FAILED,
     "neither virt-ssh-helper nor nc"),
    (
        checks.USABLE,
        {"libvirt_service": "groups root\nprogram virt-ssh-helper\n", "id": "uid 0\nuser root\n"},
        Level.OK,
        "root may",
    ),
    (checks.BOOTS, {}, Level.OK, "/boot/vmlinuz-5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt came up"),
    (checks.BOOTS, {"kvm_boot": kept()}, Level.WARNING, "no guest boots on KVM (the kernel said"),
    (checks.BOOTS, {"kvm_boot": kept()}, Level.WARNING, "latencies mean nothing"),
    (checks.BOOTS, {"kvm_boot": kept(boots=None)}, Level.WARNING, "Not proved"),
    (checks.BOOTS, {"kvm_boot": kept(boot="b")}, Level.UNKNOWN, "not tried"),
    (checks.BOOTS, {"kvm": "device absent\n"}, Level.WARNING, "no /dev/kvm"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "changes", "level", "words"), CASES)
def test_checks(check: Check, changes: dict[str, str | bytes], level: Level, words: str) -> None:
    finding = check(facts_of(changed(HPE, **changes)), LAB)
    assert finding.level is level, finding.summary
    assert words in finding.summary
    assert bool(finding.fix) is (level is not Level.OK)
    assert finding.source


def test_a_local_host_needs_no_way_in() -> None:
    facts = facts_of(changed(HPE, libvirt_service=ALL.replace("program nc\n", "")))
    assert checks.USABLE(facts, LAB).level is Level.FAILED
    assert checks.USABLE(facts, LOCAL).level is Level.OK


@pytest.mark.parametrize(
    ("kind", "absent", "hangs"),
    [
        ("docker", "Give this container (docker) the device", "the machine that runs this"),
        ("kvm", "nested virtualization on the hypervisor (kvm)", "answers for KVM, but does not"),
        ("none", "VT-x or AMD-V in the firmware", "firmware and microcode"),
    ],
)
def test_the_fix_fits_the_place(kind: str, absent: str, hangs: str) -> None:
    sample = changed(HPE, detect_virt=kind)
    assert absent in checks.BOOTS(facts_of(changed(sample, kvm="device absent")), LAB).fix
    assert hangs in checks.BOOTS(facts_of(changed(sample, kvm_boot=kept())), LAB).fix


def test_the_stage_is_for_labs_with_machines() -> None:
    facts = facts_of(DEBIAN)
    assert stage.not_for(facts, MACHINES) == ""
    assert "machines: {preset: upstream}" in stage.not_for(facts, LAB)
    assert stage.variables(LAB, facts_of(HPE)) == {"kubert_libvirt_user": "operator"}
    assert stage.variables(LAB, replace(facts, user=Known("root"))) == {}


class There:
    """A host that answers as told."""

    name, is_local = "alpha", False

    def __init__(self, answer: Completed | CommandTimeout) -> None:
        self.answer = answer
        self.asked: list[Invocation] = []

    def run(self, invocation: Invocation) -> Completed:
        self.asked.append(invocation)
        if isinstance(self.answer, CommandTimeout):
            raise self.answer
        return self.answer

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        raise AssertionError

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


def test_a_guest_is_booted_on_housekeeping_cpus() -> None:
    there = There(Completed((), 0, kept().encode()))
    lab = LAB.with_plans({"alpha": CpuPlan(frozenset({0, 1}), frozenset(range(2, 40)))})
    facts = prove_kvm(there, facts_of(HPE), lab.plan_of("alpha"))
    assert facts.kvm_boot == Known(
        KvmBoot(boots=False, told="the kernel said not a word within 30 s", kernel="/boot/vmlinuz")
    )
    order = json.loads(there.asked[0].argv[2])
    assert (order["cpus"], order["qemu"], order["limit"]) == ([0, 1], QEMU, 30.0)
    assert there.asked[0].sudo


@pytest.mark.parametrize(
    "sample",
    [changed(HPE, kvm="device absent\n"), {**HPE, "qemu": section("qemu", "", "127")}],
)
def test_nothing_is_tried_where_it_cannot_work(sample: dict[str, bytes]) -> None:
    facts: Facts = facts_of(sample)
    assert prove_kvm(There(CommandTimeout("never")), facts, None) is facts


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Completed((), 127, b"", b"sh: python3: not found\n"), "not found"),
        (Completed((), 0, b"oops"), "understood"),
        (CommandTimeout("took longer than 90 s"), "longer than 90 s"),
    ],
)
def test_a_try_that_went_wrong(answer: Completed | CommandTimeout, reason: str) -> None:
    fact = prove_kvm(There(answer), facts_of(HPE), None).kvm_boot
    assert isinstance(fact, Unknown)
    assert reason in fact.reason


@pytest.mark.parametrize(("sample", "words"), [(HPE, "dnf -y group install"), (DEBIAN, "apt")])
def test_the_plan_fits_the_family(sample: dict[str, bytes], words: str) -> None:
    assert stage.STAGE.change is not None
    told = str(stage.STAGE.change.plan(LAB, facts_of(sample)))
    assert words in told
    assert ("dnf" in told) is (sample is HPE)


def test_a_box_of_vagrants_needs_vagrant() -> None:
    assert "kubert_vagrant" not in stage.variables(LAB, facts_of(HPE))
    boxed = LAB.model_copy(update={"image": ImageSpec(source="vagrant")})
    assert stage.variables(boxed, facts_of(HPE))["kubert_vagrant"] is True


SOMEBODY = Holder("theirs", about=None, since=None, silent=None, left=0.0)


@pytest.mark.parametrize("operator", [Known(None), Known(SOMEBODY), Unknown("no lock")])
@pytest.mark.parametrize("dry_run", [False, True])
def test_no_guest_is_booted_in_a_dry_run_nor_beside_somebody_elses_work(
    operator: Fact[Holder | None], dry_run: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, booted = RecordingWork(MACHINES, tmp_path, dry_run=dry_run), list[str]()

    def prove(host: str, facts: Facts, *_: object) -> Facts:
        booted.append(host)
        return facts

    monkeypatch.setattr(stage, "prove_kvm", prove)
    monkeypatch.setattr(RecordingWork, "host", lambda _, name: name)
    stage.observe(work, replace(facts_of(HPE), operator=operator))
    assert bool(booted) is (operator == Known(None) and not dry_run)
