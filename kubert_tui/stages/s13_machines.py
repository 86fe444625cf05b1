"""Stage 13: the lab's virtual machines, made what the lab file says they are."""

from kubert_tui.checks import machines
from kubert_tui.checks.machines import machines_on
from kubert_tui.facts.model import Facts
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import Lab
from kubert_tui.stages.machines_change import MachinesChange
from kubert_tui.stages.machines_observe import observe
from kubert_tui.stages.model import Guide, Stage


def not_for(facts: Facts, lab: Lab) -> str:
    """Return why a host has nothing to do here; `` when it runs machines of the lab."""
    if not lab.guests:
        return NO_MACHINES
    if not machines_on(lab, facts.host):
        return f"no machine of the lab is to run on {facts.host}"
    return ""


STAGE = Stage(
    id="machines",
    title="Virtual machines",
    guide=Guide(
        what="Makes the virtual machines of the lab file (`machines:`) on their hosts: a disk that "
        "is a copy-on-write copy of the image, a seed with name, address and keys, a network, and "
        "a definition made for real time from the CPU plan. Then it starts them, shows what their "
        "consoles say, and waits until each answers by ssh.\n\n"
        "Machines that are there are compared with the lab file. What can change while they run "
        "is changed at once; what takes a restart is shown, and a machine is restarted only "
        "where the lab allows `reboot` and you agree.",
        why="An ordinary virtual machine has no deadlines: its CPUs are wherever the host's "
        "scheduler puts them, its memory can be taken away, its timers are emulated. Each element "
        "of this definition takes one of those causes away; the hypervisor may refuse one, and "
        "then you read which, why, and what it costs.",
        readme="(the README ends before them; its upstream, k8s-kvm: vagrant up)",
        ours="libvirt's own interface, over ssh to each host: volumes in the pool kubert-tui, the "
        "network kubert-LAB, one domain LAB-NAME for each machine; all hosts at once. "
        "`kubert-tui machines list` shows them later.",
        differs="Vagrant's machines are neither pinned nor scheduled for real time, have passwords "
        "and keys that everybody knows, and are all on one host. `vagrant up` does not notice that "
        "a machine differs from its file.",
    ),
    checks=machines.ALL,
    goals=frozenset(one.id for one in machines.GOALS),
    cross_checks=(machines.NETWORK,),
    change=MachinesChange(),
    not_for=not_for,
    not_for_first=True,
    for_machines=True,
    observe=observe,
)
