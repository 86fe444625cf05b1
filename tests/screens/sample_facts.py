"""The facts of one server of the story; a few of them unknown."""

from kubert_tui.cpus.topology import Cpu
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import (
    Cyclictest,
    DiskSpace,
    Distribution,
    Facts,
    Firmware,
    Kernel,
    Memory,
    MemoryAccess,
    NetworkCard,
    NumaNode,
    Processors,
    RealtimeEvidence,
    Scheduling,
    Tools,
)


def facts(host: str) -> Facts:
    """Facts of one server; a few of them unknown."""
    return Facts(
        host=host,
        hostname=Known(host),
        machine_id=Known("0123456789abcdef"),
        user=Known("lab"),
        privileged=Known(value=True),
        operator=Known(None),
        distribution=Known(
            Distribution("fedora", "41", "Fedora Linux 41 (Server Edition)", "fedora", "dnf")
        ),
        kernel=Kernel(
            release=Known("6.11.4-301.fc41.x86_64"),
            version=Known("#1 SMP PREEMPT_DYNAMIC"),
            machine=Known("x86_64"),
            uname=Known("Linux"),
            realtime=RealtimeEvidence(Known(value=False), Known(value=False), Unknown("no config")),
            boot_id=Known("b"),
            command_line=Known("BOOT_IMAGE=/vmlinuz-6.11.4 root=/dev/mapper/fedora-root ro quiet"),
            default_entry=Known("0"),
            default_release=Known("6.11.4-301.fc41.x86_64"),
            next_entry=Known(""),
            one_shot=Known(""),
            trial=Known(None),
            rejected=Known(""),
            installed=Known(("6.11.4-301.fc41.x86_64",)),
            installed_realtime=Known(()),
            secure_boot=Known(value=False),
        ),
        firmware=Firmware(
            Known("HPE"), Known("ProLiant DL380 Gen10"), Known("U30 v2.42"), Known("2021")
        ),
        processors=Processors(
            model=Known("Intel(R) Xeon(R) Gold 6242R CPU @ 3.10GHz"),
            online=Known(tuple(range(80))),
            offline=Known(()),
            topology=Known(tuple(Cpu(n, n % 40, n % 40 // 20, n % 40 // 20) for n in range(80))),
            sockets=Known(2),
            cores=Known(40),
            smt_active=Known(value=True),
            smt_control=Known("on"),
            numa=Known((NumaNode(0, (0, 1)), NumaNode(1, (2, 3)))),
            isolated=Known(()),
            nohz_full=Known(()),
            governor=Known(("performance",)),
            idle_states=Known(("POLL", "C1", "C1E", "C6")),
            microcode=Known("0x5003103"),
        ),
        memory=Memory(
            total=Known(64 * 1024**3),
            available=Known(60 * 1024**3),
            hugepages=Known({"hugepages-1048576kB": 0, "hugepages-2048kB": 16}),
            transparent_hugepages=Known("madvise"),
            ksm=Unknown("permission denied"),
            swap_total=Known(0),
        ),
        scheduling=Scheduling(
            rt_period_us=Known(1_000_000),
            rt_runtime_us=Known(950_000),
            rt_group_sched=Known(value=False),
            timer_migration=Known(1),
            irqbalance=Known("active"),
            irqbalance_enabled=Known("enabled"),
            tuned_profile=Known("balanced"),
            init=Known("systemd"),
        ),
        memory_access=MemoryAccess(scope=Known(0), capable=Known(value=True)),
        kvm=Known("usable"),
        virtualization=Known("none"),
        network=Known(
            (NetworkCard("ens10f0np0", "bnxt_en", 10_000, ("192.168.11.11/24",), "aa:bb"),)
        ),
        disks=Known((DiskSpace("/", 900 * 1024**3, 600 * 1024**3),)),
        clock_offset=Known(0.012),
        clock_uncertainty=Known(0.002),
        pending_updates=Known(37),
        tools=Tools(
            cyclictest=Known((Cyclictest("/usr/bin/cyclictest", "2.8"),)),
            python=Known("/usr/bin/python3"),
            libvirt=Known(""),
            qemu=Known(""),
            vagrant=Known(""),
            ansible=Known(""),
        ),
    )
