"""Stage 6: irqbalance off."""

from kubert_tui.checks import irq
from kubert_tui.lab.model import Permission
from kubert_tui.stages.model import Guide, Stage
from kubert_tui.stages.playbook_change import PlaybookChange

STAGE = Stage(
    id="irqbalance",
    title="IRQ balancing off",
    guide=Guide(
        what="Stops irqbalance and keeps it from starting at boot. A host that has none is fine.",
        why="irqbalance moves interrupts between processors as it sees fit, also onto those that "
        "are to be kept for real-time work.",
        readme="sudo systemctl stop irqbalance & sudo systemctl disable irqbalance",
        ours="systemctl disable --now irqbalance",
        differs="The single & of the literal command sends the first half to the background, and "
        "its outcome is lost. Stopping irqbalance does not move the interrupts that it has "
        "placed already: they stay where they are until the next restart.",
    ),
    checks=(irq.IRQBALANCE_OFF,),
    goals=frozenset({irq.IRQBALANCE_OFF.id}),
    change=PlaybookChange("irqbalance.yml", frozenset({Permission.SERVICES})),
)
