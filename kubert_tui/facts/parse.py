"""From the probe's sections to the facts of a host."""

from kubert_tui.facts import (
    parse_kernel,
    parse_libvirt,
    parse_memory,
    parse_network,
    parse_networking,
    parse_processors,
    parse_scheduling,
    parse_system,
    parse_tools,
    parse_tracing,
    parse_virtualization,
)
from kubert_tui.facts.model import Facts
from kubert_tui.facts.sections import Sections


def parse(host: str, sections: Sections, sent: float, received: float) -> Facts:
    """Return the facts in `sections`; `sent` and `received` are our clock around the probe."""
    offset, uncertainty = parse_system.clock(sections, sent, received)
    return Facts(
        host=host,
        hostname=parse_system.hostname(sections),
        machine_id=parse_system.machine_id(sections),
        user=parse_system.user(sections),
        privileged=parse_system.privileged(sections),
        operator=parse_system.operator(sections),
        distribution=parse_system.distribution(sections),
        kernel=parse_kernel.kernel(sections),
        firmware=parse_system.firmware(sections),
        processors=parse_processors.processors(sections),
        memory=parse_memory.memory(sections),
        scheduling=parse_scheduling.scheduling(sections),
        memory_access=parse_scheduling.memory_access(sections),
        kvm=parse_virtualization.kvm(sections),
        virtualization=parse_virtualization.virtualization(sections),
        network=parse_network.cards(sections),
        disks=parse_network.disks(sections),
        clock_offset=offset,
        clock_uncertainty=uncertainty,
        pending_updates=parse_tools.pending_updates(sections),
        tools=parse_tools.tools(sections),
        tracing=parse_tracing.tracing(sections),
        networking=parse_networking.networking(sections),
        libvirt_service=parse_libvirt.service(sections),
        kvm_boot=parse_libvirt.kvm_boot(sections),
    )
