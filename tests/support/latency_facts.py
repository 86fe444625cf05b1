"""Facts of a host that can measure; everything else is unknown."""

from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import (
    Cyclictest,
    Facts,
    Firmware,
    Kernel,
    Memory,
    MemoryAccess,
    Processors,
    RealtimeEvidence,
    Scheduling,
    Tools,
)

NOT = Unknown("not looked at")


def facts_of(
    *, online: tuple[int, ...], path: str = "/usr/bin/cyclictest", version: str = "2.4"
) -> Facts:
    """Return facts of a host with these CPUs and one cyclictest."""
    return Facts(
        host="one",
        hostname=NOT,
        machine_id=NOT,
        user=NOT,
        privileged=Known(True),
        operator=NOT,
        distribution=NOT,
        kernel=Kernel(
            release=Known("6.1.0-rt"),
            version=NOT,
            machine=Known("x86_64"),
            uname=NOT,
            realtime=RealtimeEvidence(Known(True), Known(False), NOT),
            boot_id=Known("11111111-2222-3333-4444-555555555555"),
            command_line=Known("isolcpus=2-3"),
            default_entry=NOT,
            default_release=NOT,
            next_entry=NOT,
            one_shot=NOT,
            trial=NOT,
            rejected=NOT,
            installed=NOT,
            installed_realtime=NOT,
            secure_boot=NOT,
        ),
        firmware=Firmware(NOT, NOT, NOT, NOT),
        processors=Processors(
            model=Known("a CPU"),
            online=Known(online),
            offline=Known(()),
            topology=NOT,
            sockets=NOT,
            cores=NOT,
            smt_active=Known(False),
            smt_control=NOT,
            numa=NOT,
            isolated=Known((2, 3)),
            nohz_full=NOT,
            governor=Known(("performance",)),
            idle_states=Known(()),
            microcode=Known("0x1"),
        ),
        memory=Memory(NOT, NOT, NOT, NOT, NOT, NOT),
        scheduling=Scheduling(NOT, Known(-1), NOT, NOT, NOT, NOT, NOT, Known("systemd")),
        memory_access=MemoryAccess(Known(0), Known(True)),
        kvm=NOT,
        virtualization=Known("none"),
        network=NOT,
        disks=NOT,
        clock_offset=NOT,
        clock_uncertainty=NOT,
        pending_updates=NOT,
        tools=Tools(Known((Cyclictest(path, version),)), NOT, NOT, NOT, NOT, NOT),
    )
