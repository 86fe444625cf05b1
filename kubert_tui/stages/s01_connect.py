"""Stage 1: reach every host and see what it is. Changes nothing."""

from kubert_tui.checks import bridge, cpu_plan, kernel, tools, virtualization
from kubert_tui.checks.catalogue import ALL, CROSS
from kubert_tui.stages.model import Guide, Stage

_LATER = (
    kernel.REALTIME_INSTALLED,
    kernel.REALTIME_DEFAULT,
    cpu_plan.PLAN,
    tools.CYCLICTEST,
    bridge.BRIDGE,
    virtualization.INSTALLED,
    virtualization.RUNNING,
    virtualization.USABLE,
    virtualization.BOOTS,
)
"""What later stages bring: missing now, it is no finding worth a line here."""

STAGE = Stage(
    id="connect",
    title="Connect and inspect",
    guide=Guide(
        what="Reaches every host of the lab over its connection and gathers facts about it in one "
        "round trip: distribution, kernel, processors, memory, scheduling, interrupts, network "
        "cards, virtualization. Hosts that should be twins are compared with each other.\n\n"
        "Nothing is changed on any host.",
        why="Every later stage decides by these facts what there is to do. Whatever could not be "
        "read is shown as unknown, with the reason, and not taken for a no.",
        readme="We will use two twin bare-metal machines with the following specs each one:\n"
        "* HPE ProLiant DL380 Gen10 server\n"
        "* CPUs: 2 x Intel(R) Xeon(R) Gold 6242R CPU @ 3.10GHz\n"
        "* Memory: 2 x 32 GiB ...\n"
        "* Network cards: 2 x Broadcom BCM57416 NetXtreme-E Dual-Media 10G RDMA Ethernet",
        ours="One probe script per host, read-only, over the connection that the lab file names.",
        differs="The README describes its two machines; we ask yours what they are.",
    ),
    checks=tuple(check for check in ALL if check not in _LATER),
    cross_checks=CROSS,
)
