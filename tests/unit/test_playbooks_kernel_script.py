"""Which kernel is the newest PREEMPT_RT one, judged by a /boot of our own."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "playbooks" / "realtime-kernels.sh"


def kernel(boot: Path, release: str, config: str | None = None) -> None:
    (boot / f"vmlinuz-{release}").touch()
    (boot / f"initrd.img-{release}").write_text("initramfs")
    if config is not None:
        (boot / f"config-{release}").write_text(f"CONFIG_64BIT=y\n{config}\n")


def found(boot: Path, *rpms: str, path: str = "") -> list[str]:
    environment = {"PATH": f"{path}:/usr/bin:/bin", "RPMS": "\n".join(rpms)}
    result = subprocess.run(
        ["sh", "-s", "--", str(boot)],
        input=SCRIPT.read_bytes(),
        env=environment,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return result.stdout.decode().splitlines()


def test_an_empty_boot_directory_has_none(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_the_newest_comes_first_by_version_and_not_by_letter(tmp_path: Path) -> None:
    for release in ("6.1.0-9-rt-amd64", "6.1.0-28-rt-amd64", "5.10.0-30-rt-amd64"):
        kernel(tmp_path, release, "CONFIG_PREEMPT_RT=y")
    assert found(tmp_path) == ["6.1.0-28-rt-amd64", "6.1.0-9-rt-amd64", "5.10.0-30-rt-amd64"]


def test_the_configuration_counts_more_than_the_name(tmp_path: Path) -> None:
    kernel(tmp_path, "6.12.0-rt-liar", "# CONFIG_PREEMPT_RT is not set")
    kernel(tmp_path, "6.13.0-plain", "CONFIG_PREEMPT_RT=y")
    assert found(tmp_path) == ["6.13.0-plain"]


@pytest.mark.parametrize(
    ("release", "realtime"),
    [
        ("5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt", True),
        ("5.14.0-427.13.1.el9_4.x86_64+rt", True),
        ("6.1.0-28-rt-amd64", True),
        ("6.8.1-1015-realtime", True),
        ("6.1.0-28-amd64", False),
        ("6.1.0-28-cart-amd64", False),
        ("6.8.5-301.fc40.x86_64", False),
    ],
)
def test_without_a_configuration_the_name_decides(
    tmp_path: Path, release: str, realtime: bool
) -> None:
    kernel(tmp_path, release)
    assert found(tmp_path) == ([release] if realtime else [])


def test_rescue_and_debug_kernels_are_never_chosen(tmp_path: Path) -> None:
    kernel(tmp_path, "0-rescue-0123456789abcdef", "CONFIG_PREEMPT_RT=y")
    kernel(tmp_path, "5.14.0-427.el9.x86_64+rt-debug", "CONFIG_PREEMPT_RT=y")
    assert found(tmp_path) == []


def test_with_packages_only_their_kernel_counts(tmp_path: Path) -> None:
    boot, tools = tmp_path / "boot", tmp_path / "bin"
    boot.mkdir()
    tools.mkdir()
    kernel(boot, "5.10.2-rt20", "CONFIG_PREEMPT_RT=y")
    kernel(boot, "6.12.0-rt1", "CONFIG_PREEMPT_RT=y")
    rpm = tools / "rpm"
    rpm.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tools}/arguments\n'
        "printf '/lib/modules/5.10.2-rt20/vmlinuz\\n/usr/bin/x\\n'\n"
    )
    rpm.chmod(0o755)
    rpms = ("/tmp/kernel core.rpm", "/tmp/kernel-modules.rpm")
    assert found(boot, *rpms, path=str(tools)) == ["5.10.2-rt20"]
    assert (tools / "arguments").read_text().splitlines()[-2:] == list(rpms)


def test_packages_without_a_kernel_choose_none(tmp_path: Path) -> None:
    boot, tools = tmp_path / "boot", tmp_path / "bin"
    boot.mkdir()
    tools.mkdir()
    kernel(boot, "6.12.0-rt1", "CONFIG_PREEMPT_RT=y")
    rpm = tools / "rpm"
    rpm.write_text("#!/bin/sh\necho /usr/share/doc/readme\n")
    rpm.chmod(0o755)
    assert found(boot, "/tmp/other.rpm", path=str(tools)) == []


@pytest.mark.parametrize("empty", [True, False])
def test_a_kernel_whose_installation_broke_off_is_not_chosen(tmp_path: Path, empty: bool) -> None:
    kernel(tmp_path, "6.1.0-9-rt-amd64", "CONFIG_PREEMPT_RT=y")
    kernel(tmp_path, "6.1.0-28-rt-amd64", "CONFIG_PREEMPT_RT=y")
    initramfs = tmp_path / "initrd.img-6.1.0-28-rt-amd64"
    if empty:
        initramfs.write_text("")
    else:
        initramfs.unlink()
    assert found(tmp_path) == ["6.1.0-9-rt-amd64"]


def test_the_initramfs_of_fedora_counts(tmp_path: Path) -> None:
    kernel(tmp_path, "5.14.0-427.el9.x86_64+rt", "CONFIG_PREEMPT_RT=y")
    debian = tmp_path / "initrd.img-5.14.0-427.el9.x86_64+rt"
    debian.rename(tmp_path / "initramfs-5.14.0-427.el9.x86_64+rt.img")
    assert found(tmp_path) == ["5.14.0-427.el9.x86_64+rt"]
