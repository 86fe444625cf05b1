"""Stage 16: irqbalance off in the virtual machines."""

from kubert_tui.stages.in_guests import in_guests
from kubert_tui.stages.s06_irqbalance import STAGE as ON_HOSTS

STAGE = in_guests(
    ON_HOSTS,
    title="Guests: IRQ balancing off",
    what="Inside the virtual machines.\n\n"
    "Two stages of the hosts have none for machines. Hyperthreading is a matter of the firmware "
    "beneath. And the CPU plan of a machine follows from its size: its first virtual CPU keeps "
    "house (it boots the machine, and interrupts go there), the others are for real time; which "
    "processors they are is the host's plan to say. What steals time beneath a machine is looked "
    "for where it happens, on the host.",
)
