"""Stage 18: hosts and virtual machines measured, one below the other."""

from dataclasses import replace

from kubert_tui.stages.ladder_change import LadderChange
from kubert_tui.stages.model import Guide, Where
from kubert_tui.stages.s08_cyclictest import STAGE as ON_HOSTS

STAGE = replace(
    ON_HOSTS,
    id="ladder",
    title="Ladder: host to guest",
    guide=Guide(
        what="cyclictest runs on every host and in every virtual machine, with the same settings, "
        "and each guest's figures stand below those of the host that runs it, with the difference: "
        "what virtualization costs.\n\n"
        "By default all of them measure at the same time: a difference means something only if "
        "both saw the same minutes, the same load, the same interrupts of the firmware. It does "
        "not flatter: the host's measuring threads take precedence over virtual processors, so a "
        "guest may look a little worse than it is, never better. `ladder: {order: layers}` in the "
        "lab file (or `kubert-tui ladder --one-by-one`) measures the hosts first, then the guests, "
        "each layer undisturbed by the other.\n\n"
        "All CPUs are measured on both sides unless `cyclictest: cpus:` chooses: `isolated`, or "
        "numbers of the hosts' CPUs, and in a guest then all virtual ones but the first, which "
        "keeps house.",
        why="A guest cannot be more punctual than its host. Only both figures together tell which "
        "of the two is to be worked on.",
        readme=ON_HOSTS.guide.readme,
        ours="The same command on the hosts and inside the machines, streamed through the hosts; "
        "every result is stored with its layer and the host beneath it. "
        "`kubert-tui ladder` runs this stage and prints the table; `kubert-tui compare RUN` "
        "has the differences with their intervals.",
        differs="The README measures its hosts only. " + ON_HOSTS.guide.differs,
    ),
    change=LadderChange(),
    where=Where.ALL,
)
