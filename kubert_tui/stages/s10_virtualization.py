"""Stage 10: libvirt and QEMU, and KVM proved by booting a guest."""

from collections.abc import Mapping

from kubert_tui.checks import host, scheduling, virtualization
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.machines.kvm_proof import prove_kvm
from kubert_tui.stages.model import Guide, Stage, Work
from kubert_tui.stages.playbook_change import PlaybookChange


def not_for(_: Facts, lab: Lab) -> str:
    """Return why no host needs this; `` when the lab names machines."""
    if lab.guests:
        return ""
    return NO_MACHINES


def observe(work: Work, facts: Facts) -> Facts:
    """Boot a guest on KVM there, unless that was done in this boot of the host."""
    # Not beside somebody else's work, which may be a measurement: nobody has locked the host yet.
    if work.dry_run or not work.lab.guests or facts.operator != Known(None):
        return facts
    return prove_kvm(work.host(facts.host), facts, work.lab.plan_of(facts.host), work.cancel)


def variables(lab: Lab, facts: Facts) -> Mapping[str, object]:
    """Return who has to be let in (the login, unless it is root), and whether Vagrant is wanted."""
    wanted: dict[str, object] = {"kubert_vagrant": True} if lab.image.source == "vagrant" else {}
    user = facts.user
    if isinstance(user, Known) and user.value != "root":
        wanted["kubert_libvirt_user"] = user.value
    return wanted


STAGE = Stage(
    id="virtualization",
    title="Virtualization",
    guide=Guide(
        what="Installs QEMU and libvirt on every host, has libvirt's daemon start now and at each "
        "boot, and lets the login use it. Then a guest is booted: the host's own kernel, on KVM, "
        "without disk or network, for half a minute at most, at the lowest priority and on the "
        "housekeeping CPUs of the plan.\n\n"
        "Where no guest boots on KVM, the stage says so and goes on: the lab's machines run "
        "under software emulation then, which is good for practice. Latencies measured in them "
        "mean nothing.",
        why="libvirt defines and runs the machines of the cluster. That /dev/kvm answers proves "
        "little: a host that is itself a virtual machine may have one on which no kernel comes "
        "up.",
        readme="sudo dnf group install --with-optional virtualization\n"
        "sudo dnf install python3 vagrant ansible",
        ours="Fedora family: dnf -y group install --with-optional virtualization, where there is "
        "such a group; dnf -y install libvirt-daemon-kvm libvirt-client qemu-img virt-install "
        "dnsmasq; the sockets of virtqemud, virtnetworkd and virtstoraged, or libvirtd where "
        "that is used\n"
        "Debian family: apt-get install qemu-system-x86 qemu-utils libvirt-daemon-system "
        "libvirt-clients dnsmasq-base netcat-openbsd; libvirtd\n"
        "usermod -aG libvirt LOGIN, unless the login is root\n"
        "qemu-system-x86_64 -accel kvm -kernel /boot/vmlinuz-$(uname -r) ...",
        differs="The literal commands ask before they start (no -y) and know dnf only. vagrant "
        "and ansible are not needed on the hosts: Ansible runs here, and the machines are made "
        "through libvirt. A lab whose image is a Vagrant box gets vagrant and vagrant-libvirt, too "
        "(the playbook's `kubert_vagrant`). Nothing in the README starts libvirt or lets a login "
        "in.",
    ),
    checks=(
        virtualization.INSTALLED,
        virtualization.RUNNING,
        virtualization.USABLE,
        virtualization.BOOTS,
        scheduling.RT_GROUP,
        host.DISTRIBUTION,
        host.DISK,
    ),
    goals=frozenset(
        {
            virtualization.INSTALLED.id,
            virtualization.RUNNING.id,
            virtualization.USABLE.id,
        }
    ),
    change=PlaybookChange(
        "virtualization.yml",
        frozenset({Permission.PACKAGES, Permission.SERVICES}),
        variables=variables,
    ),
    not_for=not_for,
    not_for_first=True,
    for_machines=True,
    observe=observe,
)
