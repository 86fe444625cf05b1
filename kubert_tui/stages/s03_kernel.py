"""Stage 3: a PREEMPT_RT kernel installed, tried once, and booted by default."""

from collections.abc import Mapping

from kubert_tui.checks import host, kernel, trial
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.presets import kernel_packages
from kubert_tui.stages.model import Guide, Stage
from kubert_tui.stages.playbook_change import PlaybookChange
from kubert_tui.stages.trial_change import TrialChange

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
    """Return what kernel.yml needs: how long a trial lasts, and the packages the lab names."""
    wanted = kernel_packages(lab.kernel)
    packages = [{"url": one.url, "sha256": one.sha256} for one in wanted]
    return {
        "kubert_trial_seconds": lab.kernel.trial_seconds,
        **({"kubert_kernel_packages": packages} if packages else {}),
    }


def not_for(facts: Facts, _: Lab) -> str:
    """Return why a host cannot have a kernel of its own; `` when it can."""
    if kind := container_kind(facts):
        return f"a container ({kind}) has the kernel of the machine that runs it"
    return ""


STAGE = Stage(
    id="kernel",
    title="PREEMPT_RT kernel",
    guide=Guide(
        what="Installs a PREEMPT_RT kernel beside those that are there, restarts each host into it "
        "once, and makes it the one that boots by default only when it has proved itself: the "
        "host is back as a new boot, and that very kernel runs and is PREEMPT_RT.\n\n"
        "Until then the kernel that runs now stays the default. If the new one panics, the host "
        "restarts by itself after 30 seconds; if it boots and nobody can reach it (no network, no "
        "sshd), after 10 minutes (`kernel: trial:` in the lab file). Either way it comes back on "
        "the old kernel, and this stage says what happened and shows what that boot left.\n\n"
        "The kernel is the distribution's own, or the packages that the lab file names by "
        "address and sha256 (the README's four are the preset ccrma-5.10-fc33; their publisher "
        "gave no checksums, so compute and compare them first).",
        why="Only a kernel with PREEMPT_RT can interrupt nearly everything it does for a thread "
        "of higher priority. On any other, a cyclictest verdict means nothing. And a server in "
        "another building whose new default kernel does not boot is a server nobody can reach.",
        readme=README,
        ours="Distribution: dnf install kernel-rt, apt-get install linux-image-rt-amd64, or "
        "linux-realtime on Ubuntu\n"
        "By address: download, verify sha256, dnf install with dependencies\n"
        "Before that the running kernel is set as the default (grubby --set-default, or "
        "GRUB_DEFAULT=saved and grub-set-default); after it, the newest PREEMPT_RT "
        "/boot/vmlinuz-* is armed for one boot: next_entry in GRUB's environment block, panic=30, "
        "and a systemd unit that restarts the host unless it is stopped in time\n"
        "systemctl reboot; wait for another boot id; uname -r and PREEMPT_RT compared\n"
        "Only then: grubby --set-default PATH, or grub-set-default 'SUBMENU>ENTRY'",
        differs="The literal packages come over plain http, signed by a key that no host knows, "
        "and rpm -ivh resolves no dependencies: ours are verified first and installed by dnf. The "
        "literal path fits one kernel build: ours is discovered. The literal default is set before "
        "the kernel ever booted: ours afterwards, and nobody has to stand at the console. "
        "DEFAULTKERNEL=kernel-rt-core is set too, because a stock kernel update would take the "
        "default back.",
    ),
    checks=(
        kernel.REALTIME_INSTALLED,
        kernel.REALTIME_RUNNING,
        kernel.REALTIME_DEFAULT,
        trial.TRIAL,
        trial.ONE_SHOT,
        kernel.SECURE_BOOT,
        host.DISTRIBUTION,
        host.DISK,
    ),
    goals=frozenset(
        {
            kernel.REALTIME_INSTALLED.id,
            kernel.REALTIME_RUNNING.id,
            kernel.REALTIME_DEFAULT.id,
            trial.TRIAL.id,
        }
    ),
    not_for=not_for,
    change=TrialChange(
        confirm="These hosts restart once, into the new kernel: whatever runs on them ends. The "
        "kernel that runs now stays the default until the new one has proved itself; if it does "
        "not, the hosts come back by themselves on the old one.",
        install=PlaybookChange("kernel.yml", frozenset({Permission.KERNEL}), variables=variables),
    ),
)
