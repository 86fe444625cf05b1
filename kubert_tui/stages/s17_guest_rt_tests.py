"""Stage 17: rt-tests in the virtual machines."""

from kubert_tui.stages.in_guests import in_guests
from kubert_tui.stages.s07_rt_tests import STAGE as ON_HOSTS

STAGE = in_guests(
    ON_HOSTS,
    title="Guests: rt-tests",
    what="Inside the virtual machines: the ladder compares them with their hosts, so they get the "
    "same version.",
)
