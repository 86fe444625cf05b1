"""Every check at each of its levels, on hosts we know with one thing changed."""

import pytest

from kubert_tui.checks.catalogue import ALL
from kubert_tui.checks.finding import Check, Finding, Level
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import CyclictestSpec, HostSpec, KernelSpec, Lab, RtTestsSpec
from tests.support.fact_samples import DEBIAN, HPE, changed, facts_of, section

LAB = Lab(hosts=(HostSpec(name="alpha"),))
# Those of images, machines and bridges need a lab with machines: tests of their own
# (test_checks_image.py, test_checks_machines.py, test_bridge.py).
APART = ("image.", "machines.", "network.bridge")
CHECKS: dict[str, Check] = {one.id: one for one in ALL if not one.id.startswith(APART)}
RELEASE = "5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt"


def find(check: str, facts: Facts, lab: Lab = LAB) -> Finding:
    return CHECKS[check](facts, lab)


def loaded(preset: str) -> Lab:
    return Lab(hosts=LAB.hosts, cyclictest=CyclictestSpec.model_validate({"load": preset}))


PLAN = CpuPlan(frozenset({0, 1}), frozenset(range(2, 40)))
PLANNED = LAB.with_plans({"alpha": PLAN})

OK_ON_HPE = sorted(set(CHECKS) - {"host.distribution"})


@pytest.mark.parametrize("check", OK_ON_HPE)
def test_the_finished_hpe_host_is_ok(check: str) -> None:
    finding = find(check, facts_of(HPE), PLANNED)
    assert finding.level is Level.OK, finding.summary
    assert not finding.fix


ON_DEBIAN = {
    "host.privileged": Level.OK,
    "host.operator": Level.OK,
    "host.distribution": Level.OK,
    "host.clock": Level.OK,
    "host.disk": Level.WARNING,
    "host.python": Level.OK,
    "packages.updated": Level.FAILED,
    "kernel.realtime-installed": Level.FAILED,
    "kernel.realtime-default": Level.FAILED,
    "kernel.realtime-running": Level.FAILED,
    "kernel.trial": Level.OK,
    "kernel.one-shot": Level.OK,
    "kernel.secure-boot": Level.WARNING,
    "kernel.command-line": Level.OK,
    "cpu.smt-off": Level.FAILED,
    "cpu.plan": Level.FAILED,
    "cpu.isolated": Level.WARNING,
    "cpu.governor": Level.WARNING,
    "cpu.idle-states": Level.WARNING,
    "irq.irqbalance-off": Level.FAILED,
    "tools.cyclictest": Level.FAILED,
    "tools.load": Level.OK,
    "memory.thp": Level.WARNING,
    "memory.ksm": Level.WARNING,
    "memory.hugepages": Level.WARNING,
    "memory.swap": Level.WARNING,
    "scheduling.rt-throttling": Level.WARNING,
    "scheduling.rt-group": Level.OK,
    "virtualization.kvm": Level.OK,
    "virtualization.installed": Level.FAILED,
    "virtualization.libvirt": Level.FAILED,
    "virtualization.access": Level.OK,
    "virtualization.kvm-boots": Level.UNKNOWN,
    "network.cards": Level.OK,
}


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_a_stock_debian_host(check: str) -> None:
    finding = find(check, facts_of(DEBIAN))
    assert finding.level is ON_DEBIAN[check], finding.summary
    assert bool(finding.fix) is (finding.level is not Level.OK)


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_unknown_facts_are_unknown_with_the_reason(check: str) -> None:
    finding = find(check, facts_of({}), loaded("hackbench"))
    assert finding.level is Level.UNKNOWN
    assert "the probe did not get that far" in finding.summary
    assert finding.fix


CHANGES: list[tuple[str, dict[str, str | bytes], Level, str]] = [
    ("host.privileged", {"id": "uid 1000\nuser me\n"}, Level.FAILED, "no root rights"),
    (
        "host.operator",
        {
            "operator_lock": "result held\nboot b\nnow 50\ntoken abc\nsince 40\nuntil -\nbeat 42\n"
            'about {"operator": "ada@laptop", "lab": "twins", "stage": "kernel"}\n'
        },
        Level.WARNING,
        "Being worked on by ada@laptop (lab twins, stage kernel, since ",
    ),
    ("host.operator", {"operator_lock": "sh: oops\n"}, Level.UNKNOWN, "understood"),
    ("host.distribution", {}, Level.WARNING, "no updates any more"),
    ("host.distribution", {"os_release": "ID=fedora\nVERSION_ID=45\n"}, Level.OK, "fedora 45"),
    ("host.distribution", {"os_release": "ID=arch\n"}, Level.FAILED, "neither"),
    (
        "host.distribution",
        {"os_release": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n'},
        Level.WARNING,
        "ubuntu 20.04",
    ),
    ("host.distribution", {"os_release": "ID=debian\n"}, Level.OK, "debian"),
    (
        "host.clock",
        {"clock_begin": "1795000006.5", "clock_end": "1795000007.5"},
        Level.WARNING,
        "+6.000 s",
    ),
    (
        "host.clock",
        {"clock_begin": "1794990000.5", "clock_end": "1794990001.5"},
        Level.FAILED,
        "-10000.000 s",
    ),
    ("host.disk", {"disks": "/dev/a 999 1 999 1% /\n"}, Level.FAILED, "0.0 GiB on /"),
    (
        "host.disk",
        {"disks": "/dev/a 52403200 1 48403200 1% /\n/dev/b 400000 1 100000 1% /boot\n"},
        Level.FAILED,
        "/boot",
    ),
    ("host.python", {"python": "Python 3.6.8\n"}, Level.WARNING, "3.6.8"),
    (
        "packages.updated",
        {"updates": "manager apt\nInst a [1] (2)\nlists present\n"},
        Level.FAILED,
        "1 package update waits",
    ),
    ("kernel.realtime-installed", {"kernels": ""}, Level.FAILED, "No PREEMPT_RT"),
    (
        "kernel.realtime-installed",
        {"kernels": "", "detect_virt": "docker\n"},
        Level.FAILED,
        "container (docker)",
    ),
    (
        "kernel.realtime-default",
        {"grubby": "/boot/vmlinuz-5.8.15-301.fc33.x86_64\n"},
        Level.FAILED,
        "5.8.15",
    ),
    ("kernel.realtime-running", {"sys_realtime": "0\n"}, Level.OK, "uname -v"),
    ("kernel.realtime-running", {"detect_virt": "kvm\n"}, Level.OK, "virtual machine, kvm"),
    (
        "kernel.realtime-running",
        {"uname_version": "#1 SMP\n"},
        Level.WARNING,
        "but not by uname -v",
    ),
    (
        "kernel.realtime-running",
        {"kernel_config": "source /boot/x\nCONFIG_PREEMPT=y\n"},
        Level.WARNING,
        "but not by its configuration",
    ),
    (
        "kernel.realtime-running",
        {"sys_realtime": "0", "uname_version": "#1 SMP", "kernel_config": "source /x\nA=y\n"},
        Level.FAILED,
        "is not PREEMPT_RT",
    ),
    (
        "kernel.realtime-running",
        {
            "sys_realtime": "0",
            "uname_version": "#1 SMP",
            "kernel_config": "source /x\nA=y\n",
            "detect_virt": "systemd-nspawn\n",
        },
        Level.FAILED,
        "container, systemd-nspawn",
    ),
    ("kernel.secure-boot", {"secure_boot": "variable 6 0 0 0 1\n"}, Level.OK, "it is signed"),
    (
        "kernel.command-line",
        {"command_line": "isolcpus=2-39 nohz_full=2-38 rcu_nocbs=2-39\n"},
        Level.WARNING,
        "nohz_full=2-38",
    ),
    (
        "kernel.command-line",
        {"command_line": "isolcpus=domain,2-39 -- rcu_nocbs=2-39\n"},
        Level.WARNING,
        "without rcu_nocbs, irqaffinity",
    ),
    ("kernel.command-line", {"command_line": "quiet\n"}, Level.OK, "isolates no CPUs"),
    ("kernel.command-line", {"command_line": "\n"}, Level.OK, "isolates no CPUs"),
    ("cpu.smt-off", {"smt_active": "1", "smt_control": "on"}, Level.FAILED, "control: on"),
    (
        "cpu.smt-off",
        {"smt_active": "1", "smt_control": "on", "detect_virt": "kvm"},
        Level.FAILED,
        "beneath this kvm host",
    ),
    ("cpu.smt-off", {"smt_active": "1", "smt_control": "off"}, Level.WARNING, "although"),
    ("cpu.smt-off", {"smt_active": "?", "smt_control": "forceoff"}, Level.OK, "forceoff"),
    ("cpu.smt-off", {"smt_control": "forceoff"}, Level.OK, "forceoff"),
    ("cpu.smt-off", {"detect_virt": "kvm\n"}, Level.OK, "virtual machine"),
    ("cpu.isolated", {"cpu_isolated": ""}, Level.WARNING, "No CPU"),
    ("cpu.isolated", {"cpu_isolated": "0-39"}, Level.FAILED, "All CPUs"),
    ("cpu.isolated", {"cpu_nohz_full": "4-39"}, Level.WARNING, "4-39 are nohz_full"),
    ("cpu.governor", {"governors": ""}, Level.OK, "does not change"),
    ("cpu.idle-states", {"idle_states": ""}, Level.OK, "no idle states"),
    ("irq.irqbalance-off", {"processes": "irqbalance\n"}, Level.FAILED, "running"),
    (
        "irq.irqbalance-off",
        {"irqbalance": "program /x\nenabled enabled\nactive inactive\n"},
        Level.FAILED,
        "next boot",
    ),
    ("irq.irqbalance-off", {"irqbalance": "program \nenabled x\n"}, Level.OK, "not installed"),
    ("memory.thp", {"thp": "[always] madvise never\n"}, Level.WARNING, "always"),
    ("memory.ksm", {"ksm": "2\n"}, Level.OK, "off"),
    ("scheduling.rt-throttling", {"rt_runtime": "950000\n"}, Level.WARNING, "950000 of 1000000"),
    (
        "scheduling.rt-group",
        {"kernel_config": "source /x\nCONFIG_RT_GROUP_SCHED=y\n"},
        Level.WARNING,
        "CONFIG_RT_GROUP_SCHED",
    ),
    (
        "scheduling.rt-group",
        {"kernel_config": "", "rt_group_file": "/sys/fs/cgroup/cpu/cpu.rt_runtime_us\n"},
        Level.WARNING,
        "CONFIG_RT_GROUP_SCHED",
    ),
    ("virtualization.kvm", {"kvm": "device absent\n"}, Level.FAILED, "not loaded"),
    ("virtualization.kvm", {"kvm": "device refused\n"}, Level.FAILED, "may not be opened"),
    ("network.cards", {"cards": "card lo\n"}, Level.FAILED, "no network card"),
    ("network.cards", {"cards": "card host0\ndriver \n"}, Level.WARNING, "virtual"),
    (
        "network.cards",
        {"cards": "card eno1np0\ndriver tg3\nspeed 100\n"},
        Level.WARNING,
        "eno1np0 is slow",
    ),
    ("network.cards", {"addresses": ""}, Level.WARNING, "none has an address"),
]


@pytest.mark.parametrize(("check", "changes", "level", "says"), CHANGES)
def test_the_hpe_host_with_one_thing_changed(
    check: str, changes: dict[str, str | bytes], level: Level, says: str
) -> None:
    finding = find(check, facts_of(changed(HPE, **changes)))
    assert finding.level is level, finding.summary
    assert says in finding.summary
    assert bool(finding.fix) is (level is not Level.OK)


def test_no_python_at_all() -> None:
    sample = HPE | {"python": section("python", "", "missing")}
    assert find("host.python", facts_of(sample)).level is Level.FAILED


def test_secure_boot_and_unsigned_packages() -> None:
    lab = LAB.model_copy(update={"kernel": KernelSpec(preset="ccrma-5.10-fc33")})
    assert find("kernel.secure-boot", facts_of(DEBIAN), lab).level is Level.FAILED
    assert find("kernel.secure-boot", facts_of(HPE), lab).level is Level.OK


@pytest.mark.parametrize(
    ("wanted", "level"),
    [
        ("default", Level.OK),
        ("1.0", Level.OK),
        ("v1.0", Level.OK),
        ("stable/v1.0", Level.OK),
        ("1.0-3", Level.OK),
        ("2.10", Level.FAILED),
    ],
)
def test_the_cyclictest_the_lab_asks_for(wanted: str, level: Level) -> None:
    lab = LAB.model_copy(update={"rt_tests": RtTestsSpec(version=wanted)})
    assert find("tools.cyclictest", facts_of(HPE), lab).level is level


def test_any_installed_cyclictest_may_be_the_one_asked_for() -> None:
    second = section("cyclictest-2", "cyclictest V 2.80\n", subject="/usr/bin/cyclictest")
    lab = LAB.model_copy(update={"rt_tests": RtTestsSpec(version="2.8")})
    finding = find("tools.cyclictest", facts_of(HPE | {"cyclictest-2": second}), lab)
    assert finding.summary == "cyclictest 2.8 at /usr/bin/cyclictest."


@pytest.mark.parametrize("kind", ["docker", "kvm", "none"])
def test_the_fix_for_kvm_fits_the_place(kind: str) -> None:
    fix = find("virtualization.kvm", facts_of(changed(HPE, kvm="device absent", detect_virt=kind)))
    expected = {"docker": "container", "kvm": "nested", "none": "firmware"}[kind]
    assert expected in fix.fix


def test_an_unreadable_default_of_a_container_points_beneath() -> None:
    sample = changed(DEBIAN, detect_virt="docker\n") | {"grub-menu": section("grub-menu", "", "2")}
    finding = find("kernel.realtime-default", facts_of(sample))
    assert finding.level is Level.UNKNOWN
    assert "machine that runs this container" in finding.fix


def test_the_default_is_judged_by_name_when_no_configuration_can_be_read() -> None:
    sample = HPE | {"kernels": section("kernels", "", "13")}
    assert find("kernel.realtime-default", facts_of(sample)).level is Level.OK


def test_a_python_without_its_standard_library_is_no_python() -> None:
    told = "Traceback (most recent call last):\nModuleNotFoundError: No module named 'shutil'\n"
    facts = facts_of(HPE | {"python": section("python", told, status="1")})
    finding = find("host.python", facts)
    assert finding.level is Level.FAILED
    assert finding.fix == "Install the package python3."


@pytest.mark.parametrize(
    ("preset", "level", "said"),
    [
        ("none", Level.OK, "no load"),
        ("coffee", Level.OK, "no load"),
        ("hackbench", Level.OK, "hackbench at /usr/local/bin/hackbench"),
        ("cpu", Level.FAILED, "The load cpu needs stress-ng, and there is none."),
    ],
)
def test_the_load_that_the_lab_asks_for(preset: str, level: Level, said: str) -> None:
    finding = find("tools.load", facts_of(HPE), loaded(preset))
    assert finding.level is level
    assert said in finding.summary
    assert ("stress-ng" in finding.fix and "cyclictest.load" in finding.fix) is (preset == "cpu")


OTHER = CpuPlan(frozenset(range(4)), frozenset(range(4, 40)))
NONE = CpuPlan(frozenset(range(40)), frozenset())
THERE = "isolcpus=domain,2-39 nohz_full=2-39 rcu_nocbs=2-39 irqaffinity=0-1"


@pytest.mark.parametrize(
    ("check", "plan", "changes", "level", "says"),
    [
        ("cpu.plan", None, {}, Level.FAILED, "no CPU plan"),
        ("cpu.plan", PLAN, {}, Level.OK, "housekeeping 0-1, isolated 2-39"),
        ("cpu.plan", NONE, {}, Level.WARNING, "isolates no CPU"),
        ("cpu.plan", PLAN, {"cpu_online": "0-38"}, Level.FAILED, "CPUs 39 are not online"),
        ("cpu.plan", CpuPlan(frozenset({2}), frozenset({1})), {}, Level.FAILED, "in neither set"),
        ("kernel.command-line", PLAN, {}, Level.OK, "2-39 are isolated"),
        ("kernel.command-line", PLAN, {"command_line": "quiet"}, Level.WARNING, "says nothing of"),
        ("kernel.command-line", NONE, {"command_line": "quiet"}, Level.OK, "isolates no CPUs"),
        ("kernel.command-line", OTHER, {}, Level.WARNING, "isolcpus=2-39, nohz_full=2-39, rcu_no"),
        ("kernel.command-line", OTHER, {}, Level.WARNING, "irqaffinity=0-1."),
        ("kernel.command-line", NONE, {}, Level.WARNING, "isolated none; the command line says"),
        (
            "kernel.command-line",
            PLAN,
            {"command_line": THERE.replace("nohz_full=2-39 ", "")},
            Level.OK,
            "2-39 are isolated",
        ),
        (
            "kernel.command-line",
            PLAN,
            {"command_line": THERE.replace("rcu_nocbs=2-39", "rcu_nocbs=3-39")},
            Level.WARNING,
            "the command line says rcu_nocbs=3-39.",
        ),
        ("cpu.isolated", PLAN, {"cpu_isolated": ""}, Level.WARNING, "No CPU"),
        ("cpu.isolated", OTHER, {}, Level.WARNING, "2-39 are isolated, by the CPU plan 4-39"),
    ],
)
def test_a_host_that_is_not_as_planned(
    check: str,
    plan: CpuPlan | None,
    changes: dict[str, str | bytes],
    level: Level,
    says: str,
) -> None:
    lab = LAB.with_plans({"alpha": plan} if plan else {})
    finding = find(check, facts_of(changed(HPE, **changes)), lab)
    assert finding.level is level, finding.summary
    assert says in finding.summary
    assert bool(finding.fix) is (level is not Level.OK)


def test_the_fix_is_the_command_line_to_boot_with() -> None:
    sample = changed(HPE, command_line="quiet", cpu_isolated="")
    for check in ("kernel.command-line", "cpu.isolated"):
        assert (
            "isolcpus=managed_irq,domain,2-39 nohz_full=2-39 rcu_nocbs=2-39 irqaffinity=0-1"
            in find(check, facts_of(sample), PLANNED).fix
        )
    inside = facts_of(changed(sample, detect_virt="docker"))
    assert "machine that runs this container" in find("kernel.command-line", inside, PLANNED).fix


def test_half_a_core_is_no_plan() -> None:
    lab = LAB.with_plans({"alpha": CpuPlan(frozenset({0, 1, 16}), frozenset(range(2, 32)) - {16})})
    finding = find("cpu.plan", facts_of(DEBIAN), lab)
    assert finding.level is Level.FAILED
    assert "sibling 1 on the same core" in finding.summary
