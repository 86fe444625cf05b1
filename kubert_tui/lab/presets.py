"""Named settings that a lab file can start from.

The cyclictest presets are the README's first test, whole and cut to a minute. The kernel
preset is the README's list of Planet CCRMA packages; their publisher gave no checksums, so
it carries none, and installing refuses until the lab file does. To compute one:

    curl -L URL | sha256sum

and then, with the same address, under `kernel:` in the lab file:

    packages:
      - url: URL
        sha256: SUM
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kubert_tui.lab.part import RpmPackage

if TYPE_CHECKING:
    from kubert_tui.lab.model import KernelSpec

CHECKSUM_COMMAND = "curl -L {url} | sha256sum"
"""Computes what belongs in `sha256`; `{url}` is the package's address."""

_README: Mapping[str, object] = MappingProxyType(
    {"priority": 90, "interval": 200, "histogram": 250, "distance": 0, "mlockall": True}
)

CYCLICTEST_PRESETS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "readme": MappingProxyType({**_README, "loops": 36_000_000}),
        "quick": MappingProxyType({**_README, "duration": "60s"}),
    }
)
"""Preset name to the keys of CyclictestSpec it sets."""

_CCRMA = "http://ccrma.stanford.edu/planetccrma/mirror/fedora/linux/planetcore/33/x86_64/"
_CCRMA_BUILD = "5.10.2-200.rt20.1.fc33.ccrma.x86_64.rpm"

KERNEL_PRESETS: Mapping[str, tuple[RpmPackage, ...]] = MappingProxyType(
    {
        "ccrma-5.10-fc33": tuple(
            RpmPackage(url=f"{_CCRMA}{name}-{_CCRMA_BUILD}")
            for name in (
                "kernel-rt-core",
                "kernel-rt-modules",
                "kernel-rt-modules-extra",
                "kernel-rt",
            )
        )
    }
)
"""Preset name to its packages, in the README's order."""


def kernel_packages(spec: "KernelSpec") -> tuple[RpmPackage, ...]:
    """Return the packages of a kernel: the preset's, then the lab file's own.

    A package of the lab file with the address of one of the preset takes its place: that is
    how a preset without checksums gets them. Empty when the distribution's kernel is wanted.
    """
    if spec.source != "packages":
        return ()
    by_url = {package.url: package for package in KERNEL_PRESETS.get(spec.preset, ())}
    by_url.update({package.url: package for package in spec.packages})
    return tuple(by_url.values())
