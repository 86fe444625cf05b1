"""kernel.yml with a real ansible-playbook on a /boot of the test's own."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.playground import PLAYBOOKS, Playground, make_playground, plain

DEBIAN = Path("/etc/debian_version").exists()

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="the playbooks become root"),
]


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    return make_playground(tmp_path)


SUBMENU = "gnulinux-advanced-1111"
GRUB_MKCONFIG = """\
boot=$(dirname "$(dirname "$2")")
. "$DEFAULTS"
[ "$GRUB_DEFAULT" = saved ] && GRUB_DEFAULT='${saved_entry}'
{
    echo "set default=\\"$GRUB_DEFAULT\\""
    echo "submenu 'Advanced options' \\$menuentry_id_option 'gnulinux-advanced-1111' {"
    for kernel in "$boot"/vmlinuz-*; do
        release=${kernel##*/vmlinuz-}
        for kind in advanced recovery; do
            echo "menuentry 'Linux $release' --class gnu \\$menuentry_id_option" \\
                "'gnulinux-$release-$kind-1111' {"
            echo "}"
        done
    done
    echo "}"
} > "$2"
"""


@dataclass(frozen=True)
class Boot:
    directory: Path
    variables: dict[str, object]

    def kernel(self, release: str, *, realtime: bool) -> None:
        (self.directory / f"vmlinuz-{release}").touch()
        (self.directory / f"initrd.img-{release}").write_text("initramfs")
        line = "CONFIG_PREEMPT_RT=y" if realtime else "# CONFIG_PREEMPT_RT is not set"
        (self.directory / f"config-{release}").write_text(f"{line}\n")


@pytest.fixture
def boot(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> Boot:
    """A /boot as GRUB on Debian has it, with tools that do to it what GRUB's do."""
    directory = playground.directory / "boot"
    (directory / "grub").mkdir(parents=True)
    defaults = playground.directory / "default-grub"
    defaults.write_text("GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n")
    monkeypatch.setenv("DEFAULTS", str(defaults))
    playground.tool("grub-mkconfig", GRUB_MKCONFIG)
    playground.tool("grub-set-default", 'echo "saved_entry=$2" > "${1#*=}/grub/grubenv"')
    playground.tool("grub-editenv", 'cat "$1"')
    made = Boot(
        directory,
        {"kubert_boot_directory": str(directory), "kubert_grub_defaults": str(defaults)},
    )
    made.kernel("6.1.0-30-amd64", realtime=False)
    (directory / "grub" / "grub.cfg").write_text('set default="0"\n')
    return made


needs_debian = pytest.mark.skipif(not DEBIAN, reason="GRUB as Debian has it")


@needs_debian
def test_the_newest_realtime_kernel_becomes_the_default(playground: Playground, boot: Boot) -> None:
    boot.kernel("6.1.0-9-rt-amd64", realtime=True)
    boot.kernel("6.1.0-28-rt-amd64", realtime=True)
    ended = playground.play(PLAYBOOKS / "kernel.yml", boot.variables)
    assert ended.status == 0, ended.text
    saved = (boot.directory / "grub" / "grubenv").read_text()
    assert saved == f"saved_entry={SUBMENU}>gnulinux-6.1.0-28-rt-amd64-advanced-1111\n"
    defaults = (playground.directory / "default-grub").read_text()
    assert defaults == "GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\n"

    again = playground.play(PLAYBOOKS / "kernel.yml", boot.variables)
    assert (again.status, again.changed) == (0, 0), again.text


@needs_debian
def test_the_preview_of_the_kernel_changes_nothing(playground: Playground, boot: Boot) -> None:
    boot.kernel("6.1.0-28-rt-amd64", realtime=True)
    before = {path: path.read_bytes() for path in boot.directory.rglob("*") if path.is_file()}
    ended = playground.play(PLAYBOOKS / "kernel.yml", boot.variables, check=True)
    assert ended.status == 0, ended.text
    assert "+GRUB_DEFAULT=saved" in ended.text
    assert "Would run: grub-set-default" in ended.text
    after = {path: path.read_bytes() for path in boot.directory.rglob("*") if path.is_file()}
    assert after == before
    assert "GRUB_DEFAULT=0" in (playground.directory / "default-grub").read_text()


@needs_debian
def test_a_setting_that_overrides_ours_is_found_out(playground: Playground, boot: Boot) -> None:
    boot.kernel("6.1.0-28-rt-amd64", realtime=True)
    playground.tool("grub-mkconfig", GRUB_MKCONFIG.replace('. "$DEFAULTS"', "GRUB_DEFAULT=0"))
    ended = playground.play(PLAYBOOKS / "kernel.yml", boot.variables)
    assert ended.status != 0
    assert "/etc/default/grub.d" in ended.text


@needs_debian
def test_a_default_that_grub_does_not_keep_is_found_out(playground: Playground, boot: Boot) -> None:
    boot.kernel("6.1.0-28-rt-amd64", realtime=True)
    playground.tool("grub-set-default", "exit 0")
    ended = playground.play(PLAYBOOKS / "kernel.yml", boot.variables)
    assert ended.status != 0
    assert "GRUB did not keep the default" in plain(ended.text)


@needs_debian
def test_a_host_without_grub_is_refused_before_anything_is_installed(
    playground: Playground,
) -> None:
    empty = playground.directory / "boot"
    empty.mkdir()
    ended = playground.play(PLAYBOOKS / "kernel.yml", {"kubert_boot_directory": str(empty)})
    assert ended.status != 0
    assert "This host has no GRUB" in plain(ended.text)
    assert "Install the" not in ended.text.partition("Refuse a host without GRUB")[2]


GRUBBY = """\
case $1 in
    --default-kernel) cat "$STATE" ;;
    --set-default) echo "$2" > "$STATE"; echo set >> "$STATE.calls" ;;
esac
"""
FEDORA = """\
- hosts: all
  gather_facts: true
  gather_subset: ["!all"]
  vars:
    kernel_boot: "{{ kubert_boot_directory }}"
  tasks:
    - ansible.builtin.include_tasks: tasks/kernel-find.yml
    - ansible.builtin.include_tasks: tasks/kernel-default-redhat.yml
"""


def test_grubby_is_asked_for_the_path_that_was_found(
    playground: Playground, boot: Boot, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = "5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt"
    boot.kernel(release, realtime=True)
    state = playground.directory / "grubby"
    state.write_text(f"{boot.directory}/vmlinuz-6.1.0-30-amd64\n")
    monkeypatch.setenv("STATE", str(state))
    playground.tool("grubby", GRUBBY)
    sysconfig = playground.directory / "sysconfig-kernel"
    sysconfig.write_text("UPDATEDEFAULT=yes\nDEFAULTKERNEL=kernel-core\n")
    copy = playground.directory / "playbooks"
    shutil.copytree(PLAYBOOKS, copy)
    playbook = copy / "fedora.yml"
    playbook.write_text(FEDORA)
    variables = {**boot.variables, "kubert_kernel_sysconfig": str(sysconfig)}

    preview = playground.play(playbook, variables, check=True)
    assert preview.status == 0, preview.text
    assert not Path(f"{state}.calls").exists()

    ended = playground.play(playbook, variables)
    assert ended.status == 0, ended.text
    assert state.read_text() == f"{boot.directory}/vmlinuz-{release}\n"
    assert sysconfig.read_text() == "UPDATEDEFAULT=yes\nDEFAULTKERNEL=kernel-rt-core\n"

    again = playground.play(playbook, variables)
    assert (again.status, again.changed) == (0, 0), again.text
    assert Path(f"{state}.calls").read_text() == "set\n"
