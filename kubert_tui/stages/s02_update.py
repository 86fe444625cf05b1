"""Stage 2: the system brought up to date."""

from kubert_tui.checks import host, packages
from kubert_tui.lab.model import Permission
from kubert_tui.stages.model import Guide, Stage
from kubert_tui.stages.playbook_change import PlaybookChange

STAGE = Stage(
    id="update",
    title="Update the system",
    guide=Guide(
        what="Brings every installed package to its newest version, from fresh package lists.",
        why="A real-time kernel and its tools expect the libraries and the firmware packages of "
        "the same day; and what is measured later should not change under an update that was "
        "due anyway.",
        readme="sudo yum update",
        ours="Fedora family: dnf -y upgrade --refresh\n"
        "Debian family: apt-get update && apt-get -y dist-upgrade, keeping configuration files "
        "that somebody changed",
        differs="The literal command asks before it starts (it has no -y) and knows yum only. "
        "Ours asks nothing while it runs, waits for a package manager that is busy, and does the "
        "same on both families.",
    ),
    checks=(packages.UPDATED, host.DISTRIBUTION, host.DISK, host.PRIVILEGED),
    goals=frozenset({packages.UPDATED.id}),
    change=PlaybookChange("update.yml", frozenset({Permission.PACKAGES})),
)
