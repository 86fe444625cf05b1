"""A root directory that dnf, rpm and our playbooks take for Fedora, built from Debian's packages.

What is real: dnf, rpm and the packages built by rpmbuild (their names, dependencies, scriptlets and
signatures), systemd and its kernel-install, GRUB's environment block and the tools that write it.
What stands in: grubby and the plugin that writes boot entries (files/grubby.py,
files/boot-entry.sh); in a container also grub2-probe, and the kernels are empty: it cannot boot
one. A virtual machine boots Debian's kernels, by Debian's GRUB, whose menu is made of the boot
entries (files/virtual).
"""

import hashlib
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
SUITE = "bookworm"
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "sudo", "python3", "iproute2",
    "ca-certificates", "procps", "kmod", "irqbalance", "rt-tests", "dnf", "python3-dnf", "rpm",
    "gnupg", "createrepo-c", "grub-common", "grub2-common",
)  # fmt: skip

OLD = platform.release()
"""The kernel that such a host boots at first: a container runs that of its machine."""
UPDATED = "5.9.16-200.fc33.x86_64"
"""A newer stock kernel, in the enabled repository of updates."""
LATER = "5.11.7-200.fc33.x86_64"
"""One newer than the PREEMPT_RT kernel, in the repository `later`, which is disabled."""
REALTIME = "5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt"
"""The README's kernel, in the repository `rt`, which is disabled."""

_KERNELS = {
    f"fedora,5.8.15,301.fc33,,{OLD}": False,
    f"updates,5.9.16,200.fc33,,{UPDATED}": False,
    f"later,5.11.7,200.fc33,,{LATER}": False,
    f"rt,5.10.2,200.rt20.1.fc33.ccrma,-rt,{REALTIME}": True,
    # PREEMPT_RT under the name of the kernel that runs: what a trial that succeeded looks like.
    f"running,5.10.3,200.rt21.1.fc33.ccrma,-rt,{OLD}": True,
}
"""REPOSITORY,VERSION,RELEASE,FLAVOUR,UNAME, and whether its configuration says PREEMPT_RT."""


def recipe() -> str:
    """Return all that the image depends on, as text."""
    return "\n".join((SUITE, *PACKAGES, *_KERNELS, sources()))


def sources() -> str:
    """Return the digests of our specs, scripts and programs."""
    ours = sorted((*HERE.glob("files/**/*.*"), *HERE.glob("specs/*")))
    return "\n".join(f"{p.name} {hashlib.sha256(p.read_bytes()).hexdigest()}" for p in ours)


def build(root: Path, run: Callable[..., None]) -> None:
    """Make the root directory `root` by what `run(*argv)` runs. Takes about a minute."""
    run("mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root))
    with put_sources(root) as inside:
        for name, realtime in _KERNELS.items():
            _empty_kernel(root / inside / "kernels" / name, realtime=realtime)
        make_host("container", root, inside, run)


@contextmanager
def put_sources(root: Path) -> Iterator[Path]:
    """Put our specs and scripts into a root directory; yield where they are, relative to it."""
    inside = Path("var/tmp/practice-source")
    for part in ("files", "specs"):
        shutil.copytree(HERE / part, root / inside / part)
    yield inside
    shutil.rmtree(root / inside)


def make_host(machine: str, root: Path, inside: Path, run: Callable[..., None]) -> None:
    """Make a `container` or a `virtual` host of a minimal Debian with our sources in it."""
    script, *others = (f"/{inside}/{name}" for name in ("files/make-host.sh", "files", "specs",
                                                         "kernels"))  # fmt: skip
    run("chroot", str(root), "sh", script, machine, *others)


def repository(root: Path, name: str) -> Path:
    """Return the directory of a repository's packages in an image or a host."""
    return root / "srv/repository" / name


def _empty_kernel(payload: Path, *, realtime: bool) -> None:
    payload.mkdir(parents=True)
    (payload / "vmlinuz").write_text("a container boots no kernel\n")
    line = "CONFIG_PREEMPT_RT=y" if realtime else "# CONFIG_PREEMPT_RT is not set"
    (payload / "config").write_text(f"CONFIG_HIGH_RES_TIMERS=y\n{line}\n")
