"""The shell scripts that a trial stands on: can GRUB forget an entry, and what the entry is."""

import os
import subprocess
from pathlib import Path

import pytest

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
MENU = "load_env\nset next_entry=\nsave_env next_entry\nsource $prefix/custom.cfg\n"
RT = "6.1.0-28-rt-amd64"


class Grub:
    """A GRUB directory, and programs that say of it what the test wants."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "grub"
        self.directory.mkdir()
        self.programs = directory / "bin"
        self.programs.mkdir()
        (self.directory / "grub.cfg").write_text(MENU)
        (self.directory / "grubenv").write_text("#" * 1024)
        self.program("grub-probe", "case $1 in --target=fs) echo ext2 ;; esac")
        self.program("findmnt", "echo rw,relatime")
        self.program("readlink", '[ "$2" = /sbin/init ] && echo /lib/systemd/systemd || echo "$2"')

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def reasons(self) -> str:
        done = subprocess.run(
            ["sh", "-s", "--", str(self.directory)],
            input=(PLAYBOOKS / "way-back.sh").read_bytes(),
            env={"PATH": f"{self.programs}:/usr/bin:/bin"},
            capture_output=True, check=True, timeout=30,
        )  # fmt: skip
        assert done.stderr == b""
        return done.stdout.decode()


@pytest.fixture
def grub(tmp_path: Path) -> Grub:
    return Grub(tmp_path)


def test_a_plain_partition_is_a_way_back(grub: Grub) -> None:
    assert grub.reasons() == ""
    (grub.directory / "grubenv").unlink()
    assert grub.reasons() == "", "GRUB's tools make the file"


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        ("case $1 in --target=fs) echo ext2 ;; *) printf 'diskfilter\\nmdraid1x\\n' ;; esac",
         "lies on diskfilter mdraid1x, which GRUB cannot write to"),
        ("case $1 in --target=fs) echo xfs ;; *) echo lvm ;; esac", "lies on lvm, which"),
        ("case $1 in --target=fs) echo btrfs ;; esac", "lies on btrfs, which GRUB cannot safely"),
        ("case $1 in --target=fs) echo zfs ;; esac", "lies on zfs, which GRUB cannot safely"),
        ("echo 'grub-probe: error: no such disk' >&2; exit 1", "cannot tell what"),
    ],
)  # fmt: skip
def test_what_grub_cannot_write_to_is_none(grub: Grub, probe: str, reason: str) -> None:
    grub.program("grub-probe", probe)
    assert reason in grub.reasons()
    assert grub.reasons().count("\n") == 1


def test_the_tools_of_fedora_are_asked_too(grub: Grub) -> None:
    (grub.programs / "grub-probe").rename(grub.programs / "grub2-probe")
    assert grub.reasons() == ""
    (grub.programs / "grub2-probe").unlink()
    assert "grub-probe is not installed" in grub.reasons()


@pytest.mark.parametrize("words", ["load_env", "save_env next_entry", "custom.cfg"])
def test_a_menu_without_the_code_is_none(grub: Grub, words: str) -> None:
    (grub.directory / "grub.cfg").write_text(MENU.replace(words, ""))
    assert words in grub.reasons()


def test_a_menu_that_waits_for_somebody_is_none(grub: Grub) -> None:
    (grub.directory / "grub.cfg").write_text(MENU + "if x; then\n  set timeout=-1\nfi\n")
    assert "waits at its menu until somebody presses a key" in grub.reasons()
    (grub.directory / "grub.cfg").write_text(MENU + "  set timeout=30\n")
    assert grub.reasons() == ""


def test_a_menu_of_boot_loader_entries_needs_no_custom_file(grub: Grub) -> None:
    (grub.directory / "grub.cfg").write_text(MENU.replace("source $prefix/custom.cfg", "blscfg"))
    assert grub.reasons() == ""


def test_a_block_of_another_size_and_a_read_only_one_are_none(grub: Grub) -> None:
    (grub.directory / "grubenv").write_text("")
    grub.program("findmnt", "echo ro,relatime,errors=remount-ro")
    assert "has 0 bytes" in grub.reasons()
    assert "mounted read-only" in grub.reasons()
    grub.program("findmnt", "echo rw,relatime,errors=remount-ro")
    assert "read-only" not in grub.reasons()


def test_without_systemd_nothing_would_restart_the_host(grub: Grub) -> None:
    grub.program("readlink", "echo /sbin/runit")
    assert "systemd does not start this host" in grub.reasons()


ENTRY = f"""\
submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-1111' {{
\tmenuentry 'Debian, with Linux {RT}' --class debian --unrestricted $menuentry_id_option \
'gnulinux-{RT}-advanced-1111' {{
\t\tload_video
\t\tif [ x$grub_platform = xxen ]; then insmod xzio; fi
\t\tsavedefault
\t\tlinux\t/boot/vmlinuz-{RT} root=UUID=1111 ro  quiet
\t\tinitrd\t/boot/initrd.img-{RT}
\t}}
\tmenuentry 'Debian, recovery mode' $menuentry_id_option 'gnulinux-{RT}-recovery-1111' {{
\t\tlinux\t/boot/vmlinuz-{RT} single
\t\tinitrd\t/boot/initrd.img-{RT}
\t}}
}}
"""


def trial_entry(directory: Path, menu: str, release: str = RT) -> subprocess.CompletedProcess[str]:
    file = directory / "grub.cfg"
    file.write_text(menu)
    script = str(PLAYBOOKS / "grub-trial-entry.sh")
    return subprocess.run(
        ["sh", script, str(file), release, "our-id", "panic=30 x=y"],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}, timeout=30,
    )  # fmt: skip


def test_the_trials_entry_is_the_kernels_own_with_more_arguments(tmp_path: Path) -> None:
    made = trial_entry(tmp_path, ENTRY)
    assert (made.returncode, made.stderr) == (0, "")
    title = f"kubert-tui: trial of {RT}"
    assert made.stdout.splitlines() == [
        f"menuentry '{title}' --class debian --unrestricted $menuentry_id_option 'our-id' {{",
        "\t\tload_video",
        "\t\tif [ x$grub_platform = xxen ]; then insmod xzio; fi",
        f"\t\tlinux\t/boot/vmlinuz-{RT} root=UUID=1111 ro  quiet panic=30 x=y",
        f"\t\tinitrd\t/boot/initrd.img-{RT}",
        "}",
    ]


@pytest.mark.parametrize(
    "menu", ["", ENTRY.replace("initrd\t", "echo\t"), ENTRY.replace(RT, "6.1.0-30-amd64")]
)
def test_a_kernel_that_is_not_whole_in_the_menu_has_no_entry(tmp_path: Path, menu: str) -> None:
    made = trial_entry(tmp_path, menu)
    assert (made.returncode, made.stdout) == (1, "")


def test_releases_are_taken_literally(tmp_path: Path) -> None:
    assert trial_entry(tmp_path, ENTRY, "6.1.0-28-rt.amd64").returncode == 1
    assert trial_entry(tmp_path, ENTRY, "6.1.0-28-rt").returncode == 1
    plus = ENTRY.replace(RT, "5.10.2-rt20+rt")
    assert "trial of 5.10.2-rt20+rt'" in trial_entry(tmp_path, plus, "5.10.2-rt20+rt").stdout
