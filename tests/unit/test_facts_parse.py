"""The facts of hosts we know, from what their probes print."""

from dataclasses import replace

import pytest

from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import (
    Cyclictest,
    DiskSpace,
    Facts,
    MemoryAccess,
    NetworkCard,
    NumaNode,
    RealtimeEvidence,
)
from kubert_tui.facts.virtual import Libvirt
from tests.support.fact_samples import DEBIAN, HPE, changed, facts_of, section

RELEASE = "5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt"
YES, NO = Known(value=True), Known(value=False)


@pytest.fixture(scope="module")
def hpe() -> Facts:
    return facts_of(HPE)


@pytest.fixture(scope="module")
def debian() -> Facts:
    return facts_of(DEBIAN, host="beta")


def test_no_fact_of_the_finished_hpe_host_is_unknown(hpe: Facts) -> None:
    # What libvirt says of a lab, and a cluster of its nodes, the probe does not ask.
    asked = replace(hpe, libvirt=Known(Libvirt()))
    assert repr(asked).count("Unknown") == 1
    assert asked.cluster == Unknown("not looked at")


def test_identity_of_the_hpe_host(hpe: Facts) -> None:
    assert (hpe.host, hpe.hostname, hpe.user) == ("alpha", Known("alpha"), Known("operator"))
    assert hpe.privileged == YES
    assert hpe.machine_id == Known("0123456789abcdef0123456789abcdef")
    assert isinstance(hpe.distribution, Known)
    distribution = hpe.distribution.value
    assert (distribution.id, distribution.version) == ("fedora", "33")
    assert distribution.pretty_name == "Fedora 33 (Server Edition)"
    assert (distribution.family, distribution.package_manager) == ("fedora", "dnf")
    assert hpe.firmware.vendor == Known("HPE")
    assert hpe.firmware.product == Known("ProLiant DL380 Gen10")
    assert hpe.virtualization == Known("none")
    assert hpe.kvm == Known("usable")


def test_clock_of_the_hpe_host_does_not_count_the_work_in_between(hpe: Facts) -> None:
    assert isinstance(hpe.clock_offset, Known)
    assert isinstance(hpe.clock_uncertainty, Known)
    assert hpe.clock_offset.value == pytest.approx(0.25, abs=1e-6)
    assert hpe.clock_uncertainty.value == pytest.approx(0.5, abs=1e-6)


def test_kernel_of_the_hpe_host(hpe: Facts) -> None:
    kernel = hpe.kernel
    assert kernel.release == Known(RELEASE)
    assert kernel.realtime == RealtimeEvidence(YES, YES, YES)
    assert kernel.default_entry == Known(f"/boot/vmlinuz-{RELEASE}")
    assert kernel.default_release == Known(RELEASE)
    assert kernel.installed == Known(("5.8.15-301.fc33.x86_64", RELEASE))
    assert kernel.installed_realtime == Known((RELEASE,))
    assert kernel.secure_boot == NO


def test_processors_of_the_hpe_host(hpe: Facts) -> None:
    cpus = hpe.processors
    assert cpus.model == Known("Intel(R) Xeon(R) Gold 6242R CPU @ 3.10GHz")
    assert cpus.online == Known(tuple(range(40)))
    assert (cpus.sockets, cpus.cores) == (Known(2), Known(40))
    assert (cpus.smt_active, cpus.smt_control) == (NO, Known("notsupported"))
    assert cpus.numa == Known((NumaNode(0, tuple(range(20))), NumaNode(1, tuple(range(20, 40)))))
    assert cpus.isolated == cpus.nohz_full == Known(tuple(range(2, 40)))
    assert cpus.governor == Known(("performance",))
    assert cpus.idle_states == Known(("POLL", "C1")), "C6 is disabled"
    assert cpus.microcode == Known("0x5002f01")


def test_memory_and_scheduling_of_the_hpe_host(hpe: Facts) -> None:
    assert hpe.memory.total == Known(65_536_000 * 1024)
    assert hpe.memory.hugepages == Known({"hugepages-1048576kB": 16, "hugepages-2048kB": 0})
    assert hpe.memory.transparent_hugepages == Known("never"), "not built into an RT kernel"
    assert hpe.memory.swap_total == Known(0)
    assert hpe.scheduling.rt_runtime_us == Known(-1)
    assert hpe.scheduling.rt_group_sched == NO
    assert hpe.scheduling.irqbalance == Known("inactive")
    assert hpe.scheduling.irqbalance_enabled == Known("disabled")
    assert hpe.scheduling.tuned_profile == Known("realtime-virtual-host")
    assert hpe.scheduling.init == Known("systemd")


def test_whether_memory_may_be_read(hpe: Facts) -> None:
    assert hpe.memory_access == MemoryAccess(Known(0), YES), "there is no Yama"
    for capabilities, capable in (("CapEff:\t0000000000080000\n", YES), ("CapEff:\t0\n", NO)):
        told = facts_of(changed(HPE, ptrace_scope="2\n", capabilities=capabilities))
        assert told.memory_access == MemoryAccess(Known(2), capable)
    strange = facts_of(changed(HPE, ptrace_scope="x\n", capabilities="CapEff: -1\n")).memory_access
    assert isinstance(strange.scope, Unknown)
    assert isinstance(strange.capable, Unknown)


def test_network_disks_and_tools_of_the_hpe_host(hpe: Facts) -> None:
    assert isinstance(hpe.network, Known)
    names = [card.name for card in hpe.network.value]
    assert names == ["eno1np0", "eno2np1", "virbr0"], "loopback is left out"
    assert hpe.network.value[0] == NetworkCard(
        "eno1np0",
        "bnxt_en",
        10000,
        ("192.168.11.11", "fe80::5eed:8cff:fe00:1"),
        "5c:ed:8c:00:00:01",
        0,
    )
    assert hpe.network.value[1].speed_mbit is None
    assert hpe.disks == Known(
        (
            DiskSpace("/", 52403200 * 1024, 48403200 * 1024),
            DiskSpace("/boot", 1038336 * 1024, 738336 * 1024),
        )
    )
    assert hpe.tools.cyclictest == Known((Cyclictest("/usr/local/bin/cyclictest", "1.0"),))
    assert hpe.tools.qemu == Known("QEMU emulator version 5.1.0 (qemu-5.1.0-5.fc33)")
    assert hpe.tools.vagrant == Known("/usr/bin/vagrant")
    assert hpe.tools.ansible == Known("")
    assert hpe.tools.stress_ng == Known("")
    assert hpe.tools.hackbench == Known("/usr/local/bin/hackbench")
    assert hpe.pending_updates == Known(0)


def test_a_stock_debian_host(debian: Facts) -> None:
    assert debian.kernel.realtime == RealtimeEvidence(NO, NO, NO)
    assert debian.kernel.default_entry == Known("gnulinux-simple-5e1f")
    assert debian.kernel.default_release == Known("6.1.0-49-amd64")
    assert debian.kernel.installed_realtime == Known(())
    assert debian.kernel.secure_boot == YES
    assert (debian.processors.sockets, debian.processors.cores) == (Known(2), Known(16))
    assert debian.processors.smt_active == YES
    assert debian.processors.isolated == debian.processors.nohz_full == Known(())
    assert debian.processors.governor == Known(("powersave", "schedutil"))
    assert debian.processors.idle_states == Known(("POLL", "C1E", "C6"))
    assert debian.memory.transparent_hugepages == Known("madvise")
    assert debian.scheduling.irqbalance == Known("active")
    assert debian.scheduling.irqbalance_enabled == Known("enabled")
    assert debian.scheduling.tuned_profile == Known("")
    assert debian.tools.cyclictest == Known(())
    assert debian.tools.libvirt == Known("")
    assert debian.pending_updates == Known(2)


def test_a_host_where_nothing_can_be_read_says_why_for_every_fact() -> None:
    denied = {name: section(name, "", "denied", f"/some/{name}") for name in HPE}
    facts = facts_of(denied)
    assert facts.kernel.boot_id == Unknown("permission denied reading /some/boot-id")
    assert facts.processors.online == Unknown("permission denied reading /some/cpu-online")
    assert facts.tools.python == Unknown("permission denied reading /some/python")
    # Nothing is called false, absent or zero merely because it could not be read.
    assert "Known" not in repr(facts).replace("Unknown", "")


def test_a_probe_that_printed_nothing_leaves_all_unknown() -> None:
    facts = facts_of({})
    assert facts.hostname == Unknown("the probe did not get that far")
    assert "Known" not in repr(facts).replace("Unknown", "")


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        ("", "missing", "command not found: uname"),
        ("", "124", "uname -n did not end in time"),
        ("boom\n", "1", "uname -n failed with status 1: boom"),
        ("", "0", "uname -n is empty"),
        ("a\0b", "0", "uname -n is not text"),
        ("x" * 300_000, "0", "uname -n is longer than we read"),
    ],
    ids=["missing", "late", "failed", "empty", "binary", "long"],
)
def test_the_reason_says_what_went_wrong(content: str, status: str, reason: str) -> None:
    sample = HPE | {"hostname": section("hostname", content, status, "uname -n")}
    assert facts_of(sample).hostname == Unknown(reason)


def test_what_a_kernel_lacks_by_design_is_known() -> None:
    names = ("sys-realtime", "smt-active", "smt-control", "cpu-isolated", "cpu-nohz-full", "ksm")
    facts = facts_of(DEBIAN | {name: section(name, "", "absent") for name in names})
    assert facts.kernel.realtime.sys_kernel_realtime == NO
    assert facts.processors.smt_active == YES, "32 CPUs on 16 cores"
    assert facts.processors.smt_control == Known("notimplemented")
    assert facts.processors.isolated == facts.processors.nohz_full == Known(())
    assert facts.memory.ksm == Known(0)
    empty = facts_of(changed(DEBIAN, governors="", idle_states="", hugepages="", numa=""))
    assert empty.processors.governor == empty.processors.idle_states == Known(())
    assert empty.memory.hugepages == Known({})
    assert empty.processors.numa == Known(())


@pytest.mark.parametrize(
    ("said", "processes", "running", "at_boot"),
    [
        ("program \nenabled not-found\nactive inactive\n", "", "absent", "absent"),
        (
            "program \nenabled Failed to get unit file state\nactive Failed to connect to bus\n",
            "",
            "absent",
            "absent",
        ),
        ("program /usr/sbin/irqbalance\n", "", "inactive", "absent"),
        (
            "program /usr/sbin/irqbalance\nscript /etc/init.d/irqbalance\n",
            "",
            "inactive",
            "disabled",
        ),
        ("program /x\nlink /etc/rc3.d/S01irqbalance\n", "irqbalance\n", "active", "enabled"),
        ("program /x\nenabled masked\nactive inactive\n", "", "inactive", "masked"),
        ("program /x\nenabled disabled\nactive active\n", "", "active", "disabled"),
        ("program /x\nenabled disabled\nactive inactive\n", "irqbalance\n", "active", "disabled"),
    ],
)
def test_irqbalance_by_process_and_by_unit(
    said: str, processes: str, running: str, at_boot: str
) -> None:
    scheduling = facts_of(changed(HPE, irqbalance=said, processes=processes)).scheduling
    assert scheduling.irqbalance == Known(running)
    assert scheduling.irqbalance_enabled == Known(at_boot)


def test_tuned_holds_no_profile_when_it_does_not_run() -> None:
    assert facts_of(changed(HPE, processes="")).scheduling.tuned_profile == Known("")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("no efi\n", NO),
        ("variable  6 0 0 0 1\n", YES),
        ("SecureBoot enabled\n", YES),
        ("SecureBoot disabled\nPlatform is in Setup Mode\n", NO),
        ("EFI variables are not supported on this system\n", NO),
    ],
)
def test_secure_boot(said: str, expected: Known[bool]) -> None:
    assert facts_of(changed(HPE, secure_boot=said)).kernel.secure_boot == expected


def test_an_odd_secure_boot_answer_is_unknown() -> None:
    fact = facts_of(changed(HPE, secure_boot="variable 6 0\n")).kernel.secure_boot
    assert fact == Unknown("Secure Boot state not understood: variable 6 0")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kvm": "module kvm\ndevice refused\n"}, "may not be opened"),
        ({"kvm": "module kvm\nmodule kvm_intel\ndevice absent\n"}, "although its module is loaded"),
        ({"kvm": "device absent\n"}, "the kvm module is not loaded"),
        ({"kvm": "device absent\n", "processor": "flags : fpu vme\n"}, "no vmx or svm"),
    ],
)
def test_why_kvm_is_not_usable(changes: dict[str, str | bytes], expected: str) -> None:
    fact = facts_of(changed(HPE, **changes)).kvm
    assert isinstance(fact, Known)
    assert expected in fact.value


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "none"),
        ({"containers": "docker\n"}, "docker"),
        ({"dmi_product": "Standard PC (Q35 + ICH9, 2009)\n", "dmi_vendor": "QEMU\n"}, "qemu"),
        ({"processor": "flags : fpu hypervisor\n"}, "vm"),
    ],
)
def test_virtualization_without_systemd(changes: dict[str, str | bytes], expected: str) -> None:
    sample = HPE | {"detect-virt": section("detect-virt", "", "missing")}
    assert facts_of(changed(sample, **changes)).virtualization == Known(expected)


def test_systemd_names_the_virtualization() -> None:
    assert facts_of(changed(HPE, detect_virt="kvm\n")).virtualization == Known("kvm")


def test_kernels_without_a_configuration_are_judged_by_name() -> None:
    kernels = (
        "6.1.0-49-rt-amd64 unknown\n5.15.0-1032-realtime unknown\n6.1.0-49-amd64 unknown\n"
        "4.19.0-sport unknown\n6.6.0-rt15 no\n"
    )
    kernel = facts_of(changed(HPE, kernels=kernels)).kernel
    assert kernel.installed_realtime == Known(("6.1.0-49-rt-amd64", "5.15.0-1032-realtime"))


def test_a_date_without_nanoseconds_widens_the_uncertainty() -> None:
    sample = changed(HPE, clock_begin="1795000000.%N\n", clock_end="1795000001\n")
    facts = facts_of(sample)
    assert isinstance(facts.clock_offset, Known)
    assert isinstance(facts.clock_uncertainty, Known)
    assert facts.clock_offset.value == pytest.approx(0.0, abs=1e-6)
    assert facts.clock_uncertainty.value == pytest.approx(1.0, abs=1e-6)


def test_a_clock_that_jumps_is_unknown() -> None:
    facts = facts_of(changed(HPE, clock_end="1794999000.0\n"))
    assert facts.clock_offset == Unknown("a clock was set while it was read")


def test_a_kernel_whose_installation_broke_off_cannot_boot() -> None:
    kernels = "6.1.0-9-rt-amd64 incomplete\n6.1.0-8-rt-amd64 yes\n"
    kernel = facts_of(changed(HPE, kernels=kernels)).kernel
    assert kernel.installed == Known(("6.1.0-9-rt-amd64", "6.1.0-8-rt-amd64"))
    assert kernel.installed_realtime == Known(("6.1.0-8-rt-amd64",))
