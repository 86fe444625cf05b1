"""Stage 8: the first cyclictest, measured on every host at once, watched live."""

from kubert_tui.checks import irq, kernel, processors, scheduling, tools
from kubert_tui.stages.measure_change import MeasureChange
from kubert_tui.stages.model import Guide, Stage

STAGE = Stage(
    id="cyclictest",
    title="First cyclictest",
    guide=Guide(
        what=(
            "cyclictest starts one real-time thread per CPU that sleeps for an interval, wakes up, "
            "and counts how late it woke, in buckets of one microsecond. The histogram is shown "
            "live while it runs and is stored with everything that explains it."
        ),
        why=(
            "The largest wake-up latency is what every later layer builds on: a virtual machine "
            "or a pod cannot be more punctual than its host."
        ),
        readme=(
            "sudo cyclictest --mlockall --smp --nanosleep --priority=90 --interval=200 "
            "--histogram=250 --distance=0 --loops=36000000 --quiet > ctout"
        ),
        ours=(
            "The same command with the lab's settings (`preset: readme` is the README's two "
            "hours, `quick` is 60 s), started so that it outlives us. Close the wizard, lose the "
            "connection: it goes on, and we attach to it again. All CPUs are measured, as the "
            "README does it; `cyclictest: cpus: isolated` measures those of the CPU plan. "
            "`cyclictest.load` names what runs beside it (hackbench, cpu, disk, ...); the key l "
            "starts or stops a load meanwhile."
        ),
        differs=(
            "--nanosleep exists in rt-tests 1.0 only; newer versions print their help for it and "
            "exit 0, so it is left out there. The exit status proves nothing (a full disk and a "
            "throttled run both give 0): a result counts when its output is whole and its cycles "
            "are as many as ordered."
        ),
    ),
    checks=(
        kernel.REALTIME_RUNNING,
        processors.SMT_OFF,
        processors.ISOLATED,
        irq.IRQBALANCE_OFF,
        scheduling.RT_THROTTLING,
        scheduling.RT_GROUP,
        tools.CYCLICTEST,
        tools.LOAD,
    ),
    change=MeasureChange(),
    measures=True,
)
