"""Stage 14: the virtual machines brought up to date."""

from kubert_tui.stages.in_guests import in_guests
from kubert_tui.stages.s02_update import STAGE as ON_HOSTS

STAGE = in_guests(
    ON_HOSTS,
    title="Guests: update",
    what="Inside the virtual machines, all of them at once, each through the host that runs it. "
    "Their image is as old as the day it was made.",
)
