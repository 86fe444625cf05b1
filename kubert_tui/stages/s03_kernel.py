"""Stage 3: a PREEMPT_RT kernel installed and booted by default."""

from collections.abc import Mapping

from kubert_tui.checks import host, kernel
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.presets import kernel_packages
from kubert_tui.stages.model import Guide, Stage
from kubert_tui.stages.playbook_change import PlaybookChange

_CCRMA = "http://ccrma.stanford.edu/planetccrma/mirror/fedora/linux/planetcore/33/x86_64"
_BUILD = "5.10.2-200.rt20.1.fc33.ccrma.x86_64"

README = f"""\
sudo rpm -ivh \\
{_CCRMA}/kernel-rt-core-{_BUILD}.rpm \\
{_CCRMA}/kernel-rt-modules-{_BUILD}.rpm \\
{_CCRMA}/kernel-rt-modules-extra-{_BUILD}.rpm \\
{_CCRMA}/kernel-rt-{_BUILD}.rpm
sudo grubby --set-default /boot/vmlinuz-{_BUILD}+rt"""


def variables(lab: Lab, _facts: Facts) -> Mapping[str, object]:
    """Return what kernel.yml needs: the packages by address, if the lab names any."""
    wanted = kernel_packages(lab.kernel)
    if not wanted:
        return {}
    return {
        "kubert_kernel_packages": [{"url": one.url, "sha256": one.sha256} for one in wanted],
    }


STAGE = Stage(
    id="kernel",
    title="PREEMPT_RT kernel",
    guide=Guide(
        what="Installs a PREEMPT_RT kernel beside those that are there and makes it the one that "
        "boots by default. It runs after the restart of the next stage.\n\n"
        "The kernel is the distribution's own, or the packages that the lab file names by "
        "address and sha256 (the README's four are the preset ccrma-5.10-fc33; their publisher "
        "gave no checksums, so compute and compare them first).",
        why="Only a kernel with PREEMPT_RT can interrupt nearly everything it does for a thread "
        "of higher priority. On any other, a cyclictest verdict means nothing.",
        readme=README,
        ours="Distribution: dnf install kernel-rt, apt-get install linux-image-rt-amd64, or "
        "linux-realtime on Ubuntu\n"
        "By address: download, verify sha256, dnf install with dependencies\n"
        "Then the newest PREEMPT_RT /boot/vmlinuz-* that is found becomes the default: grubby "
        "--set-default PATH, or GRUB_DEFAULT=saved and grub-set-default 'SUBMENU>ENTRY'",
        differs="The literal packages come over plain http, signed by a key that no host knows, "
        "and rpm -ivh resolves no dependencies: ours are verified first and installed by dnf. The "
        "literal path fits one kernel build: ours is discovered. DEFAULTKERNEL=kernel-rt-core is "
        "set too, because a stock kernel update would take the default back.",
    ),
    checks=(
        kernel.REALTIME_INSTALLED,
        kernel.REALTIME_DEFAULT,
        kernel.REALTIME_RUNNING,
        kernel.SECURE_BOOT,
        host.DISTRIBUTION,
        host.DISK,
    ),
    goals=frozenset({kernel.REALTIME_INSTALLED.id, kernel.REALTIME_DEFAULT.id}),
    change=PlaybookChange(
        "kernel.yml",
        frozenset({Permission.KERNEL}),
        confirm="The kernel that these hosts boot by default changes. If it does not boot, "
        "somebody has to choose the old one in GRUB at the console.",
        variables=variables,
    ),
)
