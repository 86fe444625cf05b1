"""Which base volume the machines of a lab are copies of."""

from kubert_tui.lab.model import Lab
from kubert_tui.machines.guest import BASE


def base_volume(lab: Lab) -> str:  # noqa: ARG001
    """Return the name of the volume in our pool that disks of the lab are copies of. Pure."""
    return f"{BASE}debian.img"
