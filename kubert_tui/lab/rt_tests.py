"""Which version of rt-tests a lab insists on."""

from kubert_tui.lab.model import Lab


def pinned_version(lab: Lab) -> str:
    """Return the cyclictest version the lab pins, as `1.0`; `` when any will do."""
    wanted = lab.rt_tests.version.removeprefix("stable/").removeprefix("v")
    # A distribution's revision (2.4-1) is not part of what cyclictest says of itself.
    return "" if wanted in ("", "default") else wanted.partition("-")[0]
