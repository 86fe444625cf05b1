"""The trial of a kernel on the Fedora family, with dnf, rpm, grubby and a GRUB that really boots.

One virtual machine of the Fedora family (tests/support/rpm_host). Its kernels are Debian's, in
packages that are called like the README's.
"""

import platform
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.lab.model import KernelSpec, Lab, Permission
from kubert_tui.lab.write import write_lab
from tests.support.headless import Headless, auto
from tests.support.rpm_host.virtual_host import rpm_machine

pytestmark = [
    pytest.mark.lab,
    pytest.mark.virtual,
    pytest.mark.long,
    pytest.mark.timeout(10_800),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="its packages are for x86_64"),
]

EMPTY_INITRAMFS = """\
#!/bin/sh
cpio --quiet -o -H newc </dev/null >"$1"
"""
MAKER = "/usr/lib/practice/make-initramfs"


def test_a_kernel_that_panics_and_one_that_boots(own_directories: Path, tmp_path: Path) -> None:
    with rpm_machine() as host, host.packages() as packages:
        old = host.run("uname -r").strip()
        new = old.replace("-amd64", "-rt-amd64")
        lab = tmp_path / "lab.yaml"
        write_lab(
            Lab(
                name="fedora",
                hosts=(host.spec(),),
                allow=frozenset(Permission),
                kernel=KernelSpec(source="packages", packages=packages),
            ),
            lab,
        )

        def kernel_stage() -> Headless:
            return auto("--yes", "--only", "kernel", lab=lab)

        whole = host.run(f"cat {MAKER}")
        host.write(MAKER, EMPTY_INITRAMFS)
        panicked = kernel_stage()
        assert panicked.finish() == ExitCode.CHANGE_FAILED, panicked.errors()
        (failure,) = panicked.named("failure")
        assert f"came back by itself on {old}; it panicked" in failure["what"]
        assert "Kernel panic" in host.console()
        assert host.run("uname -r").strip() == old
        assert host.default() == old
        assert host.grub().keys() == {"saved_entry", "kubert_trial_failed"}
        assert host.arguments(new) == host.arguments(old)

        host.write(MAKER, whole)
        host.run(f"kernel-install add {new} /lib/modules/{new}/vmlinuz")
        adopted = kernel_stage()
        assert adopted.finish() == ExitCode.OK, (adopted.named("failure"), adopted.errors())
        assert host.run("uname -r").strip() == new
        assert host.run("cat /sys/kernel/realtime").strip() == "1"
        assert host.default() == new
        assert host.grub().keys() == {"saved_entry"}
        assert host.arguments(new) == host.arguments(old)

        host.restart()
        assert host.run("uname -r").strip() == new, "it boots by default"
        again = kernel_stage()
        assert again.finish() == ExitCode.OK, again.errors()
        assert again.seen[-1]["states"]["kernel"] == "satisfied"
