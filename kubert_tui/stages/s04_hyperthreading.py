"""Stage 4: hyperthreading off in the firmware, and the restart that leads there."""

from kubert_tui.checks import kernel, processors
from kubert_tui.stages.bios import hyperthreading_guide, no_firmware_menu
from kubert_tui.stages.model import Guide, Stage
from kubert_tui.stages.reboot import RebootChange

STAGE = Stage(
    id="hyperthreading",
    title="Hyperthreading off",
    guide=Guide(
        what="Restarts the hosts so that you can turn hyperthreading off in their firmware on the "
        "way. kubert-tui waits until each host is back as a new boot, then looks at its kernel and "
        "its processors.\n\n"
        "The way through the menus of each host's own firmware is shown with the host. Have its "
        "console at hand (iLO, iDRAC, XClarity, BMC) before you restart it.",
        why="Two logical processors share one core: what runs on one delays the other at random. "
        "Only the firmware takes the second one away for good.",
        readme="Hyperthreading introduces 'random' latencies, so we will disable the Intel (R) "
        "Hyperthreading Options to disable the logical processor cores on processors supporting "
        "it.\n"
        "Reboot the machine, from the `System Utilities` screen, select `System Configuration > "
        "BIOS/Platform Configuration (RBSU) > Processor Options > Intel (R) Hyperthreading Options "
        "> Disabled > Save Your Settings`.\n"
        "At this point cross your fingers, and continue the booting process selecting the "
        "PREEMPT_RT patched Linux kernel at the grub.\n"
        "After the booting its done, login and do `uname -a` to verify.",
        ours="systemctl reboot, scheduled on every host at once; then a look every 5 seconds for "
        "up to 30 minutes (`restart_wait:` in the lab file), until the boot id has changed; then "
        "uname -a and the state of SMT",
        differs="The PREEMPT_RT kernel is the default already, so nothing has to be chosen in "
        "GRUB. The menus are those of your machine's vendor, found by its DMI data. What the "
        "firmware says is for you to change: no program can do it for all of them.",
    ),
    checks=(kernel.REALTIME_RUNNING, processors.SMT_OFF, kernel.REALTIME_DEFAULT),
    goals=frozenset({kernel.REALTIME_RUNNING.id, processors.SMT_OFF.id}),
    change=RebootChange(
        confirm="The hosts restart: whatever runs on them ends. Have their consoles at hand to "
        "enter the firmware and turn hyperthreading off."
    ),
    by_hand=True,
    not_for=no_firmware_menu,
    host_guide=hyperthreading_guide,
)
