"""Cloud images by name: where they lie, and what proves them.

Each sum is its publisher's own, as the file named in `sums` has it; here it was taken from public
files that quote it (several, independent of each other), for no publisher could be asked. A wrong
one can only refuse. Fedora signs its sums (keys: https://fedoraproject.org/fedora.gpg); Debian
does not sign those of its cloud images. A pin needs neither: nothing else is taken for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DEFAULT_PRESET = "debian-13"
DEFAULT_BOX = "fedora/43-cloud-base"
DEFAULT_BOX_URL = (
    "https://download.fedoraproject.org/pub/fedora/linux/releases/43/Cloud/x86_64/images/"
    "Fedora-Cloud-Base-Vagrant-libvirt-43-1.6.x86_64.vagrant.libvirt.box"
)
"""The box's own address: its name alone leads to a catalogue that has no newer ones."""


@dataclass(frozen=True, slots=True)
class ImagePreset:
    """One image for x86_64."""

    url: str
    algorithm: str
    """sha256 or sha512, whichever its publisher uses."""
    digest: str
    sums: str
    """Its publisher's file of sums."""


def _debian(number: int, suite: str, build: str, digest: str) -> ImagePreset:
    directory = f"https://cloud.debian.org/images/cloud/{suite}/{build}"
    url = f"{directory}/debian-{number}-genericcloud-amd64-{build}.qcow2"
    return ImagePreset(url, "sha512", digest, f"{directory}/SHA512SUMS")


def _fedora(release: int, build: str, digest: str) -> ImagePreset:
    directory = (
        "https://download.fedoraproject.org/pub/fedora/linux/releases/"
        f"{release}/Cloud/x86_64/images"
    )
    url = f"{directory}/Fedora-Cloud-Base-Generic-{release}-{build}.x86_64.qcow2"
    sums = f"{directory}/Fedora-Cloud-{release}-{build}-x86_64-CHECKSUM"
    return ImagePreset(url, "sha256", digest, sums)


IMAGE_PRESETS: Mapping[str, ImagePreset] = MappingProxyType(
    {
        "debian-12": _debian(
            12,
            "bookworm",
            "20260712-2537",
            "6c2607f1846ee86040830c87d0b723f0967da3e884ea4673d9db4aa8eee13a4b"
            "7c663524bfa42082c16fc6919f3aa1bf425c004d07ff06c53a319ad0c42647bb",
        ),
        "debian-13": _debian(
            13,
            "trixie",
            "20260712-2537",
            "7ae53e9dbee282bfc16f289dec483dde3a8598769c38a267948310f7a2a52c66"
            "2620198603bc52c142627efba379863d16079698a10b34102d55bcedd40e8d32",
        ),
        "fedora-43": _fedora(
            43, "1.6", "846574c8a97cd2d8dc1f231062d73107cc85cbbbda56335e264a46e3a6c8ab2f"
        ),
        "fedora-44": _fedora(
            44, "1.7", "28680fe5b371a5a82ebf43a31926e086a168e59949d03969c5093e7071f90b7f"
        ),
    }
)
