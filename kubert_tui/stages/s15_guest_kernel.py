"""Stage 15: a PREEMPT_RT kernel in the virtual machines, tried once there, too."""

from kubert_tui.stages.in_guests import in_guests
from kubert_tui.stages.s03_kernel import STAGE as ON_HOSTS

STAGE = in_guests(
    ON_HOSTS,
    title="Guests: RT kernel",
    what="Inside the virtual machines: the host's real-time kernel runs their virtual processors "
    "in time, and their own has to hand that on. A machine has a GRUB of its own, so a kernel "
    "that does not boot is left again there as on a host. The hosts do not restart.",
)
