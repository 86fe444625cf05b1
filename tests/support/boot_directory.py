"""A /boot as GRUB on Debian has it, for playbooks that change what boots.

GRUB's own programs work on it (`grub-editenv`, `grub-set-default`, `grub-script-check`). Only
`grub-mkconfig` and `grub-probe` are ours: GRUB's know one /boot, the machine's, and its disks.
"""

import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.playground import Ended, Playground

RUNNING = platform.release()
"""The kernel this machine runs: what a host goes back to, or has on trial."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
ANOTHER_BOOT = "00000000-1111-2222-3333-444444444444"
SUBMENU = "gnulinux-advanced-1111"
TRIAL_ARGUMENTS = "panic=30 rd.shell=0 rd.emergency=reboot"

_MKCONFIG = """\
boot=$(dirname "$(dirname "$2")")
. "DEFAULTS"
[ "$GRUB_DEFAULT" = saved ] && GRUB_DEFAULT='${saved_entry}'
entry() { # TITLE ID KERNEL
    echo "menuentry '$1' --class debian --class gnu-linux \\$menuentry_id_option '$2' {"
    echo "	load_video"
    echo "	insmod gzio"
    echo "	if [ x\\$grub_platform = xxen ]; then insmod xzio; fi"
    echo "	savedefault"
    echo "	echo	'Loading Linux $3 ...'"
    echo "	linux	/boot/vmlinuz-$3 root=UUID=1111 ro  quiet"
    [ ! -s "$boot/initrd.img-$3" ] || echo "	initrd	/boot/initrd.img-$3"
    echo "}"
}
{
    echo 'if [ -s $prefix/grubenv ]; then'
    echo '  load_env'
    echo 'fi'
    echo 'if [ "${next_entry}" ] ; then'
    echo '   set default="${next_entry}"'
    echo '   set next_entry='
    echo '   save_env next_entry'
    echo 'else'
    echo "   set default=\\"$GRUB_DEFAULT\\""
    echo 'fi'
    newest=$(ls "$boot" | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
    entry Debian gnulinux-simple-1111 "$newest"
    echo "submenu 'Advanced options' \\$menuentry_id_option 'gnulinux-advanced-1111' {"
    for kernel in "$boot"/vmlinuz-*; do
        release=${kernel##*/vmlinuz-}
        for kind in advanced recovery; do
            entry "Debian, with Linux $release" "gnulinux-$release-$kind-1111" "$release"
        done
    done
    echo "}"
    echo 'if [ -f $prefix/custom.cfg ]; then source $prefix/custom.cfg; fi'
} > "$2"
"""


@dataclass(frozen=True)
class Boot:
    """The directory, and a playground whose programs work on it."""

    playground: Playground
    variables: Mapping[str, object]

    @property
    def directory(self) -> Path:
        return self.playground.directory / "boot"

    @property
    def menu(self) -> Path:
        return self.directory / "grub" / "grub.cfg"

    @property
    def custom(self) -> Path:
        return self.directory / "grub" / "custom.cfg"

    @property
    def defaults(self) -> Path:
        return self.playground.directory / "default-grub"

    @property
    def units(self) -> Path:
        return self.playground.directory / "units"

    def kernel(self, release: str, *, realtime: bool) -> None:
        """Install a kernel, as far as anybody looks."""
        (self.directory / f"vmlinuz-{release}").touch()
        (self.directory / f"initrd.img-{release}").write_text("initramfs")
        line = "CONFIG_PREEMPT_RT=y" if realtime else "# CONFIG_PREEMPT_RT is not set"
        (self.directory / f"config-{release}").write_text(f"{line}\n")

    def write_menu(self) -> None:
        """What `update-grub` does."""
        subprocess.run(
            [str(self.playground.tools / "grub-mkconfig"), "-o", str(self.menu)],
            check=True,
        )

    def kept(self) -> dict[str, str]:
        """Return GRUB's environment block."""
        if not self._environment.exists():
            return {}
        listed = subprocess.run(
            ["grub-editenv", str(self._environment), "list"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        return dict(line.split("=", 1) for line in listed.splitlines())

    def keep(self, **values: str) -> None:
        """Set variables of GRUB's environment block."""
        settings = [f"{name}={value}" for name, value in values.items()]
        subprocess.run(["grub-editenv", str(self._environment), "set", *settings], check=True)

    def play(self, playbook: Path, *, check: bool = False, **more: object) -> Ended:
        """Run a playbook on it."""
        return self.playground.play(playbook, {**self.variables, **more}, check=check)

    def content(self) -> dict[str, bytes]:
        """Return every file that a playbook may change."""
        roots = (self.directory, self.units, self.defaults)
        files = [path for root in roots for path in (root, *root.rglob("*"))]
        return {str(path): path.read_bytes() for path in files if path.is_file()}

    @property
    def _environment(self) -> Path:
        return self.directory / "grub" / "grubenv"


def entry_of(release: str) -> str:
    """Return what GRUB calls a kernel."""
    return f"{SUBMENU}>gnulinux-{release}-advanced-1111"


def make_boot(playground: Playground) -> Boot:
    """Return a /boot with the kernel this machine runs."""
    boot = Boot(
        playground,
        {
            "kubert_boot_directory": str(playground.directory / "boot"),
            "kubert_grub_defaults": str(playground.directory / "default-grub"),
            "kubert_unit_directory": str(playground.directory / "units"),
        },
    )
    boot.menu.parent.mkdir(parents=True)
    boot.units.mkdir()
    boot.defaults.write_text("GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n")
    playground.tool("grub-mkconfig", _MKCONFIG.replace("DEFAULTS", str(boot.defaults)))
    playground.tool("grub-probe", "case $1 in --target=fs) echo ext2 ;; esac")
    boot.kernel(RUNNING, realtime=False)
    boot.write_menu()
    boot.keep(other="thing")
    return boot
