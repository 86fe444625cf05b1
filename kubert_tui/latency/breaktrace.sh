# Traces what happens while cyclictest waits for a latency above its --breaktrace threshold:
#   sh breaktrace.sh begin    turns tracing on, or says on stderr why not and changes nothing
#   sh breaktrace.sh end      keeps the trace (trace.gz) if cyclictest stopped it; puts all back
# Works in the run's directory. cyclictest marks the trace and stops it (--tracemark): it knows only
# the kernel's main trace, so that is what is used, and only when nobody else does.
. ./undo.sh

events='sched:sched_switch sched:sched_wakeup sched:sched_migrate_task irq irq_vectors nmi
    timer:hrtimer_expire_entry timer:hrtimer_expire_exit timer:timer_expire_entry
    timer:timer_expire_exit timer:tick_stop workqueue:workqueue_execute_start'
# kB over all CPUs; the kernel gives each its share.
total=65536
text=8388608

no() {
    echo "kubert-tui: tracing cannot be set up: $1" >&2
    put_back
    exit 1
}

begin() {
    begin_undo
    command -v gzip > /dev/null || no 'there is no gzip'
    find_tracefs || no 'there is no tracefs'
    [ "$(cat "$tracefs/current_tracer")" = nop ] && [ -z "$(cat "$tracefs/set_event")" ] ||
        no 'somebody else is tracing'
    if [ ! -d /sys/kernel/debug/tracing ] && [ -d /sys/kernel/debug ]; then
        # Older cyclictests look for it there, and would mount it and leave it.
        printf '%s\n' 'umount /sys/kernel/debug' 'umount /sys/kernel/debug/tracing' >> undo
        mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null
    fi
    size=$((total / $(getconf _NPROCESSORS_ONLN)))
    [ "$size" -le 4096 ] || size=4096
    echo "clear $tracefs/trace" >> undo
    change "$tracefs/tracing_on" 0 || no 'it is not permitted'
    change "$tracefs/buffer_size_kb" "$size" || no 'there is no memory for it'
    : > "$tracefs/trace"
    for event in $events; do
        [ -d "$tracefs/events/$(echo "$event" | tr : /)" ] || continue
        echo "event $tracefs/set_event $event" >> undo
        echo "$event" >> "$tracefs/set_event" || no 'its events cannot be turned on'
    done
    echo 1 > "$tracefs/tracing_on"
}

end() {
    if [ -e undo ] && grep -q '^# Break thread:' stdout && find_tracefs; then
        {
            head -n 20 "$tracefs/trace" | grep '^#'
            grep -v '^#' "$tracefs/trace" | tail -n 60000 | tail -c "$text"
        } | gzip > trace.new && mv trace.new trace.gz
    fi
    put_back
}

"$1"
