"""The lab that needs no file: this machine, with nothing allowed."""

from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab

LOCAL = "local"
"""Its name on the command line."""


def local_lab() -> Lab:
    """Return the lab `local`: stages are judged, rt-tests built in our cache, 60 s measured."""
    return Lab(
        name=LOCAL,
        hosts=(HostSpec(name="this-machine", connection="local"),),
        cyclictest=CyclictestSpec(preset="quick"),
    )
